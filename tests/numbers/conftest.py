"""What several tests of numbers begin with."""

import pytest
from django.core.cache import cache

from accounts.actor import Actor
from accounts.scope import scope
from numbers.actions import calls
from tests.factories import make_number, make_provider
from tests.numbers.carrier import NAME, on_this_computer


@pytest.fixture
def token_of(administrator_of):
    """Add a phone system to an account; its token."""

    def add(account, name="Switch", **settings):
        with scope(account):
            return calls.add_system(Actor.at_home(administrator_of(account)), name=name, **settings)[1]

    return add


@pytest.fixture
def stock(alpha):
    """Five numbers that follow one another, in Alpha's stock."""
    return [make_number(alpha, e164=f"+1514555010{last}") for last in range(5)]


@pytest.fixture
def of_alpha(client, alpha, administrator_of):
    """A browser of Alpha's administrator."""
    client.force_login(administrator_of(alpha))
    return client


@pytest.fixture
def of_acme(client, acme, administrator_of):
    """A browser of Acme's administrator."""
    client.force_login(administrator_of(acme))
    return client


@pytest.fixture
def carrier(settings):
    """A carrier that answers at once; its server ends with the test."""
    cache.clear()
    with on_this_computer() as (carrier, setting):
        settings.CARRIERS = setting
        yield carrier


@pytest.fixture
def provider(carrier):
    return make_provider(NAME)


@pytest.fixture
def buyer(actor_in, acme):
    return actor_in(acme)


@pytest.fixture
def northline():
    return make_provider()
