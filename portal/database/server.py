"""Whether the portal can work with a PostgreSQL server."""

import time

from django.db import DatabaseError, connection

OLDEST = 15
#: Signatures of scopes are good for five minutes (``accounts.scope``).
CLOCKS_APART_SECONDS = 240


def problem() -> str:
    """Why the portal cannot work with its database as it is now signed in, in a sentence; nothing when it can."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        said = str(error).strip().splitlines()[0]
        return f"The database cannot be reached: {said}"
    if connection.pg_version < OLDEST * 10_000:
        return (
            f"The database server is PostgreSQL {connection.pg_version // 10_000}: the portal needs {OLDEST} or newer."
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_encoding'), extract(epoch FROM clock_timestamp())")
        encoding, there = cursor.fetchone()
    if encoding != "UTF8":
        return f"The database is encoded as {encoding}: make one with ENCODING 'UTF8'."
    return problem_of_clocks(time.time() - float(there))


def problem_of_clocks(ahead: float) -> str:
    """Why this machine's clock, which is ``ahead`` of the database's by so many seconds, is not right enough."""
    if abs(ahead) <= CLOCKS_APART_SECONDS:
        return ""
    said = "ahead of" if ahead > 0 else "behind"
    return (
        f"The clock of this machine is {abs(ahead):.0f} seconds {said} the database server's: set both right (NTP), or"
        " the database refuses what the portal has signed."
    )
