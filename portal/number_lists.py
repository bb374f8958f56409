"""Lists and ranges of phone numbers, in the one grammar that every field and file of the portal reads.

Numbers stand on lines of their own, or apart by commas, semicolons, tabs, bars, ``&``, slashes and blanks before a +,
or words such as *and*. A range is ``+1 514 555 0100 - 0199``, ``… to …``, ``+1 514 555 01xx`` or
``+1 514 555 0100 + 99 more``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal import phones
from portal.phones import NotANumber, Unclear
from portal.spellings import ANY_SHORTENED, EXTENSION, FRACTION, LONGEST, SHORTENED, THOUSANDS, Odd, plain, unquoted

#: The most numbers that one range has, where somebody adds them.
MOST_IN_RANGE = 10_000
# A semicolon or an ampersand inside a URI belongs to it, and ,, is a pause before an extension.
APART = re.compile(
    r"\s*(?:[\t|\n\r]+|;(?!\s*[a-z][a-z0-9-]*(?:[=;>]|$))|&|(?<!,),(?!,)|/\s*(?=\+))\s*"
    r"|(?<=[0-9)\]'\"])\s*(?=['\"(]?\+(?!\s*[0-9]{1,6}\s+\w)[0-9(])",
    re.IGNORECASE,
)
# What spreadsheets write to keep a text one, ="+1…", or make of a number with a plus, =+1….
FORMULA = re.compile(r"(?:(?<=[\s,;|])|^)=(?=\s*(?:['\"]|[(]?\+)[0-9+( ])")
WORDS_APART = re.compile(r"\s+(?:and|or|und|oder|et|ou|y|e|o|и)\s+", re.IGNORECASE)
TO = r"to|thru|through|until|bis|à|au|a|al|até|ao|по|do|tot|t/m"
STRONG = re.compile(rf"\s+(?:{TO})\s+|\s*(?:\.\.\.?|…|→|->|=>|~)\s*", re.IGNORECASE)
SPACED = re.compile(r"\s+-+\s+|(?<=[0-9)])\s*-+\s*(?=\+)")
MORE = re.compile(
    r"(.+?)\s*(?:\+|\band\b|\bplus\b|\bund\b|\bet\b|\by\b)\s*([0-9]{1,6})\s+"
    r"(?:more|others?|following|weitere|autres?|suivants?|más|altri|mais)",
    re.IGNORECASE,
)
BLOCK = re.compile(r"(\(?\+?[0-9][+0-9 ().-]*?)([ .-]?[x×]{1,4})", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """One piece of what was typed: a number, a range from ``first`` to ``last``, or the ``refusal`` that says why it is
    neither, with the ``readings`` that somebody may choose from. ``line`` counts from 1."""

    line: int
    text: str
    first: str = ""
    last: str = ""
    refusal: str = ""
    readings: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return int(self.last[1:]) - int(self.first[1:]) + 1 if self.first else 0

    @property
    def e164s(self) -> Iterator[str]:
        """The numbers, in order."""
        if self.first:
            yield from (f"+{digits}" for digits in range(int(self.first[1:]), int(self.last[1:]) + 1))


def read_list(typed: str, region: str = "", *, most: int = MOST_IN_RANGE, **how) -> list[Piece]:
    """What each piece of ``typed`` means. ``region`` and ``how`` are those of ``phones.parse``; a range has ``most``
    numbers."""
    found = []
    for at, line in enumerate(re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", typed), 1):
        found += [understood(at, text, region, most, how) for text in apart(line)]
    return found


def apart(line: str) -> list[str]:
    """The pieces of one line."""
    try:
        # Long lines are lists: their pieces are read by themselves.
        text = plain(line) if len(line) <= LONGEST else line.strip()
    except Odd:
        text = line
    text = FORMULA.sub("", text)
    text = text if "," not in text or not is_quantity(unquoted(text)) else ""
    if not text:
        return [line.strip()] if line.strip() else []
    pieces = []
    for piece in APART.split(text):
        bare = piece.strip(" '\"")
        if bare:
            pieces += [bare] if MORE.fullmatch(bare) else WORDS_APART.split(bare)
    return pieces


def is_quantity(text: str) -> bool:
    """Whether a spreadsheet has made a quantity of a number, with a comma in it."""
    return any(form.fullmatch(text) for form in (SHORTENED, ANY_SHORTENED, THOUSANDS, FRACTION)) or bool(
        EXTENSION.search(text) and "#" in text
    )


def understood(line: int, text: str, region: str, most: int, how: dict) -> Piece:
    try:
        first, last = ends(text, region, **how)
        if int(last[1:]) - int(first[1:]) >= most:
            raise NotANumber(_("This range has more than %(most)d numbers.") % {"most": most})
        piece = Piece(line, text, first, last)
        if how.get("strict") and first != last:
            for e164 in piece.e164s:
                if not phones.quick(e164):
                    phones.parse(e164, strict=True)
    except NotANumber as refusal:
        readings = refusal.readings if isinstance(refusal, Unclear) else ()
        return Piece(line, text, refusal=str(refusal), readings=readings)
    return piece


def ends(text: str, region: str = "", **how) -> tuple[str, str]:
    """The first and the last number of what one piece means, alike where it is one number. Raises ``NotANumber``."""
    if fast := phones.quick(text):
        return fast, fast
    try:
        text = unquoted(plain(text))
    except Odd as odd:
        raise NotANumber(str(odd)) from odd
    if found := MORE.fullmatch(text):
        first = phones.parse(found[1], region, **how)
        last = f"+{int(first[1:]) + int(found[2])}"
        if len(last) != len(first):
            raise NotANumber(_("This range goes beyond the numbers of this length."))
        return first, last
    block = BLOCK.fullmatch(text)
    if block:
        count = len(block[2].strip(" .-"))
        first, last = (phones.parse(block[1] + digit * count, region, **how) for digit in "09")
        return first, last
    strong = STRONG.split(text)
    if len(strong) > 2:
        raise NotANumber(_("This has more than a first and a last number."))
    if len(strong) == 2:
        return span(*strong, region, **how)
    return of_dash(text, region, how)


def of_dash(text: str, region: str, how: dict) -> tuple[str, str]:
    """One number, or two with a dash between them, which may also stand inside a number. Raises ``NotANumber``."""
    spaced = SPACED.split(text)
    if len(spaced) > 2:
        spaced = [text]
    first, _dash, last = text.rpartition("-") if len(spaced) == 1 else (spaced[0], "-", spaced[1])
    number, refusal = None, None
    try:
        number = phones.parse(text, region, **how)
    except NotANumber as error:
        refusal = error
    if not first.strip() or not re.fullmatch(r"\s*[+(]?[0-9][0-9 ().-]*", last):
        if number is None:
            raise refusal
        return number, number
    try:
        found = span(first, last, region, **how)
    except NotANumber as error:
        if number is not None:
            return number, number
        if digits_of(first) >= 7 and len(text) > 14:
            raise
        raise refusal from error
    if number is None:
        return found
    raise Unclear(
        _("This may be one number, or a range. Write “to” between the numbers of a range, or leave the dash out."),
        (number, found[0]),
    )


def span(first: str, last: str, region: str = "", **how) -> tuple[str, str]:
    """The first and the last number of a range in E.164 form. Of the last, only the digits that differ need be written:
    ``+1 514 555 0100`` and ``0199``.

    Raises ``NotANumber``.
    """
    begin = phones.parse(first, region, **how)
    try:
        last = plain(last)
    except Odd as odd:
        raise NotANumber(str(odd)) from odd
    digits = "".join(c for c in last if c.isdigit())
    # 030 1234-0 to -99: the digits behind the dash are numbers of their own length.
    ends = [re.search(r"([0-9]+)[\s)\]]*$", text) for text in (first, last)]
    behind_dash = re.search(r"-\s*[0-9]+[\s)\]]*$", first)
    if behind_dash and all(ends) and len(digits) < 7 and len(ends[1][1]) > len(ends[0][1]):
        raise NotANumber(
            _("The last number of this range has more digits behind its dash. Write both numbers in full.")
        )
    if not digits or not re.fullmatch(r"[\s(\[]*\+?[0-9 ().\[\]/-]+", last):
        raise NotANumber(_("A range ends with a number, or with the last digits of one."))
    found = {begin[: len(begin) - len(digits)] + digits} if len(digits) < len(begin) - 1 and "+" not in last else set()
    try:
        found.add(phones.parse(last, region, **how))
    except NotANumber:
        if not found:
            raise
    fit = {end for end in found if len(end) == len(begin) and end >= begin}
    if len(fit) > 1:
        said = _("The last number of this range is not clear. Write it with + and the country code.")
        raise Unclear(said, tuple(fit))
    if not fit:
        raise NotANumber(_("The last number of a range comes after the first and is as long."))
    return begin, fit.pop()


def digits_of(text: str) -> int:
    return sum(c.isdigit() for c in text)
