"""The list of numbers as it stood at a time."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Person
from accounts.scope import scope
from numbers.actions import verbs
from numbers.filters.as_of import AsOfFilter
from numbers.filters.phone_numbers import PhoneNumberFilter
from numbers.models import Destination, PastNumber, PhoneNumber
from numbers.tables import columns_for
from tests.factories import make_destination, make_number
from tests.numbers.test_listing import ACTORS, fold, stock  # noqa: F401

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEARCHES = [
    "number=514", "number=%2B15145550000 to %2B15145550055", "used_by=cote", "company=acm", "var=alpha",
    "use=service", "provider=north", "status=active", "status=pending", "reserved_for=acme", "filter=used",
    "filter=available", "filter=reserved", "filter=cooling", "used_by=e&filter=used&provider=ocea",
]  # fmt: skip


def rows_of(listing, columns):
    lines = list(csv.reader(io.StringIO(b"".join(listing.csv(columns)).decode())))
    assert lines[0] == list(columns.values())
    return lines[1:]


@pytest.mark.parametrize("kind", ACTORS)
@pytest.mark.parametrize("query", ["", *SEARCHES])
def test_as_of_now_it_is_the_list(stock, kind, query):  # noqa: F811
    person = Person.objects.select_related("account").filter(account__kind=kind).order_by("pk").first()
    actor = Actor.at_home(person)
    columns, query = columns_for(actor), QueryDict(query)
    now = PhoneNumberFilter(actor, columns, query).listing()
    then = AsOfFilter(actor, columns, query, timezone.now()).listing()
    assert rows_of(then, columns) == rows_of(now, columns)
    assert then.page(25).counts == now.page(25).counts


@pytest.mark.parametrize("kind", ACTORS)
@pytest.mark.parametrize("descending", ["", "-"])
def test_every_heading_sorts_as_in_the_list_and_pages_without_skipping(stock, kind, descending):  # noqa: F811
    """Rows of one name may stand in another order among themselves."""
    person = Person.objects.select_related("account").filter(account__kind=kind).order_by("pk").first()
    actor = Actor.at_home(person)
    columns = columns_for(actor)
    for place, name in enumerate(columns):
        query = QueryDict(f"sort={descending}{name}")
        then = AsOfFilter(actor, columns, query, timezone.now()).listing()
        rows = rows_of(then, columns)
        of_list = rows_of(PhoneNumberFilter(actor, columns, query).listing(), columns)
        assert [fold(row[place]) for row in rows] == [fold(row[place]) for row in of_list]
        assert sorted(map(tuple, rows)) == sorted(map(tuple, of_list))
        paged, cursor = [], None
        while True:
            page = then.page(7, cursor)
            paged += [row["e164"] for row in page.rows]
            if not (cursor := page.after):
                break
        assert paged == [row[0] for row in rows]


@pytest.fixture
def life(alpha, acme, jane, administrator_of):
    """A number that was free, Acme's, Acme's and rang, Jane's, and is gone: each for a day, from ``DAY`` on."""
    number = make_number(alpha, e164="+15145550123")
    rings = make_destination(acme, "Réception")
    boss = Actor.at_home(administrator_of(alpha))
    acmes = Actor.at_home(administrator_of(acme))
    for actor, verb in (
        (boss, verbs.AssignToCustomer(acme.pk)),
        (acmes, verbs.AssignToDestination(rings.pk)),
        (boss, verbs.UnassignFromCustomer()),
        (boss, verbs.AssignToCustomer(jane.pk, despite_cooling=True, reason="Acme agreed")),
        (boss, verbs.UnassignFromCustomer()),
        (boss, verbs.EndCooling()),
        (boss, verbs.Delete()),
    ):
        with scope(actor.account):
            verbs.perform_on(actor, verb, number.digits)
    for days, past in enumerate(PastNumber.unscoped.filter(digits=number.digits).order_by("since")):
        begun = DAY + timedelta(days=days)
        PastNumber.unscoped.filter(pk=past.pk).update(since=begun, until=begun + timedelta(days=1))
    Destination.unscoped.filter(pk=rings.pk).delete()
    PhoneNumber.unscoped.all().delete()
    return number


def stood(client, account, days, **query):
    at = DAY + timedelta(days=days, hours=1)
    return client.get(f"/{account.code}/numbers/as-of/", {"at": f"{at:%Y-%m-%dT%H:%M}", **query})


def test_each_account_reads_what_it_had_then(life, alpha, acme, jane, bravo, client, administrator_of):
    """Acme's days are its own: neither who had the number before nor who has it after is told."""
    shown = {}
    for account in (alpha, acme, jane, bravo):
        client.force_login(administrator_of(account))
        shown[account] = [
            [
                (row["used_by"], row["company"], "cooling" if "Cooling" in row["held_text"] else "")
                for row in stood(client, account, day).context["listing"]["rows"]
            ]
            for day in range(-1, 8)
        ]
    free, acmes = [("", "", "")], [("", "Acme Corp", "")]
    rang, cooled = [("Réception", "Acme Corp", "")], [("", "", "cooling")]
    janes = [("Jane Doe", "Jane Doe", "")]  # a professional's number rings that person's own line
    assert shown[alpha] == [[], free, acmes, rang, cooled, janes, cooled, free, []]
    assert shown[acme] == [[], [], acmes, rang, [], [], [], [], []]
    assert shown[jane] == [[], [], [], [], [], janes, [], [], []]
    assert shown[bravo] == [[]] * 9


def test_what_rang_then_is_found_by_its_name_although_it_is_gone(life, alpha, client, administrator_of):
    client.force_login(administrator_of(alpha))
    found = [len(stood(client, alpha, day, used_by="recep TION").context["listing"]["rows"]) for day in range(4)]
    assert found == [0, 0, 1, 0]


def test_a_number_that_is_gone_leads_to_its_history(life, alpha, client, administrator_of):
    client.force_login(administrator_of(alpha))
    (row,) = stood(client, alpha, 2).context["listing"]["rows"]
    assert row["url"] == f"/{alpha.code}/history/?of=%2B15145550123"
    assert "deleted the number" in client.get(row["url"]).text
    make_number(alpha, e164="+15145550124")
    (row,) = client.get(f"/{alpha.code}/numbers/as-of/").context["listing"]["rows"]
    assert row["url"] == f"/{alpha.code}/numbers/15145550124/"


def test_a_number_that_is_somebody_elses_by_now_leads_to_ones_own_history(life, acme, jane, client, administrator_of):
    make_number(pk=life.pk, customer=jane, e164=life.e164)
    urls = {}
    for account, day in ((acme, 2), (jane, 4)):
        client.force_login(administrator_of(account))
        (row,) = stood(client, account, day).context["listing"]["rows"]
        urls[account] = row["url"]
    assert urls == {
        acme: f"/{acme.code}/history/?of=%2B15145550123", jane: f"/{jane.code}/numbers/15145550123/"
    }  # fmt: skip


def test_a_number_was_pending_until_its_first_call(alpha, acme, client, administrator_of):
    number = make_number(customer=acme, active=True)
    PhoneNumber.unscoped.filter(pk=number.pk).update(
        since=DAY, first_call_at=DAY + timedelta(days=2), last_call_at=DAY + timedelta(days=9)
    )
    client.force_login(administrator_of(acme))
    statuses = [[row["status"] for row in stood(client, acme, day).context["listing"]["rows"]] for day in range(-1, 4)]
    assert statuses == [[], ["pending"], ["pending"], ["active"], ["active"]]


def test_the_time_stays_through_search_sort_reset_and_export(life, alpha, client, administrator_of):
    client.force_login(administrator_of(alpha))
    page = stood(client, alpha, 1, number="514")
    listing, at = page.context["listing"], "at=2026-03-02T13%3A00"
    assert dict(listing["hidden"])["at"] == "2026-03-02T13:00"
    assert at in listing["reset_url"]
    assert at in listing["columns"][1].sort_url
    assert at in listing["export_query"]
    assert page.context["csv_name"] == "PhoneNumbers 2026-03-02.csv"
    assert "Numbers as of 2 Mar 2026, 13:00" in page.text
    export = client.get(f"{page.context['csv_url']}?{listing['export_query']}")
    assert b"Acme Corp" in export.getvalue()
    assert "PhoneNumbers 2026-03-02.csv" in export["Content-Disposition"]


@pytest.mark.parametrize(
    ("at", "says", "field"),
    [
        ("2999-01-01T00:00", "This time is in the future", "datetime-local"),
        ("yesterday", "Enter date and time", "text"),  # a browser's own field would not show it again
        ("", "required", "datetime-local"),
    ],
)
def test_a_time_that_cannot_be_asked_about_is_refused(life, alpha, client, administrator_of, at, says, field):
    client.force_login(administrator_of(alpha))
    page = client.get(f"/{alpha.code}/numbers/as-of/", {"at": at})
    assert says in page.text
    value = f' value="{at}"' if at else ""
    assert f'<input type="{field}" name="at"{value}' in page.text
    assert page.context["listing"]["rows"] == []
    refused = client.get(page.context["csv_url"], {"at": at})
    assert refused.status_code == 422
    assert says in refused.text


@pytest.mark.parametrize("rows", [1, 40])
def test_it_takes_the_same_queries_at_any_size(alpha, signed_in, rows, django_assert_num_queries):
    for _row in range(rows):
        make_number(alpha)
    client = signed_in(alpha)
    client.get(f"/{alpha.code}/numbers/as-of/")
    with django_assert_num_queries(9):
        client.get(f"/{alpha.code}/numbers/as-of/")


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_list_as_of_a_day_is_whole_whatever_columns_are_asked_for(life, alpha, client, administrator_of, form):
    client.force_login(administrator_of(alpha))
    page = client.get(f"/{alpha.code}/numbers/as-of/")
    assert "csv-more" not in page.text
    asked, plain = (
        b"".join(client.get(f"/{alpha.code}/numbers/as-of/export.{form}?at=2026-03-01T12:00{more}").streaming_content)
        for more in ("&more=yes", "")
    )
    assert len(asked) == len(plain) > 0
    assert b"INCOMPLETE" not in asked
