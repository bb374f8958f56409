"""Text that somebody types to hide something, or to break something."""

import unicodedata

#: What nobody sees, or what turns the words beside it round.
HIDDEN = [
    "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f",
    "\u061c", "\u200b", "\u200c", "\u200d", "\u2060", "\u2061", "\u2064", "\ufeff", "\u00ad", "\u180e", "\u206a",
    "\ufff9", "\ufffb", "\U0001d173", "\U000e0001", "\U000e0041", "\U000e007f", "\ufe0f", "\ufe00", "\U000e0100",
    "\u034f", "\u115f", "\u3164", "\uffa0", "\u2800", "\u17b4",
]  # fmt: skip
#: What cannot be written on a line.
UNWRITABLE = [
    "\x00", "\x01", "\x07", "\x08", "\x1b", "\x7f", "\x85", "\x9b", "\n", "\r", "\r\n", "\t", "\x0b", "\x0c", "\u2028",
    "\u2029", "\ue000", "\U000f0000", "\U0010ffff", "\uffff", "\ufdd0", "\u0378", "\ud800", "\udfff", "\ufffd",
]  # fmt: skip
ZALGO = "Z" + "\u0301\u0316\u0317\u0318\u0319\u031a" * 9
HOSTILE = [
    *(f"A{c}B" for c in HIDDEN),
    *(f"A{c}B" for c in UNWRITABLE),
    "".join(HIDDEN),
    ZALGO,
    "\u0301\u0302\u0303x",
    "👩" + "\u200d" * 20 + "\ufe0f" * 20,
    "🏴" + "\U000e0061" * 40,
    "x" * 100_000,
    "<b>&amp;'\"`{{ 7 }}{% now %}%s%(name)s{0}\\",
]
#: What would be a link in a mail.
LINKS = [
    "http://evil.example", "Pay at HTTPS://evil.example/", "www.evil.example", "WWW .evil.example",
    "ｈｔｔｐ：／／evil.example", "ht\u200btp://evil.example", "javascript:alert(1)", "mailto:a@evil.example",
    "tel:+19005550100", "ftp: //evil.example", "//evil.example://",
]  # fmt: skip


def is_inert(text: str) -> bool:
    """Whether everything in the text is seen, and in its place: found out by itself, not by ``portal.texts``.

    ZWJ, ZWNJ, selectors and tags are allowed between what needs them, never side by side.
    """
    marks, before = 0, ""
    for c in text:
        category = unicodedata.category(c)
        if category in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") or c == "\ufffd":
            return False
        is_tag = "\U000e0020" <= c <= "\U000e007f"
        is_selector = "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"
        if category == "Cf" and c not in "\u200c\u200d" and not is_tag:
            return False
        if (c in "\u200c\u200d" or is_selector) and (
            not before or before == c or (before.isascii() and before.isalpha())
        ):
            return False
        if is_tag and (before != "🏴" and not "\U000e0020" <= before <= "\U000e007f"):
            return False
        if c in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0":
            return False
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > 4:
            return False
        before = c
    return True
