"""Type in a document: a code for each character, its width, and the subset of the font that is embedded at the end."""

import re
import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

from portal.pdf.embedding import Program, write_font
from portal.pdf.shaping import Shelf, Typesetter
from portal.pdf.writer import Objects

LINES_A_VALUE = 8
LONGEST_CELL = 400
REPLACEMENT = 0xFFFD
SPACE = 0x20

# Codes are pairs of Latin-1 characters.  Without ( ) \ and CR among them a string operand needs no escapes; and fewer
# than 2**15 codes, as reportlab counts the length of a subset's cmap table in 16 bits.
_SAFE_BYTES = [chr(byte) for byte in range(256) if byte not in b"()\\\r"]
_SAFE_CODES = [high + low for high in _SAFE_BYTES[:125] for low in _SAFE_BYTES][1:]


class Face:
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


_faces: dict[Path, Face] = {}
_faces_lock = Lock()


def typefaces(folder: Path | None) -> tuple[Face, Face]:
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
                _faces[path] = Face(path)
        return _faces[regular], _faces[bold]


class _Ledger(dict):
    """A dict that makes what it lacks from the key, and keeps it."""

    def __init__(self, make: Callable[[Any], Any]):
        super().__init__()
        self._make = make

    def __missing__(self, key: Any) -> Any:
        value = self[key] = self._make(key)
        return value


class Lettering:
    """One face in one document.

    Every character gets a code of two bytes when it first appears, whether the font has it or not, so that each can be
    copied as itself even where glyphs are shared or missing.  Code 0 is U+FFFD.  Subset, widths and maps are written
    at the end.  Texts that need other fonts, or another order, are set by ``portal.pdf.shaping`` in ``weight``, with
    fonts of ``shelf``.
    """

    def __init__(self, name: str, face: Face, weight: int, shelf: Shelf):
        self.name, self._face = name, face
        self._typesetter = Typesetter(self, shelf, weight)
        self._free_codes = iter(_SAFE_CODES)
        self._codes = _Ledger(self._give_code)
        self._advances = _Ledger(lambda character: face.advance(_printable(ord(character))))
        self._shown = _Ledger(self._can_show)
        self._characters = {0: REPLACEMENT}
        self._codes[REPLACEMENT] = "\0\0"
        self.ellipsis = "…" if face.has("…") else "..."

    def shows(self, character: str) -> bool:
        """Whether the face shows the character, and it stands behind the one before it."""
        return self._shown[character]

    def codes(self, text: str) -> str:
        """A string operand."""
        return text.translate(self._codes)

    def plain_width(self, text: str) -> float:
        """The sum of the widths of the characters, in thousandths of an em."""
        return sum(map(self._advances.__getitem__, text))

    def width(self, text: str) -> float:
        """Thousandths of an em."""
        return self.plain_width(text) if self._is_plain(text) else self._typesetter.width(text)

    def fitter(self, room: float, size: float) -> Callable[[str], str]:
        """A function that gives the operators to show a text in type of ``size`` points, cut to ``room`` thousandths of
        an em. They leave this font selected."""
        advance = self._advances.__getitem__

        def fit(text: str) -> str:
            shown = text[:LONGEST_CELL]
            if not shown.isascii():
                shown = unicodedata.normalize("NFC", shown)
                if not self._is_plain(shown):
                    more = self.ellipsis if len(text) > LONGEST_CELL else ""
                    return self._typesetter.drawn(shown + more, room, size)
            if len(text) > LONGEST_CELL or sum(map(advance, shown)) > room:
                shown = self._cut(shown, room)
            return f"({shown.translate(self._codes)})Tj"

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
            lines[LINES_A_VALUE - 1 :] = [lines[LINES_A_VALUE - 1] + self.ellipsis]
        return lines

    def write(self, objects: Objects) -> int:
        """Write the font with what was used of it; return its object number."""
        face = self._face
        subset, order = face.subset(self._characters.values())
        glyphs = [0] * (max(self._characters) + 1)
        for code, character in self._characters.items():
            glyphs[code] = order[face.glyph(character)]
        program = Program(face.name, subset, face.describe(), glyph_map=struct.pack(f">{len(glyphs)}H", *glyphs))
        widths = {code: round(face.advance(character)) for code, character in self._characters.items()}
        return write_font(objects, program, widths, {code: chr(point) for code, point in self._characters.items()})

    def _is_plain(self, text: str) -> bool:
        return text.isascii() or all(map(self._shown.__getitem__, text))

    def _can_show(self, character: str) -> bool:
        point = ord(character)
        if _printable(point) != point or _is_unseen(point):
            return True
        is_mark = unicodedata.category(character) in ("Mn", "Mc", "Me")
        goes_left = unicodedata.bidirectional(character) in ("R", "AL", "AN")
        return self._face.has(character) and not is_mark and not goes_left

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
        return text[: bisect_right(ends, room - self.plain_width(self.ellipsis))].rstrip() + self.ellipsis


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
