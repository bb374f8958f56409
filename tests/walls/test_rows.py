"""What each role sees and writes, asked of PostgreSQL directly: application code has no part in it."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction

from accounts.models import AuditEvent
from accounts.scope import scope, signed
from accounts.walls import WALLS
from numbers.models import Destination, NumberAsOf, PhoneNumber
from tests.factories import make_person, make_provider

pytestmark = pytest.mark.django_db
MODELS = {model._meta.db_table: model for model in apps.get_models()}
REFUSED, NO_SUCH_PAIR, AGAINST_A_CHECK = "42501", "23503", "23514"
#: Where signing in and the pages of a person have no part.
OF_TENANTS = [table for table, wall in WALLS.items() if not wall.portal]
each_of_tenants = pytest.mark.parametrize("table", OF_TENANTS)
STATEMENTS = [
    "SELECT count(*) FROM {}",
    "INSERT INTO {} DEFAULT VALUES",
    "UPDATE {} SET id = id",
    "DELETE FROM {}",
    "TRUNCATE {} CASCADE",
    "COPY {} TO STDOUT",
    "LOCK TABLE {}",
]


def refused_with(statement, *parameters):
    """The state with which PostgreSQL refuses a statement; nothing when it does what is asked."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except DatabaseError as error:
        return error.__cause__.sqlstate
    return None


# Without a scope


@each_of_tenants
@pytest.mark.parametrize("statement", STATEMENTS)
def test_without_a_scope_the_portal_may_do_nothing_with_a_table(rows, as_portal, table, statement):
    as_portal("SELECT 1")
    assert refused_with(statement.format(table)) == REFUSED


@each_of_tenants
def test_without_a_scope_a_queryset_is_refused(rows, as_portal, table):
    as_portal("SELECT 1")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        MODELS[table].unscoped.exists()


@each_of_tenants
@pytest.mark.parametrize("kind", ["var", "customer"])
def test_a_scope_of_no_account_has_no_rows(rows, table, kind):
    with transaction.atomic(), connection.within(signed(kind, 0)):
        assert MODELS[table].unscoped.count() == 0


# In a scope


@each_of_tenants
@pytest.mark.parametrize("name", ["alpha", "acme", "bravo", "zenith"])
def test_a_scope_sees_the_rows_of_its_account_and_no_others(request, rows, table, name):
    account = request.getfixturevalue(name)
    with scope(account):
        seen = set(MODELS[table].unscoped.values_list("pk", flat=True))
    assert seen == {row.pk for row in rows[account.pk][table]}


@pytest.mark.parametrize("name", ["alpha", "acme", "bravo", "zenith"])
def test_a_scope_sees_its_numbers_as_they_are_and_were_and_no_others(request, rows, name):
    account = request.getfixturevalue(name)
    own = {number.pk for number in rows[account.pk]["numbers_phonenumber"]}
    with scope(account):
        seen = [(row.pk, row.until is None) for row in NumberAsOf.unscoped.all()]
    assert sorted(seen) == sorted((pk, still) for pk in own for still in (True, False))


@each_of_tenants
def test_the_system_sees_every_row(rows, system, table):
    with scope(system):
        assert MODELS[table].unscoped.count() == len({row.pk for made in rows.values() for row in made[table]})


def test_a_tenants_statement_without_a_condition_changes_the_tenants_rows_alone(rows, alpha, acme):
    with scope(alpha):
        assert PhoneNumber.unscoped.update(label="ours") == 2
    with scope(acme):
        assert PhoneNumber.unscoped.update(label="mine") == 1
        assert Destination.unscoped.update(name="mine") == 1
    labels = PhoneNumber.unscoped.order_by("pk").values_list("label", flat=True)
    assert list(labels) == ["mine", "ours", "", ""]


# Links across tenants


def foreign_keys(table):
    """The columns of a table that point at rows of tenants, from the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT a.attname FROM pg_constraint c JOIN pg_attribute a"
            " ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)"
            # Nobody writes a generated column: it says what others do.
            " WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND a.attgenerated = ''"
            # What every account shares, and people, who act in accounts that are not their own.
            " AND c.confrelid NOT IN ('numbers_provider'::regclass, 'accounts_person'::regclass)",
            [table],
        )
        return {name for (name,) in cursor.fetchall()}


LINKS = {
    "numbers_stocklevel": {"account_id"},
    "numbers_phonenumber": {"var_id", "customer_id", "destination_id", "reserved_for_id", "last_holder_id"},
    "numbers_destination": {"var_id", "customer_id"},
    "accounts_auditevent": {"account_id", "access_id", "concerns_id"},
    "numbers_pastnumber": {"var_id", "customer_id", "reserved_for_id"},
    # What it says is copied from the number, by the one who writes it.
    "numbers_callevent": set(),
    "numbers_import": {"account_id", "access_id"},
    "numbers_importrow": {"account_id", "of_id"},
    "numbers_job": {"account_id", "access_id"},
    "numbers_jobitem": {"account_id", "job_id"},
    "numbers_release": {"account_id", "access_id"},
    "numbers_routing": {"account_id"},
    "numbers_order": {"var_id", "customer_id", "access_id"},
    "numbers_orderline": {"var_id", "customer_id", "order_id", "carrier_order_id"},
    "numbers_carrierorder": {"var_id", "customer_id", "order_id"},
    "webphone_call": {"account_id"},
    "webphone_location": {"account_id", "destination_id"},
}


def test_every_column_that_points_at_tenants_is_tried_below():
    assert {table: foreign_keys(table) for table in OF_TENANTS} == LINKS


def row_of(table, name, made, account):
    """A row of the account's that may be written, as columns and values, not pointing at ``name`` in vain."""
    if table == "accounts_auditevent":
        event = made[table][0]
        return {"at": event.at, "account_id": account.pk, "chain": [], "access_id": event.access_id, "verb": "x",
                "target_type": "x", "target": "x", "before": "{}", "after": "{}", "request_id": ""}  # fmt: skip
    var = account.pk if account.kind == "var" else account.parent_id
    customer = made["numbers_destination"][0].customer_id
    if table == "numbers_destination":
        return {
            "var_id": var,
            "customer_id": customer,
            "kind": "user",
            "service_type": "",
            "name": "x",
            "extension": "",
        }
    if table == "numbers_import":
        one = made[table][0]
        return {"account_id": account.pk, "person_id": one.person_id, "access_id": one.access_id, "chain": [],
                "request_id": "", "all_or_nothing": False, "state": "draft", "problem": "", "total": 0, "done": 0,
                "refused": 0, "as_of": one.as_of, "file_name": "", "columns": ["number"], "ignored": [],
                "encoding": "", "region": "", "overwrites": False, "key": uuid4()}  # fmt: skip
    if table == "webphone_call":
        call = made[table][0]
        return {"account_id": account.pk, "person_id": call.person_id, "ref": "x", "mode": "computer", "number": "",
                "digits": 0, "own_number": "", "caller_id": "", "state": "placed", "outcome": "", "seconds": 0,
                "placed_at": call.placed_at, "heard_at": call.heard_at}  # fmt: skip
    if table == "webphone_location":
        one = made[table][0]
        return {"account_id": account.pk, "person_id": one.person_id, "kind": one.kind, "number": one.number + "0",
                "destination_id": one.destination_id, "code": "", "code_call": ""}  # fmt: skip
    if table == "numbers_importrow":
        return {"account_id": account.pk, "of_id": made[table][0].of_id, "line": 2, "cells": ["x"], "e164": "",
                "verdict": "", "column": "", "reason": "", "plan": "[]"}  # fmt: skip
    if table == "numbers_job":
        job = made[table][0]
        return {"account_id": account.pk, "person_id": job.person_id, "access_id": job.access_id, "chain": [],
                "request_id": "", "verb": "delete", "params": "{}", "all_or_nothing": False, "chosen": "", "back": "",
                "state": "draft", "problem": "", "total": 0, "done": 0, "refused": 0, "as_of": job.as_of}  # fmt: skip
    if table == "numbers_jobitem":
        item = made[table][0]
        return {"account_id": account.pk, "job_id": item.job_id, "number_id": 1, "e164": "+4930123456", "sentence": "",
                "digits": 4930123456, "since": item.since, "state": "waiting"}  # fmt: skip
    if table == "numbers_release":
        one = made[table][0]
        return {"account_id": account.pk, "person_id": one.person_id, "access_id": one.access_id, "chain": [],
                "request_id": "", "number_id": 1, "e164": "+4930123456", "digits": 4930123456,
                "provider_id": one.provider_id, "reference": "", "state": "ready", "attempts": 0,
                "next_at": one.next_at, "reason": "", "begun_at": one.begun_at}  # fmt: skip
    if table == "numbers_routing":
        one = made[table][0]
        return {"account_id": account.pk, "number_id": 1, "e164": "+4930123456", "provider_id": one.provider_id,
                "state": "wanted", "reason": "", "attempts": 0, "next_at": one.next_at}  # fmt: skip
    if table == "numbers_stocklevel":
        return {"account_id": account.pk, "prefix": "+44", "least": 1}
    if table == "numbers_order":
        order = made[table][0]
        return {"var_id": var, "customer_id": customer, "person_id": order.person_id, "access_id": order.access_id,
                "chain": [], "request_id": "", "state": "done", "reason": "", "held_until": order.held_until,
                "informs": False, "begun_at": order.begun_at, "confirmed_at": order.begun_at, "total": 0, "active": 0,
                "failed": 0}  # fmt: skip
    if table == "numbers_carrierorder":
        one = made[table][0]
        # A provider of its own: an order has one with each.
        return {"var_id": var, "customer_id": customer, "order_id": one.order_id, "reference": "", "key": uuid4(),
                "provider_id": make_provider(str(uuid4())).pk, "state": "ready", "attempts": 0, "problem": "",
                "next_at": one.next_at}  # fmt: skip
    if table == "numbers_orderline":
        line = made[table][0]
        row = {"var_id": var, "customer_id": customer, "order_id": line.order_id, "e164": "+4930123456",
               "digits": 4930123456, "provider_id": line.provider_id, "state": "chosen", "reason": "",
               "currency": ""}  # fmt: skip
        return row | ({"carrier_order_id": line.carrier_order_id} if name == "carrier_order_id" else {})
    if table == "numbers_pastnumber":
        past = made[table][0]
        row = {"number_id": 1, "e164": "+4930123456", "digits": 4930123456, "provider_id": past.provider_id,
               "var_id": var, "customer_id": customer, "destination_name": "", "destination_kind": "",
               "service_type": "", "since": past.since, "until": past.until}  # fmt: skip
        return row | ({"reserved_for_id": customer} if name == "reserved_for_id" else {})
    number = {"e164": "+4930123456", "provider_id": made[table][0].provider_id, "var_id": var, "label": "",
              "caller_name": "", "voice": True, "sms": False, "fax": False}  # fmt: skip
    if name == "reserved_for_id":
        return number | {"reserved_for_id": customer, "reserved_until": "2100-01-01"}
    if name == "last_holder_id":
        return number | {"last_holder_id": customer}
    held = number | {"customer_id": customer, "assigned_at": "2020-01-01"}
    # What a number rings would hold it to its customer as well.
    return held if name == "customer_id" else held | {"destination_id": made["numbers_destination"][0].pk}


def foreign(name, made, var, customer):
    """What the column ``name`` would be in the other tenant."""
    if name == "destination_id":
        return made[customer.pk]["numbers_destination"][0].pk
    if name == "access_id":
        return made[customer.pk]["accounts_auditevent"][0].access_id
    if name == "of_id":
        return made[customer.pk]["numbers_import"][0].pk
    if name in ("order_id", "carrier_order_id"):
        return made[customer.pk][f"numbers_{name.removesuffix('_id').replace('_', '')}"][0].pk
    if name == "job_id":
        return made[customer.pk]["numbers_job"][0].pk
    return var.pk if name == "var_id" else customer.pk


def insert(table, row):
    marks = ", ".join(["%s"] * len(row))
    columns = ", ".join(f'"{column}"' for column in row)
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values()


@pytest.mark.parametrize(("table", "name"), [(table, name) for table in LINKS for name in sorted(LINKS[table])])
@pytest.mark.parametrize("whose", ["alpha", "acme"])
def test_no_row_of_a_tenant_points_at_another_tenant(request, rows, bravo, zenith, table, name, whose):
    account = request.getfixturevalue(whose)
    row = row_of(table, name, rows[account.pk], account)
    there = foreign(name, rows, bravo, zenith)
    own = rows[account.pk][table][0].pk
    if name == "destination_id" and table == "webphone_location":
        row |= {"kind": "extension", "number": "7"}
    with scope(account):
        assert refused_with(*insert(table, row | {name: there})) in (REFUSED, NO_SUCH_PAIR)
        change = f"UPDATE {table} SET {name} = %s WHERE id = %s"
        assert refused_with(change, there, own) in (REFUSED, NO_SUCH_PAIR, AGAINST_A_CHECK)


@pytest.mark.parametrize(
    ("table", "name"),
    [(table, name) for table in LINKS for name in sorted(LINKS[table]) if name not in ("var_id", "account_id")],
)
def test_not_even_the_owner_of_the_tables_can_make_a_row_point_at_another_tenant(
    rows, alpha, bravo, zenith, table, name
):
    row = row_of(table, name, rows[alpha.pk], alpha)
    with transaction.atomic():
        assert refused_with(*insert(table, row)) is None
    row |= {"numbers_phonenumber": {"e164": "+4930123457"}, "numbers_pastnumber": {"number_id": 2},
            "numbers_jobitem": {"number_id": 2}, "numbers_importrow": {"line": 3},
            "numbers_import": {"key": uuid4()}, "numbers_release": {"number_id": 2},
            "numbers_carrierorder": {"key": uuid4(), "provider_id": make_provider("Yet another").pk},
            "webphone_location": {"kind": "extension", "number": "7"},
            "numbers_orderline": {"e164": "+4930123457"}}.get(table, {})  # fmt: skip
    assert refused_with(*insert(table, row | {name: foreign(name, rows, bravo, zenith)})) == NO_SUCH_PAIR


@pytest.mark.parametrize("table", ["webphone_call", "webphone_location"])
def test_calls_and_telephones_are_of_somebody_of_their_account(rows, alpha, bravo, table):
    row = row_of(table, "person_id", rows[alpha.pk], alpha)
    assert refused_with(*insert(table, row | {"person_id": make_person(bravo).pk})) == NO_SUCH_PAIR
    assert refused_with(*insert(table, row)) is None


# The system only looks


@pytest.mark.parametrize("table", ["numbers_phonenumber", "numbers_destination"])
@pytest.mark.parametrize("statement", [s for s in STATEMENTS if not s.startswith(("SELECT", "COPY"))])
def test_the_systems_scope_cannot_write_numbers_whatever_the_application_thinks(rows, system, table, statement):
    with scope(system):
        assert refused_with(statement.format(table)) == REFUSED
        assert refused_with(f"SELECT FROM {table} FOR UPDATE") == REFUSED


def test_an_event_is_shown_to_the_account_that_it_concerns_and_to_no_other(rows, alpha, acme, zenith):
    facts = {"chain": [], "verb": "number.assigned", "target_type": "number", "person": make_person(alpha)}
    with scope(alpha):
        told = AuditEvent.unscoped.create(account=alpha, concerns=acme, **facts)
    for account, sees in ((acme, True), (zenith, False)):
        with scope(account):
            assert AuditEvent.unscoped.filter(pk=told.pk).exists() is sees


@pytest.mark.parametrize("table", ["numbers_pastnumber", "numbers_callevent"])
def test_nobody_writes_down_the_past_or_calls_by_hand(rows, alpha, acme, system, table):
    for account in (alpha, acme, system):
        with scope(account):
            for statement in STATEMENTS[1:5]:
                assert refused_with(statement.format(table)) == REFUSED


@pytest.mark.parametrize("whose", ["system", "alpha", "acme"])
def test_history_is_added_to_in_ones_own_account_and_never_changed(request, rows, bravo, whose):
    account = request.getfixturevalue(whose)
    facts = {"chain": [], "verb": "account.changed", "target_type": "account", "person": make_person(account)}
    with scope(account):
        AuditEvent.unscoped.create(account=account, **facts)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            AuditEvent.unscoped.create(account=bravo, **facts)
        assert refused_with("UPDATE accounts_auditevent SET verb = verb") == REFUSED
        assert refused_with("DELETE FROM accounts_auditevent") == REFUSED
