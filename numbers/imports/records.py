"""Lines of text as records of cells, with the line of the file in which each begins."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from django.utils.translation import gettext as _

from portal import texts

DELIMITERS = ",;\t|"
LONGEST_CELL = 500
MOST_CELLS = 1_000
LONGEST_LINE = 1_000_000
#: Of the lines with a quote that is not closed, so many are named.
MOST_NOTES = 50
#: A record has so many lines at most; a quote that closes later was never meant to open.
MOST_LINES_OF_RECORD = 200
# What stands in a cell with a number. Within the lines of one record, it shows that they were records of their own.
LOOKS_LIKE_A_NUMBER = re.compile(r"[\s'\"=]*\+?[(]?[0-9][0-9 ().\-/]{6,20}[\s'\"]*")
PARAMETERS = re.compile(r";[a-z-]+=[^;,\t|\s]*", re.IGNORECASE)
SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)


class NotAFile(ValueError):
    """The file cannot be read; the text says why and what to do."""


def text_of(cell: str) -> str:
    """What stands in a cell, without the characters that nobody sees."""
    cut = cell.strip()[:LONGEST_CELL]
    return cut if cut.isascii() and cut.isprintable() else texts.shown(cut)


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a text. Raises ``NotAFile`` for a line that is too long to be one of numbers."""
    at = 0
    while line := file.readline(LONGEST_LINE):
        at += 1
        if len(line) >= LONGEST_LINE and line[-1] not in "\r\n":
            said = {"line": at}
            raise NotAFile(_("Line %(line)d has more than a million characters. Is this a file of numbers?") % said)
        if "\0" in line:
            raise NotAFile(_("This is not a text file. Save the numbers as CSV or XLSX, and choose that."))
        yield line


def delimiter_of(lines: list[str]) -> str:
    """What stands between cells: what most of these lines have, as often in each of them, outside quotes."""
    if lines and (found := SEPARATOR.fullmatch(lines[0])):
        return found[1]
    counts = {mark: [outside_quotes(line).count(mark) for line in lines if line.strip()] for mark in DELIMITERS}

    def weight(mark: str) -> tuple:
        found = [count for count in counts[mark] if count]
        if not found:
            return (0, 0, 0)
        usual = max(set(found), key=found.count)
        return (found.count(usual), usual, -DELIMITERS.index(mark))

    return max(DELIMITERS, key=weight)


def outside_quotes(line: str) -> str:
    """A line without what stands in quotes, and without the parameters of URIs, which begin with semicolons too."""
    return PARAMETERS.sub("", "".join(line.split('"')[::2]))


class Records:
    """The records of some lines, as pairs of the line of the file in which each begins, from 1, and its cells.

    ``is_raw`` keeps characters that nobody sees: in another encoding they are letters. ``notes`` says which quotes were
    not closed: such a line is read without them, so that it swallows no other.
    """

    def __init__(self, lines: Iterator[str], delimiter: str, *, is_raw: bool = False):
        self.delimiter, self.is_raw = delimiter, is_raw
        self.how = {"delimiter": delimiter, "skipinitialspace": delimiter != " "}
        self.notes: list[str] = []
        self.waiting: deque[str] = deque()
        self.lines = lines
        self.at = 0

    def line(self) -> str | None:
        self.at += 1
        if self.waiting:
            return self.waiting.popleft()
        return next(self.lines, None)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        while (line := self.line()) is not None:
            begins = self.at
            if begins == 1 and SEPARATOR.fullmatch(line):
                continue
            if '"' not in line:
                yield begins, self.cells(line.rstrip("\r\n").split(self.delimiter))
                continue
            yield begins, self.cells(self.quoted(line, begins))

    def cells(self, found: list[str]) -> list[str]:
        if self.is_raw:
            return [cell.strip(" \t\r\n")[:LONGEST_CELL] for cell in found[:MOST_CELLS]]
        return [text_of(cell) for cell in found[:MOST_CELLS]]

    def quoted(self, line: str, begins: int) -> list[str]:
        """The cells of a record whose first line has a quote in it: as many lines as it takes until that closes.

        The lines are parsed as they come, each of them once.
        """
        lines = [line]

        def of_record() -> Iterator[str]:
            yield line
            while len(lines) < MOST_LINES_OF_RECORD and (more := self.line()) is not None:
                lines.append(more)
                yield more

        try:
            cells = next(csv.reader(of_record(), strict=True, **self.how), [])
        except csv.Error as error:
            if len(lines) > 1 or "unexpected end of data" in str(error):
                return self.unclosed(lines, begins)
            # Its quotes close where no cell ends, as in "Bob" Smith.
            return [] if "field larger" in str(error) else next(csv.reader(lines, **self.how), [])
        inside = lines[1:-1]
        if inside and sum(map(self.is_record, inside)) * 2 >= len(inside):
            return self.unclosed(lines, begins)
        return cells

    def is_record(self, line: str) -> bool:
        """Whether a line within quotes was meant to be a record of its own: one of its cells is a phone number."""
        if self.delimiter not in line:
            return False
        return any(LOOKS_LIKE_A_NUMBER.fullmatch(cell) for cell in outside_quotes(line).split(self.delimiter))

    def unclosed(self, lines: list[str], begins: int) -> list[str]:
        """Read the first line without its quotes, and give the others back."""
        self.waiting.extendleft(reversed(lines[1:]))
        self.at = begins
        if len(self.notes) < MOST_NOTES:
            said = _("Line %(line)d: a quote opens and is not closed. The line is read without it.")
            self.notes.append(said % {"line": begins})
        return lines[0].rstrip("\r\n").replace('"', "").split(self.delimiter)
