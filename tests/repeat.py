"""``python -m pytest -p tests.repeat --times 50 TEST``: every test so often, for those that chance could turn red."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--times", type=int, default=20, help="how often each test is run")


@pytest.fixture(autouse=True)
def turn_of_many(request):
    return request.param


def pytest_generate_tests(metafunc):
    metafunc.parametrize("turn_of_many", range(metafunc.config.getoption("times")), indirect=True)
