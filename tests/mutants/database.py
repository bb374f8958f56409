"""Guards in the database, found in its catalogue: constraints, triggers, policies, rights."""

from collections.abc import Iterator

import psycopg

from tests.mutants.source import Mutant

CONSTRAINTS = ["tests/access/test_constraints.py", "tests/walls/test_rows.py"]
WALLS = ["tests/walls/test_catalogue.py", "tests/walls/test_rows.py"]
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
        "SELECT DISTINCT table_name, grantee FROM information_schema.role_table_grants"
        " WHERE table_name = ANY(%s) AND grantee <> current_user",
        [walled],
    ).fetchall():
        yield Mutant(f"{table}: every right to {role}", WALLS, sql=f'GRANT ALL ON {table} TO "{role}"')
