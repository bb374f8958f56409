"""Invented accounts, destinations and numbers: the named cast, and as much more as is asked for.

The same seed and size give the same rows, dates apart, which are counted from now. Numbers are valid ones in real
numbering plans; every name is invented.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from django.db import connection, transaction
from guardian.shortcuts import assign_perm

from accounts.models import Account, Person
from numbers.demo.cast import CAST_GRANTS, DEMO_CARRIER, PASSWORD, PEOPLE
from numbers.demo.rows import Rows

INDEXED = ("accounts_account", "numbers_destination", "numbers_phonenumber")
__all__ = ["DEMO_CARRIER", "PASSWORD", "PEOPLE", "AlreadyThere", "write_demo_data"]


@transaction.atomic
def write_demo_data(numbers: int, *, seed: int = 2026, now: datetime | None = None) -> None:
    """Write the cast and so many more that there are ``numbers`` phone numbers in all.

    Raises ``AlreadyThere`` unless the database is empty. Works as the owner of the tables. Indexes are made anew at the
    end, which is several times faster than keeping them up row by row; meanwhile the walls are down for the owner,
    because nothing is copied into a table through a wall. Nobody else sees either.
    """
    rows = Rows(numbers, seed, now or datetime.now(UTC))
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_account, numbers_phonenumber IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_account)")
        if cursor.fetchone()[0]:
            raise AlreadyThere
        rebuild = take_off_indexes(cursor, INDEXED) + take_down_walls(cursor)
        for table, columns, lines in rows.tables():
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for chunk in chunks(lines):
                    copy.write(chunk)
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608
        # No table is altered while a key of a new row has still to be looked at.
        for statement in ("SET CONSTRAINTS ALL IMMEDIATE", *rebuild):
            cursor.execute(statement)
        Account.count_codes_on()
        for email, permission, code in CAST_GRANTS:
            assign_perm(permission, Person.objects.get(email=email), Account.called(code))
        cursor.execute(f"ANALYZE {', '.join(INDEXED)}")


class AlreadyThere(Exception):
    """Demo data goes into an empty database only."""


def take_down_walls(cursor) -> list[str]:
    """Free the tables' owner from row-level security; return the statements that hold the owner to it again."""
    cursor.execute("SELECT oid::regclass FROM pg_class WHERE relforcerowsecurity")
    tables = [table for (table,) in cursor.fetchall()]
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    return [f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in tables]


def take_off_indexes(cursor, tables: tuple[str, ...]) -> list[str]:
    """Drop the tables' plain indexes and foreign keys; return the statements that make them again."""
    cursor.execute(
        """
        SELECT format('DROP INDEX %%I', i.relname), pg_get_indexdef(i.oid)
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        WHERE x.indrelid = ANY(%(tables)s::regclass[])
          AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid)
        UNION ALL
        SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
               format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%(tables)s::regclass[])
        """,
        {"tables": list(tables)},
    )
    statements = cursor.fetchall()
    for drop, _make in statements:
        cursor.execute(drop)
    return [make for _drop, make in statements]


def chunks(lines: Iterator[str], size: int = 2_000) -> Iterator[str]:
    """Lines joined to pieces that are worth sending."""
    while piece := "".join(islice(lines, size)):
        yield piece
