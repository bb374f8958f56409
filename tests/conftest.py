"""The cast, and a database that is like the real one: the tests sign in as the ordinary role."""

import os

import pytest
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.contrib.auth.signals import user_logged_in
from django.core.cache import cache, caches
from django.db import connection
from django.dispatch import receiver

from accounts.actor import Actor
from portal import exports, figures, health
from tests import factories, template
from tests.logged import logging_to_memory
from tests.queue import empty_queue


@receiver(user_logged_in)
def signed_in_by_a_test(sender, request, user, **kwargs):
    """Whom a test signs in without a form has proved their identity as well."""
    if not get_authentication_records(request, user):
        record_authentication(request, user, "password")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, django_db_blocker):
    if "TESTS_DATABASE" not in os.environ:
        with django_db_blocker.unblock():
            template.use_template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Tests that commit empty all tables afterwards, which the table of history refuses; their databases may."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        # What a run without one of the guards takes away (tests/mutants); functions have semicolons of their own.
        for statement in filter(None, os.environ.get("TESTS_SQL", "").split(";;")):
            cursor.execute(statement)
        cursor.execute("SELECT FROM pg_trigger WHERE tgname = 'accounts_auditevent_no_truncate'")
        if cursor.fetchone() is not None:
            cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER accounts_auditevent_no_truncate")
    yield
    health.probe.close()
    figures.from_database.probe.close()


@pytest.fixture(autouse=True)
def static_files_as_built(settings):
    """Serve static files under the names that the build gives them: nothing has to be collected first."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture(autouse=True)
def fresh_process_cache():
    """What one process remembers of another test's rows must not meet this one's."""
    caches["process"].clear()


@pytest.fixture(autouse=True)
def no_work_left_behind(request, django_db_blocker):
    """What a test has queued for good, or counted, is not the next one's: the tables of the queue and of the cache are
    not Django's, and nobody empties them."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock():
            empty_queue()
            cache.clear()


@pytest.fixture(autouse=True)
def room_for_exports(settings):
    """An answer that a test does not read to its end holds its slot until it is collected as garbage."""
    settings.EXPORTS_AT_ONCE = 100
    exports.slots.cache_clear()


@pytest.fixture
def logged():
    """What is logged while the test runs."""
    with logging_to_memory() as lines:
        yield lines


@pytest.fixture
def system(db):
    return factories.make_system()


@pytest.fixture
def alpha(system):
    """A VAR."""
    return factories.make_account("var", parent=system, name="Alpha Telecom")


@pytest.fixture
def bravo(system):
    """Another VAR, whose rows must never be seen by the first."""
    return factories.make_account("var", parent=system, name="Bravo Networks")


@pytest.fixture
def acme(alpha):
    return factories.make_account("company", parent=alpha, name="Acme Corp")


@pytest.fixture
def zenith(bravo):
    return factories.make_account("company", parent=bravo, name="Zenith Ltd")


@pytest.fixture
def jane(alpha):
    return factories.make_account("professional", parent=alpha, name="Jane Doe")


@pytest.fixture
def administrator_of():
    """Make (or find again) the administrator of an account."""
    made = {}

    def administrator(account):
        if account.pk not in made:
            made[account.pk] = factories.make_person(account, role="administrator")
        return made[account.pk]

    return administrator


@pytest.fixture
def actor_in(administrator_of):
    return lambda account: Actor.at_home(administrator_of(account))


@pytest.fixture
def signed_in(client, administrator_of):
    """Sign the client in as the administrator of an account."""

    def sign_in(account):
        client.force_login(administrator_of(account))
        return client

    return sign_in


def pytest_terminal_summary(terminalreporter):
    """Say how many cells of the matrix of access were run, of those that the policy has."""
    told = [dict(report.user_properties) for report in terminalreporter.getreports("passed") if report.when == "call"]
    told += [dict(report.user_properties) for report in terminalreporter.getreports("failed") if report.when == "call"]
    run = sum(properties.get("cells", 0) for properties in told)
    if run:
        whole = max(properties.get("cells_in_policy", 0) for properties in told)
        terminalreporter.write_line(f"matrix of access, cells run / cells in policy: {run} / {whole}")
