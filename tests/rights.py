"""Inside every request of every test the database knows the portal's own role, as in production.

A test writes its rows as the owner of the tables. Its requests may be served by the same connection, in the same
transaction: they begin with the rights of the portal's role, and the scope goes on from there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from psycopg import sql
from psycopg.pq import TransactionStatus

from accounts.walls.roles import portal_role

_here = threading.local()


class AsInProduction:
    """The first middleware: what comes after it, and what a stream reads later, has the rights of the portal's role."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with rights_of_the_portal():
            response = self.get_response(request)
        if response.streaming:
            response.streaming_content = streamed(response.streaming_content)
        return response


def streamed(chunks):
    with rights_of_the_portal():
        yield from chunks


@contextmanager
def rights_of_the_portal() -> Iterator[None]:
    """Give up the rights of the tests' role."""
    _here.inside, connection.role = True, own_role()
    if connection.connection is not None:
        take_role(connection)
    try:
        yield
    finally:
        _here.inside, connection.role = False, "none"
        # A transaction in which a statement has failed takes no other; it is the test's, and rolled back as a whole.
        session = connection.connection
        usable = session is not None and not session.closed
        if usable and session.info.transaction_status != TransactionStatus.INERROR:
            session.execute("RESET ROLE")


def take_role(wrapper) -> None:
    # Past Django, so that tests that count queries do not count it.
    wrapper.connection.execute(f"SET ROLE {own_role()}")


def run_script(text: str) -> None:
    """Run several statements at once, which only the owner of the tables may: what a migration does."""
    connection.is_owner = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(text)
    finally:
        connection.is_owner = False


def own_role() -> str:
    """The portal's own role, as SQL."""
    return sql.Identifier(portal_role()).as_string()


@receiver(connection_created)
def connected(connection, **kwargs) -> None:
    """A request may be the first to connect, or connect anew."""
    if getattr(_here, "inside", False):
        take_role(connection)
