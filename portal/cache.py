"""Django's cache in the database, for what must not be forgotten before its time: limits on guessing live in it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router
from django.db.backends.utils import CursorWrapper

#: When an entry expires that never does, in seconds since 1970: the year 9000.
NEVER = 221_845_392_000
#: How often a process removes what has expired, and how much at once.
SWEEP_EVERY_SECONDS = 60
SWEEP_ROWS = 10_000


class LastingCache(DatabaseCache):
    """Keep every entry until it expires, and decide who comes first in one statement.

    Django's own cache makes room by throwing out entries that are still good, in the order of their keys, so whoever
    fills it resets their own limits; it counts all entries at each write; and two processes that renew an entry which
    has expired both believe that they were the first. Here an entry lives as long as it was told; how many there are is
    bounded by how many questions the portal can answer within the minutes that a limit lasts.

    Values are JSON, not pickles: write access to the table must not lead to code execution. Inside a scope the cache
    leaves it, because no page may touch the table by itself.
    """

    swept_at = 0.0

    def get_many(self, keys, version=None):
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        with self._cursor() as cursor:
            cursor.execute(
                f"SELECT cache_key, value FROM {self._table} WHERE cache_key = ANY(%s) AND expires > now()",  # noqa: S608
                [list(names)],
            )
            found = cursor.fetchall()
        values = {}
        for name, text in found:
            with suppress(ValueError):  # entries of earlier versions are not JSON
                values[names[name]] = json.loads(text)
        return values

    def has_key(self, key, version=None):
        return key in self.get_many([key], version)

    def clear(self):
        with self._cursor() as cursor:
            cursor.execute(f"DELETE FROM {self._table}")  # noqa: S608

    def _base_set(self, mode, key, value, timeout=DEFAULT_TIMEOUT):
        expires = self.get_backend_timeout(timeout)
        given = {
            "key": key,
            "text": json.dumps(value, allow_nan=False),
            "expires": NEVER if expires is None else expires,
        }
        if mode == "touch":
            statement = (
                f"UPDATE {self._table} SET expires = to_timestamp(%(expires)s)"  # noqa: S608
                " WHERE cache_key = %(key)s AND expires > now()"
            )
        else:
            adds = mode == "add"
            unless_there = "WHERE present.expires <= now()" if adds else ""
            # An existing entry is not even locked: two that add several could deadlock.
            looked = f" WHERE NOT EXISTS (SELECT FROM {self._table} WHERE cache_key = %(key)s AND expires > now())"
            statement = (
                f"INSERT INTO {self._table} AS present (cache_key, value, expires)"
                f" SELECT %(key)s, %(text)s, to_timestamp(%(expires)s){looked if adds else ''} ON CONFLICT (cache_key)"
                f" DO UPDATE SET value = excluded.value, expires = excluded.expires {unless_there}"
            )
        with self._cursor() as cursor:
            cursor.execute(statement, given)
            done = cursor.rowcount == 1
            self._sweep(cursor)
        return done

    def _base_delete_many(self, keys):
        with self._cursor() as cursor:
            cursor.execute(f"DELETE FROM {self._table} WHERE cache_key = ANY(%s)", [list(keys)])  # noqa: S608
            return cursor.rowcount > 0

    @contextmanager
    def _cursor(self) -> Iterator[CursorWrapper]:
        connection = connections[router.db_for_write(self.cache_model_class)]
        with connection.outside(), connection.cursor() as cursor:
            yield cursor

    def _sweep(self, cursor):
        now = time.monotonic()
        if now - LastingCache.swept_at < SWEEP_EVERY_SECONDS:
            return
        LastingCache.swept_at = now
        cursor.execute(
            f"DELETE FROM {self._table} WHERE cache_key IN (SELECT cache_key FROM {self._table}"  # noqa: S608
            " WHERE expires <= now() LIMIT %s FOR UPDATE SKIP LOCKED)",
            [SWEEP_ROWS],
        )
