"""The table and its pages: what stands where, as content operators, page by page.

All lengths are points (1/72 inch) unless a name or docstring says otherwise.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import accumulate, islice
from pathlib import Path

from portal.pdf.fonts import Face, Lettering, typefaces
from portal.pdf.shaping import BOLD, REGULAR, Shelf
from portal.pdf.structure import ARTIFACT, CELL, COLUMN_HEADING, END, ROW_HEADING, Structure
from portal.pdf.writer import Objects, PageTree, text_string

PAGE_WIDTH, PAGE_HEIGHT = 841.89, 595.28
MARGIN = 36
TABLE_WIDTH = PAGE_WIDTH - 2 * MARGIN
TABLE_BOTTOM = 46
FOOTER_BASELINE = 27
ROW_HEIGHT = 12
HEADING_HEIGHT = 16
CELL_GAP = 6
TEXT_SIZE = 8
SMALL_SIZE = 7

# Grey levels, from 0 black to 1 white.
INK, GREY, HAIRLINE, BAND, STRIPE = 0.1, 0.42, 0.72, 0.92, 0.965

CHUNK_BYTES = 1 << 16
#: Tables up to so many rows say what their parts are; in longer ones that would be most of the file, and nobody has
#: them read aloud.
MOST_TAGGED = 5_000
CACHED_CELLS = 2048


@dataclass(frozen=True)
class Column:
    """One column; widths are shares of the table, which always fills the page between its margins (770 points)."""

    heading: str
    width: float


@dataclass(frozen=True)
class Wording:
    """The words that the writer adds to a document, as plain format strings, already translated.

    Numbers arrive as text, their thousands parted by ``grouping``.
    """

    made_by: str = "Made by"
    made_at: str = "Made at"
    rows: str = "Rows"
    rows_unknown: str = "counted on the last page"
    no_rows: str = "No rows."
    page: str = "Page {page}"
    page_of: str = "Page {page} of {pages}"
    end: str = "End of table · rows: {rows}"
    end_differs: str = "End of table · rows: {rows} (counted when this document was begun: {total})"
    grouping: str = ","

    def count(self, number: int) -> str:
        return f"{number:,}".replace(",", self.grouping)


@dataclass(frozen=True)
class Document:
    """What a document says about itself: ``evidence`` holds further (label, value) lines, such as account and filter.

    ``made_at`` must know its time zone; ``language`` is a tag such as "en" or "fr-CA".
    """

    title: str
    author: str
    made_at: datetime
    evidence: Sequence[tuple[str, str]] = ()
    language: str = "en"
    wording: Wording = field(default_factory=Wording)


def table_pdf(
    document: Document,
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    total: int | None = None,
    *,
    font_folder: Path | None = None,
) -> Iterator[bytes]:
    """Yield a PDF of ``rows``, page by page; cells that do not fit their column end in an ellipsis.

    ``total`` is the number of rows expected, for "page x of y" and the evidence.  Should the rows turn out to be more
    or fewer, pages from the expected last on carry no "of y", the true last page carries the true number, and a line
    there gives both counts.  ``font_folder`` holds DejaVuSans.ttf and, for headings, DejaVuSans-Bold.ttf; without them
    reportlab's Vera serves, and for other scripts Noto (``portal.pdf.shaping``).  Texts are composed (NFC); characters
    that no font has show as a box and are still found and copied as themselves; control characters become spaces or
    U+FFFD.

    Raises at once: ValueError for no columns, a width that is not positive, a time without zone or evidence that fills
    the first page; reportlab's TTFError for a damaged font.  While iterating: ValueError for a row with too few or too
    many cells.
    """
    if not columns or not all(column.width > 0 for column in columns):
        raise ValueError("a table needs columns, each with a positive width")
    if document.made_at.utcoffset() is None:
        raise ValueError("the time at which a document is made needs a zone")
    return _Table(document, columns, total, *typefaces(font_folder)).chunks(rows)


class _Table:
    """One table on its way out."""

    def __init__(self, document: Document, columns: Sequence[Column], total: int | None, regular: Face, bold: Face):
        self._document, self._columns, self._total = document, columns, total
        self._words = document.wording
        self._shelf = Shelf()
        self._regular = Lettering("F1", regular, REGULAR, self._shelf)
        self._bold = Lettering("F2", bold, BOLD, self._shelf)
        self._objects = Objects()
        self._tree = PageTree(self._objects)
        self._structure = Structure(self._objects) if total is not None and total <= MOST_TAGGED else None
        self._page = self._objects.allocate()
        self._page_entries = self._structure.begin_page(self._page) if self._structure else ""

        scale = TABLE_WIDTH / sum(column.width for column in columns)
        self._widths = [column.width * scale for column in columns]
        rooms = [_em(width - CELL_GAP, TEXT_SIZE) for width in self._widths]
        self._fits = [lru_cache(CACHED_CELLS)(self._regular.fitter(room, TEXT_SIZE)) for room in rooms]
        self._row_form = self._form_of_row()
        self._opening, self._running_head = self._make_opening(), self._make_running_head()
        if _rows_below(self._opening[1]) < 1:
            raise ValueError("the evidence leaves no room for rows on the first page")

    def chunks(self, rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
        """Yield the file; the first page leaves by itself, later ones in pieces of about ``CHUNK_BYTES``."""
        (opening, first_top), (running, running_top) = self._opening, self._running_head
        first_rows, rows_a_page = _rows_below(first_top), _rows_below(running_top)
        expected = None if self._total is None else 1 + max(0, -(-(self._total - first_rows) // rows_a_page))
        full_page = self._objects.allocate()
        self._objects.write_stream(full_page, running + self._grid(running_top, rows_a_page))

        row_count = 0
        for page, (batch, is_last) in enumerate(_batches(rows, first_rows, rows_a_page), 1):
            row_count += len(batch)
            top = first_top if page == 1 else running_top
            content = self._rows(batch, top) + self._footer(page, expected, row_count, is_last)
            shared = []
            if page == 1:
                content = opening + self._grid(top, len(batch)) + content
            elif len(batch) == rows_a_page:
                shared = [full_page]
            else:
                content = running + self._grid(top, len(batch)) + content
            stream = self._objects.allocate()
            self._objects.write_stream(stream, content)
            self._tree.add_page(self._page, [*shared, stream], self._page_entries)
            if page == 1 or self._objects.waiting >= CHUNK_BYTES:
                yield self._objects.take()
            if not is_last:
                self._page = self._objects.allocate()
                self._page_entries = self._structure.begin_page(self._page) if self._structure else ""
        yield from self._closing()

    def _closing(self) -> Iterator[bytes]:
        """Yield what can only be written when all is known: fonts, page tree, metadata, cross-references."""
        numbers = {lettering.name: lettering.write(self._objects) for lettering in (self._regular, self._bold)}
        numbers |= self._shelf.write(self._objects)
        fonts = "".join(f"/{name} {number} 0 R" for name, number in numbers.items())
        root = self._tree.finish(f"/MediaBox[0 0 {PAGE_WIDTH} {PAGE_HEIGHT}]/Resources<</Font<<{fonts}>>>>")
        title, author = text_string(self._document.title), text_string(self._document.author)
        made_at = f"{self._document.made_at:D:%Y%m%d%H%M%S%z}"
        made_at = f"{made_at[:19]}'{made_at[19:21]}'"
        info = self._objects.add(f"<</Title {title}/Author {author}/CreationDate({made_at})>>")
        tagged = self._structure.finish() if self._structure else ""
        catalog = self._objects.add(
            f"<</Type/Catalog/Pages {root} 0 R/Lang {text_string(self._document.language)}"
            f"/ViewerPreferences<</DisplayDocTitle true>>{tagged}>>"
        )
        yield from self._objects.closing(catalog, info, identity=f"{title}{author}{made_at}")

    # Parts of a page, each as content operators

    def _make_opening(self) -> tuple[str, float]:
        """The head of the first page with title and evidence, and where its rows begin."""
        baseline = PAGE_HEIGHT - 50
        parts = [self._part("H1", _text(self._bold, 16, INK, MARGIN, baseline, self._document.title, TABLE_WIDTH))]
        labelled = self._evidence()
        indent = 12 + max(self._regular.width(label) * TEXT_SIZE / 1000 for label, _ in labelled)
        indent = min(indent, TABLE_WIDTH / 3)
        room = TABLE_WIDTH - indent
        lines = []
        for label, value in labelled:
            first, *further = self._regular.wrap(value, _em(room, TEXT_SIZE))
            lines += [(label, first), *(("", line) for line in further)]
        baseline -= 8
        for label, line in lines:
            baseline -= 11.5
            named = _text(self._regular, TEXT_SIZE, GREY, MARGIN, baseline, label, indent - 6)
            said = _text(self._regular, TEXT_SIZE, INK, MARGIN + indent, baseline, line, room)
            parts += [self._part("P", named) if label else "", self._part("P", said)]
        headings, top = self._headings(baseline - 14, is_first=True)
        return "".join(parts) + headings, top

    def _make_running_head(self) -> tuple[str, float]:
        """The head of every further page with title and evidence in brief, and where its rows begin."""
        brief = " · ".join(value for _, value in self._evidence()[:-1])
        title = _text(self._bold, 9, INK, MARGIN, PAGE_HEIGHT - 36, self._document.title, TABLE_WIDTH)
        line = _text(self._regular, SMALL_SIZE, GREY, MARGIN, PAGE_HEIGHT - 47, brief, TABLE_WIDTH)
        headings, top = self._headings(PAGE_HEIGHT - 53, is_first=False)
        return self._apart(title + line) + headings, top

    def _evidence(self) -> list[tuple[str, str]]:
        words = self._words
        count = words.rows_unknown if self._total is None else words.count(self._total)
        return [
            (words.made_by, self._document.author),
            *self._document.evidence,
            (words.made_at, _moment(self._document.made_at)),
            (words.rows, count),
        ]

    def _headings(self, top: float, *, is_first: bool) -> tuple[str, float]:
        """The headings of the columns and where rows begin; those of further pages are repetitions."""
        bottom = top - HEADING_HEIGHT
        band = f"{BAND} g {MARGIN} {bottom:.2f} {TABLE_WIDTH:.2f} {HEADING_HEIGHT} re f\n"
        cells = [
            _text(self._bold, TEXT_SIZE, INK, x, bottom + 5, column.heading, width - CELL_GAP)
            for x, width, column in zip(self._lefts(), self._widths, self._columns, strict=True)
        ]
        if self._structure and is_first:
            names = [column.heading for column in self._columns]
            cells = self._structure.row([COLUMN_HEADING] * len(cells), names, cells)
        words = "".join(cells)
        return self._apart(band) + (words if is_first else self._apart(words)) + self._apart(
            _line(bottom, GREY)
        ), bottom

    def _grid(self, top: float, count: int) -> str:
        """Stripes behind ``count`` rows and the line that ends them."""
        stripes = "".join(
            f"{MARGIN} {top - ROW_HEIGHT * (i + 1):.2f} {TABLE_WIDTH:.2f} {ROW_HEIGHT} re " for i in range(1, count, 2)
        )
        stripes = f"{STRIPE} g {stripes}f\n" if stripes else ""
        return self._apart(stripes + _line(top - ROW_HEIGHT * count, HAIRLINE))

    def _part(self, kind: str, operators: str) -> str:
        """A heading or paragraph, marked as such where the document has a structure."""
        return self._structure.part(kind, operators) if self._structure else operators

    def _apart(self, operators: str) -> str:
        """What is no part of the text, marked as such where the document has a structure."""
        return ARTIFACT + operators + END if self._structure else operators

    def _form_of_row(self) -> str:
        """The operators of a row, with a place for each cell; they end where the next row begins."""
        moves = [f"{width:.2f} 0 Td" for width in self._widths[:-1]]
        moves.append(f"{-sum(round(width, 2) for width in self._widths[:-1]):.2f} {-ROW_HEIGHT} Td\n")
        return "".join(f"%s {move} " for move in moves)

    def _rows(self, batch: list[Sequence[str]], top: float) -> str:
        if not batch:
            words = self._words.no_rows
            said = _text(self._regular, TEXT_SIZE, GREY, MARGIN + CELL_GAP / 2, top - 14, words, TABLE_WIDTH)
            return self._part("P", said)
        fits, form = self._fits, self._row_form
        cells = [[fit(cell) for fit, cell in zip(fits, row, strict=True)] for row in batch]
        if self._structure:
            kinds = [ROW_HEADING, *[CELL] * (len(fits) - 1)]
            cells = [self._structure.row(kinds, *texts_and_cells) for texts_and_cells in zip(batch, cells, strict=True)]
        lines = [form % tuple(row) for row in cells]
        start = f"{INK} g BT /F1 {TEXT_SIZE} Tf {MARGIN + CELL_GAP / 2} {top - 8.8:.2f} Td\n"
        return start + "".join(lines) + "ET\n"

    def _footer(self, page: int, expected: int | None, row_count: int, is_last: bool) -> str:
        words, parts = self._words, []
        if is_last:
            form = words.end if self._total in (None, row_count) else words.end_differs
            end = form.format(rows=words.count(row_count), total=words.count(self._total or 0))
            parts.append(_text(self._regular, SMALL_SIZE, GREY, MARGIN, FOOTER_BASELINE, end, TABLE_WIDTH - 150))
        pages = page if is_last else expected
        is_known = pages is not None and (is_last or page < pages)
        form = words.page_of if is_known else words.page
        label = form.format(page=words.count(page), pages=words.count(pages or 0))
        left = PAGE_WIDTH - MARGIN - self._regular.width(label) * SMALL_SIZE / 1000
        parts.append(_text(self._regular, SMALL_SIZE, GREY, left, FOOTER_BASELINE, label, 150))
        return self._apart("".join(parts))

    def _lefts(self) -> list[float]:
        return [MARGIN + CELL_GAP / 2 + start for start in accumulate(self._widths[:-1], initial=0)]


def _batches(rows: Iterable[Sequence[str]], first: int, rest: int) -> Iterator[tuple[list[Sequence[str]], bool]]:
    """Yield the rows of each page and whether it is the last; reads one page ahead to know."""
    rows = iter(rows)
    batch = list(islice(rows, first))
    while True:
        following = list(islice(rows, rest))
        yield batch, not following
        if not following:
            return
        batch = following


def _rows_below(top: float) -> int:
    return int((top - TABLE_BOTTOM) // ROW_HEIGHT)


def _em(length: float, size: float) -> float:
    """Points as thousandths of an em of type of this size."""
    return length * 1000 / size


def _text(lettering: Lettering, size: float, grey: float, x: float, y: float, text: str, room: float) -> str:
    shown = lettering.fitter(_em(room, size), size)(text)
    return f"{grey} g BT /{lettering.name} {size} Tf {x:.2f} {y:.2f} Td{shown} ET\n"


def _line(y: float, grey: float) -> str:
    return f"{grey} G 0.5 w {MARGIN} {y:.2f} m {MARGIN + TABLE_WIDTH:.2f} {y:.2f} l S\n"


def _moment(moment: datetime) -> str:
    offset = f"{moment:%z}"
    offset = f"UTC{offset[:3]}:{offset[3:5]}"
    name = moment.tzname() or offset
    return f"{moment:%Y-%m-%d %H:%M:%S} " + (offset if name.startswith("UTC") else f"{name} ({offset})")
