"""Invented accounts, destinations and numbers: the named cast, and as much more as is asked for.

The same seed and size give the same rows, dates apart, which are counted from now. Numbers are valid ones in real
numbering plans; every name is invented.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import connection, transaction

from numbers.demo.cast import PASSWORD, PEOPLE
from numbers.demo.rows import Rows

__all__ = ["PASSWORD", "PEOPLE", "AlreadyThere", "write_demo_data"]


@transaction.atomic
def write_demo_data(numbers: int, *, seed: int = 2026, now: datetime | None = None) -> int:
    """Write the cast and so many more that there are ``numbers`` phone numbers in all; return how many there are.

    Raises ``AlreadyThere`` unless the database is empty. Indexes are made anew at the end, which is several times
    faster than keeping them up row by row.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_account, numbers_phonenumber IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_account)")
        if cursor.fetchone()[0]:
            raise AlreadyThere
        tables = ("accounts_account", "numbers_destination", "numbers_phonenumber")
        rebuild = take_off_indexes(cursor, tables)
        rows = Rows(numbers, random.Random(seed), now or datetime.now(UTC))  # noqa: S311 - for show, not for secrets
        for table, columns, lines in (
            ("numbers_provider", "id, name, supports_voice, supports_sms, supports_fax", rows.providers()),
            ("accounts_account", "id, code, kind, status, name, parent_id", rows.accounts()),
            (
                "numbers_destination",
                "id, var_id, customer_id, kind, service_type, name, extension",
                rows.destinations(),
            ),
            ("numbers_phonenumber", NUMBER_COLUMNS, rows.numbers()),
            ("accounts_person", PERSON_COLUMNS, rows.people()),
        ):
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for chunk in chunks(lines):
                    copy.write(chunk)
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608
        for statement in rebuild:
            cursor.execute(statement)
    return rows.written


class AlreadyThere(Exception):
    """Demo data goes into an empty database only."""


NUMBER_COLUMNS = (
    "id, e164, provider_id, var_id, customer_id, assigned_at, destination_id, reserved_for_id, reserved_until,"
    " last_holder_id, cooling_until, first_call_at, last_call_at, label, caller_name, voice, sms, fax"
)
PERSON_COLUMNS = "id, email, name, role, account_id, password, is_active, time_zone, number_format"


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


def chunks(rows: Iterator[str], size: int = 2_000) -> Iterator[str]:
    """Lines joined to pieces that are worth sending."""
    piece = []
    for row in rows:
        piece.append(row)
        if len(piece) == size:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)
