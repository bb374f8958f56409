"""What several tests of numbers begin with."""

import pytest

from tests.factories import make_number


@pytest.fixture
def stock(alpha):
    """Five numbers that follow one another, in Alpha's stock."""
    return [make_number(alpha, e164=f"+1514555010{last}") for last in range(5)]
