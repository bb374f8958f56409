"""A pytest plugin, loaded before the settings: the tests' own embedded PostgreSQL, unless DATABASE_URL is set."""

import fcntl
import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from portal.embedded import Server

# Tests keep nothing: no need to wait for the disk.
FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 60"
VAR = Path(__file__).resolve().parent.parent / "var"
SERVER = Server(VAR / "test-postgres", FAST)
VAR.mkdir(exist_ok=True)
#: Held by every process that works on the server.
USERS = (VAR / "test-postgres.users").open("w")
#: The portal's role on a server that is only lent, for tests that sign in as the portal does.
ROLE = "portal_tests"


def portal_address(owner: str) -> str:
    """The address of the same database for the portal's role."""
    parts = urlsplit(owner)
    return urlunsplit(parts._replace(netloc=f"{ROLE}:{ROLE}@{parts.netloc.rpartition('@')[2]}"))


def lend_role(owner: str, role: str) -> None:
    """Make the portal's role if it is not there, and let the tests' role go on as it."""
    with psycopg.connect(owner) as connection:
        # Processes of tests begin together, and roles belong to the whole server.
        connection.execute("SELECT pg_advisory_xact_lock(2026)")
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            make = sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}")
            connection.execute(make.format(sql.Identifier(role), sql.Literal(role)))
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


os.environ["DEMO"] = "1"
# Workers of this run have its number, too.
os.environ.setdefault("TESTS_RUN", str(os.getpid()))
# WhiteNoise warns of a missing folder; the tests read static files from where they are built.
(VAR / "static").mkdir(parents=True, exist_ok=True)
if "DATABASE_URL" not in os.environ:
    fcntl.flock(USERS, fcntl.LOCK_SH)
    SERVER.start()
    os.environ |= {"DATABASE_URL": SERVER.url, "MIGRATION_DATABASE_URL": SERVER.owner_url}
elif "MIGRATION_DATABASE_URL" not in os.environ:
    owner = os.environ["DATABASE_URL"]
    os.environ |= {"DATABASE_URL": portal_address(owner), "MIGRATION_DATABASE_URL": owner}
lend_role(os.environ["MIGRATION_DATABASE_URL"], urlsplit(os.environ["DATABASE_URL"]).username)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if SERVER.process is not None:  # another run in this checkout may be at work on the server that this one started
        fcntl.flock(USERS, fcntl.LOCK_EX)
    SERVER.stop()
