"""Texts in other scripts: from right to left, with joined letters and marks, Chinese, Japanese, Korean, emoji.

HarfBuzz chooses and places the glyphs, the Unicode bidirectional algorithm (UAX #9) orders them. The fonts are Noto's,
as two packages bring them; a document embeds of each what it shows. Other texts need none of this, and are much faster.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import accumulate, groupby
from pathlib import Path
from typing import NamedTuple, Protocol

import uharfbuzz as hb
from bidi import algorithm as bidi
from bidi.mirror import MIRRORED

from portal.pdf.embedding import Program, write_font
from portal.pdf.writer import Objects, text_string

REGULAR, BOLD = 400, 700
#: The packages with fonts, 3.5 and 20 MB: ``manimgx-fonts`` and ``manimgx-fonts-cjk``.
PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
#: The font that is asked first: it has all marks for Latin letters.
LATIN = "NotoSans[wght].ttf"
#: Places in the collection for Chinese, Japanese and Korean, by what a text has in it: each has all characters, in the
#: shapes that readers of one language expect.
JAPANESE, KOREAN, CHINESE = 0, 1, 2
KANA = range(0x3040, 0x3100)
HANGUL = (range(0x1100, 0x1200), range(0x3130, 0x3190), range(0xAC00, 0xD7B0))
JOINER = "\u200d"
#: Skin tones, which change the sign before them.
MODIFIERS = range(0x1F3FB, 0x1F400)
#: What would order a text otherwise than its letters do: names of people do not.
ORDERING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
ISOLATES = re.compile("[\u2066-\u2069]")
FROM_RIGHT = {"R", "AL", "AN"}
#: So many letters with their marks are remembered with their fonts.
KNOWN_LETTERS = 8192
#: Types of characters that the bidirectional algorithm leaves out (UAX #9, X9).
LEFT_OUT = {"BN", "LRE", "RLE", "LRO", "RLO", "PDF"}


class Glyph(NamedTuple):
    """A glyph to draw: so far from the beginning of its run and above the line, in thousandths of an em."""

    number: int
    at: float
    up: float


class Letter(NamedTuple):
    """The glyphs that stand for a piece of text which cannot be parted, and its marks: those that take no room."""

    text: str
    glyphs: list[Glyph]
    marks: list[Glyph]


class Shaped(NamedTuple):
    """The letters of a run from left to right, and its width in thousandths of an em."""

    letters: list[Letter]
    width: float


class NotoFont:
    """A font in one weight, opened once and shared by all documents of the process."""

    def __init__(self, path: Path, place: int, weight: int):
        self._face = hb.Face(hb.Blob.from_file_path(str(path)), place)
        self._weight = weight
        self._font = hb.Font(self._face)
        self._font.set_variations({"wght": weight})
        self._scale = 1000 / self._face.upem
        self._name = f"{path.name.partition('[')[0].partition('-VF')[0]}-{'Bold' if weight == BOLD else 'Regular'}"
        self._widths: dict[int, int] = {}

    def has(self, character: str) -> bool:
        return self._font.get_nominal_glyph(ord(character)) is not None

    def width(self, glyph: int) -> int:
        """Thousandths of an em, as a document states it."""
        if glyph not in self._widths:
            self._widths[glyph] = round(self._font.get_glyph_h_advance(glyph) * self._scale)
        return self._widths[glyph]

    def shaped(self, text: str, *, from_right: bool) -> Shaped:
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.direction = "rtl" if from_right else "ltr"
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer)
        drawn = list(zip(buffer.glyph_infos, buffer.glyph_positions, strict=True))
        begins = sorted({info.cluster for info, _place in drawn})
        ends = dict(zip(begins, [*begins[1:], None], strict=True))
        letters, pen = [], 0.0
        for begin, pieces in groupby(drawn, key=lambda piece: piece[0].cluster):
            letter = Letter(text[begin : ends[begin]], [], [])
            for info, place in pieces:
                glyph = Glyph(info.codepoint, pen + place.x_offset * self._scale, place.y_offset * self._scale)
                (letter.glyphs if place.x_advance else letter.marks).append(glyph)
                pen += place.x_advance * self._scale
            letters.append(letter)
        return Shaped(letters, pen)

    def program(self, glyphs: set[int]) -> Program:
        """The font with nothing but these glyphs, under their numbers."""
        wanted = hb.SubsetInput()
        wanted.glyph_set.set(glyphs)
        wanted.pin_all_axes_to_default(self._face)
        wanted.pin_axis_location(self._face, "wght", self._weight)
        flags = hb.SubsetFlags
        wanted.flags = (
            flags.RETAIN_GIDS | flags.NO_LAYOUT_CLOSURE | flags.NO_HINTING
            | flags.DOWNGRADE_CFF2 | flags.CFF_IDENTITY_CHARSET
        )  # fmt: skip
        face = wanted.subset(self._face)
        is_cff = "CFF " in face.table_tags
        extents = self._font.get_font_extents("ltr")
        top, bottom = (round(edge * self._scale) for edge in (extents.ascender, extents.descender))
        return Program(
            self._name,
            bytes(face.reference_table("CFF ").data if is_cff else face.blob.data),
            f"/Flags 4/FontBBox[-1000 {bottom} 3000 {top}]/ItalicAngle 0/Ascent {top}/Descent {bottom}"
            f"/CapHeight {top}/StemV {self._weight // 5}",
            is_cff=is_cff,
        )


@cache
def paths() -> tuple[Path, ...]:
    """The files of all fonts, in the order in which they are asked for a character."""
    folders = [Path(spec.origin).parent for name in PACKAGES if (spec := find_spec(name))]
    found = [path for folder in folders for path in folder.glob("*.tt[fc]") if "Italic" not in path.name]
    return tuple(sorted(found, key=lambda path: (path.suffix == ".ttc", path.name != LATIN, path.name)))


@cache
def fonts_for(place: int, weight: int) -> tuple[NotoFont, ...]:
    """All fonts in a weight, the collection's in the shapes of one language."""
    return tuple(opened(path, place if path.suffix == ".ttc" else 0, weight) for path in paths())


@cache
def opened(path: Path, place: int, weight: int) -> NotoFont:
    return NotoFont(path, place, weight)


def place_for(text: str) -> int:
    """Which language's shapes the Chinese characters in a text get."""
    points = set(map(ord, text))
    if any(point in KANA for point in points):
        return JAPANESE
    return KOREAN if any(point in script for point in points for script in HANGUL) else CHINESE


class Shelf:
    """The fonts that a document uses besides its own, and what it shows in them."""

    def __init__(self):
        self._texts: dict[NotoFont, dict[int, str]] = {}

    def name(self, font: NotoFont) -> str:
        self._texts.setdefault(font, {})
        return f"S{list(self._texts).index(font) + 1}"

    def show(self, font: NotoFont, letter: Letter) -> None:
        """Note what a document shows: the first glyph of a letter stands for its text."""
        texts = self._texts[font]
        for place, glyph in enumerate([*letter.glyphs, *letter.marks]):
            if not texts.get(glyph.number):
                texts[glyph.number] = "" if place else letter.text

    def write(self, objects: Objects) -> dict[str, int]:
        """Write the fonts; return their object numbers by name."""
        return {
            self.name(font): write_font(
                objects,
                font.program(set(texts)),
                {glyph: font.width(glyph) for glyph in texts},
                {glyph: text for glyph, text in texts.items() if text},
            )
            for font, texts in self._texts.items()
        }


class Own(Protocol):
    """A document's own font, as ``portal.pdf.fonts.Lettering`` has it."""

    name: str
    ellipsis: str

    def shows(self, character: str) -> bool: ...
    def plain_width(self, text: str) -> float: ...
    def codes(self, text: str) -> str: ...


class Run(NamedTuple):
    """A piece of text in one font and one direction: ``font`` is None for the document's own; odd levels are read from
    right to left."""

    font: NotoFont | None
    level: int
    text: str

    @property
    def from_right(self) -> bool:
        return bool(self.level % 2)

    def copied(self, letters: list[Letter]) -> Iterator[tuple[str, list[Glyph]]]:
        """The texts that are copied, with their glyphs (ISO 32000-1, 14.9.4).

        From left to right that is the run. From right to left it is each letter, as readers put these together from the
        end of the line; its marks have no text, because readers would measure the letter with them.
        """
        if not self.from_right:
            yield self.text, [glyph for letter in letters for glyph in (*letter.glyphs, *letter.marks)]
            return
        for letter in letters:
            yield letter.text, letter.glyphs or letter.marks
            if letter.glyphs and letter.marks:
                yield "", letter.marks


class Line(NamedTuple):
    """The runs of a text from left to right, those in other fonts shaped, and its width in thousandths of an em."""

    runs: list[tuple[Run, list[Letter], float]]
    width: float


class Typesetter:
    """Sets texts that a document's own font does not suffice for, in one weight."""

    def __init__(self, own: Own, shelf: Shelf, weight: int):
        self._own, self._shelf, self._weight = own, shelf, weight
        self._font_for = lru_cache(KNOWN_LETTERS)(self._found_for)

    def width(self, text: str) -> float:
        """Thousandths of an em."""
        return self._line(text).width

    def drawn(self, text: str, room: float, size: float) -> str:
        """The operators that show a text in type of ``size`` points, cut to ``room`` thousandths of an em. Afterwards
        the own font is selected again."""
        line = self._line(text)
        if line.width > room:
            line = self._line(self._cut(text, room))
        return "".join(self._operators(*run, size) for run in line.runs) + f"/{self._own.name} {size} Tf"

    def _cut(self, text: str, room: float) -> str:
        ends = list(accumulate(map(len, clusters(text))))
        fitting = bisect_right(ends, room, key=lambda end: self.width(text[:end].rstrip() + self._own.ellipsis))
        return text[: ends[fitting - 1] if fitting else 0].rstrip() + self._own.ellipsis

    def _line(self, text: str) -> Line:
        runs = []
        # Each isolated part is ordered separately. The portal's own words around it run from left to right.
        for piece in ISOLATES.split(text):
            for run in self._runs(piece.translate(ORDERING)):
                if run.font is None:
                    runs.append((run, [], self._own.plain_width(run.text)))
                else:
                    runs.append((run, *run.font.shaped(run.text, from_right=run.from_right)))
        return Line(runs, sum(width for _run, _letters, width in runs))

    def _operators(self, run: Run, letters: list[Letter], width: float, size: float) -> str:
        if run.font is None:
            text = "".join(MIRRORED.get(c, c) for c in reversed(run.text)) if run.from_right else run.text
            return f"/{self._own.name} {size} Tf({self._own.codes(text)})Tj "
        parts, pen = [f"/{self._shelf.name(run.font)} {size} Tf "], 0.0
        for letter in letters:
            self._shelf.show(run.font, letter)
        for text, glyphs in run.copied(letters):
            parts.append(f"/Span<</ActualText{text_string(text)}>>BDC[")
            for glyph in glyphs:
                back = round(pen - glyph.at)
                shown = f"{back or ''}<{glyph.number:04X}>"
                parts.append(f"]TJ {glyph.up * size / 1000:.2f} Ts[{shown}]TJ 0 Ts[" if glyph.up else shown)
                pen += run.font.width(glyph.number) - back
            parts.append("]TJ EMC ")
        return "".join(parts) + f"[{round(pen - width)}]TJ "

    def _runs(self, text: str) -> list[Run]:
        """The pieces of a text as they stand on the line, from left to right."""
        place, fonts = place_for(text), []
        for cluster in clusters(text):
            fonts += [self._font_for(cluster, place)] * len(cluster)
        pieces = zip(fonts, levels(text), text, strict=True)
        runs = [
            Run(font, level, "".join(character for _font, _level, character in piece))
            for (font, level), piece in groupby(pieces, key=lambda piece: piece[:2])
        ]
        return ordered(runs)

    def _found_for(self, cluster: str, place: int) -> NotoFont | None:
        """The font that shows a character with its marks, or at least the character."""
        if all(map(self._own.shows, cluster)):
            return None
        fonts = fonts_for(place, self._weight)
        whole = next((font for font in fonts if all(map(font.has, cluster))), None)
        return whole or next((font for font in fonts if font.has(cluster[0])), None)


def clusters(text: str) -> list[str]:
    """The characters of a text, each with the marks, joiners and skin tones that belong to it."""
    found: list[str] = []
    for character in text:
        belongs = unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") or ord(character) in MODIFIERS
        if found and (belongs or found[-1].endswith(JOINER)):
            found[-1] += character
        else:
            found.append(character)
    return found


def levels(text: str) -> list[int]:
    """The level of each character by the bidirectional algorithm; the first letter decides where the text begins."""
    if not FROM_RIGHT & set(map(unicodedata.bidirectional, text)):
        return [0] * len(text)
    base = bidi.get_base_level(text)
    storage = bidi.get_empty_storage() | {"base_level": base, "base_dir": "LR"[base]}
    bidi.get_embedding_levels(text, storage)
    for one in storage["chars"]:
        one["type"] = one["type"] or "L"  # what this Unicode does not know yet
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    resolve_brackets(storage["chars"], "LR"[base])
    bidi.resolve_neutral_types(storage, debug=False)
    bidi.resolve_implicit_levels(storage, debug=False)
    resolved, found = iter(storage["chars"]), []
    for character in text:
        is_left_out = unicodedata.bidirectional(character) in LEFT_OUT
        found.append((found[-1] if found else base) if is_left_out else next(resolved)["level"])
    return found


def resolve_brackets(characters: list[dict], embedding: str) -> None:
    """Give brackets the direction of what is between them, or around them (UAX #9, N0), which the library leaves out.
    ``characters`` have weak types resolved."""
    strong = ["R" if one["type"] in ("EN", "AN") else one["type"] for one in characters]
    open_ones: list[int] = []
    pairs = []
    for place, one in enumerate(characters):
        kind = unicodedata.category(one["ch"])
        if kind == "Ps" and one["ch"] in MIRRORED:
            open_ones.append(place)
        elif kind == "Pe":
            fitting = [at for at in open_ones if MIRRORED[characters[at]["ch"]] == one["ch"]]
            if fitting:
                pairs.append((fitting[-1], place))
                del open_ones[open_ones.index(fitting[-1]) :]
    for opening, closing in sorted(pairs):
        inside = {direction for direction in strong[opening + 1 : closing] if direction in "LR"}
        if not inside:
            continue
        before = next((direction for direction in reversed(strong[:opening]) if direction in "LR"), embedding)
        found = embedding if embedding in inside else before
        for place in (opening, closing):
            characters[place]["type"] = strong[place] = found


def ordered(runs: list[Run]) -> list[Run]:
    """The runs from left to right (UAX #9, L2)."""
    for level in range(max((run.level for run in runs), default=0), 0, -1):
        pieces = [list(piece) for _is_turned, piece in groupby(runs, key=lambda run: run.level >= level)]
        runs = [run for piece in pieces for run in (piece[::-1] if piece[0].level >= level else piece)]
    return runs
