"""The first second factor: a password alone sets none up, and staff must have one."""

import re
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import devices
from accounts.actions import credentials_changed
from accounts.models import Account, AuditEvent
from accounts.tasks import send_invitation
from tests.accounts.browsers import PASSWORD, is_in, let_proofs_age, set_up_app, sign_in
from tests.accounts.post import confirm_by_mail, deliver, mailed_link
from tests.accounts.totp import code_for
from tests.factories import make_account, make_person, make_system

pytestmark = pytest.mark.django_db


FIRST_FACTORS = ["/security/app/", "/security/passkeys/add/"]


def nothing_is_set_up(thief, person):
    """Whether no page of the thief's begins to set up a factor, and nothing that they send does."""
    for path in FIRST_FACTORS:
        for answer in (thief.get(path, follow=True), thief.post(path, {"code": "000000", "credential": "{}"})):
            assert "secret" not in answer.text
            assert "creation_options" not in answer.text
    assert "mfa.totp.secret" not in thief.session
    assert "mfa.webauthn.state" not in thief.session
    return not person.authenticator_set.exists()


@pytest.mark.parametrize("kind", ["system", "var", "company", "professional"])
def test_a_stolen_password_sets_up_no_second_factor(mandatory, kind):
    account = make_system() if kind == "system" else make_account(kind)
    person = make_person(account, role="administrator", email="someone@example.com", password=PASSWORD)
    owner, thief = Client(), Client()
    sign_in(owner, person.email)
    sign_in(thief, person.email)
    assert nothing_is_set_up(thief, person)
    assert "Send the link to someone@example.com" in thief.get("/security/app/", follow=True).text
    # What the thief has mailed to the owner, and the owner opens, is no use to the thief.
    thief.post("/login/link/")
    deliver()
    link = mailed_link("/login/link/")
    assert "Yes, this browser is mine" in owner.get(link).text
    assert owner.post(link).url == "/security/"
    assert nothing_is_set_up(thief, person)
    assert thief.post(link).status_code == 422
    assert nothing_is_set_up(thief, person)
    set_up_app(owner)
    assert person.authenticator_set.filter(type="totp").exists()


def test_a_link_opens_once_for_an_hour_and_until_the_password_changes(person, monkeypatch):
    client, links = Client(), []
    sign_in(client, person.email)
    for _turn in range(3):
        client.post("/login/link/")
        deliver()
        links.append(mailed_link("/login/link/"))
    assert client.get(links[0]).status_code == client.get(links[0]).status_code == 200  # looking does not use it up
    assert client.post(links[0]).status_code == 302
    assert client.post(links[0]).status_code == 422
    assert "does not work any more" in client.get(links[0]).text
    now = time.time()
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: now + devices.LINK_SECONDS + 2)
        assert client.post(links[1]).status_code == 422
        assert "Send the link to" in client.get("/security/app/").text
    assert "Send the link to" not in client.get("/security/app/").text
    credentials_changed(person)
    assert Client().post(links[2]).status_code == 422
    assert Client().post("/login/link/?key=not-a-key").status_code == 422


def test_somebody_elses_link_confirms_nothing_for_the_person_signed_in(client, person, alpha):
    other = make_person(alpha, email="other@example.com", password=PASSWORD)
    sign_in(client, person.email)
    link = devices.link_for(other)
    assert client.post(link).url == "/login/"
    assert nothing_is_set_up(client, person)


def test_after_a_link_for_a_password_a_factor_is_set_up_in_the_same_browser_alone(client, mandatory, alpha):
    person = make_person(alpha, role="administrator", email="new@example.com")
    send_invitation(person_id=person.pk, inviter="I", base_url="http://testserver")
    form = client.get(mailed_link("/password/reset/key/")).url
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    thief = Client()
    sign_in(thief, person.email)
    assert nothing_is_set_up(thief, person)
    sign_in(client, person.email)
    secret = re.search(r'id="secret">(\w+)<', client.get("/security/app/").text)[1]
    assert client.post("/security/app/", {"code": code_for(secret)}).url == "/security/codes/"
    assert client.get(f"/{alpha.code}/").status_code == 200


def test_another_factor_needs_no_link(protected, client):
    person, secret, _codes = protected
    sign_in(client, person.email)
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert client.get("/security/passkeys/add/").status_code == 200
    assert "mfa.webauthn.state" in client.session


def test_who_runs_the_portal_removes_factors_that_are_lost(mandatory, protected, mailoutbox):
    person, _secret, codes = protected
    client = Client()
    sign_in(client, person.email)
    client.post("/login/code/", {"code": codes[0]})
    assert is_in(client)
    call_command("reset_second_factor", person.email.upper())
    assert not person.authenticator_set.exists()
    assert client.get("/profile/").url == "/login/?next=/profile/"
    event = AuditEvent.unscoped.get()
    assert (event.verb, event.person, event.account) == ("person.factors_removed", None, person.account)
    deliver()
    assert [(message.to, message.subject) for message in mailoutbox][-1] == (
        [person.email],
        "Your second factors were removed",
    )
    sign_in(client, person.email)
    assert nothing_is_set_up(client, person)
    set_up_app(client)
    with pytest.raises(CommandError, match="Nobody signs in"):
        call_command("reset_second_factor", "nobody@example.com")
    person.authenticator_set.all().delete()
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("reset_second_factor", person.email)


@pytest.mark.parametrize("suspended", [False, True])
def test_before_the_second_factor_nothing_of_accounts_is_told(client, mandatory, system, alpha, acme, suspended):
    """Accounts that are there and that are not: the same bytes, after the same statements."""
    home = alpha if suspended else system
    if suspended:
        Account.unscoped.filter(pk=alpha.pk).update(status="suspended")
    person = make_person(home, role="administrator", password=PASSWORD)
    sign_in(client, person.email)
    seen = set()
    for code in (acme.code, alpha.code, "V9999", "C99999"):
        for path in ("", "numbers/", "people/", "access/", "numbers/15145550100/", "webphone/"):
            for send in (client.get, client.post):
                with CaptureQueriesContext(connection) as statements:
                    answer = send(f"/{code}/{path}")
                seen.add((answer.status_code, answer.url, answer.content, len(statements)))
    assert {(status, url) for status, url, *_rest in seen} == {(302, "/security/")}
    assert len(seen) == 1
    page = client.get("/security/").text
    for hidden in (person.name, home.name, home.code, system.name, "192.0.2", "127.0.0.1"):
        assert hidden not in page


@pytest.mark.parametrize(("kind", "role"), [("system", "administrator"), ("system", "support"), ("var", "support")])
def test_staff_are_led_to_set_up_a_second_factor_first(client, mandatory, kind, role):
    account = make_system() if kind == "system" else make_account(kind)
    person = make_person(account, role=role, password=PASSWORD)
    sign_in(client, person.email)
    home = f"/{account.code}/"
    for path in ("/", home, f"{home}help/", "/profile/", "/password/change/", "/security/sessions/1/end/"):
        assert client.get(path).url == "/security/"
        assert client.post(path).url == "/security/"
    page = client.get("/security/").text
    assert "needs a second factor" in page
    assert home not in page
    set_up_app(client)
    assert client.get("/security/codes/").status_code == 200
    assert client.get(home).status_code == 200
    client.post("/security/app/remove/")
    assert client.get(home).url == "/security/"


def test_staff_without_a_second_factor_can_sign_out(client, mandatory, person):
    sign_in(client, person.email)
    client.post("/logout/")
    assert client.get("/security/").url == "/login/?next=/security/"


def test_staff_may_confirm_themselves_to_set_one_up(client, mandatory, person):
    sign_in(client, person.email)
    confirm_by_mail(client)
    let_proofs_age(client, 16 * 60)
    asked = client.get("/security/app/").url
    assert client.post(asked, {"password": PASSWORD}).url == "/security/app/"
    set_up_app(client)
    assert is_in(client)


@pytest.mark.parametrize("kind", ["company", "professional"])
def test_customers_may_do_without_a_second_factor(client, mandatory, kind):
    person = make_person(make_account(kind), role="administrator", password=PASSWORD)
    sign_in(client, person.email)
    assert is_in(client)


def test_the_rule_costs_no_query(client, mandatory, person, django_assert_num_queries):
    sign_in(client, person.email)
    set_up_app(client)
    # Session with person, account and factor; numbers, and four for the scope in the test's own transaction.
    with django_assert_num_queries(6):
        client.get(f"/{person.account.code}/numbers/")
