"""How long the database may keep each kind of process waiting. Nothing waits without a limit.

The server ends a statement, the wait for a lock and a transaction that does nothing; the network layer ends connections
to a machine that has vanished. A server that is frozen ends nothing: see ``portal.database.watch``.
"""

from dataclasses import dataclass

from django.conf import settings

#: The system finds out within 25 seconds that the machine at the other end has vanished.
OF_NETWORK = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
#: The same, for the server: the locks of a client that has vanished are free after that time.
OF_SERVERS_NETWORK = {
    "tcp_keepalives_idle": "10s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
}


@dataclass(frozen=True)
class Limits:
    """Seconds that a statement may take, wait for a lock, and leave a transaction idle; 0 is no limit."""

    statement: float
    lock: float
    idle: float

    @property
    def session(self) -> dict[str, str]:
        """The settings of PostgreSQL with which a session begins."""
        return (
            settings.SESSION
            | OF_SERVERS_NETWORK
            | {
                "statement_timeout": f"{self.statement * 1000:.0f}ms",
                "lock_timeout": f"{self.lock * 1000:.0f}ms",
                "idle_in_transaction_session_timeout": f"{self.idle * 1000:.0f}ms",
            }
        )


#: Somebody waits: for a lock not longer than they would think that the page is broken.
PAGE = Limits(statement=settings.STATEMENT_SECONDS, lock=settings.LOCK_SECONDS, idle=30)
#: Nobody waits. A worker that is frozen in a transaction loses it, with its locks, so that another goes on.
WORKER = Limits(statement=600, lock=10, idle=25)
#: Commands, migrations among them: as long as it takes, but those who wait behind one for a table do not wait for ever.
COMMAND = Limits(statement=0, lock=10, idle=0)
#: Sending a file: it may have to sort all numbers first, and a slow reader leaves the transaction idle.
STREAM = "SET LOCAL statement_timeout = '600s'; SET LOCAL idle_in_transaction_session_timeout = '90s'"
