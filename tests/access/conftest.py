"""The two trees, built once for a module of tests; each test leaves them as they were."""

import pytest
from django.core.cache import caches
from django.db import transaction

from tests.access.database import Undone
from tests.access.world import World


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Whoever asks for the world writes into it: undo that after each test.

    Before pytest-django puts tests in order, which would have those without the mark come last.
    """
    for item in items:
        if "world" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        caches["process"].clear()
        try:
            with transaction.atomic():
                yield World()
                raise Undone
        except Undone:
            pass


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch):
    """Answers without their templates and contexts, which are copied for each of thousands that only send bytes."""
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *args, **kwargs: None)
