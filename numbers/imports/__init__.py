"""Files of numbers, as people have them: whatever kind, encoding, delimiter, names and order of columns.

Nothing is known here of the portal's rows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import BinaryIO

from django.utils.translation import gettext as _

from numbers.imports.containers import opened
from numbers.imports.encodings import CHOICES, encoding_of
from numbers.imports.headings import COLUMNS, FREEPBX, HEADINGS, PERSONAL_NAMES, column_of, is_known, key
from numbers.imports.records import NotAFile, Records, delimiter_of, lines_of
from portal import number_lists, phones
from portal.exports import without_guards_of_semicolons
from portal.phones import WithoutPlus

__all__ = ["COLUMNS", "HEADINGS", "NotAFile", "Read", "read"]

#: So many records are looked at to find out what a file is.
LOOKED_AT = 1_000
#: The heading stands in one of so many records at the beginning.
HEADING_WITHIN = 20
#: Lines of the file that are shown above its columns.
SHOWN = 5
#: Columns that a file has once at most, whose second one is not read.
ONCE = frozenset(COLUMNS) - {"number"}
# Digits and punctuation, as many as a number has that can be called from another country.
NUMBER_LIKE = re.compile(r"[^0-9A-Za-z]*(?:[0-9][^0-9A-Za-z]{0,3}){7,15}[^0-9A-Za-z]*")
DATE_LIKE = re.compile(r"[0-9]{4}[-./][0-9]{1,2}[-./][0-9]{1,2}.*|[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{2,4}")


@dataclass
class Read:
    """A file that was understood: what stands in each of its columns, blank for what is ignored, and its lines."""

    columns: list[str]
    encoding: str
    #: The headings as they stand in the file; none where it has no heading.
    headings: list[str] = field(default_factory=list)
    #: Headings that mean nothing here.
    ignored: list[str] = field(default_factory=list)
    #: Sentences about what was found, and how the file was read. Some come while lines are read.
    notes: list[str] = field(default_factory=list)
    #: The first lines of the file, without the heading.
    shown: list[list[str]] = field(default_factory=list)
    #: How most of its numbers without + are written (``WithoutPlus``).
    without_plus: str = WithoutPlus.ASK
    #: Whether somebody may choose another encoding.
    encoding_is_guessed: bool = False
    #: Pairs of a line's number in the file, from 1, and its cells.
    rows: Iterator[tuple[int, list[str]]] = field(default_factory=lambda: iter(()))


@contextmanager
def read(
    file: BinaryIO, headings: dict[str, str], *, region: str = "", home: str = "", encoding: str = ""
) -> Iterator[Read]:
    """Understand a file; its lines are read as they are asked for, so that it may be of any size.

    ``headings`` are the names that the actor's own list gives its columns, in their language; ``region`` the country of
    numbers without a country code, ``home`` the account's. ``encoding`` is chosen by somebody. Raises ``NotAFile``.
    """
    with opened(file) as (content, notes, is_workbook):
        found = encoding_of(content)
        if found is None:
            raise NotAFile(_("This is not a text file. Save the numbers as CSV or XLSX, and choose that."))
        name = encoding if encoding in CHOICES and not found.is_certain else found.name
        content.seek(0)
        text = io.TextIOWrapper(content, name, newline="")
        try:
            lines = lines_of(text)
            first = list(islice(lines, 50))
            delimiter = "," if is_workbook else delimiter_of(first)
            records = Records(chain(first, lines), delimiter, is_raw=not found.is_certain)
            filled = guarded(((line, cells) for line, cells in records if any(cells)), records, name)
            if delimiter == ";":
                filled = ((line, [without_guards_of_semicolons(cell) for cell in cells]) for line, cells in filled)
            understood = of_records(filled, headings, region, home)
            understood.encoding, understood.encoding_is_guessed = name, not found.is_certain
            understood.notes = records.notes = [*notes, *understood.notes, *records.notes]
            if not found.is_certain:
                understood.notes.insert(0, _("Text is read as %(encoding)s.") % {"encoding": CHOICES.get(name, name)})
            yield understood
        except UnicodeDecodeError as error:
            raise NotAFile(not_encoded(1, name)) from error
        finally:
            text.detach()


def not_encoded(line: int, name: str) -> str:
    said = {"line": line, "encoding": CHOICES.get(name, name)}
    return _("Line %(line)d has a letter that %(encoding)s does not have. Save the file as CSV in UTF-8.") % said


def guarded(rows: Iterator[tuple[int, list[str]]], records: Records, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows; a sentence says what cannot be read on the way."""
    try:
        yield from rows
    except UnicodeDecodeError as error:
        raise NotAFile(not_encoded(records.at, name)) from error


def of_records(rows: Iterator[tuple[int, list[str]]], headings: dict[str, str], region: str, home: str) -> Read:
    """What the records of a file are: its heading, its columns, its lines. Raises ``NotAFile``."""
    looked_at = list(islice(rows, LOOKED_AT))
    if not looked_at:
        raise NotAFile(_("This file is empty."))
    own = {key(heading): column for column, heading in headings.items()}
    place = heading_of(looked_at, own)
    notes = []
    if place is None:
        body, titles = looked_at, []
        names: list[str] = []
    else:
        names, titles = looked_at[place][1], [cells for _line, cells in looked_at[:place]]
        body = looked_at[place + 1 :]
        if not any(any(cells) for _line, cells in body) and len(looked_at) < LOOKED_AT:
            raise NotAFile(_("This file has a heading, but no lines below it. Choose another file."))
    width = max((len(cells) for _line, cells in looked_at), default=0)
    columns = [column_of(name, own) for name in names] + [""] * (width - len(names))
    shares = [
        share_of_numbers([cells[at] for _line, cells in body if at < len(cells)], region or home) for at in range(width)
    ]
    columns = with_number(columns, names, shares, notes, is_list=place is None)
    if place is None and width > 1:
        names, body = of_first_line(body, columns.index("number"))
    if titles:
        said = {"count": len(titles), "text": " ".join(cell for cell in titles[0] if cell)[:80]}
        notes.append(_("Not read, above the heading: %(text)s") % said)
    columns = [column if column not in ONCE or column not in columns[:at] else "" for at, column in enumerate(columns)]
    ignored = [name for name, column in zip(names, columns, strict=False) if name and not column]
    if not names and not all(columns):
        ignored = [_("columns without a heading")]
    without_plus = how_written([cells for _line, cells in body], columns, region, home)
    return Read(
        columns, "", names, ignored, notes, [cells for _line, cells in body[:SHOWN]], without_plus,
        rows=chain(body, rows),
    )  # fmt: skip


def heading_of(records: list[tuple[int, list[str]]], own: dict[str, str]) -> int | None:
    """Which record names the columns: the first that names one of the number, or several others; None where none."""
    best, most = None, 1
    for at, (_line, cells) in enumerate(records[:HEADING_WITHIN]):
        found = [column_of(cell, own) for cell in cells]
        if any(phones.quick(cell) or NUMBER_LIKE.fullmatch(cell) for cell in cells):
            break
        if "number" in found:
            return at
        known = sum(bool(column) or is_known(cell) for cell, column in zip(cells, found, strict=True))
        if known > most or (known == most == 1 and len(cells) == 1):
            best, most = at, known
    return best


def with_number(
    columns: list[str], names: list[str], shares: list[float], notes: list[str], *, is_list: bool
) -> list[str]:
    """The columns with those that hold numbers, by name and by what stands in them. Raises ``NotAFile``."""
    keys = [key(name) for name in names]
    if FREEPBX.issubset(keys):
        columns = ["number" if name == "extension" else "" if name == "cidnum" else column
                   for name, column in zip(keys, columns, strict=False)] + columns[len(keys) :]  # fmt: skip
    best = max(range(len(columns)), key=lambda at: (shares[at], -at))
    named = [at for at, column in enumerate(columns) if column == "number"]
    if named and (max(shares[at] for at in named) >= 0.2 or shares[best] < 0.7):
        return numbers_of_several(columns, names, shares, notes)
    if is_list and min(shares) >= (0.1 if len(columns) == 1 else 0.7):
        return ["number"] * len(columns)
    if shares[best] < 0.5:
        raise NotAFile(_("No column is called Number. Give the first line headings, or send a list of numbers alone."))
    if best < len(names):
        said = _("No column is called Number. Numbers are read from “%(name)s”.")
        notes.append(said % {"name": names[best][:100]})
    return ["number" if at == best else "" if at in named else column for at, column in enumerate(columns)]


def of_first_line(body: list[tuple[int, list[str]]], number: int) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The headings that nobody knows, where the first line has words and no number; and the lines that follow."""
    first = body[0][1]
    cell = first[number] if number < len(first) else ""
    if cell and not any(c.isdigit() for c in cell) and len(body) > 1:
        return first, body[1:]
    return [], body


def share_of_numbers(cells: list[str], region: str) -> float:
    """How many of these cells hold phone numbers: 1 for all, counting by half those that only look like one."""
    cells = [cell for cell in cells if cell][:200]
    if not cells:
        return 0
    return sum(likeness(cell, region) for cell in cells) / len(cells)


def likeness(cell: str, region: str) -> float:
    if phones.quick(cell):
        return 1
    if DATE_LIKE.fullmatch(cell):
        return 0
    pieces = number_lists.read_list(cell, region, strict=True) if len(cell) < 250 else []
    if pieces and all(piece.first or piece.readings for piece in pieces):
        return 0.9 if all(piece.first for piece in pieces) else 0.7
    return 0.5 if NUMBER_LIKE.fullmatch(cell) else 0.1 if any(c.isdigit() for c in cell) else 0


def numbers_of_several(columns: list[str], names: list[str], shares: list[float], notes: list[str]) -> list[str]:
    """The columns, where several are called Number: those that hold numbers are read, all of them."""
    places = [at for at, column in enumerate(columns) if column == "number"]
    if len(places) == 1:
        return columns
    own = [at for at in places if at >= len(names) or key(names[at]) not in PERSONAL_NAMES]
    if own and len(own) < len(places):
        others = ", ".join(f"“{names[at]}”" for at in places if at not in own)[:400]
        notes.append(_("Not read, as these may be numbers of others: %(names)s.") % {"names": others})
        columns = [column if column != "number" or at in own else "" for at, column in enumerate(columns)]
        return numbers_of_several(columns, names, shares, notes)
    best = max(shares[at] for at in places)
    kept = [at for at in places if best and shares[at] >= max(0.7, best / 2)] or [
        max(places, key=lambda at: (shares[at], -at))
    ]
    if len(kept) > 1:
        called = ", ".join(f"“{names[at]}”" for at in kept)[:400]
        notes.append(_("Numbers are read from several columns: %(names)s.") % {"names": called})
    return [column if column != "number" or at in kept else "" for at, column in enumerate(columns)]


def how_written(rows: list[list[str]], columns: list[str], region: str, home: str) -> str:
    """How numbers without + are written in a file (``WithoutPlus``), as most of its lines show. Where they can be read
    in two ways, somebody is asked: with a country chosen, or one that the account writes its numbers in."""
    places = [at for at, column in enumerate(columns) if column == "number"]
    counts = dict.fromkeys(("code", "country", "same", "both", "neither"), 0)
    for cells in rows:
        for at in places:
            cell = cells[at] if at < len(cells) else ""
            if cell and not phones.quick(cell):
                counts[way_of(cell, region or home)] += 1
    most = sum(counts.values()) / 2
    if not region:
        # No country was chosen: then only a code can stand there, and it must not be doubtful.
        counts["code"] += counts["same"]
    if counts["code"] > most and not counts["country"] and counts["both"] <= counts["code"] / 10:
        return WithoutPlus.CODE
    if counts["country"] > most and not counts["code"] and region:
        return WithoutPlus.COUNTRY
    return WithoutPlus.ASK


def way_of(cell: str, region: str) -> str:
    """How one cell without + can be read: with a country code, as inside the country, both alike, both, or neither."""
    found = {}
    for way in (WithoutPlus.CODE, WithoutPlus.COUNTRY):
        try:
            where = region if way == WithoutPlus.COUNTRY else ""
            found[way] = number_lists.ends(cell, where, without_plus=way, strict=True)
        except phones.NotANumber:
            found[way] = ()
    code, country = found[WithoutPlus.CODE], found[WithoutPlus.COUNTRY]
    if code == country:
        return "same" if code else "neither"
    if code and country:
        return "both"
    return "code" if code else "country"
