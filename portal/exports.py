"""What people download: names of files, and texts that no spreadsheet takes for a formula."""

import re
import unicodedata

LONGEST_NAME = 120
# CWE-1236, OWASP CSV injection: what a spreadsheet would run as a formula, also in its full-width form.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
NUMBER = re.compile(r"[+-]?[0-9]+")


def inert(text: str) -> str:
    """The text, kept from being run as a formula by a spreadsheet; numbers, E.164 among them, pass untouched."""
    return f"'{text}" if text and text[0] in FORMULA_STARTS and not NUMBER.fullmatch(text) else text


def file_name(asked: str, default: str, extension: str) -> str:
    """A file name that is safe on every system and has ``extension``; ``default`` when nothing is left of ``asked``.

    Paths lose their folders, and characters go that some system forbids or that hide what the name is (RFC 6266, 4.3).
    """
    name = unicodedata.normalize("NFC", asked).replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    name = re.sub(r'[<>:"|?*]', "", name).strip(" .")
    if name.lower().endswith(extension):
        name = name[: -len(extension)].strip(" .")
    return (name[:LONGEST_NAME] + extension) if name else default
