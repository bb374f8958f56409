"""The database of one module of tests: made once, looked at row by row, and back as it was after each request."""

import copy
import json
from contextlib import contextmanager
from functools import cache

from django.db import connection, transaction

#: What requests write whoever asks, and what belongs to the sign-in alone.
NOT_DATA = {"django_session", "portal_cache", "usersessions_usersession", "procrastinate_jobs", "procrastinate_events"}


class Undone(Exception):
    """Raised to roll back."""


@contextmanager
def undone(*clients):
    """What is done within is undone afterwards, in the database and in what these browsers keep."""
    cookies = [copy.deepcopy(client.cookies) for client in clients]
    try:
        with transaction.atomic():
            yield
            raise Undone
    except Undone:
        pass
    finally:
        for client, kept in zip(clients, cookies, strict=True):
            client.cookies = kept


@cache
def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
        )
        return sorted(name for (name,) in cursor.fetchall() if name not in NOT_DATA)


def snapshot() -> set[tuple[str, str]]:
    """Every row of every table, as (table, row in JSON): one journey."""
    parts = [f"SELECT '{table}', to_jsonb(t)::text FROM {table} t" for table in tables()]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return set(cursor.fetchall())


def changed(before: set, after: set) -> list[tuple[str, dict]]:
    """The rows that came or went, a changed one twice."""
    return [(table, json.loads(row)) for table, row in sorted(before ^ after)]


def fingerprint() -> str:
    """One text for all rows of all tables: it differs as soon as any row does."""
    parts = [
        f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS part FROM {table} t"
        for table in tables()
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(part, '') FROM ({' UNION ALL '.join(parts)}) p")
        return cursor.fetchone()[0]
