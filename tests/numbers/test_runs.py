"""Free numbers that follow one another."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers.listing.runs import Runs
from numbers.models import PhoneNumber
from portal import paging
from tests.factories import make_destination, make_number

pytestmark = pytest.mark.django_db
FIRST = 15145550000


def runs_of(listing, size=3):
    """Every run, page after page, as (first, last, length); the same from the end."""
    found = {}
    for backward in (False, True):
        rows, cursor = [], paging.Cursor(backward=True) if backward else None
        while True:
            page = listing.page(size, cursor)
            rows = [*page.rows, *rows] if backward else [*rows, *page.rows]
            cursor = page.before if backward else page.after
            if cursor is None:
                break
        found[backward] = [(row["first"], row["last"], row["length"]) for row in rows]
    assert found[True] == found[False]
    return found[False]


def by_hand(digits, at_least):
    """The runs among some numbers, one number at a time."""
    runs = []
    for one in sorted(digits):
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    return [(first, last, last - first + 1) for first, last in runs if last - first + 1 >= at_least]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_runs_are_what_somebody_finds_who_goes_through_the_numbers(alpha, bravo, acme, actor_in, data):
    """Free and other numbers at random, those of another VAR between them."""
    PhoneNumber.unscoped.all().delete()
    soon, kinds = (
        timezone.now() + timedelta(days=1),
        ("free", "gap", "theirs", "assigned", "reserved", "cooling", "over"),
    )
    drawn = data.draw(st.lists(st.sampled_from(("free", "free", "free", *kinds)), min_size=20, max_size=40))
    facts = {
        "free": {"var": alpha}, "theirs": {"var": bravo}, "assigned": {"customer": acme},
        "reserved": {"var": alpha, "reserved_for": acme, "reserved_until": soon},
        "cooling": {"var": alpha, "cooling_until": soon},
        # What held it back has ended by itself.
        "over": {"var": alpha, "cooling_until": timezone.now() - timedelta(days=1)},
    }  # fmt: skip
    for place, kind in enumerate(drawn):
        if kind != "gap":
            make_number(e164=f"+{FIRST + place}", **facts[kind])
    at_least, piece = data.draw(st.integers(2, 5)), data.draw(st.sampled_from(["", "1514", "1514555001", "1514555002"]))
    sort, descending = data.draw(st.sampled_from(["first", "length"])), data.draw(st.booleans())
    free = [FIRST + place for place, kind in enumerate(drawn) if kind in ("free", "over")]
    expected = by_hand([digits for digits in free if str(digits).startswith(piece)], at_least)
    expected.sort(key=lambda run: (run[2], run[0]) if sort == "length" else run[0], reverse=descending)
    listing = Runs(actor_in(alpha), beginning=piece, at_least=at_least, sort=sort, descending=descending)
    assert runs_of(listing) == expected
    assert listing.exact_count() == len(expected)
    text = b"".join(listing.csv({"first": "First", "length": "Numbers"})).decode()
    assert list(csv.reader(io.StringIO(text)))[1:] == [[f"+{first}", str(length)] for first, _l, length in expected]


def test_inside_a_company_free_is_what_rings_nothing(acme, actor_in):
    rings = make_destination(acme)
    for place in range(6):
        make_number(e164=f"+{FIRST + place}", **({"destination": rings} if place == 2 else {"customer": acme}))
    assert runs_of(Runs(actor_in(acme))) == [(FIRST, FIRST + 1, 2), (FIRST + 3, FIRST + 5, 3)]


def test_the_system_sees_runs_of_each_var_by_itself(system, alpha, bravo, actor_in):
    for place, var in enumerate((alpha, alpha, bravo, bravo, bravo)):
        make_number(e164=f"+{FIRST + place}", var=var)
    listing = Runs(actor_in(system), sort="var")
    assert runs_of(listing) == [(FIRST, FIRST + 1, 2), (FIRST + 2, FIRST + 4, 3)]
    assert [row["var"] for row in listing.page(9).rows] == [alpha.name, bravo.name]


@pytest.fixture
def page(alpha, signed_in):
    for place in range(30):
        make_number(e164=f"+{FIRST + place}", var=alpha)
    client = signed_in(alpha)
    return lambda url=f"/{alpha.code}/numbers/in-a-row/", **query: client.get(url, query or None)


def test_a_run_leads_to_as_many_of_its_numbers_as_are_wanted(page):
    answer = page(first="+1 514", length="20")
    (row,) = answer.context["listing"]["rows"]
    assert (row["length"], row["wanted"]) == ("30", "20")
    listed = page(row["url"]).context["listing"]
    assert (listed["paging"].total, listed["rows"][0]["digits"], listed["rows"][-1]["digits"]) == (
        "20", FIRST, FIRST + 19,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"first": "+1 515"}, "There are not that many consecutive numbers"),
        ({"first": "514"}, "Begin with + and the country code"),
        ({"first": "0514"}, "Begin with + and the country code"),
        ({"first": "+0 514"}, "Begin with + and the country code"),
        ({"first": "acme"}, "letters cannot be searched"),
        ({"length": "many"}, "how many consecutive numbers"),
        ({"length": "1"}, "how many consecutive numbers"),
        ({"length": "9999999999"}, "how many consecutive numbers"),
    ],
)
def test_what_is_not_understood_is_said(page, query, says):
    assert says in page(**query).text


@pytest.mark.parametrize("count", [2, 30])
def test_runs_take_one_statement(alpha, actor_in, count, django_assert_num_queries):
    for place in range(count):
        make_number(e164=f"+{FIRST + place}", var=alpha)
    listing = Runs(actor_in(alpha))
    with django_assert_num_queries(1):
        assert listing.page(25).rows[0]["length"] == count
