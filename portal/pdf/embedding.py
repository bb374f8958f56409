"""Fonts as objects of a document: with the glyphs that it shows, their widths, and the texts that they stand for."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from portal.pdf.writer import Objects


@dataclass(frozen=True)
class Program:
    """A font file with some glyphs of a font, and what a font descriptor says of it.

    ``is_cff`` tells PostScript outlines from TrueType's; ``glyph_map`` leads from codes to glyphs, two bytes each, and
    is empty where a code is a glyph's number.
    """

    name: str
    content: bytes
    description: str
    is_cff: bool = False
    glyph_map: bytes = b""


def write_font(objects: Objects, program: Program, widths: Mapping[int, int], texts: Mapping[int, str]) -> int:
    """Write a font whose codes have two bytes; return its object number.

    ``widths`` are those of its codes in thousandths of an em, ``texts`` what codes stand for when they are copied.
    """
    tag = "".join(chr(65 + byte % 26) for byte in blake2b(program.content, digest_size=6).digest())
    base = f"/{tag}+{program.name}"
    file = objects.allocate()
    kind = "/Subtype/CIDFontType0C" if program.is_cff else f"/Length1 {len(program.content)}"
    objects.write_stream(file, program.content, kind)
    to_unicode = objects.allocate()
    objects.write_stream(to_unicode, unicode_map(texts))
    glyph_map = "/Identity"
    if program.glyph_map:
        number = objects.allocate()
        objects.write_stream(number, program.glyph_map)
        glyph_map = f" {number} 0 R"
    descriptor = objects.add(
        f"<</Type/FontDescriptor/FontName{base}/FontFile{3 if program.is_cff else 2} {file} 0 R"
        f"{program.description}/MissingWidth 0>>"
    )
    descendant = objects.add(
        f"<</Type/Font/Subtype/CIDFontType{0 if program.is_cff else 2}/BaseFont{base}/FontDescriptor {descriptor} 0 R"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"{'' if program.is_cff else f'/CIDToGIDMap{glyph_map}'}/DW 0/W[{width_runs(widths)}]>>"
    )
    return objects.add(
        f"<</Type/Font/Subtype/Type0/BaseFont{base}/Encoding/Identity-H"
        f"/DescendantFonts[{descendant} 0 R]/ToUnicode {to_unicode} 0 R>>"
    )


def width_runs(widths: Mapping[int, int]) -> str:
    """The widths as a font states them: for each code that follows no other, the widths from there on."""
    runs, following = [], None
    for code, width in sorted(widths.items()):
        runs.append(f" {width}" if code == following else f"{']' if runs else ''}{code}[{width}")
        following = code + 1
    return "".join(runs) + ("]" if runs else "")


def unicode_map(texts: Mapping[int, str]) -> str:
    """The CMap that leads from codes to texts (ISO 32000-1, 9.10.3)."""
    pairs = [f"<{code:04X}><{text.encode('utf-16-be', 'replace').hex()}>" for code, text in sorted(texts.items())]
    blocks = (pairs[start : start + 100] for start in range(0, len(pairs), 100))
    maps = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
        "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n{maps}\n"
        "endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n"
    )
