"""An export ends while it runs when its person may not have it any more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection
from django.test import Client

from accounts import actions
from accounts.actor import Actor
from accounts.models import Access, Account, Grant, Person
from numbers import listing
from portal import exports
from tests.factories import grant, make_number, make_person

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 100


@pytest.fixture
def large(alpha, acme, monkeypatch):
    """A customer with an export of several chunks, which is asked about after each."""
    monkeypatch.setattr(exports, "RECHECK_SECONDS", 0)
    monkeypatch.setattr(listing, "EXPORT_CHUNK", 500)
    for n in range(ROWS):
        make_number(alpha, customer=acme, e164=f"+1514555{n:04}")
    return acme


class Reader:
    """A browser of a person in an account, whose export waits after its first rows."""

    def __init__(self, person: Person, account: Account):
        self.client, self.goes_on = Client(), Event()
        self.client.force_login(person)
        if person.account != account:
            self.client.post(f"/{account.code}/access/", {"next": f"/{account.code}/"})
        cookies, begun = self.client.cookies, Event()

        def read():
            reader = Client()
            reader.cookies = cookies
            got = []
            try:
                for chunk in reader.get(f"/{account.code}/numbers/export.csv").streaming_content:
                    got.append(chunk)
                    if len(got) == 2:
                        begun.set()
                        self.goes_on.wait(60)
            except exports.NotAllowedAnyMore:
                pass
            finally:
                connection.close()
            return got

        self.reading = ThreadPoolExecutor(1).submit(read)
        assert begun.wait(60)

    def rest(self) -> list[bytes]:
        """What the export has sent since."""
        self.goes_on.set()
        return self.reading.result(60)[2:]


def deactivated(client, person, account):
    actions.deactivate_person(Actor.at_home(make_person(person.account, "administrator")), person.pk)


def signed_out(client, person, account):
    client.post("/logout/")


def lost_role(client, person, account):
    Person.objects.filter(pk=person.pk).update(role="user")


def suspended(client, person, account):
    Account.unscoped.filter(pk=account.pk).update(status="suspended")


def left(client, person, account):
    client.post(f"/{account.code}/access/leave/")


def withdrawn(client, person, account):
    boss = make_person(person.account, "administrator")
    actions.withdraw_grant(Actor.at_home(boss), Grant.objects.get(user=person).pk)


@pytest.mark.parametrize("change", [deactivated, signed_out, lost_role, suspended])
def test_an_export_at_home_ends_when_its_person_may_not_have_it_any_more(large, change):
    boss = make_person(large, "administrator")
    refused_after(change, boss, large)


@pytest.mark.parametrize("change", [deactivated, signed_out, lost_role, suspended, left, withdrawn])
def test_an_export_inside_ends_when_its_person_may_not_have_it_any_more(large, alpha, change):
    agent = make_person(alpha, "support")
    grant(agent, large)
    refused_after(change, agent, large)


def refused_after(change, person, account):
    reader = Reader(person, account)
    change(reader.client, person, account)
    assert reader.rest() == [b"INCOMPLETE: this export broke off here. Download it again.\r\n"]


def test_an_export_goes_on_as_long_as_its_person_may_have_it(large, alpha):
    agent = make_person(alpha, "support")
    grant(agent, large)
    for person in (make_person(large, "administrator"), agent):
        assert b"".join(Reader(person, large).rest()).count(b"\n") > ROWS / 2
    assert Access.unscoped.get().ended_at is None
