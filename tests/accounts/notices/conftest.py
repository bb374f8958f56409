"""People who can be notified."""

import pytest

from tests.accounts.notices.telling import make_person


@pytest.fixture
def administrator_of():
    made = {}

    def administrator(account):
        if account.pk not in made:
            made[account.pk] = make_person(account, role="administrator")
        return made[account.pk]

    return administrator


@pytest.fixture
def boss(administrator_of, alpha):
    return administrator_of(alpha)
