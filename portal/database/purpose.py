"""What a database is for. One in production says so itself, whatever settings a command has."""

from django.db import connection

#: The comment on a table that marks a database. A dump has it too.
PRODUCTION = "The portal is in production on this database: demo data is refused."
TABLE = "accounts_account"


def declare_production() -> None:
    """Mark the database as one in production, once it has its tables. Runs as their owner."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [TABLE])
        if cursor.fetchone()[0]:
            cursor.execute(f"COMMENT ON TABLE {TABLE} IS '{PRODUCTION}'")


def is_production() -> bool:
    """Whether the database is marked as one in production."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regclass(%s), 'pg_class') = %s", [TABLE, PRODUCTION])
        return bool(cursor.fetchone()[0])
