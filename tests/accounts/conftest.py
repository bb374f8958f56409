"""Acme's administrator, and what a list of accounts shows."""

import csv
import io

import pytest

from tests.factories import make_person


@pytest.fixture
def boss(acme):
    """Acme's administrator, who has joined."""
    return make_person(acme, role="administrator", password="long-enough-1", email="boss@acme.example", name="Bo Oss")


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
