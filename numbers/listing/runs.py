"""Runs: free numbers of a stock that follow one another, for those who need twenty in a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.db import connection, transaction

from accounts.actor import Actor
from numbers.listing.sorts import UNRESERVED
from numbers.models import held_by
from portal import paging
from portal.listings import FETCHED, as_csv, placed
from portal.paging import Cursor, Page
from portal.plans import ranges_beginning_with

#: column -> what it sorts by, as a text; a run's first number comes after it.
KEYS = {"first": "''::text", "length": "lpad(r.length::text, 15, '0')", "var": "v.name_folded"}


@dataclass(frozen=True)
class Runs:
    """The runs of at least ``at_least`` numbers of the actor's stock that are free: nobody has them, nothing holds them
    back; inside a customer, they ring nothing.

    ``beginning`` are the digits that all of them begin with, the country code first. A run is known by its first
    number: ``ids`` narrows to those, ``without`` leaves those out, as whole numbers.
    """

    actor: Actor
    beginning: str = ""
    at_least: int = 2
    sort: str = "first"
    descending: bool = False
    ids: tuple[int, ...] | None = None
    without: tuple[int, ...] = ()

    key_count = 1
    has_numbered_pages = True

    @cached_property
    def _params(self) -> dict:
        params = held_by(self.actor) | {"at_least": self.at_least, "without": list(self.without)}
        return params if self.ids is None else params | {"ids": list(self.ids)}

    @property
    def _statement(self) -> str:
        """A statement that begins with the runs, as ``named``: in one pass over an index in the order of numbers, a
        number less its place is the same all through a run."""
        conditions = [f"n.{column} = %({column})s" for column in held_by(self.actor)]
        conditions += (
            ["n.destination_id IS NULL"]
            if self.actor.account.is_customer
            else [
                "n.customer_id IS NULL",
                UNRESERVED,
                "(n.cooling_until IS NULL OR n.cooling_until <= now())",
            ]
        )
        if self.beginning:
            conditions.append(f"({within(self.beginning)})")
        chosen = "WHERE r.first <> ALL(%(without)s)" + ("" if self.ids is None else " AND r.first = ANY(%(ids)s)")
        return f"""
            WITH free AS (
                SELECT n.var_id, n.digits, n.digits - row_number() OVER (PARTITION BY n.var_id ORDER BY n.digits) AS run
                FROM numbers_phonenumber n WHERE {" AND ".join(conditions)}
            ), runs AS (
                SELECT var_id, min(digits) AS first, max(digits) AS last, count(*) AS length
                FROM free GROUP BY var_id, run HAVING count(*) >= %(at_least)s
            ), named AS MATERIALIZED (
                SELECT r.first AS pk, r.first, r.last, r.length, v.name AS var, v.code AS var_code,
                       {KEYS[self.sort]} COLLATE "C" AS key
                FROM runs r JOIN accounts_account v ON v.id = r.var_id {chosen}
            )
        """

    def _order(self, *, descending: bool) -> str:
        direction = "DESC" if descending else "ASC"
        return f"ORDER BY key {direction}, first {direction}"

    def page(self, size: int, cursor: Cursor | None = None, number: int | None = None) -> Page:
        """The page of ``size`` runs at ``cursor``, or page ``number`` counted from 1, or the first."""
        cursor = cursor or Cursor()
        params, beyond, skipped = dict(self._params), "true", (number - 1) * size if number is not None else 0
        if cursor.key and number is None:
            way = "<" if self.descending != cursor.backward else ">"
            beyond = f"(key, first) {way} (%(from_key)s, %(from_first)s)"
            params |= {"from_key": cursor.key[1], "from_first": cursor.key[-1]}
        descending = self.descending != cursor.backward
        statement = f"""{self._statement}
            SELECT counted.count, page.* FROM (SELECT count(*) FROM named) counted LEFT JOIN (
                SELECT * FROM named WHERE {beyond} {self._order(descending=descending)}
                LIMIT {size + 1} OFFSET {skipped}
            ) page ON true {self._order(descending=self.descending)}
        """
        with connection.cursor() as asked:
            asked.execute(statement, params)
            names = [column.name for column in asked.description]
            rows = [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
        count = rows[0]["count"]
        page = placed(
            [row for row in rows if row["pk"] is not None],
            lambda row: (0, row["key"], 0, row["pk"]),
            size, cursor, number, count,
        )  # fmt: skip
        page.counts = {"all": min(count, paging.BOUND + 1)}
        return page

    def exact_count(self) -> int:
        """How many runs there are."""
        with connection.cursor() as cursor:
            cursor.execute(f"{self._statement} SELECT count(*) FROM named", self._params)
            return cursor.fetchone()[0]

    def rows(self) -> Iterator[dict]:
        """All runs in order, as the texts of their columns. The caller holds the transaction."""
        with connection.connection.cursor(name="numbers_runs") as cursor:
            cursor.itersize = FETCHED
            order = self._order(descending=self.descending)
            cursor.execute(f"{self._statement} SELECT first, last, length, var FROM named {order}", self._params)
            for row in cursor:
                yield self.texts(dict(zip(("first", "last", "length", "var"), row, strict=True)))

    def csv(self, columns: dict[str, str]) -> Iterator[bytes]:
        """All runs as CSV. ``columns`` are the names of the columns with their headings, in order."""
        with transaction.atomic():
            yield from as_csv(self.rows(), columns)

    @staticmethod
    def texts(row: dict) -> dict[str, str]:
        return {
            "first": f"+{row['first']}",
            "last": f"+{row['last']}",
            "length": str(row["length"]),
            "var": row["var"],
        }


def within(digits: str) -> str:
    """The condition that a number of any length begins with these digits: a range for each length, for an index."""
    return " OR ".join(f"n.digits BETWEEN {first} AND {last}" for first, last in ranges_beginning_with(digits))
