"""The benchmark's databases: the portal's, filled once with demo numbers, and the peers', copied from it."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parents[2]
TABLES = {
    "provider": ("id, name", "SELECT id, name FROM numbers_provider"),
    "var": ("id, name", "SELECT id, name FROM accounts_account WHERE kind IN ('var', 'system')"),
    "customer": (
        "id, var_id, name",
        "SELECT id, parent_id, name FROM accounts_account WHERE kind IN ('company', 'professional')",
    ),
    "assignee": ("id, customer_id, kind, name", "SELECT id, customer_id, kind, name FROM numbers_destination"),
    "number": (
        "id, e164, provider_id, var_id, customer_id, assignee_id, status",
        "SELECT id, e164, provider_id, var_id, customer_id, destination_id,"
        " CASE WHEN first_call_at IS NULL THEN 2 ELSE 1 END FROM numbers_phonenumber",
    ),
}


class NoServer(Exception):
    """There is no PostgreSQL to measure on."""


def server() -> str:
    """The address of the server. Raises ``NoServer``."""
    address = os.environ.get("BENCH_DATABASE_URL", "")
    if not address:
        raise NoServer("The benchmark needs a PostgreSQL with pg_trgm: set BENCH_DATABASE_URL.")
    return address


def sibling(address: str, name: str) -> str:
    """The address of another database of the same server."""
    parts = conninfo_to_dict(address)
    secret = f":{parts['password']}" if parts.get("password") else ""
    user = parts.get("user") or "postgres"
    return f"postgresql://{user}{secret}@{parts.get('host', '127.0.0.1')}:{parts.get('port', 5432)}/{name}"


def run(module: list[str], address: str) -> str:
    """Run Python in the checkout on a database; return what it wrote."""
    environment = os.environ | {"DEMO": "1", "DATABASE_URL": address, "LOG_LEVEL": "ERROR"}
    done = subprocess.run([sys.executable, *module], cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603
    return done.stdout.decode().strip()


def has(address: str, table: str, numbers: int) -> bool:
    try:
        with psycopg.connect(address) as connection:
            return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == numbers
    except psycopg.Error:
        return False


def fresh(address: str, name: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}"')


def filled(address: str, numbers: int) -> tuple[str, str]:
    """Both databases, made unless they are there; return their addresses, the portal's first."""
    ours, peer = (f"bench_{who}_{numbers}" for who in ("portal", "peers"))
    our_address, peer_address = sibling(address, ours), sibling(address, peer)
    if not has(our_address, "numbers_phonenumber", numbers):
        fresh(address, ours)
        run(["manage.py", "migrate", "--verbosity", "0"], our_address)
        run(["manage.py", "demo_data", "--numbers", str(numbers)], our_address)
        vacuum(our_address)
    if not has(peer_address, "peers_number", numbers):
        fresh(address, peer)
        run(["-m", "tests.bench.peers_setup"], peer_address)
        copy(our_address, peer_address)
        vacuum(peer_address)
    return our_address, peer_address


def copy(source: str, target: str) -> None:
    """Copy the portal's rows into the peers' tables."""
    with psycopg.connect(source) as from_, psycopg.connect(target) as to:
        for table, (columns, query) in TABLES.items():
            with (
                from_.cursor().copy(f"COPY ({query}) TO STDOUT") as rows,
                to.cursor().copy(f"COPY peers_{table} ({columns}) FROM STDIN") as copied,
            ):
                for chunk in rows:
                    copied.write(chunk)


def vacuum(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
