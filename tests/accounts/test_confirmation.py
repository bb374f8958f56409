"""Confirming one's identity before rights are given, after a quarter of an hour and where a session has moved."""

import pytest
from django.test import Client

from accounts.models import Access, Account, Grant, Person
from accounts.policy import CONFIRMED
from numbers.models import TelephoneSystem
from tests.accounts.browsers import PASSWORD, let_proofs_age, signed_in_as
from tests.factories import make_account, make_person

pytestmark = pytest.mark.django_db
QUARTER = 15 * 60
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
INVITATION = {"name": "Ann Example", "email": "ann@example.com", "role": "user"}


@pytest.fixture(autouse=True)
def _one_factor(settings):
    settings.STAFF_SECOND_FACTOR = False


@pytest.fixture
def boss(acme):
    return make_person(acme, "administrator", PASSWORD, email="boss@example.com")


@pytest.fixture
def reseller(alpha):
    return make_person(alpha, "administrator", PASSWORD, email="reseller@example.com")


def is_confirmation(answer) -> bool:
    return answer.status_code == 302 and answer.url.startswith("/reauthenticate/")


def confirm(client: Client, answer, **options):
    """Confirm with the password, and follow to where that leads."""
    return client.post(answer.url, {"password": PASSWORD}, follow=True, **options)


@pytest.mark.parametrize(("age", "asks"), [(0, False), (QUARTER - 60, False), (QUARTER + 60, True)])
def test_rights_are_given_within_a_quarter_of_an_hour_of_a_proof(boss, age, asks):
    client = signed_in_as(boss)
    let_proofs_age(client, age)
    path = f"/{boss.account.code}/people/invite/"
    assert is_confirmation(client.get(path)) is asks
    assert is_confirmation(client.post(path, INVITATION)) is asks
    assert Person.objects.filter(email=INVITATION["email"]).exists() is not asks


def test_every_address_that_gives_rights_asks_and_those_that_take_them_do_not(boss, reseller, acme, alpha):
    agent = make_person(alpha, "support", PASSWORD)
    colleague = make_person(acme, "user", PASSWORD, is_active=False)
    empty = make_account(Account.Kind.COMPANY, alpha)
    Account.unscoped.filter(pk=acme.pk).update(asks_consent=True)
    signed_in_as(reseller).post(f"/{acme.code}/access/", {"next": f"/{acme.code}/people/"})
    asked = Access.unscoped.get(started_at=None)
    known = TelephoneSystem.unscoped.create(account=alpha, name="Switch", token_hash="x", added_by=reseller)
    paths = {
        "access_decide": (boss, "access/decide/", {"access": asked.pk, "allow": ""}),
        "access_consent": (boss, "access/consent/", {}),
        "accounts_invite": (reseller, f"accounts/{empty.code}/invite/", {"name": "Ann", "email": "ann@example.com"}),
        "person_invite": (boss, "people/invite/", INVITATION),
        "person": (boss, f"people/{colleague.pk}/", {"name": colleague.name, "role": "administrator"}),
        "person_reactivate": (boss, f"people/{colleague.pk}/reactivate/", {}),
        "grant_give": (reseller, "grants/give/", {"agent": agent.pk, "account": acme.code, "manages": "on"}),
        "calls:add": (reseller, "phone-systems/add/", {"name": "Head office"}),
        "calls:address": (reseller, f"phone-systems/{known.pk}/address/", {}),
    }
    assert paths.keys() == CONFIRMED.keys()
    for who, path, fields in paths.values():
        client = signed_in_as(who)
        let_proofs_age(client, QUARTER + 60)
        asked_first = client.post(f"/{who.account.code}/{path}", fields)
        assert is_confirmation(asked_first), path
        shown = confirm(client, asked_first)
        assert shown.status_code == 200, path
        assert f'action="/{who.account.code}/{path}"' in shown.text
    colleague.refresh_from_db()
    assert (colleague.is_active, colleague.role) == (False, "user")
    assert not Grant.objects.exists()
    client = signed_in_as(boss)
    let_proofs_age(client, QUARTER + 60)
    assert client.post(f"/{acme.code}/people/{make_person(acme, 'user').pk}/deactivate/").url.endswith("/")
    assert Person.objects.filter(account=acme, is_active=False).count() == 2


def test_a_form_that_was_sent_too_late_waits_and_is_sent_with_a_button(boss):
    client = signed_in_as(boss)
    path = f"/{boss.account.code}/people/invite/"
    let_proofs_age(client, QUARTER + 60)
    for _again in range(2):
        shown = confirm(client, client.post(path, INVITATION | {"name": "Ann <Example>"}))
        assert "Ann &lt;Example&gt;" in shown.text
        assert not Person.objects.filter(email=INVITATION["email"]).exists()
        assert client.get("/reauthenticate/form/").text.count("Ann &lt;Example&gt;") == 2
        let_proofs_age(client, QUARTER + 60)
    confirm(client, client.get(path))
    assert client.post(path, INVITATION).status_code == 302
    assert Person.objects.filter(email=INVITATION["email"]).exists()


def test_a_form_waits_for_its_sender_alone_and_for_a_quarter_of_an_hour(boss, acme):
    client = signed_in_as(boss)
    assert client.get("/reauthenticate/form/").url == "/"
    let_proofs_age(client, QUARTER + 60)
    client.post(f"/{acme.code}/people/invite/", INVITATION)
    assert signed_in_as(make_person(acme, "administrator", PASSWORD)).get("/reauthenticate/form/").url == "/"
    session = client.session
    session["waiting_form"]["at"] -= QUARTER + 60
    session.save()
    assert client.get("/reauthenticate/form/").url == "/"


MOVES = [
    ({"REMOTE_ADDR": "198.51.100.200"}, False),  # another address of the same network
    ({"REMOTE_ADDR": "::ffff:198.51.100.7"}, False),
    ({"REMOTE_ADDR": "203.0.113.7"}, True),
    ({"REMOTE_ADDR": "2001:db8::7"}, True),
    ({"HTTP_USER_AGENT": CHROME}, True),
    ({"HTTP_USER_AGENT": FIREFOX.replace("128", "129")}, False),  # the same browser, updated
]


@pytest.mark.parametrize(("moved", "asks"), MOVES)
def test_a_session_that_moved_neither_gives_rights_nor_enters_an_account_unconfirmed(reseller, acme, moved, asks):
    there = {"REMOTE_ADDR": "198.51.100.7", "HTTP_USER_AGENT": FIREFOX}
    client = Client(**there)
    client.post("/login/", {"login": reseller.email, "password": PASSWORD})
    assert client.get(f"/{reseller.account.code}/grants/give/").status_code == 200
    elsewhere = there | moved
    assert is_confirmation(client.get(f"/{reseller.account.code}/grants/give/", **elsewhere)) is asks
    entering = client.post(
        f"/{acme.code}/access/", {"next": f"/{acme.code}/people/", "reason": "Ticket 7"}, **elsewhere
    )
    assert is_confirmation(entering) is asks
    assert Access.unscoped.filter(account=acme).exists() is not asks
    if asks:
        shown = confirm(client, entering, **elsewhere)
        assert "Ticket 7" in shown.text
        client.post(f"/{acme.code}/access/", {"next": f"/{acme.code}/people/", "reason": "Ticket 7"}, **elsewhere)
        assert Access.unscoped.filter(account=acme).count() == 1


def test_what_is_open_stays_open_where_a_session_moved(reseller):
    client = Client(REMOTE_ADDR="198.51.100.7")
    client.post("/login/", {"login": reseller.email, "password": PASSWORD})
    assert client.get(f"/{reseller.account.code}/numbers/", REMOTE_ADDR="203.0.113.7").status_code == 200
