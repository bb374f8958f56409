"""A customer towards the stock of its VAR, asked of PostgreSQL in an attacker's SQL: application code has no part."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.scope import BUYER, role_called, scope
from accounts.walls import OPEN, OPEN_TO_BUYERS, VIEWS, WALLS
from numbers.actions.orders import HOLD_WAITING
from tests.factories import make_account, make_destination, make_number
from tests.walls.test_rows import AGAINST_A_CHECK, REFUSED, refused_with

pytestmark = pytest.mark.django_db
MINE = {"free", "own", "kept for me", "cooling after me", "kept once", "cooling once"}
IN_STOCK = MINE - {"own"}
THEIRS = {
    "a sibling's", "a professional's", "kept for a sibling", "cooling after a sibling", "cooling after nobody",
    "another VAR's", "another VAR's customer's",
}  # fmt: skip


@pytest.fixture
def sibling(alpha):
    """Another company of the same VAR."""
    return make_account("company", alpha, name="Sibling Inc")


@pytest.fixture
def numbers(alpha, bravo, acme, jane, zenith, sibling):
    """Numbers in every state that there is, seen from Acme."""
    soon, past = timezone.now() + timedelta(days=2), timezone.now() - timedelta(days=2)
    made = {
        "free": make_number(alpha),
        "own": make_number(destination=make_destination(acme), active=True),
        "kept for me": make_number(alpha, reserved_for=acme, reserved_until=soon),
        "cooling after me": make_number(alpha, last_holder=acme, cooling_until=soon),
        "kept once": make_number(alpha, reserved_for=sibling, reserved_until=past),
        "cooling once": make_number(alpha, last_holder=sibling, cooling_until=past),
        "a sibling's": make_number(destination=make_destination(sibling)),
        "a professional's": make_number(customer=jane),
        "kept for a sibling": make_number(alpha, reserved_for=sibling, reserved_until=soon),
        "cooling after a sibling": make_number(alpha, last_holder=sibling, cooling_until=soon),
        "cooling after nobody": make_number(alpha, cooling_until=soon),
        "another VAR's": make_number(bravo),
        "another VAR's customer's": make_number(customer=zenith),
    }
    assert set(made) == MINE | THEIRS
    return made


@pytest.fixture
def do(acme, numbers):
    """Run a statement in Acme's scope as a buyer; what it finds, or how many rows it changes."""

    def run(statement, **values):
        with scope(acme, buys=True), connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    return run


def called(numbers, rows):
    """The names of the numbers with these ids."""
    names = {number.pk: name for name, number in numbers.items()}
    return {names[pk] for (pk,) in rows}


# What it sees


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM numbers_phonenumber",
        "SELECT id FROM numbers_phonenumber WHERE customer_id = %(sibling)s OR true",
        "SELECT n.id FROM numbers_phonenumber n LEFT JOIN accounts_account a ON a.id = n.customer_id",
        "WITH every AS MATERIALIZED (TABLE numbers_phonenumber) SELECT id FROM every",
        "SELECT id FROM numbers_phonenumber FOR UPDATE",
        "UPDATE numbers_phonenumber SET reserved_for_id = reserved_for_id WHERE false RETURNING id",
    ],
)
def test_a_buyer_sees_its_own_numbers_and_those_that_it_may_take(do, numbers, sibling, statement):
    seen = called(numbers, do(statement, sibling=sibling.pk))
    assert seen == (set() if "false" in statement else MINE)


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_numbers_of_others_are_absent_however_they_are_asked_for(do, numbers, name):
    number = numbers[name]
    for condition in ("id = %(id)s", "e164 = %(e164)s", "digits = %(digits)s", "customer_id = %(customer)s"):
        values = {"id": number.pk, "e164": number.e164, "digits": number.digits, "customer": number.customer_id}
        assert do(f"SELECT id FROM numbers_phonenumber WHERE {condition}", **values) == []
        # An error that a foreign row would cause does not happen: it is not looked at.
        assert do(f"SELECT 1 / (id - id) FROM numbers_phonenumber WHERE {condition}", **values) == []


def test_each_customer_of_a_var_is_a_buyer_of_its_own(numbers, alpha, jane, sibling, zenith):
    for customer, seen in (
        (jane, {"free", "a professional's", "kept once", "cooling once"}),
        (
            sibling,
            {"free", "a sibling's", "kept for a sibling", "cooling after a sibling", "kept once", "cooling once"},
        ),
        (zenith, {"another VAR's", "another VAR's customer's"}),
        (alpha, set()),
    ):
        with scope(customer, buys=True), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM numbers_phonenumber")
            assert called(numbers, cursor.fetchall()) == seen


@pytest.mark.parametrize("table", sorted({*WALLS, *OPEN, *VIEWS} - {"numbers_phonenumber"}))
def test_a_buyer_reads_what_it_needs_to_buy_and_nothing_else(acme, numbers, table):
    reads = table in OPEN_TO_BUYERS | {"accounts_account", "numbers_destination"}
    with scope(acme, buys=True):
        assert refused_with(f"SELECT count(*) FROM {table}") == (None if reads else REFUSED)
    writes = "has_any_column_privilege(%(role)s, %(table)s, 'INSERT, UPDATE')"
    writes += " OR has_table_privilege(%(role)s, %(table)s, 'DELETE, TRUNCATE')"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {writes}", {"role": role_called(BUYER), "table": table})
        assert cursor.fetchone() == (False,)


def test_a_buyer_sees_its_own_destinations_alone(do, numbers):
    assert do("SELECT id FROM numbers_destination") == [(numbers["own"].destination_id,)]


# What it does

HELD = "reserved_for_id = %(me)s, reserved_until = %(until)s"
LET_GO = "reserved_for_id = NULL, reserved_until = NULL"
FORGOTTEN = "last_holder_id = NULL, cooling_until = NULL"
TAKEN = f"customer_id = %(me)s, assigned_at = now(), {LET_GO}, {FORGOTTEN}"
GIVEN_BACK = (
    "customer_id = NULL, assigned_at = NULL, destination_id = NULL, first_call_at = NULL, last_call_at = NULL,"
    " last_holder_id = %(me)s, cooling_until = %(until)s"
)


@pytest.fixture
def change(do, numbers, acme, sibling, zenith):
    """Change the numbers with these names as a buyer; how many were changed."""

    def run(what, *names):
        return do(
            f"UPDATE numbers_phonenumber SET {what} WHERE id = ANY(%(ids)s)",
            ids=[numbers[name].pk for name in names],
            me=acme.pk,
            sibling=sibling.pk,
            zenith=zenith.pk,
            until=timezone.now() + HOLD_WAITING,
            mine=numbers["own"].destination_id,
            theirs=numbers["a sibling's"].destination_id,
        )

    return run


def refused_by(change, what, name):
    """The state with which PostgreSQL refuses a change; nothing when it is made."""
    try:
        with transaction.atomic():
            change(what, name)
    except DatabaseError as error:
        return error.__cause__.sqlstate
    return None


def test_a_buyer_holds_lets_go_takes_and_gives_back(change):
    assert change(f"{HELD}, {FORGOTTEN}", *IN_STOCK - {"cooling after me"}) == 4
    assert change(HELD, "cooling after me") == 1
    assert change(LET_GO, *IN_STOCK) == 5
    assert change(TAKEN, *IN_STOCK) == 5
    assert change(GIVEN_BACK, *MINE) == 6
    assert change(GIVEN_BACK.replace("%(until)s", "NULL"), *MINE) == 6


@pytest.mark.parametrize("name", sorted(THEIRS))
@pytest.mark.parametrize("what", [HELD, LET_GO, TAKEN, GIVEN_BACK])
def test_numbers_of_others_are_out_of_reach(change, numbers, name, what):
    number = numbers[name]
    assert change(what, name) == 0
    still = type(number).unscoped.get(pk=number.pk)
    assert (still.customer, still.reserved_for, still.since) == (number.customer, number.reserved_for, number.since)


@pytest.mark.parametrize(
    "what",
    [
        # for another
        "reserved_for_id = %(sibling)s, reserved_until = %(until)s",
        "reserved_for_id = %(zenith)s, reserved_until = %(until)s",
        "reserved_for_id = 999999999, reserved_until = %(until)s",
        "customer_id = %(sibling)s, assigned_at = now()",
        "customer_id = %(zenith)s, assigned_at = now()",
        "last_holder_id = %(sibling)s",
        "last_holder_id = %(sibling)s, cooling_until = %(until)s",
        # for longer than a basket or an order holds
        "reserved_for_id = %(me)s, reserved_until = now() + interval '9 days'",
        "reserved_for_id = %(me)s, reserved_until = 'infinity'",
        # so that nobody gets it
        "cooling_until = %(until)s, last_holder_id = NULL",
        # with more than the number
        f"{TAKEN}, destination_id = %(mine)s",
        f"{TAKEN}, destination_id = %(theirs)s",
        f"{TAKEN}, first_call_at = now(), last_call_at = now()",
        "customer_id = %(me)s, assigned_at = now(), last_holder_id = %(sibling)s",
    ],
)
def test_a_number_of_the_stock_goes_to_the_buyer_alone_and_for_as_long_as_an_order_takes(change, what):
    assert refused_by(change, what, "free") == REFUSED


@pytest.mark.parametrize(
    "what",
    [
        "customer_id = %(sibling)s",
        "customer_id = %(sibling)s, destination_id = NULL",
        "customer_id = %(sibling)s, destination_id = %(theirs)s",
        "destination_id = %(mine)s",
        "last_call_at = now()",
        GIVEN_BACK.replace("%(me)s", "%(sibling)s"),
        f"{GIVEN_BACK}, reserved_for_id = %(sibling)s, reserved_until = %(until)s",
        f"{GIVEN_BACK}, reserved_for_id = %(me)s, reserved_until = 'infinity'",
    ],
)
def test_a_number_of_ones_own_goes_back_to_the_stock_and_nowhere_else(change, what):
    assert refused_by(change, what, "own") == REFUSED


@pytest.mark.parametrize(
    "column",
    ["id = 1", "e164 = '+15145559999'", "var_id = var_id", "provider_id = provider_id", "label = 'x'", "since = now()",
     "caller_name = 'x'", "voice = false", "sms = true", "fax = true"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["free", "own"])
def test_what_a_number_is_and_what_stands_on_it_is_not_a_buyers_to_write(change, column, name):
    assert refused_by(change, column, name) == REFUSED


@pytest.mark.parametrize("what", [f"{HELD}, customer_id = %(me)s, assigned_at = now()", "assigned_at = now()"])
def test_what_no_number_may_be_stays_impossible(change, what):
    assert refused_by(change, what, "free") == AGAINST_A_CHECK


def test_numbers_are_neither_added_nor_removed_by_a_buyer(acme, numbers):
    with scope(acme, buys=True):
        for statement in ("INSERT INTO {} DEFAULT VALUES", "DELETE FROM {}", "TRUNCATE {} CASCADE", "LOCK TABLE {}"):
            assert refused_with(statement.format("numbers_phonenumber")) == REFUSED


def test_a_statement_without_a_condition_holds_what_may_be_taken_and_no_more(do, numbers, acme):
    held = do(
        f"UPDATE numbers_phonenumber SET {HELD}, {FORGOTTEN} WHERE customer_id IS NULL RETURNING id",
        me=acme.pk,
        until=timezone.now() + timedelta(minutes=15),
    )
    assert called(numbers, held) == IN_STOCK
