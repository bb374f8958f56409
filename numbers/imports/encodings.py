"""How the text of a file is encoded: what is certain, what is probable, and what somebody may choose instead."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import BinaryIO

from charset_normalizer import from_bytes
from django.utils.translation import gettext_lazy as _

#: Encodings with names that people know them by, those of one byte a character first.
CHOICES = {
    "cp1252": _("Western European (Windows-1252)"),
    "cp1250": _("Central European (Windows-1250)"),
    "cp1251": _("Cyrillic (Windows-1251)"),
    "koi8_r": _("Cyrillic (KOI8-R)"),
    "cp866": _("Cyrillic (DOS 866)"),
    "cp1253": _("Greek (Windows-1253)"),
    "cp1254": _("Turkish (Windows-1254)"),
    "cp1255": _("Hebrew (Windows-1255)"),
    "cp1256": _("Arabic (Windows-1256)"),
    "cp1257": _("Baltic (Windows-1257)"),
    "cp1258": _("Vietnamese (Windows-1258)"),
    "cp874": _("Thai (Windows-874)"),
    "mac_roman": _("Western European (Mac Roman)"),
    "cp850": _("Western European (DOS 850)"),
    "cp932": _("Japanese (Shift JIS)"),
    "euc_jp": _("Japanese (EUC-JP)"),
    "cp949": _("Korean (EUC-KR)"),
    "gb18030": _("Simplified Chinese (GB 18030)"),
    "big5": _("Traditional Chinese (Big5)"),
}
#: Bytes of lines beyond ASCII that a guess is made from.
SAMPLE = 64 * 1024
CHUNK = 1 << 20
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# Western text: accented letters stand in words of plain ones, capitals where words begin.
WESTERN = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßœšž"
WESTERN_WORD = re.compile(
    rf"(?:[A-Z{WESTERN.upper()}]?[a-z{WESTERN}’'-]+|[A-Z{WESTERN.replace('ß', '').replace('ÿ', '').upper()}’'-]+)"
)
WESTERN_SIGNS = "€£¥°©®™’‘“”„«»–—…·•№ºª§¿¡±²³\u00a0"


@dataclass(frozen=True)
class Encoding:
    """An encoding as Python calls it, and whether the file itself proves it."""

    name: str
    is_certain: bool


def encoding_of(file: BinaryIO) -> Encoding | None:
    """How a file is encoded; None for what is no text. The file is read to its end: the first accent may stand there.

    UTF-8 where all of it is; otherwise an encoding of one country, guessed from the lines that have its letters.
    """
    file.seek(0)
    start = file.read(4096)
    for mark, name in MARKS:
        if start.startswith(mark):
            return Encoding(name, is_certain=True)
    if b"\0" in start:
        return without_mark(start)
    file.seek(0)
    decoder, is_utf8, sample = codecs.getincrementaldecoder("utf-8")(), True, bytearray()
    while chunk := file.read(CHUNK):
        if b"\0" in chunk:
            return None
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        if is_utf8:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
        if len(sample) < SAMPLE:
            sample += b"\n".join(line for line in chunk.split(b"\n") if not line.isascii())[: SAMPLE - len(sample)]
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
            return Encoding("utf-8-sig", is_certain=True)
        except UnicodeDecodeError:
            pass
    return Encoding(guess(bytes(sample)), is_certain=False)


def without_mark(start: bytes) -> Encoding | None:
    """UTF-16 whose mark was lost, by the empty bytes of its ASCII characters."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 2 < len(start) * 0.6 or min(even, odd) * 20 > max(even, odd):
        return None
    return Encoding("utf-16-be" if even > odd else "utf-16-le", is_certain=True)


def guess(sample: bytes) -> str:
    """The probable encoding of lines that are not UTF-8."""
    if is_western(sample):
        return "cp1252"
    candidates = [name for name in CHOICES if can_be(sample, name)]
    best = from_bytes(sample, cp_isolation=candidates).best() if candidates else None
    name = best.encoding if best else ""
    return {"euc_kr": "cp949", "shift_jis": "cp932", "latin_1": "cp1252", "big5hkscs": "big5"}.get(name, name) or next(
        iter(candidates), "latin_1"
    )


def can_be(sample: bytes, name: str) -> bool:
    try:
        sample.decode(name)
    except UnicodeDecodeError as error:
        # The sample may end within a character.
        return error.end >= len(sample) - 4
    return True


def is_western(sample: bytes) -> bool:
    """Whether the words beyond ASCII are such as languages of the West have, read as Windows-1252."""
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    words = [word for word in re.findall(r"[^\W\d_][^\W\d_’'-]*", text) if not word.isascii()]
    signs = [c for c in text if not c.isascii() and not c.isalpha()]
    if any(c not in WESTERN_SIGNS for c in signs):
        return False
    good = [word for word in words if WESTERN_WORD.fullmatch(word) and plain_letters(word) * 2 >= len(word)]
    return len(good) * 10 >= len(words) * 9


def plain_letters(word: str) -> int:
    return sum(c.isascii() for c in word)
