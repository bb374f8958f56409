"""Text that people type and others read: names, labels, reasons.

Invisible characters are removed and unprintable ones refused, so that no text hides a part of itself, reverses the
words beside it (Unicode Technical Report 36, 3.1), or covers the lines above and below. ``shown`` refuses nothing: it
is for text from machines and for rows from before these rules.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

#: Combining marks on one letter. Tibetan and pointed Hebrew have three; more cover other lines.
MOST_MARKS = 4
#: Characters of a name that mail shows.
LONGEST_IN_MAIL = 60
ZWNJ, ZWJ = "\u200c", "\u200d"
# Control characters, surrogates, private use, unassigned, line and paragraph separators.
UNWRITABLE = frozenset(("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
#: The replacement character: something was lost in decoding.
LOST = "\ufffd"
# Invisible, though not of category Cf: fillers, the grapheme joiner, the Braille blank.
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# The flags of England, Scotland, Wales: the one use that tags have (Unicode Technical Standard 51, annex C).
FLAG = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{5}\U000e007f")
# Text that mail programs turn into links.
LINK = re.compile(r":\s*//|\bwww\s*\.|\b(?:mailto|tel|sms|javascript|data):\S", re.IGNORECASE)
# A dot or an @ inside a word of any alphabet: "evil.example".
INSIDE_A_WORD = re.compile(r"(?<=\w)([.@\u3002\uff0e\uff61\uff20\ufe52\ufe6b\u2024])(?=\w\w)")


def line(typed: str, *, breaks: bool = False) -> str:
    """The text on one line, or with ``breaks`` on several, stripped and without invisible characters.

    Raises ``ValidationError`` for characters that cannot be shown.
    """
    text = visible(typed.strip().replace("\r\n", "\n") if breaks else typed)
    if any(c in LOST or unicodedata.category(c) in UNWRITABLE for c in (text.replace("\n", "") if breaks else text)):
        raise ValidationError(
            _("The text contains a character that cannot be shown. Type it again.")
            if breaks
            else _("The text contains a character that cannot be shown. Type it again, on one line.")
        )
    if has_many_marks(text):
        raise ValidationError(_("The text has too many accents on one letter. Type it again without them."))
    return text


def name(typed: str) -> str:
    """The name of a person or an account: on one line, without a link, since the portal's mail shows it.

    Raises ``ValidationError``.
    """
    text = line(typed)
    if LINK.search(unicodedata.normalize("NFKC", text)):
        raise ValidationError(_("A name cannot contain a link. Remove it."))
    return text


def shown(text: object, most: int | None = None) -> str:
    """Any text as one printable line, cut to ``most`` characters; refuses nothing."""
    kept = "".join(" " if unicodedata.category(c) in UNWRITABLE else c for c in str(text))
    few = re.sub(r"\s+", " ", visible(kept))
    while has_many_marks(few):
        few = without_excess(few)
    return few[:most].strip()


def isolated(text: str) -> str:
    """A text to be put among others: one that is read from right to left does not turn what stands around it.

    Between FSI and PDI (UAX #9, 3.1.2); other texts as they are.
    """
    turns = any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)
    return f"\u2068{text}\u2069" if turns else text


def in_mail(text: object, most: int = LONGEST_IN_MAIL) -> str:
    """A text of people for a mail: on one line, short, and without anything that mail programs turn into a link."""
    plain = re.sub(r"[:\uff1a]\s*[/\uff0f]{2}", ": ", shown(text))
    cut = plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"
    return INSIDE_A_WORD.sub(r"[\1]", cut)


def visible(text: str) -> str:
    """The text in composed form (NFC), stripped, without invisible characters, with plain blanks only.

    Joiners and variation selectors stay where a script or an emoji needs them. Without one of them its neighbor may not
    be needed any more, so this is repeated until nothing changes.
    """
    while (less := once_visible(text)) != text:
        text = less
    return text


def once_visible(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    if text.isascii():
        return text.strip(" ")
    flags = {place for found in FLAG.finditer(text) for place in range(*found.span())}
    kept: list[str] = []
    for place, c in enumerate(text):
        if unicodedata.category(c) == "Zs":
            kept.append(" ")
        elif place in flags or not is_hidden(c) or is_needed(c, kept, text[place + 1 : place + 2]):
            kept.append(c)
    while kept and unicodedata.category(kept[0]) in ("Zs", "Mn", "Me"):  # marks over nothing of this text
        del kept[0]
    return unicodedata.normalize("NFC", "".join(kept)).strip(" ")


def is_hidden(c: str) -> bool:
    """Whether this character is invisible by itself."""
    return unicodedata.category(c) == "Cf" or c in BLANKS or is_selector(c)


def is_needed(c: str, before: list[str], after: str) -> bool:
    """Whether an invisible character changes how its neighbors are written."""
    if not before:
        return False
    return (c in (ZWNJ, ZWJ) and joins(before[-MOST_MARKS - 1 :], after)) or (is_selector(c) and selects(before[-1], c))


def joins(before: list[str], after: str) -> bool:
    """Whether a joiner has an effect here: beside a virama, between cursive letters, or between two emoji.

    Source: RFC 5892, A.1 and A.2; Unicode Technical Standard 51.
    """
    if not after:
        return False
    if 9 in (unicodedata.combining(before[-1]), unicodedata.combining(after)):
        return True
    base = next((c for c in reversed(before) if unicodedata.category(c) not in ("Mn", "Sk")), "")
    if unicodedata.category(after) == "So":
        return bool(base) and unicodedata.category(base) == "So"
    return all(
        c and unicodedata.category(c).startswith("L") and unicodedata.bidirectional(c) == "AL" for c in (base, after)
    )


def is_selector(c: str) -> bool:
    """Whether this is a variation selector."""
    return "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef" or c in "\u180b\u180c\u180d\u180f"


def selects(base: str, selector: str) -> bool:
    """Whether ``base`` has variants that ``selector`` chooses from: emoji, Han characters, Mongolian letters."""
    if selector in "\ufe0e\ufe0f":
        return unicodedata.category(base) in ("So", "Sm", "Po", "Sk", "Nd")
    if selector in "\u180b\u180c\u180d\u180f":
        return "\u1800" <= base <= "\u18af"
    return unicodedata.name(base, "").startswith("CJK ")


def has_many_marks(text: str) -> bool:
    return not text.isascii() and without_excess(text) != text


def without_excess(text: str) -> str:
    """The text with at most ``MOST_MARKS`` consecutive marks."""
    kept, marks = [], 0
    for c in text:
        marks = marks + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            kept.append(c)
    return "".join(kept)
