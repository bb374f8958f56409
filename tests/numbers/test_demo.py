"""The demo's data: the cast, the count, the mix, the same again for the same seed; the command's refusals."""

import hashlib
from datetime import UTC, datetime

import phonenumbers
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.models import Account, Person
from accounts.rules import standing
from numbers.demo import PASSWORD, PEOPLE, write_demo_data
from numbers.demo.plans import PLANS, areas
from numbers.demo.rows import Rows
from numbers.models import Destination, PhoneNumber

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CAST = {
    "system@demo.example": ("SYS", "administrator"),
    "support@demo.example": ("SYS", "support"),
    "var@alpha.example": ("V1001", "administrator"),
    "var@bravo.example": ("V1002", "administrator"),
    "admin@acme.example": ("C20001", "administrator"),
    "admin@zenith.example": ("C20002", "administrator"),
    "pro@jane.example": ("P30001", "administrator"),
    "user@acme.example": ("C20001", "user"),
}


def table(which, rows):
    """The table's lines, once those before it are used up."""
    for name, _columns, lines in rows.tables():
        kept = list(lines)
        if name == which:
            return kept
    raise LookupError(which)


def e164s(numbers):
    return [line.split("\t")[1] for line in table("numbers_phonenumber", Rows(numbers, seed=1, now=NOW))]


def digest(seed):
    """What the numbers' table holds after the data of ``seed``, which are taken back."""
    with transaction.atomic(), connection.cursor() as cursor:
        write_demo_data(1_000, seed=seed, now=NOW)
        cursor.execute("SELECT (to_jsonb(n) - 'since')::text FROM numbers_phonenumber n ORDER BY id")
        found = hashlib.sha256("\n".join(text for (text,) in cursor).encode()).hexdigest()
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
def test_the_cast_is_there_and_signs_in_with_the_password(client):
    write_demo_data(100)
    assert {person[0]: (person[3], person[2]) for person in PEOPLE} == CAST
    found = Person.objects.values_list("email", "account__code", "role")
    assert {email: (code, role) for email, code, role in found} == CAST
    for email in CAST:
        client.post("/login/", {"login": email, "password": PASSWORD})
        assert client.session.pop("_auth_user_id") == str(Person.objects.get(email=email).pk)
        client.logout()


@pytest.mark.django_db
def test_the_systems_agent_may_view_one_var_and_what_is_below_it():
    write_demo_data(100)
    agent = Person.objects.get(email="support@demo.example")
    opens = {code: standing(agent, code) for code in ("V1001", "C20001", "V1002", "C20002")}
    assert {code: found and found.manages for code, found in opens.items()} == {
        "V1001": False,
        "C20001": False,
        "V1002": None,
        "C20002": None,
    }


@pytest.mark.django_db
def test_the_cast_holds_its_accounts_and_numbers():
    write_demo_data(100)
    parents = dict(Account.unscoped.exclude(parent=None).values_list("code", "parent__code"))
    assert parents.items() >= {"V1001": "SYS", "V1002": "SYS", "C20001": "V1001", "C20002": "V1002"}.items()
    assert parents["P30001"] == "V1001"
    assert PhoneNumber.unscoped.get(e164="+15145550100").destination.name == "Front desk"
    assert PhoneNumber.unscoped.filter(customer__code="C20001").count() == 24


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [100, 101, 2_345])
def test_there_are_as_many_numbers_as_asked_for(asked):
    write_demo_data(asked)
    assert PhoneNumber.unscoped.count() == asked


@pytest.mark.django_db
def test_every_state_is_in_the_mix():
    write_demo_data(2_000, now=NOW)
    numbers = PhoneNumber.unscoped
    states = {
        "ringing": numbers.exclude(destination=None),
        "active": numbers.exclude(first_call_at=None),
        "pending": numbers.filter(customer__isnull=False, first_call_at=None),
        "available": numbers.filter(customer=None, reserved_for=None, cooling_until=None),
        "reserved": numbers.filter(reserved_until__gt=NOW),
        "cooling": numbers.filter(cooling_until__gt=NOW, last_holder__isnull=False),
        "labelled": numbers.exclude(label=""),
        "with fax": numbers.filter(fax=True),
    }
    counts = {state: found.count() for state, found in states.items()}
    assert min(counts.values()) >= 20, counts
    assert counts["ringing"] > 900
    assert counts["active"] > 3 * counts["pending"]
    assert numbers.filter(fax=True, provider__supports_fax=False).count() == 0
    assert {kind for (kind,) in Destination.unscoped.values_list("kind")} == {"user", "group", "service"}


@pytest.mark.django_db
def test_the_indexes_and_keys_are_back():
    names = "SELECT indexname FROM pg_indexes UNION ALL SELECT conname FROM pg_constraint ORDER BY 1"
    with connection.cursor() as cursor:
        cursor.execute(names)
        before = cursor.fetchall()
        write_demo_data(100)
        cursor.execute(names)
        assert cursor.fetchall() == before


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_rows():
    first, other, again = digest(1), digest(2), digest(1)
    assert first == again != other


def test_numbers_are_possible_and_none_comes_twice():
    numbers = e164s(5_000)
    assert len(set(numbers)) == 5_000
    assert [number for number in numbers if not phonenumbers.is_possible_number(phonenumbers.parse(number))] == []


@pytest.mark.parametrize("country", PLANS)
def test_numbers_of_an_area_are_valid_in_its_country(country):
    for area in areas()[country]:
        numbers = [phonenumbers.parse(f"+{area.next()}") for _turn in range(200)]
        assert {phonenumbers.is_valid_number_for_region(number, country) for number in numbers} == {True}


def test_an_area_meets_each_of_its_numbers_once():
    area = areas()["GB"][0]
    area.block, area.size = 100, 100 * len(area.bases)  # the same steps in an area that is soon used up
    assert len({area.next() for _turn in range(area.size)}) == area.size


def test_ten_million_numbers_fit_into_the_plans():
    rows = Rows(200_000, seed=1, now=NOW)
    table("numbers_phonenumber", rows)
    used = {id(area): next(area.turns) / area.size for var in rows.vars for area in var.areas}
    assert max(used.values()) * 50 < 0.5


def test_sizes_of_vars_are_skewed_and_one_is_of_500_numbers():
    vars_ = [line.split("\t")[2] for line in table("numbers_phonenumber", Rows(100_000, seed=1, now=NOW))]
    sizes = sorted(vars_.count(var) for var in set(vars_) - {"2", "3"})
    assert 500 in sizes
    assert len(sizes) == 100
    assert sizes[-1] > 10 * sizes[len(sizes) // 2]


@pytest.mark.django_db
def test_a_filled_database_is_refused_or_left_alone(system, capsys):
    with pytest.raises(CommandError, match="This database has accounts already"):
        call_command("demo_data", numbers=100)
    call_command("demo_data", numbers=100, if_empty=True)
    assert capsys.readouterr() == ("", "")
    assert not PhoneNumber.unscoped.exists()


@pytest.mark.parametrize("numbers", [-1, 0, 62, 10_000_001])
def test_a_number_of_numbers_that_cannot_be_is_refused(numbers):
    with pytest.raises(CommandError, match=rf"--numbers {numbers}: ask for 100 .* to 10,000,000"):
        call_command("demo_data", numbers=numbers)
