"""People who sign in, accounts that are entered, and what a list of accounts shows."""

import csv
import io

import pytest
from django.test import Client

from accounts.actor import Actor
from accounts.models import Access
from tests.accounts.browsers import PASSWORD, recovery_codes, set_up_app, sign_in
from tests.accounts.guessing import OWNER
from tests.accounts.post import deliver
from tests.factories import make_person


@pytest.fixture
def boss(acme):
    """Acme's administrator, who has joined."""
    return make_person(acme, role="administrator", password=PASSWORD, email="boss@acme.example", name="Bo Oss")


@pytest.fixture
def as_boss(client, boss):
    client.force_login(boss)
    return client


@pytest.fixture
def listed(signed_in):
    """The names on a list of accounts, in order."""

    def names(account, query=""):
        page = signed_in(account).get(f"/{account.code}/accounts/export.csv{query}")
        assert page.status_code == 200
        return [row["Name"] for row in csv.DictReader(io.StringIO(page.getvalue().decode()))]

    return names


@pytest.fixture
def person(alpha):
    """Alpha's administrator, who has no second factor."""
    return make_person(alpha, role="administrator", email="someone@example.com", password=PASSWORD)


@pytest.fixture
def protected(person):
    """A person with an app: the person, the app's secret, recovery codes."""
    client = Client()
    sign_in(client, person.email)
    return person, set_up_app(client), recovery_codes(client)


@pytest.fixture
def mandatory(settings):
    """Staff must have a second factor."""
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def owner(acme):
    """The owner of a sign-in that others guess at."""
    return make_person(acme, role="administrator", email=OWNER, password=PASSWORD)


@pytest.fixture
def invite(as_boss, acme):
    """Invite somebody to Acme by the form; the worker sends the mail."""

    def go(**typed):
        typed = {"name": "Nora New", "email": "Nora@Acme.example", "role": "user"} | typed
        answer = as_boss.post(f"/{acme.code}/people/invite/", typed)
        deliver()
        return answer

    return go


@pytest.fixture
def inside(client, alpha, acme):
    """A client that works in Acme as the administrator of its VAR, and its actor there."""
    client.force_login(make_person(alpha, role="administrator"))
    client.post(f"/{acme.code}/access/")
    access = Access.unscoped.get()
    return client, Actor(person=access.person, account=acme, chain=(alpha, acme), access=access)


@pytest.fixture
def operator(client, system):
    """A system administrator, signed in."""
    person = make_person(system, role="administrator")
    client.force_login(person)
    return person


@pytest.fixture
def enter():
    """POST into an account as the client's person; returns the answer."""

    def go(client, account, **fields):
        return client.post(f"/{account.code}/access/", {"next": f"/{account.code}/numbers/", **fields})

    return go
