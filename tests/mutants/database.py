"""Guards in the database, found in its catalogue: constraints, triggers, policies, rights."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg

from tests.mutants.source import Mutant

CONSTRAINTS = ["tests/access/test_constraints.py", "tests/walls/test_rows.py"]
WALLS = ["tests/walls/test_catalogue.py", "tests/walls/test_buyer.py", "tests/walls/test_rows.py"]
INJECTION = ["tests/walls/test_catalogue.py", "tests/walls/test_injection.py", "tests/numbers/test_calls.py"]
#: A function that decides in whose scope a transaction is, a condition of its, and what stands in its place.
DECISIONS = [
    ("wall.account(text)", "parts[1] IS DISTINCT FROM wanted OR ", ""),
    ("wall.account(text)", "parts[4] = encode", "parts[4] <> '' OR '' = encode"),
    ("wall.account(text)", "now() - interval '5 minutes'", "'-infinity'"),
    ("wall.account(text)", "clock_timestamp() + interval '5 minutes'", "'infinity'"),
    ("wall.holds(text)", "wall.account(wanted) IS NOT NULL", "true"),
    ("wall.above(text)", "a.id = wall.account(wanted)", "wall.account(wanted) > 0"),
    ("numbers_record_calls(bigint,text[],bigint[],timestamptz[])", "AND s.account_id = wall.account(scope)", ""),
    ("numbers_record_calls(bigint,text[],bigint[],timestamptz[])", "AND s.revoked_at IS NULL", ""),
    (
        "numbers_record_calls(bigint,text[],bigint[],timestamptz[])",
        "(every_number OR p.var_id = of_account)",
        "p.id IS NOT NULL",
    ),
]
OURS = "(relname ~ '^(accounts|numbers|webphone)_')"


def mutants(session: psycopg.Connection) -> Iterator[Mutant]:
    for table, name in session.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname)"
        " FROM pg_constraint JOIN pg_class ON conrelid = pg_class.oid"
        f" WHERE contype IN ('c', 'f', 'u') AND {OURS} ORDER BY 1, 2"
    ).fetchall():
        sql = f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"
        yield Mutant(f"constraint {name}", CONSTRAINTS, sql=sql)
    for name in session.execute(
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON indrelid = pg_class.oid"
        f" WHERE indisunique AND {OURS} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
    ).fetchall():
        yield Mutant(f"unique index {name[0]}", CONSTRAINTS, sql=f"DROP INDEX {name[0]} CASCADE")
    for table, name in session.execute(
        f"SELECT tgrelid::regclass::text, tgname FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid"
        f" WHERE NOT tgisinternal AND {OURS}"
    ).fetchall():
        yield Mutant(f"trigger {name}", CONSTRAINTS, sql=f"DROP TRIGGER {name} ON {table}")
    for (view,) in session.execute(f"SELECT relname FROM pg_class WHERE relkind = 'v' AND {OURS}").fetchall():
        yield Mutant(f"{view}: with its owner's rights", WALLS, sql=f"ALTER VIEW {view} SET (security_invoker = false)")
    for (function,) in session.execute(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE prosecdef AND pronamespace = current_schema()::regnamespace"
    ).fetchall():
        yield Mutant(f"{function}: for everybody", WALLS, sql=f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")
    walled = [
        name for (name,) in session.execute("SELECT relname FROM pg_class WHERE relrowsecurity ORDER BY 1").fetchall()
    ]
    portal = urlsplit(os.environ["DATABASE_URL"]).username
    every_role = session.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall()
    roles = [name for (name,) in every_role if name == portal or name.startswith(f"{portal}_")]
    for table in walled:
        yield Mutant(f"{table}: no policy holds", WALLS, sql=f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        yield Mutant(f"{table}: none its owner", WALLS, sql=f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for table, name, rows, new_rows in session.execute(
        "SELECT tablename, policyname, qual, with_check FROM pg_policies ORDER BY 1, 2"
    ).fetchall():
        policy = f"{name} ON {table}"
        if rows not in (None, "true"):
            yield Mutant(f"policy {policy}: any row", WALLS, sql=f"ALTER POLICY {policy} USING (true)")
        if new_rows not in (None, "true"):
            yield Mutant(f"policy {policy}: any new row", WALLS, sql=f"ALTER POLICY {policy} WITH CHECK (true)")
    for table, role in session.execute(
        "SELECT relname, rolname FROM pg_class, pg_roles"
        " WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND rolname = ANY(%s)"
        " ORDER BY 1, 2",
        [roles],
    ).fetchall():
        yield Mutant(f"{table}: every right to {role}", WALLS, sql=f'GRANT ALL ON {table} TO "{role}"')
    yield from of_signatures(session, roles)


def of_signatures(session: psycopg.Connection, roles: list[str]) -> Iterator[Mutant]:
    """What the functions decide by that say in whose scope a transaction is, and who may read what they decide with."""
    for role in roles:
        reads = f'GRANT USAGE ON SCHEMA wall TO "{role}";; GRANT SELECT ON wall.key TO "{role}"'
        yield Mutant(f"wall.key: read by {role}", INJECTION, sql=reads)
    for function, condition, other in DECISIONS:
        (text,) = session.execute("SELECT pg_get_functiondef(%s::regprocedure)", [function]).fetchone()
        if condition not in text:
            raise LookupError(f"{function} has no {condition}")
        yield Mutant(f"{function}: without {condition}", INJECTION, sql=text.replace(condition, other))
