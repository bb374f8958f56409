"""Lists of anything that a queryset holds: searched, filtered, sorted, paged by key, and exported.

The numbers have a listing of their own (``numbers.listing``): they are too many for what is done here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import islice
from operator import or_

from django.core.exceptions import ValidationError
from django.db.models import Case, Count, F, Func, IntegerField, Q, QuerySet, TextField, Value, When

from portal import paging
from portal.exports import inert
from portal.paging import BrokenCursor, Cursor, Page, cut

FETCHED = 2_000


@dataclass(frozen=True)
class TableListing:
    """The rows of ``queryset``, which is scoped and searched already.

    ``states`` are the conditions of Set Filter; *all* has one only where it leaves something out. ``order`` are the
    fields that sort, none of them ever NULL, before the row's id; ``fields`` what is read of a row, ``texts`` makes the
    texts of its columns from that. ``ids`` narrows to chosen rows, ``without`` leaves rows out. ``complete`` adds to
    some rows what is found out about all of them at once.
    """

    queryset: QuerySet
    fields: tuple[str, ...]
    texts: Callable[[dict], dict[str, str]]
    order: tuple[str, ...] = ()
    descending: bool = False
    states: tuple[tuple[str, Q], ...] = ()
    state: str = "all"
    ids: tuple[int, ...] | None = None
    without: tuple[int, ...] = ()
    complete: Callable[[list[dict]], None] | None = None

    @property
    def key_count(self) -> int:
        return len(self.order)

    @property
    def has_numbered_pages(self) -> bool:
        return True

    @property
    def rows_of_state(self) -> QuerySet:
        return self.rows_in(self.state)

    def rows_in(self, state: str) -> QuerySet:
        queryset = self.queryset if self.ids is None else self.queryset.filter(pk__in=self.ids)
        if self.without:
            queryset = queryset.exclude(pk__in=self.without)
        return queryset.filter(dict(self.states).get(state, Q()))

    def page(self, size: int, cursor: Cursor | None = None, number: int | None = None) -> Page:
        """The page of ``size`` rows at ``cursor``, or page ``number`` counted from 1, or the first.

        Raises ``BrokenCursor``.
        """
        cursor = cursor or Cursor()
        counts = self.counts()
        rows, skipped = self.rows_of_state, 0
        if number is not None:
            skipped = (number - 1) * size
        elif cursor.key:
            try:
                rows = rows.filter(self.beyond(cursor))
            except (ValueError, ValidationError) as error:  # a text where this sort has a number or a time
                raise BrokenCursor from error
        descending = self.descending != cursor.backward
        names = [f"-{name}" if descending else name for name in (*self.order, "pk")]
        found = list(rows.order_by(*names).values("pk", *self.fields, *self.order)[skipped : skipped + size + 1])
        if cursor.backward:
            found.reverse()
        page = placed(found, self.key_of, size, cursor, number, counts[self.state])
        if self.complete:
            self.complete(page.rows)
        page.counts = counts
        return page

    def counts(self) -> dict[str, int]:
        """How many rows match, and how many of them are in each state, up to the bound."""
        kept = self.queryset if self.ids is None else self.queryset.filter(pk__in=self.ids)
        some = kept.order_by()[: paging.BOUND + 1]
        conditions = {"all": Q(), **dict(self.states)}
        names = {f"in_{name}": Count("pk", filter=condition) for name, condition in conditions.items()}
        counted = some.aggregate(seen=Count("pk"), **names)
        if counted.pop("seen") > paging.BOUND:  # some are not all: each state has to be looked for by itself
            return {name: self.rows_in(name).order_by()[: paging.BOUND + 1].count() for name in conditions}
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
        found = self.rows_of_state.order_by(*names).values("pk", *self.fields).iterator(FETCHED)
        while some := list(islice(found, FETCHED)):
            if self.complete:
                self.complete(some)
            yield from map(self.texts, some)

    def csv(self, columns: dict[str, str]) -> Iterator[bytes]:
        """All matching rows as CSV. ``columns`` are the names of the columns with their headings, in order."""
        return as_csv(self.rows(), columns)


def placed(
    found: list[dict], key_of: Callable[[dict], tuple], size: int, cursor: Cursor, number: int | None, count: int
) -> Page:
    """The page out of the rows ``found`` at ``cursor``, or as page ``number``, with where it stands among ``count``."""
    at = (number - 1) * size + 1 if number is not None else cursor.at if cursor.key else None if cursor.backward else 1
    page = cut(found, key_of, size, cursor)
    if number is not None and at > 1 and page.rows:
        page.before = Cursor(key_of(page.rows[0]), backward=True)
    if at is None and count <= paging.BOUND:
        at = max(count - len(page.rows), 0) + 1
    page.first = at if page.rows else None
    if page.after and at is not None:
        page.after = replace(page.after, at=at + size)
    if page.before and at is not None:
        page.before = replace(page.before, at=max(at - size, 1))
    return page


def as_csv(rows: Iterator[dict], columns: dict[str, str]) -> Iterator[bytes]:
    """Texts of rows as CSV, a few thousand at a time; what a spreadsheet would run as a formula is made inert."""
    buffer: list[str] = []
    writer = csv.writer(Lines(buffer), lineterminator="\r\n")
    writer.writerow(columns.values())
    for row in rows:
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


def blanks_last(queryset: QuerySet, is_blank: Q, *, descending: bool) -> QuerySet:
    """With ``filled``, a number that puts rows that have nothing to sort by at the end, in either direction."""
    blank, filled = (0, 1) if descending else (1, 0)
    return queryset.annotate(
        filled=Case(When(is_blank, then=Value(blank)), default=Value(filled), output_field=IntegerField())
    )


def containing(queryset: QuerySet, field: str, pieces: tuple[str, ...]) -> QuerySet:
    """The rows in whose field one of the pieces occurs, or a LIKE pattern fits; all of them where there are none."""
    return queryset.filter(reduce(or_, (occurring(field, piece) for piece in pieces), Q()))


def occurring(field: str, piece: str) -> Q:
    if not set(piece) & set("%_"):
        return Q(**{f"{field}__contains": piece})
    return Q(**{f"{field}__regex": f"^{re.escape(piece).replace('%', '.*').replace('_', '.')}$"})


def written(value) -> str:
    """A sort key's part as text, for an address."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
