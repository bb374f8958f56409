"""Somebody with a telephone, in a company with an extension."""

import pytest
from django.utils import timezone

from accounts.actor import Actor
from tests.factories import make_destination, make_number, make_person
from webphone.models import Location


@pytest.fixture(autouse=True)
def a_demonstration(settings):
    settings.TELEPHONY, settings.CALL_COUNTRIES = "demo", "*"
    settings.CALLS_AN_HOUR, settings.CALLS_AT_ONCE = (60, 600), (2, 30)


@pytest.fixture
def uma(acme):
    """A company's user, at home."""
    return Actor.at_home(make_person(acme, role="user"))


@pytest.fixture
def desk(acme):
    """The extension 301."""
    return make_destination(acme, kind="user", extension="301")


@pytest.fixture
def own(desk):
    """A number that rings the extension."""
    return make_number(destination=desk)


@pytest.fixture
def telephone(uma, desk):
    """Uma's, verified."""
    facts = {"account": uma.account, "person": uma.person, "verified_at": timezone.now()}
    return Location.unscoped.create(kind="extension", number="301", destination=desk, **facts)


@pytest.fixture
def mobile(uma):
    """Uma's, not verified."""
    return Location.unscoped.create(account=uma.account, person=uma.person, kind="mobile", number="+15145550170")
