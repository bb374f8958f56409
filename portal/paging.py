"""Pages of a long list: reached by the sort key of a row, never by counting rows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from portal.machines import of_json

#: Lists are counted up to here; beyond, a page says "more than" and offers to count exactly.
BOUND = 10_000


class BrokenCursor(ValueError):
    """The cursor in the address is not one of ours, or belongs to another sort."""


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after or before a sort key. ``at`` is the row number of the page's first row, if known.

    A key is the number of a stretch of the list, the texts that the sort compares, the id of a label, and the row's
    own unique whole number.
    """

    key: tuple = ()
    backward: bool = False
    at: int | None = None

    def encode(self, sort: str) -> str:
        text = json.dumps([sort, self.backward, self.at, *self.key], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, sort: str, key_count: int) -> Cursor:
        """Raise ``BrokenCursor`` unless ``text`` is what ``encode`` made for this sort of ``key_count`` texts."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            for_sort, backward, at, *key = of_json(raw.decode())
        except (ValueError, TypeError) as error:
            raise BrokenCursor from error
        whole = [k for k in key if type(k) is int and -1 < k < 1 << 62]
        texts = [k for k in key if isinstance(k, str) and is_kept(k) and len(k) < 500]
        shape = [int, *[str] * key_count, int, int]
        right = (
            for_sort == sort
            and isinstance(backward, bool)
            and (at is None or (type(at) is int and 0 < at < 1 << 62))
            and (not key or ([type(k) for k in key] == shape and len(whole) + len(texts) == len(key)))
        )
        if not right:
            raise BrokenCursor
        return cls(tuple(key), backward, at)


def is_kept(text: str) -> bool:
    """Whether PostgreSQL can store this text: no NUL, no lone surrogate."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


@dataclass
class Page:
    """One page of rows, in order, and where it stands among all that match.

    ``counts`` has ``all`` and each state of Set Filter; a count of ``BOUND`` + 1 means *more than* ``BOUND``.
    ``first`` is the number of the first row, from 1; None where only walking from the start could tell.
    """

    rows: list[dict]
    counts: dict[str, int]
    first: int | None = None
    before: Cursor | None = None
    after: Cursor | None = None
    #: A page was asked for by its number, which this order cannot tell.
    number_ignored: bool = False


class Listed(Protocol):
    """What a list page shows: rows that are found, counted, sorted and cut behind these three."""

    def page(self, size: int, cursor: Cursor | None = None, number: int | None = None) -> Page:
        """The page of ``size`` rows at ``cursor``, or page ``number`` counted from 1, or the first.

        Raises ``BrokenCursor`` for one that was made up.
        """

    def exact_count(self) -> int:
        """How many rows match, however many that are."""

    @property
    def key_count(self) -> int:
        """How many texts a cursor of this sort has in its key."""

    @property
    def has_numbered_pages(self) -> bool:
        """Whether a page can be had by its number beyond the bound as well."""


def cut(rows: list[dict], key_of: Callable[[dict], tuple], size: int, cursor: Cursor) -> Page:
    """The page out of ``rows``; one row more than ``size`` tells that the list goes on in the cursor's direction."""
    more, came = len(rows) > size, bool(cursor.key)
    if more:
        rows = rows[1:] if cursor.backward else rows[:size]
    goes_on, goes_back = (came, more) if cursor.backward else (more, came)
    return Page(
        rows,
        {},
        before=Cursor(key_of(rows[0]), backward=True) if rows and goes_back else None,
        after=Cursor(key_of(rows[-1])) if rows and goes_on else None,
    )
