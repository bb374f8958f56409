"""Django's PostgreSQL backend, which knows whose rights it has, and learns from the socket that the server hung up."""

import select

from django.db.backends.postgresql import base


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
