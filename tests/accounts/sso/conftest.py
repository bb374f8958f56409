"""A provider that signs what tests want, people who are known to it, and browsers that go there and back."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client

from accounts.models import Person
from portal.single_sign_on import Provider
from tests.accounts.sso.signing import SECRET, signing_provider
from tests.factories import make_person

PASSWORD = "a-long-password-1"
EMAIL = "known@example.com"
NOBODY = "You signed in at Example Corp, but no account here is linked to that sign-in."
SUBJECT = "mark-subject-1"


@pytest.fixture
def idp():
    """An identity provider that signs whatever it is told to."""
    with signing_provider() as provider:
        yield provider


@pytest.fixture
def configure(settings, idp, db):
    """Put the provider into the settings, with changed keys; gives what is there then."""
    cache.clear()

    def go(**changed) -> Provider:
        usual = {
            "id": "example", "name": "Example Corp", "issuer": idp.issuer, "client_id": "portal:1",
            "client_secret": SECRET, "domains": ("example.com",),
        }  # fmt: skip
        settings.SINGLE_SIGN_ON = (Provider(**usual | changed),)
        return settings.SINGLE_SIGN_ON[0]

    return go


@pytest.fixture
def provider(configure):
    """The provider as it is usually configured."""
    return configure()


@pytest.fixture
def person(acme):
    """Acme's administrator, whose address the provider vouches for."""
    return make_person(acme, role="administrator", email=EMAIL, password=PASSWORD)


def begin(client: Client, **fields) -> str:
    """Press the button on the sign-in page; gives where the browser is sent."""
    answer = client.post("/login/with/example/", fields)
    assert answer.status_code == 302, answer.text
    return answer.url


def come_back(client: Client, brought: dict):
    """The browser comes back from the provider."""
    return client.get("/login/with/example/callback/", brought)


def join(client: Client, code: str):
    """Press the button of an account on the page that shows invitations."""
    return client.post("/login/with/example/join/", {"account": code})


@pytest.fixture
def sign_in(idp):
    """Sign in with the provider, which says these ``claims``; gives the answer of the portal, and the browser."""

    def go(client: Client | None = None, after: str = "", **claims):
        client = client or Client()
        return come_back(client, idp.sign_in(begin(client, next=after), **claims)), client

    return go


def link(person, provider, subject=SUBJECT):
    return SocialAccount.objects.create(user=person, provider=provider.issuer, uid=subject)


def fresh(person):
    return Person.objects.select_related("account").get(pk=person.pk)
