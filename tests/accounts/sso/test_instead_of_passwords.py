"""Where a provider stands for the password or the second factor, also to confirm who one is."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django.utils import timezone

from accounts.models import Person
from accounts.single_sign_on import is_by_provider
from tests.accounts.browsers import is_in, let_proofs_age, set_up_app
from tests.accounts.browsers import sign_in as by_password
from tests.accounts.sso.conftest import EMAIL, NOBODY, PASSWORD, come_back, join, link
from tests.accounts.test_sign_in import without_tokens
from tests.accounts.totp import code_for
from tests.factories import make_person

pytestmark = pytest.mark.django_db


# Only with the provider


def test_the_password_is_refused_where_the_domain_requires_the_provider(configure, person, sign_in, logged):
    configure(required=True)
    client = Client()
    answer = by_password(client, EMAIL)
    assert "sign in with the button “Sign in with Example Corp” on this page" in answer.text
    assert not is_in(client)
    assert [line["person"] for line in logged.events("sign_in.provider_required")] == [person.pk]
    assert not logged.events("sign_in.failed")
    assert is_in(sign_in()[1])


def test_the_sentence_tells_nothing_to_who_does_not_know_the_password(configure, person):
    configure(required=True)
    known, unknown = (by_password(Client(), email, "wrong-password-1") for email in (EMAIL, "wrong@example.com"))
    assert without_tokens(known).replace(EMAIL.encode(), b"@") == without_tokens(unknown).replace(
        b"wrong@example.com", b"@"
    )
    assert "Sign in with Example Corp” on this page" not in known.text


def test_people_of_other_domains_sign_in_as_before(configure, acme):
    configure(required=True)
    make_person(acme, email="else@example.net", password=PASSWORD)
    client = Client()
    by_password(client, "else@example.net")
    assert is_in(client)


def test_a_passkey_is_refused_there_too(configure, person, rf, logged):
    configure(required=True)
    browser = Client()
    browser.get("/login/")
    request = rf.post("/login/passkey/")
    request.session, request.actor, request._messages = browser.session, None, Messages()
    with context.request_context(request):
        assert not is_by_provider(request, person)  # nothing has been proved yet
        record_authentication(request, person, "mfa", type="webauthn", passwordless=True)
        answer = get_adapter(request).pre_login(
            request, person, email_verification="none", signal_kwargs=None, email=None, signup=False, redirect_url=None
        )
        assert answer.url == "/login/"
    assert "_auth_user_id" not in request.session
    assert "account_authentication_methods" not in request.session
    assert {line["provider"] for line in logged.events("sign_in.provider_required")} == {"example"}


class Messages(list):
    """What a page would say next."""

    def add(self, level, message, extra_tags=""):
        self.append(message)


def test_a_system_administrator_signs_in_without_the_provider_in_an_emergency(configure, system, acme, logged, sign_in):
    configure(required=True)
    make_person(system, role="administrator", email="root@example.com", password=PASSWORD)
    client = Client()
    by_password(client, "root@example.com")
    assert is_in(client)
    (line,) = logged.events("sign_in.emergency")
    assert (line["level"], line["provider"]) == ("warning", "example")
    logged.clear()
    assert is_in(sign_in(email="root@example.com")[1])
    assert not logged.events("sign_in.emergency")
    make_person(system, role="support", email="support@example.com", password=PASSWORD)
    other = Client()
    by_password(other, "support@example.com")
    assert not is_in(other)


# The second factor


@pytest.fixture
def with_app(acme):
    """Acme's administrator with an app; gives the app's secret."""
    person = make_person(acme, role="administrator", email=EMAIL, password=PASSWORD)
    client = Client()
    by_password(client, EMAIL)
    return person, set_up_app(client)


def test_the_second_factor_follows_unless_it_is_left_to_the_provider(configure, with_app, sign_in, logged):
    configure()
    _person, secret = with_app
    answer, client = sign_in(after="/profile/")
    assert answer.url == "/login/code/"
    assert not is_in(client)
    assert client.post("/login/code/", {"code": code_for(secret, steps=1)}).url == "/profile/"
    assert [line["methods"] for line in logged.events("sign_in.succeeded")][-1] == ["provider", "totp"]
    configure(second_factor="provider")
    answer, client = sign_in(after="/profile/")
    assert answer.url == "/profile/"
    assert is_in(client)
    # The password goes on to need the factor, in a session that the provider had opened too.
    client.post("/logout/")
    assert by_password(client, EMAIL).url == "/login/code/"


@pytest.mark.parametrize(("whose", "leads_to"), [("portal", "/security/"), ("provider", "/{code}/")])
def test_the_factor_that_staff_must_have_may_be_the_providers(configure, alpha, settings, sign_in, whose, leads_to):
    settings.STAFF_SECOND_FACTOR = True
    configure(second_factor=whose)
    make_person(alpha, role="administrator", email=EMAIL, password=PASSWORD)
    _answer, client = sign_in()
    chain = client.get("/", follow=True).redirect_chain
    assert chain[-1][0] == leads_to.format(code=alpha.code)
    if whose == "provider":
        assert "Your work here needs a second factor" not in client.get("/security/").text
    # A password does not stand for it.
    browser = Client()
    by_password(browser, EMAIL)
    assert browser.get("/", follow=True).redirect_chain[-1][0] == "/security/"
    # Nor does a sign-in after the setting has changed.
    configure()
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/security/"


# Confirming who one is


@pytest.fixture
def without_password(acme, provider, sign_in):
    """A browser of somebody who has no password, and signed in an hour ago."""
    make_person(acme, role="administrator", email=EMAIL, invited_at=timezone.now())
    _answer, client = sign_in()
    join(client, acme.code)
    let_proofs_age(client, 3600)
    return client


def confirm(client, idp, after, **claims):
    """Sign in at the provider again, to confirm it; gives the answer."""
    page = client.get(f"/reauthenticate/provider/?next={after}").text
    assert "Sign in with Example Corp" in page
    assert f'name="next" value="{after}"' in page
    sent = client.post("/reauthenticate/provider/", {"provider": "example", "next": after})
    return come_back(client, idp.sign_in(sent.url, **claims))


def test_nobody_confirms_at_a_provider_that_they_are_not_linked_to(without_password, settings, provider):
    settings.SINGLE_SIGN_ON = (
        provider,
        replace(provider, id="other", name="Other Corp", issuer="https://login.other.example"),
    )
    assert "Other Corp" not in without_password.get("/reauthenticate/provider/").text
    for name, status in (("other", 404), ("unheard-of", 404), ("", 404), ("example", 302)):
        assert without_password.post("/reauthenticate/provider/", {"provider": name}).status_code == status


@pytest.mark.parametrize("who", ["nobody", "somebody else"])
def test_a_confirmation_counts_for_the_person_who_began_it(without_password, acme, idp, logged, who):
    """Another person in the same session cannot use it."""
    sent = without_password.post("/reauthenticate/provider/", {"provider": "example", "next": "/security/codes/"})
    brought = idp.sign_in(sent.url)
    if who == "nobody":
        Person.objects.filter(email=EMAIL).update(is_active=False)
    else:
        other = make_person(acme, role="administrator", email="other@example.net")
        session = without_password.session
        session.update({SESSION_KEY: str(other.pk), HASH_SESSION_KEY: other.get_session_auth_hash()})
        session.save()
        UserSession.objects.update(user=other)
    answer = come_back(without_password, brought)
    assert answer.status_code == 400
    assert [line["why"] for line in logged.events("sign_in.provider_failed")] == ["session"]
    assert "/token" not in idp.asked[-1:]


PERSONAL = [
    "/security/passkeys/add/", "/security/app/remove/", "/security/codes/", "/security/codes/new/",
    "/security/codes/download/", "/security/app/", "/password/set/", "/security/passkeys/1/name/",
    "/security/passkeys/1/remove/",
]  # fmt: skip


@pytest.mark.parametrize("path", PERSONAL)
def test_what_needs_confirmation_needs_it_of_people_without_a_password_too(without_password, path):
    """allauth lets those through who have neither a password nor a factor."""
    session = without_password.session
    person = Person.objects.get(email=EMAIL)
    session["mailed_link"] = [person.pk, "0" * 16, timezone.now().timestamp()]
    session.save()
    answer = without_password.get(path)
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/reauthenticate/provider/")


def test_a_fresh_sign_in_at_the_provider_confirms_it(without_password, acme, idp, logged):
    path = f"/{acme.code}/people/invite/"
    asked = without_password.get(path)
    assert unquote(asked.url) == f"/reauthenticate/provider/?next={path}"
    before = without_password.session.session_key
    assert confirm(without_password, idp, path).url == path
    assert (idp.sent[-1]["prompt"], idp.sent[-1]["max_age"]) == ("login", "0")
    assert "prompt" not in idp.sent[0]
    assert without_password.session.session_key != before
    assert without_password.get(path).status_code == 200
    assert [line["methods"] for line in logged.events("sign_in.confirmed")] == [["provider"]]


def test_a_form_that_waited_is_sent_once_it_is_confirmed(without_password, acme, provider, sign_in, idp):
    _answer, other = sign_in()
    assert is_in(other)
    assert without_password.post("/security/sessions/end/").url.startswith("/reauthenticate/provider/")
    assert confirm(without_password, idp, "/security/sessions/end/").url == "/security/"
    assert not is_in(other)
    assert is_in(without_password)


HOUR_AGO = (timezone.now() - timedelta(hours=1)).timestamp()


@pytest.mark.parametrize(
    "at",
    [None, HOUR_AGO, HOUR_AGO * 2, "1", True, float("inf")],
    ids=["none", "old", "to come", "text", "true", "endless"],
)
def test_an_old_sign_in_at_the_provider_confirms_nothing(without_password, acme, idp, logged, at):
    answer = confirm(without_password, idp, "/security/codes/", auth_time=at)
    assert (answer.status_code, "does not say that you signed in there just now" in answer.text) == (403, True)
    assert [line["why"] for line in logged.events("sign_in.provider_failed")] == ["auth_time"]
    assert without_password.get("/security/codes/").status_code == 302


def test_somebody_else_at_the_provider_confirms_nothing(without_password, acme, provider, idp, logged):
    other = make_person(acme, email="other@example.com", password=PASSWORD)
    link(other, provider, "mark-subject-2")
    for subject in ("mark-subject-2", "mark-subject-3"):
        answer = confirm(without_password, idp, "/security/codes/", sub=subject)
        assert (answer.status_code, NOBODY in answer.text) == (403, True)
    assert {line["why"] for line in logged.events("sign_in.provider_refused")} == {"other_person"}
    assert without_password.get("/security/codes/").status_code == 302
    assert is_in(without_password)


def test_a_confirmation_is_the_persons_who_began_it(without_password, idp):
    """What was begun to confirm signs nobody in."""
    sent = without_password.post("/reauthenticate/provider/", {"provider": "example", "next": "/profile/"})
    brought = idp.sign_in(sent.url)
    session = without_password.session
    states = session["socialaccount_states"]
    without_password.post("/logout/")
    without_password.get("/login/")
    session = without_password.session
    session["socialaccount_states"] = states
    session.save()
    assert come_back(without_password, brought).status_code == 400
    assert not is_in(without_password)


def test_who_has_a_second_factor_does_not_confirm_with_a_provider_that_does_not_stand_for_it(
    configure, with_app, sign_in, idp
):
    provider = configure(second_factor="provider")
    _answer, client = sign_in()
    let_proofs_age(client, 3600)
    assert client.get("/security/codes/").url.startswith("/reauthenticate/code/")
    assert "Sign in with Example Corp again" in client.get("/reauthenticate/code/?next=/security/codes/").text
    assert confirm(client, idp, "/security/codes/").url == "/security/codes/"
    configure(second_factor="portal")
    assert provider.issuer == idp.issuer
    assert client.get("/reauthenticate/provider/").url == "/"
    assert client.post("/reauthenticate/provider/", {"provider": "example"}).url == "/"


def test_the_password_confirms_nothing_where_the_provider_is_required(configure, person, sign_in):
    configure()
    _answer, client = sign_in()
    let_proofs_age(client, 3600)
    assert client.get("/security/codes/").url.startswith("/reauthenticate/?")
    configure(required=True)
    assert client.get("/security/codes/").url.startswith("/reauthenticate/provider/")
    assert client.post("/reauthenticate/", {"password": PASSWORD}).url.startswith("/reauthenticate/provider/")


def test_who_is_linked_to_nothing_confirms_with_nothing_there(person, provider):
    client = Client()
    by_password(client, EMAIL)
    assert client.get("/reauthenticate/provider/").url == "/"
    assert client.post("/reauthenticate/provider/", {"provider": "example"}).url == "/"
