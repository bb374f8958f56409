"""A worker or a web server that is killed in the middle: all is done once, and everything is done in the end."""

import os
import random
import signal
import time
import traceback
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client, override_settings
from procrastinate.contrib.django import app

from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.scope import scope
from numbers.actions import delivery, imports, jobs, orders, releases, routing, verbs
from numbers.carriers import simulated
from numbers.listing import Listing
from numbers.models import CarrierOrder, Import, Job, Order, OrderLine, PhoneNumber, Release, Routing
from tests import factories
from tests.numbers.carrier import GOOD, NAME, offer, on_this_computer, ordered
from tests.processes import worker
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)
#: As often as wanted: KILLS=50, with enough to do for that.
KILLS = int(os.environ.get("KILLS", "4"))
MANY = 750 * KILLS


@pytest.fixture
def alpha(administrator_of):
    account = factories.make_account("var")
    account.boss = administrator_of(account)
    return account


def begun(work, task, **args):
    """Have workers do it, each of which is killed at some moment, until one is left to end it."""
    dice = random.Random(7)
    for turn in range(KILLS + 1):
        # What a living worker does for a dead one's sake, a minute later.
        app.configure_task(task, queue="work").defer(**args)
        with worker():
            before = progress(work)
            until = time.monotonic() + 60
            while progress(work) == before and time.monotonic() < until:
                time.sleep(0.05)
            if turn < KILLS:
                time.sleep(dice.random() / 4)
            else:
                while not is_over(work) and time.monotonic() < until:
                    time.sleep(0.1)
        if is_over(work):
            break
    assert is_over(work)


def test_an_order_is_with_its_carrier_once_whenever_a_worker_is_killed(alpha):
    acme, provider = factories.make_account("company", alpha), factories.make_provider(NAME)
    buyer = Actor.at_home(factories.make_person(acme, role="administrator"))
    dice = random.Random(7)
    numbers = [f"+1201555{i:04}" for i in range(10_000) if int(f"1201555{i:04}") % simulated.ONE_IS_TAKEN_OF]
    with on_this_computer() as (carrier, setting):
        carrier.slow = 0.1
        under_way = Order.unscoped.exclude(state="done")
        for turn in range(2 * KILLS):
            ordered(buyer, provider, numbers[2 * turn : 2 * turn + 2])
        for turn in range(KILLS + 1):
            # What healing does, minutes later.
            ago = timedelta(minutes=10)
            waiting = CarrierOrder.unscoped.exclude(state="ended")
            waiting.update(next_at=F("next_at") - ago, sent_at=F("sent_at") - ago)
            for one in waiting.all():
                delivery.queue(one, 0)
            Routing.unscoped.update(next_at=F("next_at") - ago)
            routing.queue_once(alpha.code, provider.pk)
            asked, until = carrier.asked, time.monotonic() + 60
            with worker(CARRIERS=setting):
                while turn < KILLS and carrier.asked == asked and waiting.exists() and time.monotonic() < until:
                    time.sleep(0.02)
                time.sleep(dice.random() / 3)
                while turn == KILLS and under_way.exists() and time.monotonic() < until:
                    time.sleep(0.1)
            time.sleep(2 * carrier.slow + 0.1)  # what the carrier was asked, it does, whoever has died
        kept = {one["customer_reference"]: {e164 for e164, _taken in one["numbers"]} for one in carrier.orders.values()}
    assert len(kept) == len(carrier.orders), "an order was ordered twice"
    assert not CarrierOrder.unscoped.exclude(state="ended").exists()
    assert not under_way.exists()
    for one in CarrierOrder.unscoped.all():
        lines = dict(OrderLine.unscoped.filter(carrier_order=one).values_list("e164", "state"))
        assert lines == dict.fromkeys(lines, "active" if str(one.key) in kept else "failed")
        assert set(lines) == kept.get(str(one.key), set(lines))
    assert set(PhoneNumber.unscoped.values_list("e164", flat=True)) == set().union(*kept.values())


def test_every_number_that_was_given_up_is_let_go_whenever_a_worker_is_killed(alpha):
    factories.make_system()
    provider, many = factories.make_provider(NAME), 8 * KILLS
    given_up = [factories.make_number(alpha, e164=f"+1201555{i:04}", provider=provider) for i in range(many)]
    dice = random.Random(7)
    with on_this_computer() as (carrier, setting), override_settings(CARRIERS=f"{setting}&vars={alpha.code}"):
        carrier.ported = {number.e164 for number in given_up} | {"+12015559999"}
        held = carrier.held()
        with scope(alpha):
            verbs.perform(Actor.at_home(alpha.boss), verbs.GiveUp(), [number.pk for number in given_up])
        left = Release.unscoped.filter(state="ready")
        for turn in range(KILLS + 1):
            # What healing does, a minute later.
            empty_queue()
            left.update(next_at=F("next_at") - timedelta(minutes=10))
            releases.queue(alpha.code, provider.pk)
            asked, until = carrier.asked, time.monotonic() + 60
            with worker(CARRIERS=f"{setting}&vars={alpha.code}"):
                while turn < KILLS and carrier.asked == asked and left.exists() and time.monotonic() < until:
                    time.sleep(0.02)
                time.sleep(dice.random() / 10)
                while turn == KILLS and left.exists() and time.monotonic() < until:
                    time.sleep(0.1)
        assert set(carrier.held()) == {"+12015559999"}
        assert set(carrier.given_up) == {held[number.e164] for number in given_up}
    assert set(Release.unscoped.values_list("state", flat=True)) == {"done"}
    told = AuditEvent.unscoped.filter(verb="number.given_up").values_list("target_id", flat=True)
    assert sorted(told) == [number.pk for number in given_up]


def progress(work):
    return type(work).unscoped.values_list("state", "done", "refused").get(pk=work.pk)


def is_over(work):
    return progress(work)[0] not in ("running", "checking")


def test_a_job_does_every_number_once(alpha):
    provider, acme = factories.make_provider(), factories.make_account("company", alpha)
    PhoneNumber.unscoped.bulk_create(
        PhoneNumber(e164=f"+1514{5550000 + i}", var=alpha, provider=provider) for i in range(MANY)
    )
    actor = Actor.at_home(alpha.boss)
    with scope(alpha):
        job = jobs.draft_job(actor, verbs.AssignToCustomer, Listing(actor), "all", "")
        jobs.confirm_job(actor, job.pk, verbs.AssignToCustomer(acme.pk), all_or_nothing=False)
    begun(job, "numbers.run_job", job_id=job.pk, account=alpha.code)
    job = Job.unscoped.get()
    assert (job.state, job.done, job.refused) == ("done", MANY, 0)
    assert PhoneNumber.unscoped.filter(customer=acme).count() == MANY
    told = AuditEvent.unscoped.filter(verb="number.assigned").values_list("target_id", flat=True)
    assert len(told) == len(set(told)) == MANY


def test_an_import_applies_every_line_once(alpha):
    acme = factories.make_account("company", alpha, name="Acme")
    rows = [(i + 1, [f"+1514{5550000 + i}", "Acme" if i % 3 == 0 else ""]) for i in range(MANY)]
    actor, provider = Actor.at_home(alpha.boss), factories.make_provider()
    with scope(alpha):
        wanted = imports.begin_import(actor, uuid4(), iter(rows), columns=["number", "company"], provider=provider)
    begun(wanted, "numbers.run_import", import_id=wanted.pk, account=alpha.code)
    assert Import.unscoped.get().state == "draft"
    with scope(alpha):
        imports.apply_import(actor, wanted.pk, all_or_nothing=False)
    begun(wanted, "numbers.run_import", import_id=wanted.pk, account=alpha.code)
    wanted = Import.unscoped.get()
    assert (wanted.state, wanted.done, wanted.refused) == ("done", MANY, 0)
    assert PhoneNumber.unscoped.filter(var=alpha).count() == MANY
    assert PhoneNumber.unscoped.filter(customer=acme).count() == MANY // 3
    for verb, many in (("number.imported", MANY), ("number.assigned", MANY // 3)):
        told = AuditEvent.unscoped.filter(verb=verb).values_list("target", flat=True)
        assert len(told) == len(set(told)) == many


def killed_before(statement, act):
    """Do something in a process that is killed before its so-manieth statement; whether it came to its end."""
    pid = os.fork()
    if pid == 0:
        connection.connection = kept.append(connection.connection)  # the parent's: not to be closed from here
        counted = count(1)

        def kill(execute, *statement_and_more):
            if next(counted) == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*statement_and_more)

        try:
            with connection.execute_wrapper(kill):
                act()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFEXITED(status)


kept = []


@pytest.fixture
def confirming(alpha, settings):
    """A basket with a number of the stock and two of a carrier's, and what confirms it over the web."""
    acme, provider = factories.make_account("company", alpha), factories.make_provider(NAME)
    stock = factories.make_number(alpha)
    buyer = Actor.at_home(factories.make_person(acme, role="administrator"))
    with on_this_computer() as (carrier, setting):
        settings.CARRIERS = setting
        with scope(acme):
            orders.choose(buyer, [stock.pk], [(provider.pk, offer(e164)) for e164 in GOOD[:2]])
        fields = {"order": Order.unscoped.get().pk, "line": [line.pk for line in OrderLine.unscoped.all()]}
        client = Client()
        client.force_login(buyer.person)
        yield carrier, acme, lambda: client.post(f"/{acme.code}/numbers/order/review/", fields)


def delivered(carrier, acme):
    """Whether what was confirmed is one order, with the carrier once, and all of it the customer's."""
    order = Order.unscoped.get()
    one = CarrierOrder.unscoped.get()
    delivery.go_on(acme.parent, one.pk)
    routing.go_on(acme.parent, one.provider_id)
    order.refresh_from_db()
    return (
        (order.state, order.active, len(carrier.orders)) == ("done", 3, 1)
        and PhoneNumber.unscoped.filter(customer=acme).count() == 3
        and AuditEvent.unscoped.filter(verb="order.confirmed").count() == 1
    )


def test_a_confirmation_is_one_order_before_whatever_statement_the_web_server_is_killed(confirming):
    carrier, acme, confirm = confirming
    for statement in count(1):
        killed_before(statement, confirm)
        order = Order.unscoped.get()
        # All of it or nothing: before the last statement is through, the basket is as it was.
        if order.is_basket:
            assert not CarrierOrder.unscoped.exists()
            assert not PhoneNumber.unscoped.filter(customer=acme).exists()
        else:
            break
    assert statement > 20
    # Nobody has seen an answer: they press again.
    assert confirm().status_code == 302
    assert delivered(carrier, acme)


def test_a_confirmation_is_one_order_when_the_web_server_is_killed_before_it_says_so(confirming):
    carrier, acme, confirm = confirming

    def killed_at_the_end():
        confirm()
        os.kill(os.getpid(), signal.SIGKILL)

    assert not killed_before(0, killed_at_the_end)
    assert confirm().status_code == 302
    assert delivered(carrier, acme)
