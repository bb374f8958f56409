"""Second factors: set up, asked at sign-in, good once, taken away; and what a person must confirm first."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.actions import credentials_changed
from tests.accounts.post import deliver
from tests.accounts.totp import code_for
from tests.factories import make_account, make_person, make_system

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"


@pytest.fixture(autouse=True)
def nothing_counted(db):
    cache.clear()


@pytest.fixture
def person(alpha):
    return make_person(alpha, role="administrator", email="someone@example.com", password=PASSWORD)


def sign_in(client, person, password=PASSWORD):
    return client.post("/login/", {"login": person.email, "password": password})


def is_in(client):
    return client.get("/profile/").status_code == 200


def set_up_app(client):
    """Switch the authenticator app on; return its secret."""
    page = client.get("/security/app/").text
    secret = re.search(r'id="secret">(\w+)<', page)[1]
    assert client.post("/security/app/", {"code": code_for(secret)}).url == "/security/codes/"
    return secret


def recovery_codes(client):
    return re.findall(r"<li><code>(\d{8})</code>", client.get("/security/codes/").text)


@pytest.fixture
def protected(person):
    """A person with an app: the person, the app's secret, recovery codes."""
    client = Client()
    sign_in(client, person)
    return person, set_up_app(client), recovery_codes(client)


def let_time_pass(client, seconds):
    """Make the session's proofs of who it is ``seconds`` older."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= seconds
    session.save()


def test_with_an_app_the_password_alone_opens_nothing(client, protected):
    person, secret, _codes = protected
    assert sign_in(client, person).url == "/login/code/"
    assert not is_in(client)
    assert client.post("/login/code/", {"code": "000000"}).status_code == 200
    assert not is_in(client)
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(client)


def test_a_code_opens_once_for_as_long_as_it_is_good(protected):
    person, secret, _codes = protected
    code = code_for(secret, steps=1)
    first, second = Client(), Client()
    sign_in(first, person)
    first.post("/login/code/", {"code": code})
    assert is_in(first)
    sign_in(second, person)
    with connection.cursor() as cursor:  # half a minute passes for what was noted, and the code is still good
        cursor.execute("UPDATE portal_cache SET expires = expires - interval '31 seconds'")
    second.post("/login/code/", {"code": f"{code[:3]} {code[3:]}"})
    assert not is_in(second)


def test_a_recovery_code_opens_once(protected):
    person, _secret, codes = protected
    assert len(codes) == 10
    first, second = Client(), Client()
    sign_in(first, person)
    first.post("/login/code/", {"code": codes[3]})
    assert is_in(first)
    assert recovery_codes(first) == codes[:3] + codes[4:]
    sign_in(second, person)
    cache.clear()  # what refuses it is the database's own note
    second.post("/login/code/", {"code": codes[3]})
    assert not is_in(second)


def test_a_new_password_by_mail_does_not_open_without_the_factor(client, protected):
    person, secret, _codes = protected
    client.post("/password/reset/", {"email": person.email})
    deliver()
    link = re.search(r"http://testserver(/\S+)", mail.outbox[-1].body)[1]
    form = client.get(link).url
    assert client.post(form, {"password1": "another-password-2", "password2": "another-password-2"}).status_code == 302
    assert not is_in(client)
    assert sign_in(client, person, "another-password-2").url == "/login/code/"
    assert not is_in(client)
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(client)


def test_nothing_is_carried_over_to_the_next_person_in_the_browser(client, protected, alpha):
    person, secret, _codes = protected
    other = make_person(alpha, email="other@example.com", password=PASSWORD)
    sign_in(client, person)  # and leaves before the second step
    client.post("/logout/")
    sign_in(client, other)
    assert is_in(client)
    assert other.email in client.get("/profile/").text
    client.post("/logout/")
    assert sign_in(client, person).url == "/login/code/"
    client.post("/login/code/", {"code": code_for(secret, steps=1)})
    client.post("/logout/")
    sign_in(client, other)
    assert client.get("/security/codes/").status_code == 404
    assert "on since" not in client.get("/security/").text
    assert client.post("/login/code/", {"code": code_for(secret, steps=-1)}).status_code == 302
    assert other.email in client.get("/profile/").text


def test_what_protects_the_sign_in_asks_who_signed_in_long_ago_to_confirm(client, protected):
    person, _secret, codes = protected
    sign_in(client, person)
    client.post("/login/code/", {"code": codes[0]})
    let_time_pass(client, 16 * 60)
    for path in ("/security/codes/", "/security/codes/new/", "/security/app/remove/", "/security/passkeys/add/"):
        assert client.get(path).url == f"/reauthenticate/code/?next={path.replace('/', '%2F')}"
    assert client.post("/security/sessions/end/").url.startswith("/reauthenticate/code/")
    assert client.post("/reauthenticate/code/?next=/security/codes/", {"code": codes[1]}).url == "/security/codes/"
    assert client.get("/security/codes/").status_code == 200


def test_the_password_alone_does_not_confirm_who_has_a_factor(client, protected):
    person, _secret, codes = protected
    sign_in(client, person)
    client.post("/login/code/", {"code": codes[0]})
    let_time_pass(client, 16 * 60)
    assert client.post("/reauthenticate/?next=/security/", {"password": PASSWORD}).url.startswith(
        "/reauthenticate/code/"
    )
    assert client.get("/security/app/remove/").status_code == 302


def test_what_was_sent_before_confirming_is_done_afterwards(client, person):
    sign_in(client, person)
    other = Client()
    sign_in(other, person)
    let_time_pass(client, 16 * 60)
    asked = client.post("/security/sessions/end/").url
    assert is_in(other)
    assert client.post(asked, {"password": "wrong-password-1"}).status_code == 200
    assert is_in(other)
    assert client.post(asked, {"password": PASSWORD}).url == "/security/"
    assert not is_in(other)


# allauth tells of some changes once they are committed.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["app on", "app off", "codes", "password", "end"])
def test_a_change_of_what_protects_the_sign_in_ends_all_other_sessions(client, person, change):
    sign_in(client, person)
    secret = set_up_app(client) if change in ("app off", "codes") else ""
    other = Client()
    sign_in(other, person)
    if secret:
        other.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert is_in(other)
    if change == "app on":
        set_up_app(client)
    elif change == "app off":
        client.post("/security/app/remove/")
    elif change == "codes":
        client.post("/security/codes/new/")
    elif change == "end":
        client.post("/security/sessions/end/")
    else:
        new = "another-password-2"
        client.post("/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert is_in(client)
    assert not is_in(other)
    assert Session.objects.count() == 1


def test_credentials_changed_elsewhere_end_every_session(client, person):
    sign_in(client, person)
    credentials_changed(person)
    assert not is_in(client)


def test_without_its_last_factor_a_sign_in_has_no_recovery_codes(client, person):
    sign_in(client, person)
    set_up_app(client)
    client.post("/security/app/remove/")
    assert client.get("/security/codes/").status_code == 404
    assert not person.authenticator_set.exists()


def test_somebody_elses_factors_and_sessions_are_not_there(client, protected, zenith):
    person, _secret, _codes = protected
    rival = make_person(zenith, email="rival@example.com", password=PASSWORD)
    sign_in(client, rival)
    passkey = person.authenticator_set.create(type="webauthn", data={"name": "key", "credential": {}})
    session = person.usersession_set.get()
    for path in (f"/security/passkeys/{passkey.pk}/remove/", f"/security/passkeys/{passkey.pk}/name/"):
        assert client.post(path, {"name": "mine"}).status_code == 404
    assert client.post(f"/security/sessions/{session.pk}/end/").status_code == 404
    assert person.usersession_set.filter(pk=session.pk).exists()


def test_guessing_codes_ends_after_five(client, protected):
    person, secret, _codes = protected
    sign_in(client, person)
    for guess in range(5):
        client.post("/login/code/", {"code": f"{guess:06}"})
    answer = client.post("/login/code/", {"code": code_for(secret, steps=1)})
    assert "Too many attempts" in answer.text
    assert not is_in(client)


def test_the_secret_is_drawn_inside_the_page(client, person):
    sign_in(client, person)
    page = client.get("/security/app/").text
    assert '<svg class="qr"' in page
    assert "data:" not in page
    assert "style=" not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ("app on", "An authenticator app was set up"),
        ("app off", "Your authenticator app was removed"),
        ("codes", "New recovery codes were made"),
        ("password", "Your password was changed"),
    ],
)
def test_the_person_is_told_of_a_change_by_mail(client, person, change, subject, mailoutbox):
    sign_in(client, person)
    if change in ("app off", "codes"):
        set_up_app(client)
    deliver()
    mailoutbox.clear()
    firefox = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    if change == "app on":
        client.defaults["HTTP_USER_AGENT"] = firefox["User-Agent"]
        set_up_app(client)
    elif change == "app off":
        client.post("/security/app/remove/", headers=firefox)
    elif change == "codes":
        client.post("/security/codes/new/", headers=firefox)
    else:
        new = "another-password-2"
        client.post("/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}, headers=firefox)
    assert mailoutbox == []
    deliver()
    assert [(message.to, message.subject) for message in mailoutbox] == [([person.email], f"[testserver] {subject}")]
    for said in (f"Hello {person.name},", "from 127.0.0.1 (Firefox on Linux)", "http://testserver/password/reset/"):
        assert said in mailoutbox[0].body


@pytest.fixture
def mandatory(settings):
    settings.STAFF_SECOND_FACTOR = True


@pytest.mark.parametrize(("kind", "role"), [("system", "administrator"), ("system", "support"), ("var", "support")])
def test_staff_are_led_to_set_up_a_second_factor_first(client, mandatory, kind, role):
    account = make_system() if kind == "system" else make_account(kind)
    person = make_person(account, role=role, password=PASSWORD)
    sign_in(client, person)
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
    sign_in(client, person)
    client.post("/logout/")
    assert client.get("/security/").url == "/login/?next=/security/"


def test_staff_may_confirm_themselves_to_set_one_up(client, mandatory, person):
    sign_in(client, person)
    let_time_pass(client, 16 * 60)
    asked = client.get("/security/app/").url
    assert client.post(asked, {"password": PASSWORD}).url == "/security/app/"
    set_up_app(client)
    assert is_in(client)


@pytest.mark.parametrize("kind", ["company", "professional"])
def test_customers_may_do_without_a_second_factor(client, mandatory, kind):
    sign_in(client, make_person(make_account(kind), role="administrator", password=PASSWORD))
    assert is_in(client)


def test_the_rule_costs_no_query(client, mandatory, person, django_assert_num_queries):
    sign_in(client, person)
    set_up_app(client)
    # Session with person, account and factor; numbers, and four for the scope in the test's own transaction.
    with django_assert_num_queries(6):
        client.get(f"/{person.account.code}/numbers/")
