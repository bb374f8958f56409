"""The benchmark's databases: the portal's, filled once with demo numbers, and the peers', copied from it."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.scratch import drop_database, fresh_database

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


#: The portal's own role.
ROLE = "bench_web"


def sibling(address: str, name: str, **changes: str) -> str:
    """The address of another database of the same server; ``changes`` are another role's name and password."""
    parts = conninfo_to_dict(address) | changes
    secret = f":{parts['password']}" if parts.get("password") else ""
    user = parts.get("user") or "postgres"
    return f"postgresql://{user}{secret}@{parts.get('host', '127.0.0.1')}:{parts.get('port', 5432)}/{name}"


def environment(address: str) -> dict[str, str]:
    """What the portal and its peers are told of the database, which is its owner's; the portal has an ordinary role."""
    portal = sibling(address, conninfo_to_dict(address)["dbname"], user=ROLE, password=ROLE)
    return {"DEMO": "1", "DATABASE_URL": portal, "MIGRATION_DATABASE_URL": address, "LOG_LEVEL": "ERROR"}


def run(module: list[str], address: str, more: dict[str, str] | None = None) -> str:
    """Run Python in the checkout on a database; return what it wrote."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *module],
        cwd=ROOT,
        env=os.environ | environment(address) | (more or {}),
        check=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout.decode().strip()


def has(address: str, table: str, numbers: int) -> bool:
    try:
        with psycopg.connect(address) as connection:
            return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == numbers
    except psycopg.Error:
        return False


def drop(address: str) -> None:
    """Remove a database that only one measurement needed."""
    drop_database(sibling(address, "postgres"), conninfo_to_dict(address)["dbname"])


def portal_of(address: str, numbers: int) -> str:
    """The portal's database of so many numbers, made unless it is there; its address."""
    name = f"bench_portal_{numbers}"
    ours = sibling(address, name)
    full = has(ours, "numbers_phonenumber", numbers)
    if not full:
        fresh_database(address, name)
    run(["manage.py", "migrate", "--verbosity", "0"], ours)
    if not full:
        run(["manage.py", "demo_data", "--numbers", str(numbers)], ours)
    # There is no autovacuum, and a migration may have made an index.
    vacuum(ours)
    return ours


def filled(address: str, numbers: int) -> tuple[str, str]:
    """Both databases, made unless they are there; return their addresses, the portal's first."""
    ours, name = portal_of(address, numbers), f"bench_peers_{numbers}"
    peers = sibling(address, name)
    if not has(peers, "peers_number", numbers):
        fresh_database(address, name)
        run(["-m", "tests.bench.peers_setup"], peers)
        copy(ours, peers)
    vacuum(peers)
    return ours, peers


def large() -> int:
    """The second size, at which growth is measured; 0 when none was asked for."""
    return int(os.environ.get("NUMBERS_LARGE") or 0)


def first(address: str, statement: str, *parameters) -> tuple:
    """The first row of a statement. Raises ``RuntimeError`` when there is none."""
    with psycopg.connect(address) as connection:
        row = connection.execute(statement, parameters).fetchone()
    if row is None:
        raise RuntimeError("there is no such account in the data")
    return row


VARS = """
SELECT a.code, a.id, count(*) FROM numbers_phonenumber n JOIN accounts_account a ON a.id = n.var_id
GROUP BY a.code, a.id ORDER BY
"""


def largest_var(address: str) -> tuple[str, int, int]:
    """The VAR with the most numbers: its code, its id, how many it has."""
    return first(address, VARS + "count(*) DESC, a.id LIMIT 1")


def var_of_about(address: str, numbers: int) -> tuple[str, int, int]:
    """The VAR whose count of numbers is nearest to that: its code, its id, how many it has."""
    return first(address, VARS + "abs(count(*) - %s), a.id LIMIT 1", numbers)


def var_name(address: str, code: str) -> tuple[str, bool]:
    """A VAR's name, and whether no other's name has it in it."""
    return first(
        address,
        "SELECT a.name, (SELECT count(*) = 1 FROM accounts_account v WHERE v.kind IN ('var', 'system')"
        " AND strpos(lower(v.name), lower(a.name)) > 0) FROM accounts_account a WHERE a.code = %s",
        code,
    )


def largest_company(address: str) -> str:
    """The code of the company with the most numbers."""
    return first(
        address,
        "SELECT a.code FROM numbers_phonenumber n JOIN accounts_account a ON a.id = n.customer_id"
        " WHERE a.kind = 'company' GROUP BY a.code ORDER BY count(*) DESC, a.code LIMIT 1",
    )[0]


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
