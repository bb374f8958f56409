"""What all readers of reports share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: A leg of a call as its report has it: id, number and time, not understood yet. None for what is no incoming call.
Leg = tuple[Any, Any, Any] | None


@dataclass(frozen=True)
class Sent:
    """A request with reports: its body and what else says how to read it."""

    body: bytes
    content_type: str = ""
    #: The names in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The address as the sender has it, which Twilio signs.
    url: str = ""
    #: The ``uuid`` in the address, which ``mod_xml_cdr`` adds.
    uuid: str = ""

    @property
    def kind(self) -> str:
        """The media type."""
        return self.content_type.partition(";")[0].strip().lower()

    def header(self, name: str) -> str:
        """A header of the request; empty without it."""
        return self.headers.get(name, "")


@dataclass(frozen=True)
class Layout:
    """How the rows of a CSV file are read."""

    #: What a row says; see ``Leg``.
    leg: Callable[[list[str]], Leg]
    #: Whether the first row names the columns.
    has_heading: bool = True
    #: Whether a row belongs to the heading.
    is_heading: Callable[[list[str]], bool] = lambda row: False


def cell(row: list[str], place: int | None) -> str:
    """What a row has in a column; empty where it has none."""
    return row[place].strip() if place is not None and place < len(row) else ""


def column(heading: list[str], *names: str) -> int | None:
    """The place of the first of these columns that a heading has."""
    return next((heading.index(name) for name in names if name in heading), None)
