"""A PostgreSQL for the benchmark: the distribution's, because the embedded one has no trigram index."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.embedded import Server

FOLDER = Path(__file__).resolve().parents[2] / "var" / "bench-postgres"
#: Debian's place and that of many others, the newest version last.
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
# Nothing here is kept, and everything is in memory, as on a server that is large enough for its numbers.
SETTINGS = """
shared_buffers = 2GB
work_mem = 16MB
maintenance_work_mem = 512MB
max_wal_size = 8GB
random_page_cost = 1.1
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
"""


class NoServer(Exception):
    """There is no PostgreSQL to measure on; the text says what to install."""


def programs() -> Path:
    """The folder of the distribution's newest PostgreSQL that has ``pg_trgm``. Raises ``NoServer``."""
    found = [path for place in PLACES for path in Path("/").glob(place.lstrip("/")) if (path / "initdb").exists()]
    if not found:
        raise NoServer(
            "The benchmark measures on the distribution's PostgreSQL, which has pg_trgm: install it"
            " (Debian: apt install postgresql), or set BENCH_DATABASE_URL to a server of your own."
        )
    return max(found, key=lambda path: int(re.findall(r"\d+", str(path))[0]))


@contextmanager
def running() -> Iterator[str]:
    """Have a server up; yield the address of one of its databases, for who owns what is made there.

    Raises ``NoServer``.
    """
    if address := os.environ.get("BENCH_DATABASE_URL"):
        yield address
        return
    server = Server(FOLDER, SETTINGS, programs=programs(), locale=("--locale=C.UTF-8",))
    with server.running():
        yield server.owner_url
