"""The whole way, with an identity provider that nobody here wrote."""

import re
from http.cookiejar import CookieJar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, build_opener

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client

from portal.single_sign_on import Provider
from tests.accounts.browsers import is_in, let_proofs_age
from tests.accounts.sso.conftest import begin, come_back
from tests.accounts.sso.toolkit.process import CLIENT, PASSWORD, SECRET, toolkit
from tests.factories import make_person

pytestmark = pytest.mark.django_db
KNOWN, UNVERIFIED, STRANGER = "known@example.com", "unverified@example.com", "stranger@example.com"
CALLBACK = "http://testserver/login/with/example/callback/"


@pytest.fixture(scope="module")
def issuer():
    with toolkit(CALLBACK, {KNOWN: True, UNVERIFIED: False, STRANGER: True}) as issuer:
        yield issuer


@pytest.fixture
def provider(issuer, settings, db):
    cache.clear()
    settings.SINGLE_SIGN_ON = (Provider("example", "Example Corp", issuer, CLIENT, SECRET, ("example.com",)),)
    return settings.SINGLE_SIGN_ON[0]


@pytest.fixture
def person(acme):
    return make_person(acme, role="administrator", email=KNOWN, password="a-long-password-1")


class ToThePortal(HTTPRedirectHandler):
    """Follow redirections at the provider, and stop at the one that leads to the portal."""

    def redirect_request(self, request, body, code, message, headers, newurl):
        return (
            None
            if newurl.startswith(CALLBACK)
            else super().redirect_request(request, body, code, message, headers, newurl)
        )

    def http_error_302(self, request, body, code, message, headers):
        return super().http_error_302(request, body, code, message, headers) or body


class AtProvider:
    """A browser's part at the provider."""

    def __init__(self):
        self.web = build_opener(HTTPCookieProcessor(CookieJar()), ToThePortal())
        self.forms = 0

    def sign_in(self, location: str, email: str) -> dict:
        """Go where the portal sends the browser, fill in the provider's form if it has one; what is brought back."""
        with self.web.open(location) as page:
            address, status, text = page.geturl(), page.status, page.read().decode()
            back = page.headers.get("Location", "")
        if status == 200:
            self.forms += 1
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)[1]
            form = {"csrfmiddlewaretoken": token, "username": email, "password": PASSWORD}
            form["next"] = dict(parse_qsl(urlsplit(address).query))["next"]
            with self.web.open(address, urlencode(form).encode()) as page:
                back = page.headers.get("Location", "")
        assert back.startswith(CALLBACK)
        return dict(parse_qsl(urlsplit(back).query))


def test_somebody_signs_in_and_is_linked(acme, person, provider):
    client, browser = Client(), AtProvider()
    answer = come_back(client, browser.sign_in(begin(client, next="/profile/"), KNOWN))
    assert answer.url == "/profile/"
    assert is_in(client)
    assert SocialAccount.objects.get().user_id == person.pk
    # The provider remembers its own session, and asks nothing again.
    again = Client()
    assert come_back(again, browser.sign_in(begin(again), KNOWN)).url == "/"
    assert is_in(again)
    assert browser.forms == 1


@pytest.mark.parametrize("email", [UNVERIFIED, STRANGER])
def test_somebody_whom_the_portal_does_not_know_is_refused(acme, person, provider, email):
    make_person(acme, email=UNVERIFIED, password="a-long-password-1")
    client = Client()
    assert come_back(client, AtProvider().sign_in(begin(client), email)).status_code == 403
    assert not is_in(client)


def test_the_provider_demands_the_challenge_and_its_verifier(person, provider):
    """That the portal has the provider check it, seen from the other side."""
    client, browser = Client(), AtProvider()
    parts = urlsplit(begin(client))
    asked = dict(parse_qsl(parts.query))
    without = {name: value for name, value in asked.items() if not name.startswith("code_challenge")}
    assert browser.sign_in(urlunsplit(parts._replace(query=urlencode(without))), KNOWN)["error"] == "invalid_request"
    other = asked | {"code_challenge": "x" * 43}
    brought = browser.sign_in(urlunsplit(parts._replace(query=urlencode(other))), KNOWN)
    assert come_back(client, brought).status_code == 502
    assert not is_in(client)


def test_a_confirmation_has_the_provider_ask_again(person, provider):
    client, browser = Client(), AtProvider()
    come_back(client, browser.sign_in(begin(client), KNOWN))
    let_proofs_age(client, 3600)
    assert client.get("/security/codes/").status_code == 302
    sent = client.post("/reauthenticate/provider/", {"provider": "example", "next": "/profile/"})
    assert come_back(client, browser.sign_in(sent.url, KNOWN)).url == "/profile/"
    assert browser.forms == 2
