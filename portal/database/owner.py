"""Working as somebody else than the portal's own role: what migrations and loaders do, and no page."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection


@contextmanager
def as_owner() -> Iterator[None]:
    """Have the connection signed in as the owner of the tables (MIGRATION_DATABASE_URL), to the same database.

    Raises ``ImproperlyConfigured`` where no owner is known.
    """
    owner = settings.OWNER_SIGN_IN
    if owner is None:
        raise ImproperlyConfigured(
            "MIGRATION_DATABASE_URL is missing: tables are changed by their owner, who is not the role of DATABASE_URL."
        )
    with signed_in({part: owner[part] for part in ("USER", "PASSWORD", "HOST", "PORT")}):
        connection.is_owner = True
        try:
            yield
        finally:
            connection.is_owner = False


@contextmanager
def signed_in(address: dict) -> Iterator[None]:
    """Have the connection signed in with what ``address`` says of server, role and database."""
    before = connection.settings_dict
    wanted = before | address
    if wanted == before:
        yield
        return
    connection.close()
    connection.settings_dict = wanted
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before
