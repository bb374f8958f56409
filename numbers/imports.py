"""Files of numbers, as people have them: whatever encoding, delimiter and order of columns.

Nothing is known here of the portal's rows.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from django.utils.translation import gettext as _

from portal.filters import folded

#: What a column may be, by what people and our own exports call it.
HEADINGS = {
    "number": ("number", "phone number", "phone", "did", "e164", "e.164", "telephone", "msisdn"),
    "used_by": ("used by", "destination", "user name"),
    "company": ("company", "customer", "assigned to"),
    "reserved_for": ("reserved for",),
    "var": ("var", "reseller"),
    "use": ("use", "user", "type"),
    "provider": ("provider", "carrier"),
    "status": ("status",),
    "label": ("label", "description", "note"),
    "caller_name": ("caller name", "cnam", "caller id name"),
    "voice": ("voice",),
    "sms": ("sms", "text"),
    "fax": ("fax",),
}
NAMES = {folded(name): column for column, names in HEADINGS.items() for name in names}
DELIMITERS = ",;\t|"
LONGEST_CELL = 500
MOST_CELLS = 60
#: So much of a file is looked at to find out how it is written.
LOOKED_AT = 64 * 1024


class NotAFile(ValueError):
    """The file cannot be read; the text says why and what to do."""


@dataclass
class Read:
    """A file that was understood: what stands in each of its columns, blank for what is ignored, and its lines."""

    columns: list[str]
    encoding: str
    #: Headings that mean nothing here.
    ignored: list[str] = field(default_factory=list)
    #: Pairs of a line's number in the file, from 1, and its cells.
    rows: Iterator[tuple[int, list[str]]] = field(default_factory=lambda: iter(()))


def read(file: BinaryIO, headings: dict[str, str]) -> Read:
    """Understand a file of text; its lines are read as they are asked for, so that it may be of any size.

    ``headings`` are what the actor's own list calls its columns, in their language. Raises ``NotAFile``.
    """
    start = file.read(LOOKED_AT)
    file.seek(0)
    encoding = encoding_of(start)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        sample = start.decode(encoding, "ignore")
        lines = csv.reader(without_nul(text), delimiter=delimiter_of(sample), strict=False)
        numbered = ((lines.line_num, [cell.strip()[:LONGEST_CELL] for cell in cells[:MOST_CELLS]]) for cells in lines)
        filled = ((line, cells) for line, cells in numbered if any(cells))
        first = next(filled, None)
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotAFile(_("This file cannot be read as text. Save it as CSV in UTF-8, and choose that.")) from error
    if first is None:
        raise NotAFile(_("There is nothing in this file."))
    names = NAMES | {folded(heading): column for column, heading in headings.items()}
    known = [names.get(folded(cell.lstrip("\ufeff")), "") for cell in first[1]]
    if "number" in known:
        ignored = [cell for cell, column in zip(first[1], known, strict=True) if cell and not column]
        once = [column if column not in known[:place] else "" for place, column in enumerate(known)]
        return Read(once, encoding, ignored, guarded(filled))
    place = next((place for place, cell in enumerate(first[1]) if sum(c.isdigit() for c in cell) > 3), None)
    if place is None:
        raise NotAFile(_("No column is called Number. Give the first line headings, or send a list of numbers alone."))
    columns = ["number" if at == place else "" for at in range(len(first[1]))]
    return Read(columns, encoding, [_("columns without a heading")] if len(columns) > 1 else [],
                guarded(chain([first], filled)))  # fmt: skip


def guarded(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """The rows; what cannot be read on the way is said in a sentence."""
    try:
        yield from rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotAFile(_("This file changes its encoding or breaks off. Save it as CSV in UTF-8 again.")) from error


def encoding_of(start: bytes) -> str:
    """How the text is encoded: as its mark says; UTF-8 where it is; otherwise as Windows in the West writes it."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise NotAFile(_("This is a spreadsheet, not a text file. Save it as CSV, and choose that."))
    if b"\0" in start:
        raise NotAFile(_("This is not a text file. Save the numbers as CSV, and choose that."))
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        decoder.decode(start)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def delimiter_of(sample: str) -> str:
    """What stands between cells: what occurs in the first line most often, outside quotes."""
    line = next((line for line in sample.splitlines() if line.strip()), "")
    if line.lower().startswith("sep=") and len(line.strip()) == 5:
        return line.strip()[4]
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=lambda mark: (outside.count(mark), -DELIMITERS.index(mark)))


def without_nul(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise csv.Error("NUL")
        if not line.lower().startswith("sep="):
            yield line
