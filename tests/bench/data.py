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


#: The portal is measured under an ordinary role, as it runs in production; the peers own their tables.
ROLE = "bench_web"


def sibling(address: str, name: str, **changes: str) -> str:
    """The address of another database of the same server."""
    parts = conninfo_to_dict(address) | changes
    secret = f":{parts['password']}" if parts.get("password") else ""
    user = parts.get("user") or "postgres"
    return f"postgresql://{user}{secret}@{parts.get('host', '127.0.0.1')}:{parts.get('port', 5432)}/{name}"


def environment(address: str) -> dict[str, str]:
    """What a program needs to work on the database of ``address``, which is its owner's."""
    portal = sibling(address, conninfo_to_dict(address)["dbname"], user=ROLE, password=ROLE)
    return os.environ | {
        "DEMO": "1",
        "DATABASE_URL": portal,
        "MIGRATION_DATABASE_URL": address,
        "LOG_LEVEL": "ERROR",
    }


def run(module: list[str], address: str) -> str:
    """Run Python in the checkout on a database; return what it wrote."""
    command = [sys.executable, *module]
    done = subprocess.run(command, cwd=ROOT, env=environment(address), check=True, stdout=subprocess.PIPE)  # noqa: S603
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
    ours, peers = portal_of(address, numbers), sibling(address, f"bench_peers_{numbers}")
    if not has(peers, "peers_number", numbers):
        fresh(address, f"bench_peers_{numbers}")
        run(["-m", "tests.bench.peers_setup"], peers)
        copy(ours, peers)
        vacuum(peers)
    return ours, peers


def query(address: str, statement: str, *parameters):
    """The first row of a statement."""
    with psycopg.connect(address) as connection:
        return connection.execute(statement, parameters).fetchone()


def var_of_about(address: str, numbers: int) -> tuple[str, int, int]:
    """The VAR that has nearest to so many numbers: its code, its id, how many it has."""
    return query(
        address,
        "SELECT a.code, a.id, count(*) FROM numbers_phonenumber n JOIN accounts_account a ON a.id = n.var_id"
        " GROUP BY 1, 2 ORDER BY abs(count(*) - %s), 2 LIMIT 1",
        numbers,
    )


def large() -> int:
    """The second size, for how pages grow; 0 where none is asked for."""
    return int(os.environ.get("NUMBERS_LARGE") or 0)


def portal_of(address: str, numbers: int) -> str:
    """The portal's database with so many numbers, on the server of ``address``."""
    ours = sibling(address, f"bench_portal_{numbers}")
    filled = has(ours, "numbers_phonenumber", numbers)
    if not filled:
        fresh(address, f"bench_portal_{numbers}")
    run(["manage.py", "migrate", "--verbosity", "0"], ours)
    if not filled:
        run(["manage.py", "demo_data", "--numbers", str(numbers)], ours)
        vacuum(ours)
    return ours


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
