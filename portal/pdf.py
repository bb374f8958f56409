"""A table as a PDF that is sent while it is made: landscape A4, an embedded font, nearly constant memory.

``table_pdf`` yields the bytes.  What stays in memory is one page of rows, one offset an object and what is known of
the characters met so far.  All lengths are points (1/72 inch) unless a name or docstring says otherwise.
"""

import re
import struct
import unicodedata
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate, islice
from pathlib import Path
from threading import Lock
from typing import Any

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
LINES_A_VALUE = 8

# Grey levels, from 0 black to 1 white.
INK, GREY, HAIRLINE, BAND, STRIPE = 0.1, 0.42, 0.72, 0.92, 0.965

CHUNK_BYTES = 1 << 16
KIDS_PER_NODE = 100
CACHED_CELLS = 2048
LONGEST_CELL = 400
COMPRESSION = 3  # zlib's own default makes files 7 % smaller and takes longer

REPLACEMENT = 0xFFFD
SPACE = 0x20


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
    reportlab's Vera serves.  Texts are composed (NFC); characters that the font lacks show as a box and are still
    found and copied as themselves; control characters become spaces or U+FFFD.

    Raises at once: ValueError for no columns, a width that is not positive, a time without zone or evidence that fills
    the first page; reportlab's TTFError for a damaged font.  While iterating: ValueError for a row with too few or too
    many cells.
    """
    if not columns or not all(column.width > 0 for column in columns):
        raise ValueError("a table needs columns, each with a positive width")
    if document.made_at.utcoffset() is None:
        raise ValueError("the time at which a document is made needs a zone")
    return _Table(document, columns, total, *_typefaces(font_folder)).chunks(rows)


# The table and its pages


class _Table:
    """One table on its way out."""

    def __init__(
        self, document: Document, columns: Sequence[Column], total: int | None, regular: "_Face", bold: "_Face"
    ):
        self._document, self._columns, self._total = document, columns, total
        self._words = document.wording
        self._regular, self._bold = _Lettering("F1", regular), _Lettering("F2", bold)
        self._objects = _Objects()
        self._tree = _PageTree(self._objects)

        scale = TABLE_WIDTH / sum(column.width for column in columns)
        self._widths = [column.width * scale for column in columns]
        rooms = [_em(width - CELL_GAP, TEXT_SIZE) for width in self._widths]
        self._fits = [lru_cache(CACHED_CELLS)(self._regular.fitter(room)) for room in rooms]
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
            self._tree.add_page([*shared, stream])
            if page == 1 or self._objects.waiting >= CHUNK_BYTES:
                yield self._objects.take()
        yield from self._closing()

    def _closing(self) -> Iterator[bytes]:
        """Yield what can only be written when all is known: fonts, page tree, metadata, cross-references."""
        letterings = (self._regular, self._bold)
        fonts = "".join(f"/{lettering.name} {lettering.write(self._objects)} 0 R" for lettering in letterings)
        root = self._tree.finish(f"/MediaBox[0 0 {PAGE_WIDTH} {PAGE_HEIGHT}]/Resources<</Font<<{fonts}>>>>")
        title, author = _text_string(self._document.title), _text_string(self._document.author)
        made_at = f"{self._document.made_at:D:%Y%m%d%H%M%S%z}"
        made_at = f"{made_at[:19]}'{made_at[19:21]}'"
        info = self._objects.add(f"<</Title {title}/Author {author}/CreationDate({made_at})>>")
        catalog = self._objects.add(
            f"<</Type/Catalog/Pages {root} 0 R/Lang {_text_string(self._document.language)}"
            "/ViewerPreferences<</DisplayDocTitle true>>>>"
        )
        yield from self._objects.closing(catalog, info, identity=f"{title}{author}{made_at}")

    # Parts of a page, each as content operators

    def _make_opening(self) -> tuple[str, float]:
        """The head of the first page with title and evidence, and where its rows begin."""
        baseline = PAGE_HEIGHT - 50
        parts = [_text(self._bold, 16, INK, MARGIN, baseline, self._document.title, TABLE_WIDTH)]
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
            parts.append(_text(self._regular, TEXT_SIZE, GREY, MARGIN, baseline, label, indent - 6))
            parts.append(_text(self._regular, TEXT_SIZE, INK, MARGIN + indent, baseline, line, room))
        headings, top = self._headings(baseline - 14)
        return "".join(parts) + headings, top

    def _make_running_head(self) -> tuple[str, float]:
        """The head of every further page with title and evidence in brief, and where its rows begin."""
        brief = " · ".join(value for _, value in self._evidence()[:-1])
        title = _text(self._bold, 9, INK, MARGIN, PAGE_HEIGHT - 36, self._document.title, TABLE_WIDTH)
        line = _text(self._regular, SMALL_SIZE, GREY, MARGIN, PAGE_HEIGHT - 47, brief, TABLE_WIDTH)
        headings, top = self._headings(PAGE_HEIGHT - 53)
        return title + line + headings, top

    def _evidence(self) -> list[tuple[str, str]]:
        words = self._words
        count = words.rows_unknown if self._total is None else words.count(self._total)
        return [
            (words.made_by, self._document.author),
            *self._document.evidence,
            (words.made_at, _moment(self._document.made_at)),
            (words.rows, count),
        ]

    def _headings(self, top: float) -> tuple[str, float]:
        bottom = top - HEADING_HEIGHT
        parts = [f"{BAND} g {MARGIN} {bottom:.2f} {TABLE_WIDTH:.2f} {HEADING_HEIGHT} re f\n"]
        for x, width, column in zip(self._lefts(), self._widths, self._columns, strict=True):
            parts.append(_text(self._bold, TEXT_SIZE, INK, x, bottom + 5, column.heading, width - CELL_GAP))
        parts.append(_line(bottom, GREY))
        return "".join(parts), bottom

    def _grid(self, top: float, count: int) -> str:
        """Stripes behind ``count`` rows and the line that ends them."""
        stripes = "".join(
            f"{MARGIN} {top - ROW_HEIGHT * (i + 1):.2f} {TABLE_WIDTH:.2f} {ROW_HEIGHT} re " for i in range(1, count, 2)
        )
        return (f"{STRIPE} g {stripes}f\n" if stripes else "") + _line(top - ROW_HEIGHT * count, HAIRLINE)

    def _form_of_row(self) -> str:
        """The operators of a row, with a place for each cell; they end where the next row begins."""
        moves = [f"{width:.2f} 0 Td" for width in self._widths[:-1]]
        moves.append(f"{-sum(round(width, 2) for width in self._widths[:-1]):.2f} {-ROW_HEIGHT} Td\n")
        return "".join(f"(%s)Tj {move} " for move in moves)

    def _rows(self, batch: list[Sequence[str]], top: float) -> str:
        if not batch:
            words = self._words.no_rows
            return _text(self._regular, TEXT_SIZE, GREY, MARGIN + CELL_GAP / 2, top - 14, words, TABLE_WIDTH)
        fits, form = self._fits, self._row_form
        lines = [form % tuple([fit(cell) for fit, cell in zip(fits, row, strict=True)]) for row in batch]
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
        return "".join(parts)

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


def _text(lettering: "_Lettering", size: float, grey: float, x: float, y: float, text: str, room: float) -> str:
    shown = lettering.fitter(_em(room, size))(text)
    return f"{grey} g BT /{lettering.name} {size} Tf {x:.2f} {y:.2f} Td({shown})Tj ET\n"


def _line(y: float, grey: float) -> str:
    return f"{grey} G 0.5 w {MARGIN} {y:.2f} m {MARGIN + TABLE_WIDTH:.2f} {y:.2f} l S\n"


def _moment(moment: datetime) -> str:
    offset = f"{moment:%z}"
    offset = f"UTC{offset[:3]}:{offset[3:5]}"
    name = moment.tzname() or offset
    return f"{moment:%Y-%m-%d %H:%M:%S} " + (offset if name.startswith("UTC") else f"{name} ({offset})")


# Type


class _Ledger(dict):
    """A dict that makes what it lacks from the key, and keeps it."""

    def __init__(self, make: Callable[[Any], Any]):
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        value = self[key] = self._make(key)
        return value


class _Lettering:
    """One face in one document.

    Every character gets a code of two bytes when it first appears, whether the font has it or not, so that each can be
    copied as itself even where glyphs are shared or missing.  Code 0 is U+FFFD.  Subset, widths and maps are written
    at the end.
    """

    def __init__(self, name: str, face: "_Face"):
        self.name, self._face = name, face
        self._free_codes = iter(_SAFE_CODES)
        self._codes = _Ledger(self._give_code)
        self._advances = _Ledger(lambda character: face.advance(_printable(ord(character))))
        self._characters = {0: REPLACEMENT}
        self._codes[REPLACEMENT] = "\0\0"
        self._ellipsis = "…" if face.has("…") else "..."

    def width(self, text: str) -> float:
        """Thousandths of an em."""
        return sum(map(self._advances.__getitem__, text))

    def fitter(self, room: float) -> Callable[[str], str]:
        """A function that gives a text's codes, for a string operand; cut to ``room`` thousandths of an em."""
        codes, advance = self._codes, self._advances.__getitem__

        def fit(text: str) -> str:
            shown = text[:LONGEST_CELL]
            if not shown.isascii():
                shown = unicodedata.normalize("NFC", shown)
            if len(text) > LONGEST_CELL or sum(map(advance, shown)) > room:
                shown = self._cut(shown, room)
            return shown.translate(codes)

        return fit

    def wrap(self, text: str, room: float) -> list[str]:
        """At most ``LINES_A_VALUE`` lines of whole words, each within ``room`` thousandths of an em or one word."""
        lines = [""]
        for word in re.split("[ \t\r\n]+", unicodedata.normalize("NFC", text)):  # not at no-break spaces
            longer = f"{lines[-1]} {word}" if lines[-1] else word
            if lines[-1] and self.width(longer) > room:
                lines.append(word)
            else:
                lines[-1] = longer
        if len(lines) > LINES_A_VALUE:
            lines[LINES_A_VALUE - 1 :] = [lines[LINES_A_VALUE - 1] + self._ellipsis]
        return lines

    def write(self, objects: "_Objects") -> int:
        """Write the font with what was used of it; return its object number."""
        face = self._face
        subset, order = face.subset(self._characters.values())
        size = max(self._characters) + 1
        glyphs, widths = [0] * size, [0] * size
        for code, character in self._characters.items():
            glyphs[code] = order[face.glyph(character)]
            widths[code] = round(face.advance(character))
        tag = "".join(chr(65 + byte % 26) for byte in blake2b(subset, digest_size=6).digest())
        base = f"/{tag}+{face.name}"
        file = objects.allocate()
        objects.write_stream(file, subset, f"/Length1 {len(subset)}")
        glyph_map, to_unicode = objects.allocate(), objects.allocate()
        objects.write_stream(glyph_map, struct.pack(f">{len(glyphs)}H", *glyphs))
        objects.write_stream(to_unicode, _to_unicode(self._characters))
        descriptor = objects.add(
            f"<</Type/FontDescriptor/FontName{base}/FontFile2 {file} 0 R{face.describe()}/MissingWidth 0>>"
        )
        descendant = objects.add(
            f"<</Type/Font/Subtype/CIDFontType2/BaseFont{base}/FontDescriptor {descriptor} 0 R"
            "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/CIDToGIDMap {glyph_map} 0 R/DW 0/W[0[{' '.join(map(str, widths))}]]>>"
        )
        return objects.add(
            f"<</Type/Font/Subtype/Type0/BaseFont{base}/Encoding/Identity-H"
            f"/DescendantFonts[{descendant} 0 R]/ToUnicode {to_unicode} 0 R>>"
        )

    def _give_code(self, character: int) -> str:
        shown = _printable(character)
        if shown != character:
            return self._codes[shown]
        code = next(self._free_codes, None)
        if code is None:
            return self._codes[REPLACEMENT]
        self._characters[ord(code[0]) << 8 | ord(code[1])] = character
        return code

    def _cut(self, text: str, room: float) -> str:
        """The longest beginning of ``text`` that leaves room for an ellipsis, and the ellipsis."""
        ends = list(accumulate(map(self._advances.__getitem__, text)))
        return text[: bisect_right(ends, room - self.width(self._ellipsis))].rstrip() + self._ellipsis


# Codes are pairs of Latin-1 characters.  Without ( ) \ and CR among them a string operand needs no escapes; and fewer
# than 2**15 codes, as reportlab counts the length of a subset's cmap table in 16 bits.
_SAFE_BYTES = [chr(byte) for byte in range(256) if byte not in b"()\\\r"]
_SAFE_CODES = [high + low for high in _SAFE_BYTES[:125] for low in _SAFE_BYTES][1:]


def _printable(character: int) -> int:
    """The character that stands for ``character`` in a document: itself unless it is a control or no character."""
    category = unicodedata.category(chr(character))
    if category in ("Cc", "Zl", "Zp"):
        return SPACE if chr(character).isspace() else REPLACEMENT
    if category == "Cs" or character & 0xFFFE == 0xFFFE or 0xFDD0 <= character <= 0xFDEF:
        return REPLACEMENT
    return character


def _is_unseen(character: int) -> bool:
    """Whether it only steers other characters: joiners, directions, variation selectors."""
    is_selector = 0xFE00 <= character <= 0xFE0F or 0xE0100 <= character <= 0xE01EF
    return is_selector or unicodedata.category(chr(character)) == "Cf"


def _to_unicode(characters: dict[int, int]) -> str:
    pairs = [f"<{code:04X}><{chr(point).encode('utf-16-be').hex()}>" for code, point in sorted(characters.items())]
    blocks = (pairs[start : start + 100] for start in range(0, len(pairs), 100))
    maps = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n{maps}\n"
        "endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n"
    )


class _Face:
    """A TrueType font, parsed once and shared by all documents and threads of the process."""

    def __init__(self, path: Path):
        from reportlab.pdfbase.ttfonts import TTFontFile  # noqa: PLC0415 (slow to import, and few processes need it)

        self._font = TTFontFile(str(path))
        self._lock = Lock()
        self.name = self._font.name.decode("ascii")

    def has(self, character: str) -> bool:
        return ord(character) in self._font.charToGlyph

    def glyph(self, character: int) -> int:
        """The number of its glyph in the whole font; 0, the box, if the font lacks it."""
        return self._font.charToGlyph.get(SPACE if _is_unseen(character) else character, 0)

    def advance(self, character: int) -> float:
        """Thousandths of an em from its beginning to the next character's."""
        if _is_unseen(character):
            return 0
        return self._font.hmetrics[self.glyph(character)][0] * 1000 / self._font.unitsPerEm

    def subset(self, characters: Iterable[int]) -> tuple[bytes, dict[int, int]]:
        """A font file with the glyphs of ``characters``, and where each glyph of the whole font went in it."""
        glyphs = {self.glyph(character): character for character in characters}
        glyphs.pop(0, None)
        # reportlab puts the box first and then each new glyph in the order of the characters it is given.
        order = {glyph: place for place, glyph in enumerate([0, *glyphs])}
        named = [SPACE if _is_unseen(character) else character for character in glyphs.values()]
        with self._lock:  # TTFontFile keeps a reading position
            return self._font.makeSubset(named), order

    def describe(self) -> str:
        """The entries of a font descriptor that do not depend on the subset."""
        font = self._font
        box = " ".join(str(round(edge)) for edge in font.bbox)
        return (
            f"/Flags {font.flags}/FontBBox[{box}]/ItalicAngle {font.italicAngle:g}/Ascent {font.ascent:.0f}"
            f"/Descent {font.descent:.0f}/CapHeight {font.capHeight:.0f}/StemV {font.stemV}"
        )


_faces: dict[Path, _Face] = {}
_faces_lock = Lock()


def _typefaces(folder: Path | None) -> tuple[_Face, _Face]:
    """Regular and bold: DejaVu Sans from ``folder``, else Vera; regular serves as bold where there is none."""
    if folder is not None and (folder / "DejaVuSans.ttf").is_file():
        regular, bold = folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"
        bold = bold if bold.is_file() else regular
    else:
        import reportlab  # noqa: PLC0415 (slow to import, and few processes need it)

        fonts = Path(reportlab.__file__).parent / "fonts"
        regular, bold = fonts / "Vera.ttf", fonts / "VeraBd.ttf"
    with _faces_lock:
        for path in (regular, bold):
            if path not in _faces:
                _faces[path] = _Face(path)
        return _faces[regular], _faces[bold]


# The file


class _Objects:
    """Numbered PDF objects on their way out; an offset each is all that is kept of those that left."""

    def __init__(self):
        self._offsets = array("Q")
        self._waiting = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._taken = 0

    @property
    def waiting(self) -> int:
        """Bytes written and not yet taken."""
        return len(self._waiting)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._waiting)
        self._taken += len(taken)
        self._waiting.clear()
        return taken

    def allocate(self) -> int:
        """A number for an object to be written later."""
        self._offsets.append(0)
        return len(self._offsets)

    def write(self, number: int, body: str | bytes) -> None:
        self._offsets[number - 1] = self._taken + len(self._waiting)
        body = body.encode("latin-1") if isinstance(body, str) else body
        self._waiting += b"%d 0 obj\n%b\nendobj\n" % (number, body)

    def write_stream(self, number: int, content: str | bytes, entries: str = "") -> None:
        """Write a compressed stream with further dictionary ``entries``; a str is Latin-1."""
        content = content.encode("latin-1") if isinstance(content, str) else content
        packed = zlib.compress(content, COMPRESSION)
        head = f"<</Filter/FlateDecode/Length {len(packed)}{entries}>>stream\n".encode()
        self.write(number, head + packed + b"\nendstream")

    def add(self, body: str) -> int:
        """Write an object under a new number and return that."""
        number = self.allocate()
        self.write(number, body)
        return number

    def closing(self, catalog: int, info: int, *, identity: str) -> Iterator[bytes]:
        """Yield what waits, the cross-reference table and the trailer."""
        mark = blake2b(identity.encode() + self._offsets.tobytes(), digest_size=16).hexdigest()
        size, start = len(self._offsets) + 1, self._taken + len(self._waiting)
        self._waiting += b"xref\n0 %d\n0000000000 65535 f \n" % size
        for index in range(0, size - 1, 2000):
            self._waiting += b"".join(b"%010d 00000 n \n" % offset for offset in self._offsets[index : index + 2000])
            yield self.take()
        trailer = f"trailer\n<</Size {size}/Root {catalog} 0 R/Info {info} 0 R/ID[<{mark}><{mark}>]>>\n"
        yield f"{trailer}startxref\n{start}\n%%EOF\n".encode()


@dataclass
class _Node:
    """A node of the page tree that still takes kids."""

    number: int
    kids: list[int] = field(default_factory=list)
    pages: int = 0


class _PageTree:
    """The pages in nested nodes of at most ``KIDS_PER_NODE``, so that a reader finds any page in a few steps.

    One node a level is open; a full one is written when the next kid comes, for only then is it known to have a parent.
    """

    def __init__(self, objects: _Objects):
        self._objects = objects
        self._open: list[_Node] = []

    def add_page(self, streams: Sequence[int]) -> None:
        """Write a page of these content streams."""
        node = self._node_with_room(0)
        contents = " ".join(f"{stream} 0 R" for stream in streams)
        page = self._objects.add(f"<</Type/Page/Parent {node.number} 0 R/Contents[{contents}]>>")
        node.kids.append(page)
        node.pages += 1

    def finish(self, inherited: str) -> int:
        """Write all open nodes, the root with the entries ``inherited`` by all pages; return the root's number."""
        level = 0
        while level < len(self._open) - 1:
            self._close(level)
            level += 1
        self._write(self._open[level], inherited)
        return self._open[level].number

    def _node_with_room(self, level: int) -> _Node:
        if level == len(self._open):
            self._open.append(_Node(self._objects.allocate()))
        elif len(self._open[level].kids) == KIDS_PER_NODE:
            self._close(level)
            self._open[level] = _Node(self._objects.allocate())
        return self._open[level]

    def _close(self, level: int) -> None:
        node, parent = self._open[level], self._node_with_room(level + 1)
        parent.kids.append(node.number)
        parent.pages += node.pages
        self._write(node, f"/Parent {parent.number} 0 R")

    def _write(self, node: _Node, entries: str) -> None:
        kids = " ".join(f"{kid} 0 R" for kid in node.kids)
        self._objects.write(node.number, f"<</Type/Pages/Count {node.pages}/Kids[{kids}]{entries}>>")


def _text_string(text: str) -> str:
    """A PDF text string of any characters."""
    return "<" + ("\ufeff" + text).encode("utf-16-be", "replace").hex() + ">"
