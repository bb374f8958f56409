"""The list of the people of an account."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Person
from tests.factories import make_person

pytestmark = pytest.mark.django_db


def test_the_list_shows_own_people_with_their_state_and_exports_them(as_boss, acme, boss, zenith):
    make_person(acme, name="Émile Invité", email="emile@acme.example")
    make_person(acme, name="Dora Out", email="dora@acme.example", is_active=False)
    make_person(zenith, name="Zed Foreign")
    rows = as_boss.get(f"/{acme.code}/people/export.csv").getvalue().decode()
    found = [(row["Name"], row["Role"], row["State"]) for row in csv.DictReader(io.StringIO(rows))]
    assert found == [
        ("Bo Oss", "Administrator", "Active"),
        ("Dora Out", "User", "Deactivated"),
        ("Émile Invité", "User", "Invited"),
    ]
    page = as_boss.get(f"/{acme.code}/people/").text
    assert "Émile Invité" in page
    assert "Zed Foreign" not in page
    assert as_boss.get(f"/{acme.code}/people/export.pdf").getvalue().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"filter": "invited"}, ["Émile Invité"]),
        ({"filter": "deactivated"}, ["Dora Out"]),
        ({"filter": "active", "role": "admin"}, ["Bo Oss"]),
        ({"state": "invit"}, ["Émile Invité"]),
        ({"name": "emile"}, ["Émile Invité"]),
        ({"email": "@ACME dora"}, ["Dora Out"]),
        ({"sort": "-signed_in", "size": "25"}, ["Bo Oss", "Émile Invité", "Dora Out"]),
        ({"sort": "state"}, ["Bo Oss", "Dora Out", "Émile Invité"]),
    ],
)
def test_the_list_is_searched_filtered_and_sorted(as_boss, acme, query, names):
    make_person(acme, name="Dora Out", email="dora@acme.example", is_active=False)
    make_person(acme, name="Émile Invité", email="emile@acme.example")
    page = as_boss.get(f"/{acme.code}/people/", query)
    assert [row["name"] for row in page.context["listing"]["rows"]] == names


def test_the_list_is_paged_by_every_column(as_boss, acme):
    for i in range(30):
        person = make_person(acme, name=f"Same {i % 3}")
        Person.objects.filter(pk=person.pk).update(last_login=timezone.now() - timedelta(days=i))
    for sort in ("name", "-email", "role", "-state", "signed_in"):
        seen, url = [], f"/{acme.code}/people/?size=25&sort={sort}"
        while url:
            listing = as_boss.get(url).context["listing"]
            seen += [row["pk"] for row in listing["rows"]]
            url = listing["paging"].next_url
        assert len(seen) == len(set(seen)) == 31


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_takes_the_same_queries_at_any_size(as_boss, acme, rows, django_assert_num_queries):
    for _ in range(rows):
        make_person(acme)
    with django_assert_num_queries(8):  # session, person with account, the scope's four, counts, rows
        as_boss.get(f"/{acme.code}/people/")
