"""Four times as many lines, numbers or calls take four times the work, whatever the planner believes of the tables.

Statistics are as bad as they get: taken when other work of the same kind was finished and the rows of this one did not
exist. Work is the rows and index entries that the database reads, as it counts them itself: it depends on no clock.
"""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from accounts.actor import Actor
from accounts.scope import scope
from numbers.actions import applying, calls, imports, jobs, verbs, verdicts
from numbers.calls import Calls
from numbers.listing import Listing
from numbers.models import Import, Job, JobItem, PhoneNumber
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
FEW = 400
#: Twice what is in proportion: every batch costs something by itself, and trees grow in height.
MOST = 8
TABLES = "numbers_%"
READ = """
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint
       + (SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname LIKE %s)
FROM pg_stat_user_tables WHERE relname LIKE %s
"""


def rows_read() -> int:
    """The rows and index entries of our tables that were read so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(READ, [TABLES, TABLES])
        return cursor.fetchone()[0]


#: What the planner is inclined to: a plan that is good by luck is not good. Tables of this size are read in full; those
#: that matter are not.
LARGE = ["enable_seqscan = off"]
INCLINED = {
    "as it likes": LARGE,
    "loops": [*LARGE, "enable_hashjoin = off", "enable_mergejoin = off"],
    "little memory": [*LARGE, "work_mem = '64kB'", "hash_mem_multiplier = 1"],
}


@pytest.fixture(params=INCLINED)
def planner(request, var):
    """A planner that is inclined to plans of a kind, beside a transaction for which the database keeps all old rows."""
    with psycopg.connect(**connection.get_connection_params()) as reader, connection.cursor() as cursor:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")
        for setting in INCLINED[request.param]:
            cursor.execute(f"SET {setting}")
        yield
    connection.close()


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Many batches of few lines: a batch that reads all others would show."""
    for module, name, size in (
        (imports, "AT_ONCE", 10),
        (imports, "KEPT_AT_ONCE", 100),
        (verdicts, "CHECKED_AT_ONCE", 40),
        (applying, "ADDED_AT_ONCE", 40),
        (applying, "CHANGED_AT_ONCE", 20),
        (applying, "LOOKED_THROUGH", 40),
        (jobs, "AT_ONCE", 10),
        (jobs, "BATCH", 20),
    ):
        monkeypatch.setattr(module, name, size)


@pytest.fixture
def var(administrator_of):
    """A VAR whose stock is new, beside one whose work of every kind is finished and known to the planner."""
    provider, others = factories.make_provider(), factories.make_account("var")
    factories.make_provider("Harbour")
    others.boss = administrator_of(others)
    imported(others, provider, 0, FEW)
    assigned(others, factories.make_account("company", others))
    told(others, range(FEW))
    compared(others, factories.make_provider("Harbour"), 0, FEW)
    for _few in range(40):  # an account is expected to have few numbers
        factories.make_number(provider=provider)
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s", [TABLES])
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        cursor.execute("ANALYZE")
    account = factories.make_account("var")
    account.boss = administrator_of(account)
    return account


def e164s(first, many):
    return [f"+1514{3000000 + 10000 * first + i}" for i in range(many)]


def gone_on(account, take_up, pk):
    """What the worker does."""
    more = True
    while more:
        with scope(account):
            more = take_up(account, pk)


def imported(account, provider, first, many, columns=("number",), cells=(), **more):
    """A file of numbers, in no order, each tenth of them twice, checked and applied."""
    lines = e164s(first, many - many // 10) + e164s(first, many // 10)
    random.Random(1).shuffle(lines)
    rows = [(i + 1, [line, *cells]) for i, line in enumerate(lines)]
    actor = Actor.at_home(account.boss)
    facts = {"columns": list(columns), "provider": provider} | more
    with scope(account):
        wanted = imports.begin_import(actor, uuid4(), iter(rows), **facts)
    gone_on(account, imports.take_up, wanted.pk)
    wanted = Import.unscoped.get(pk=wanted.pk)
    assert wanted.is_draft
    with scope(account):
        differences = ["add", "change"] if wanted.is_statement else ()
        imports.apply_import(actor, wanted.pk, applies=differences)
    gone_on(account, imports.take_up, wanted.pk)
    wanted = Import.unscoped.get(pk=wanted.pk)
    assert wanted.state == "done"
    return wanted


def compared(account, provider, first, many):
    return imported(account, provider, first, many, is_statement=True)


def assigned(account, customer):
    """All free numbers of the account, given to a customer by a job."""
    actor = Actor.at_home(account.boss)
    with scope(account):
        job = jobs.draft_job(actor, verbs.AssignToCustomer, Listing(actor), "all", "")
        jobs.confirm_job(actor, job.pk, verbs.AssignToCustomer(customer.pk), all_or_nothing=False)
    gone_on(account, jobs.take_up, job.pk)
    job = Job.unscoped.get(pk=job.pk)
    assert job.state == "done"
    return job


def told(account, turns):
    """Calls to the account's numbers, told of in batches."""
    actor = Actor.at_home(account.boss)
    with scope(account):
        system, _token = calls.add_system(actor, name=str(uuid4()))
    digits = list(PhoneNumber.unscoped.filter(var=account).order_by("?").values_list("digits", flat=True))
    at = datetime.now(UTC) - timedelta(hours=1)
    turns = list(turns)
    for first in range(0, len(turns), 20):
        some = turns[first : first + 20]
        numbers = [digits[turn % len(digits)] for turn in some]
        batch = Calls(ids=[f"{turn}" for turn in some], digits=numbers, times=[at] * len(some))
        calls.record_calls(system, batch)


def growth(act, small, large):
    """How many times the work of the small case the large one is."""
    start = rows_read()
    act(*small)
    between = rows_read()
    act(*large)
    return (rows_read() - between) / (between - start)


def test_an_import_reads_its_lines_a_fixed_number_of_times(var, planner):
    provider = factories.make_provider()
    assert growth(imported, (var, provider, 1, FEW), (var, provider, 2, 4 * FEW)) < MOST


def test_an_import_that_changes_what_is_here_does_too(var, planner):
    provider, acme = factories.make_provider(), factories.make_account("company", var, name="Acme")
    assert acme.pk
    more = {"columns": ("number", "company", "label"), "cells": ("Acme", "Desk")}

    def change(first, many):
        imported(var, provider, first, many, **more)

    assert growth(change, (1, FEW), (2, 4 * FEW)) < MOST


def test_a_statement_does_too(var, planner):
    provider, harbour = factories.make_provider(), factories.make_provider("Harbour")

    def compare(first, many):
        compared(var, harbour, first, many)

    for first, many in ((1, FEW), (2, 4 * FEW)):
        imported(var, provider, first, many)
    assert growth(compare, (1, FEW), (2, 4 * FEW)) < MOST


def test_a_job_reads_its_numbers_a_fixed_number_of_times(var, planner):
    provider = factories.make_provider()

    def assign(customer, first, many):
        imported(var, provider, first, many)
        return assigned(var, customer)

    acme, bravo = (factories.make_account("company", var) for _ in range(2))
    small, large = (acme, 1, FEW), (bravo, 2, 4 * FEW)
    assert growth(assign, small, large) < MOST


def test_what_a_job_refused_is_tried_again_at_the_same_cost(var, planner):
    provider, acme = factories.make_provider(), factories.make_account("company", var)
    retried = []

    def retry(first, many):
        imported(var, provider, first, many)
        job = assigned(var, acme)
        # Refused, whoever did it.
        JobItem.unscoped.filter(job=job).update(state="refused")
        actor = Actor.at_home(var.boss)
        with scope(var):
            again = jobs.retry_job(actor, job.pk)
            jobs.confirm_job(actor, again.pk, verbs.AssignToCustomer(acme.pk), all_or_nothing=False)
        gone_on(var, jobs.take_up, again.pk)
        retried.append(Job.unscoped.get(pk=again.pk))

    assert growth(retry, (1, FEW), (2, 4 * FEW)) < MOST
    assert [(job.state, job.refused) for job in retried] == [("done", 360), ("done", 1800)]


def test_calls_are_taken_down_without_reading_those_before(var, planner):
    provider = factories.make_provider()
    imported(var, provider, 1, FEW)
    assert growth(told, (var, range(FEW)), (var, range(FEW, 5 * FEW))) < MOST
