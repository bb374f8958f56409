"""Lists of anything that a queryset holds: searched, filtered, sorted, paged by key, and exported.

The numbers have a listing of their own (``numbers.listing``): they are too many for what is done here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Count, F, Func, Q, QuerySet, TextField, Value

from portal import paging
from portal.exports import inert
from portal.paging import Cursor, Page, cut

CHUNK = 1 << 16
FETCHED = 2_000


@dataclass(frozen=True)
class TableListing:
    """The rows of ``queryset``, which is scoped and searched already.

    ``states`` are the conditions of Set Filter but *all*; ``order`` the fields that sort, none of them ever NULL,
    before the row's id; ``fields`` what is read of a row, ``texts`` makes the texts of its columns from that.
    """

    queryset: QuerySet
    fields: tuple[str, ...]
    texts: Callable[[dict], dict[str, str]]
    order: tuple[str, ...] = ()
    descending: bool = False
    states: tuple[tuple[str, Q], ...] = ()
    state: str = "all"
    ids: tuple[int, ...] | None = None

    @property
    def key_count(self) -> int:
        return len(self.order)

    @property
    def has_numbered_pages(self) -> bool:
        return True

    @property
    def rows_of_state(self) -> QuerySet:
        queryset = self.queryset if self.ids is None else self.queryset.filter(pk__in=self.ids)
        return queryset if self.state == "all" else queryset.filter(dict(self.states)[self.state])

    def page(self, size: int, cursor: Cursor | None = None, number: int | None = None) -> Page:
        """The page of ``size`` rows at ``cursor``, or page ``number`` counted from 1, or the first."""
        cursor = cursor or Cursor()
        counts = self.counts()
        rows = self.rows_of_state
        at = 1
        if number is not None:
            at = (number - 1) * size + 1
        elif cursor.key:
            at = cursor.at
            rows = rows.filter(self.beyond(cursor))
        elif cursor.backward:
            at = None
        descending = self.descending != cursor.backward
        names = [f"-{name}" if descending else name for name in (*self.order, "pk")]
        skipped = at - 1 if number is not None else 0
        found = list(rows.order_by(*names).values("pk", *self.fields, *self.order)[skipped : skipped + size + 1])
        if cursor.backward:
            found.reverse()
        page = cut(found, self.key_of, size, cursor)
        page.counts = counts
        if number is not None and at > 1 and page.rows:
            page.before = Cursor(self.key_of(page.rows[0]), backward=True)
        if at is None and counts[self.state] <= paging.BOUND:
            at = max(counts[self.state] - len(page.rows), 0) + 1
        page.first = at if page.rows else None
        if page.after and at is not None:
            page.after = replace(page.after, at=at + size)
        if page.before and at is not None:
            page.before = replace(page.before, at=max(at - size, 1))
        return page

    def counts(self) -> dict[str, int]:
        """How many rows match, and how many of them are in each state, up to the bound."""
        kept = self.queryset if self.ids is None else self.queryset.filter(pk__in=self.ids)
        some = kept.order_by()[: paging.BOUND + 1]
        names = {f"in_{name}": Count("pk", filter=condition) for name, condition in self.states}
        counted = some.aggregate(all=Count("pk"), **names)
        return {name.removeprefix("in_"): count for name, count in counted.items()}

    def exact_count(self) -> int:
        """How many rows match, however many that are."""
        return self.rows_of_state.count()

    def key_of(self, row: dict) -> tuple:
        return (0, *(written(row[name]) for name in self.order), 0, row["pk"])

    def beyond(self, cursor: Cursor) -> Q:
        """The condition on rows that come after the cursor, in the direction in which it goes."""
        way = "lt" if self.descending != cursor.backward else "gt"
        names, values = (*self.order, "pk"), (*cursor.key[1:-2], cursor.key[-1])
        equal, conditions = Q(), []
        for name, value in zip(names, values, strict=True):
            conditions.append(equal & Q(**{f"{name}__{way}": value}))
            equal &= Q(**{name: value})
        return reduce(or_, conditions)

    def rows(self) -> Iterator[dict]:
        """All matching rows in order, as the texts of their columns."""
        names = [F(name).desc() if self.descending else F(name).asc() for name in (*self.order, "pk")]
        for row in self.rows_of_state.order_by(*names).values("pk", *self.fields).iterator(FETCHED):
            yield self.texts(row)

    def csv(self, columns: dict[str, str]) -> Iterator[bytes]:
        """All matching rows as CSV, a few thousand at a time; what a spreadsheet would run as a formula is made inert.

        ``columns`` are the names of the columns with their headings, in order.
        """
        buffer: list[str] = []
        writer = csv.writer(Lines(buffer), lineterminator="\r\n")
        writer.writerow(columns.values())
        for row in self.rows():
            writer.writerow([inert(row[name]) for name in columns])
            if len(buffer) >= FETCHED:
                yield "".join(buffer).encode()
                buffer.clear()
        yield "".join(buffer).encode()


class Lines:
    """A file that keeps what is written to it in a list."""

    def __init__(self, kept: list[str]):
        self.write = kept.append


class Fold(Func):
    """Text without case and accents, as the folded columns are."""

    function = "fold"
    output_field = TextField(db_collation="C")


def having(queryset: QuerySet, searches: dict[str, tuple[str, ...]]) -> QuerySet:
    """The rows in whose folded fields all the words searched in them occur, whatever their case and accents."""
    for name, words in searches.items():
        for word in words:
            queryset = queryset.filter(**{f"{name}__contains": Fold(Value(word))})
    return queryset


def written(value) -> str:
    """A sort key's part as text, for an address."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
