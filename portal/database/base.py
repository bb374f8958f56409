"""Django's PostgreSQL backend, which knows whose rights it has, and learns from the socket that the server hung up."""

import select
from collections.abc import Sequence

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction
from psycopg import ClientCursor, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """``is_owner`` says that this is the owner of the tables at work (``portal.database.owner``); ``scope`` is the role
    and the account of the transaction, as ``accounts.scope`` has set them.

    Django asks the server ``SELECT 1`` at the start of each request, one more journey over the network.

    A server that stops or cuts a session says so at once: then there is something to read from a connection that nobody
    asked anything, and a new one is made. A server that vanished without a word is found out by the first statement
    either way.
    """

    is_owner = False
    scope: tuple[str, str] | None = None

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0)

    def begin_with(self, statement: str, values: Sequence[str]) -> tuple[str, ...]:
        """Run the first statement of a transaction that Django has opened; returns the one row of texts that it
        answers, blank where they are NULL.

        psycopg sends ``BEGIN`` by itself, and waits for the answer before it sends the statement. Here both make one
        journey. In a transaction that has begun already it is a statement like any other.
        """
        session = self.connection
        if session.pgconn.transaction_status != TransactionStatus.IDLE:
            with self.cursor() as cursor:
                cursor.execute(statement, values)
                return tuple(text or "" for text in cursor.fetchone())
        text = f"BEGIN; {ClientCursor(session).mogrify(statement, values)}"
        with debug_transaction(self, statement), self.wrap_database_errors:
            answer = session.pgconn.exec_(text.encode())
            if session.pgconn.status == ConnStatus.BAD:
                raise OperationalError(session.pgconn.get_error_message())
            if answer.status != ExecStatus.TUPLES_OK:
                raise error_from_result(answer)
        return tuple((answer.get_value(0, column) or b"").decode() for column in range(answer.nfields))
