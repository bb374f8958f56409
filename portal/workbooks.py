"""A table as an XLSX workbook that is sent while it is written, in constant memory.

XlsxWriter makes everything but the rows: styles, widths, the frozen heading and the filter. It assembles a workbook
from temporary files when all rows are there, so that a long list would send nothing for a minute. The rows are written
here instead, in the form that XlsxWriter gives them in its constant memory mode: texts in their cells.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import xlsxwriter

#: What a sheet can hold (ECMA-376 leaves it open; these are the limits of Excel).
MOST_ROWS = 1_048_576 - 1  # the first has the headings
LONGEST_TEXT = 32_767
LONGEST_SHEET_NAME = 31
CHUNK = 1 << 16
#: A cheap level: rows of a list are alike, and shrink tenfold with it.
LEVEL = 2
WIDEST = 60
#: The format of cells that stay texts when somebody changes them.
TEXT = 49
#: Room for the arrow of the filter beside a heading.
ARROW = 4
SHEET = "xl/worksheets/sheet1.xml"
# Characters that XML 1.0 does not have, and what would be taken for one written as _xHHHH_ (ECMA-376, 22.9.2.19).
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
FIGURE = re.compile(r"0|[1-9][0-9]{0,14}")
NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


@dataclass(frozen=True)
class Sheet:
    """A table to be written: ``headings`` and ``widths`` in characters by column, and how many rows are expected.

    ``figures`` are the places of columns with whole numbers, which are written as such; all else is text.
    """

    name: str
    headings: Sequence[str]
    widths: Sequence[int]
    count: int
    figures: frozenset[int] = frozenset()


def workbook(sheet: Sheet, rows: Iterable[Sequence[str]]) -> Generator[bytes]:
    """The workbook of one sheet, piece by piece."""
    before, style, after, parts = frame(sheet)
    out = Outgoing()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, content in parts:
            archive.writestr(name, content)
        with archive.open(SHEET, "w") as file:
            file.write(before)
            for piece in pieces(sheet, rows, style):
                file.write(piece)
                yield out.take()
            file.write(after)
    yield out.take()


def frame(sheet: Sheet) -> tuple[bytes, str, bytes, list[tuple[str, bytes]]]:
    """What stands before and after the rows in the sheet's part, the number of the style of texts, and all other parts
    of the workbook with their names."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    page = book.add_worksheet(sheet_name(sheet.name))
    heading, text = book.add_format({"bold": True, "num_format": TEXT}), book.add_format({"num_format": TEXT})
    last_row, last_column = max(sheet.count, 1), len(sheet.headings) - 1
    for place, (words, width) in enumerate(zip(sheet.headings, sheet.widths, strict=True)):
        page.write_string(0, place, words, heading)
        page.set_column(place, place, min(max(width, len(words) + ARROW), WIDEST), text)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, last_row, last_column)
    # Text is meant where Excel would offer to make numbers of it.
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    # One cell in the place of all rows tells how XlsxWriter calls the style, and where rows go.
    page.write_blank(last_row, last_column, None, text)
    book.close()
    with zipfile.ZipFile(file) as made:
        content = made.read(SHEET)
        parts = [(name, made.read(name)) for name in made.namelist() if name != SHEET]
    place = re.search(rb'<row r="%d"[^>]*><c r="[A-Z]+%d" s="(\d+)"/></row>' % (last_row + 1, last_row + 1), content)
    return content[: place.start()], place[1].decode(), content[place.end() :], parts


def pieces(sheet: Sheet, rows: Iterable[Sequence[str]], style: str) -> Iterator[bytes]:
    """The rows as XML, some at a time; no more than a sheet can hold."""
    letters = [xlsxwriter.utility.xl_col_to_name(place) for place in range(len(sheet.headings))]
    buffer, size = [], 0
    for number, row in zip(range(2, MOST_ROWS + 2), rows, strict=False):
        cells = "".join(
            cell(f"{letter}{number}", text, style, is_figure=place in sheet.figures)
            for place, (letter, text) in enumerate(zip(letters, row, strict=True))
            if text
        )
        buffer.append(f'<row r="{number}">{cells}</row>')
        size += len(cells)
        if size >= CHUNK:
            yield "".join(buffer).encode()
            buffer, size = [], 0
    yield "".join(buffer).encode()


def cell(at: str, text: str, style: str, *, is_figure: bool) -> str:
    """One cell. A text is one whatever stands in it, also where it looks like a formula or a number."""
    if is_figure and FIGURE.fullmatch(text):
        return f'<c r="{at}"><v>{text}</v></c>'
    kept = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() else ""
    return f'<c r="{at}" s="{style}" t="inlineStr"><is><t{kept}>{written(text)}</t></is></c>'


def written(text: str) -> str:
    """A text as it stands in XML."""
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - 1] + "…"
    if not text.isprintable() or "_x" in text:
        text = UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
        text = text.replace("\r", "_x000D_")  # otherwise read as a line feed
    return escape(text, quote=False)


def sheet_name(name: str) -> str:
    """A name that a sheet can have: not all characters, and not the one that Excel keeps for itself."""
    name = NOT_IN_SHEET_NAMES.sub(" ", name).strip("' ")[:LONGEST_SHEET_NAME].strip("' ")
    return name if name and name.lower() != "history" else f"{name} 1".strip()


class Outgoing:
    """A file that can only be written: what has been written is taken away in between."""

    def __init__(self):
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._written)
        self._written.clear()
        return taken
