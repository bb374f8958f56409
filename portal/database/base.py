"""Django's PostgreSQL backend, which knows whose rights it has and how long it may wait, and learns from the socket
that the server hung up."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction
from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

from portal.database import limits


@dataclass(frozen=True)
class Scope:
    """The database role that a transaction has gone on as, and the account whose rows that role has.

    ``statements`` bring a transaction into the scope. They differ each time: they are signed (``accounts.scope``).
    """

    role: str
    account: int
    statements: str = field(compare=False)


class OneStatement(base.Cursor):
    """A cursor that sends one statement at a time, even without parameters, so that no second one can be injected.

    psycopg sends text without parameters by the simple protocol, in which PostgreSQL accepts several statements.
    """

    def _execute_send(self, query, *, force_extended=False, binary=None):
        super()._execute_send(query, force_extended=True, binary=binary)


class DatabaseWrapper(base.DatabaseWrapper):
    """``is_owner`` says that this is the owner of the tables at work (``portal.database.owner``); ``scope`` is that of
    the transaction, ``role`` its role outside of all scopes, as SQL: *none* is the role that signed in.

    Django asks the server ``SELECT 1`` at the start of each request, one more journey over the network.

    A server that stops or cuts a session says so at once: then there is something to read from a connection that nobody
    asked anything, and a new one is made. A server that vanished without a word is found out by the first statement
    either way.
    """

    #: Of this process: web server and worker have their own.
    limits = limits.COMMAND
    #: Whether a pooler gives each transaction another session of the server (``portal.database.pooler``).
    is_pooled = False
    is_owner = False
    scope: Scope | None = None
    role = "none"

    def get_connection_params(self):
        params = limits.OF_NETWORK | super().get_connection_params()
        if self.is_pooled:
            # What one transaction has prepared, the next one would not find, or find somebody else's.
            return params | {"prepare_threshold": None}
        begin = " ".join(f"-c {name}={value}" for name, value in self.limits.session.items())
        return params | {"options": f"{params.get('options', '')} {begin}".strip()}

    def chunked_cursor(self):
        # Outside a transaction a cursor of the server would stay in a session that others have by then.
        return self.cursor() if self.is_pooled and not self.in_atomic_block else super().chunked_cursor()

    def create_cursor(self, name=None):
        # Migrations run scripts with several statements.
        self.connection.cursor_factory = base.Cursor if self.is_owner else OneStatement
        return super().create_cursor(name)

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0)

    @contextmanager
    def within(self, scope: Scope | None, *, until_it_ends: bool = False) -> Iterator[None]:
        """Run the block in another scope of the same transaction, or in none.

        ``until_it_ends``: the transaction ends with the block, so the scope need not be restored. When a savepoint or
        the transaction is rolled back, PostgreSQL restores it.
        """
        outer = self.scope
        self.begin_with(scope.statements if scope else self._outside)
        self.scope = scope
        try:
            yield
        finally:
            # Before the commit: callbacks that run right after it are in no scope.
            self.scope = outer
            if not until_it_ends and self.is_in_good_transaction:
                self.begin_with(outer.statements if outer else self._outside)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Run the block in no scope, for what no scope may touch: sessions, factors, the cache, the queue.

        Costs nothing when there is no scope.
        """
        if self.scope is None:
            yield
            return
        with self.within(None):
            yield

    @property
    def is_in_good_transaction(self) -> bool:
        """Whether there is a transaction in which no statement has failed."""
        session = self.connection
        return session is not None and session.pgconn.transaction_status == TransactionStatus.INTRANS

    @property
    def _outside(self) -> str:
        return f"SET LOCAL role = {self.role}; SET LOCAL portal.scope = ''"

    def begin_with(self, statements: str) -> None:
        """Run the first statements of a transaction that Django has opened; they answer nothing.

        psycopg sends ``BEGIN`` by itself, and waits for the answer before it sends more. Here all of it makes one
        journey. In a transaction that has begun already they are statements like any others. Several statements go in
        one text only here: it is made of constants and signed numbers.
        """
        session = self.connection
        begun = session.pgconn.transaction_status != TransactionStatus.IDLE
        with debug_transaction(self, statements), self.wrap_database_errors:
            answer = session.pgconn.exec_((statements if begun else f"BEGIN; {statements}").encode())
            if session.pgconn.status == ConnStatus.BAD:
                raise OperationalError(session.pgconn.get_error_message())
            if answer.status != ExecStatus.COMMAND_OK:
                raise error_from_result(answer)
