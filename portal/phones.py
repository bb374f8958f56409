"""Phone numbers as people write them, and E.164 as the portal keeps them."""

import re
import unicodedata
from functools import cache, lru_cache

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberFormat

# ITU-T E.164, 6.2.1: at most fifteen digits, the first of them not 0.
E164 = re.compile(r"\+[1-9][0-9]{3,14}")
# 1.51455E+10: what a spreadsheet makes of a number that it takes for a quantity.
SHORTENED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
EXTENSION = re.compile(r"(?:ext\.?|extension|x|#|;ext=)\s*[0-9]+\s*$", re.IGNORECASE)
PUNCTUATION = " \t\u00a0.-–—‐‑/()[]"


class NotANumber(ValueError):
    """What was typed cannot be a phone number; the text says why and what to do."""


def parse(typed: str, region: str = "") -> str:
    """The E.164 form of a number in any punctuation: in international form with ``+`` or ``00``, or, where ``region``
    names a country (ISO 3166, two letters), as it is written inside that.

    Raises ``NotANumber`` with a sentence for people. Without a region a number without a country code is refused:
    guessing the country would sooner or later ring somebody else.
    """
    text = unicodedata.normalize("NFKC", typed).strip().strip("'\"")
    text = re.sub(r"^tel:", "", text, flags=re.IGNORECASE).replace("(0)", "")
    if SHORTENED.fullmatch(text):
        raise NotANumber(
            _("A spreadsheet has shortened this number and its digits are lost. Save the column as text, and again.")
        )
    if EXTENSION.search(text):
        raise NotANumber(_("This has an extension. Leave it out: an extension belongs to a destination."))
    compact = "".join(c for c in text if c not in PUNCTUATION)
    if compact.startswith("00"):
        compact = "+" + compact[2:]
    is_national = compact and not compact.startswith("+") and compact.isascii() and compact.isdigit()
    if is_national and not region:
        raise NotANumber(_("Begin with + and the country code, for example +1 514 555 0123."))
    if not is_national and not re.fullmatch(r"\+[0-9]+", compact):
        raise NotANumber(_("A phone number has a country code and digits, for example +1 514 555 0123."))
    try:
        number = phonenumbers.parse(compact, region or None)
    except NumberParseException:
        number = None
    possible = number is not None and phonenumbers.is_possible_number(number)
    if not possible or (is_national and not phonenumbers.is_valid_number_for_region(number, region)):
        raise NotANumber(_("This is not a possible number: check the country code and count the digits."))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def span(first: str, last: str, region: str = "") -> tuple[str, str]:
    """The first and the last number of a range in E.164 form. Of the last, only the digits that differ need be written:
    ``+1 514 555 0100`` and ``0199``.

    Raises ``NotANumber``.
    """
    begin = parse(first, region)
    digits = "".join(c for c in last if c.isdigit())
    if last.strip().startswith(("+", "00")) or len(digits) >= len(begin) - 1:
        end = parse(last, region)
    elif digits and all(c.isdigit() or c in PUNCTUATION for c in last):
        end = begin[: len(begin) - len(digits)] + digits
    else:
        raise NotANumber(_("A range ends with a number, or with the last digits of one."))
    if len(end) != len(begin) or end < begin:
        raise NotANumber(_("The last number of a range comes after the first and is as long."))
    return begin, end


@lru_cache(maxsize=1024)
def _plan(code: str) -> tuple[frozenset[int], re.Pattern | None] | None:
    """How long a national number after this country code may be, and how one begins that the library would change;
    None for what is no country code."""
    if int(code) not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        return None
    region = phonenumbers.region_code_for_country_code(int(code))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
    prefix = metadata.national_prefix_for_parsing or metadata.national_prefix
    return frozenset(metadata.general_desc.possible_length), re.compile(prefix) if prefix else None


def quick(typed: str) -> str:
    """What ``parse`` makes of a number, at a fiftieth of the cost, where it is written as E.164 already and nothing in
    it could be meant otherwise; empty where ``parse`` has to be asked."""
    if not E164.fullmatch(typed):
        return ""
    for length in (1, 2, 3):
        if plan := _plan(typed[1 : length + 1]):
            lengths, prefix = plan
            national = typed[length + 1 :]
            return typed if len(national) in lengths and not (prefix and prefix.match(national)) else ""
    return ""


def from_cell(cell: str, region: str = "") -> str:
    """The E.164 form of what stands in a file, with the habits of spreadsheets taken off. Raises ``NotANumber``."""
    text = cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
    text = text.lstrip("'")
    return quick(text) or parse(text, region)


def international(e164: str) -> str:
    """``+15145550123`` as ``+1 514-555-0123``."""
    return _fill(e164, _pattern(e164[:9], len(e164), PhoneNumberFormat.INTERNATIONAL))


def national(e164: str) -> str:
    """``+15145550123`` as ``(514) 555-0123``."""
    return _fill(e164, _pattern(e164[:9], len(e164), PhoneNumberFormat.NATIONAL))


def country_code(e164: str) -> int:
    """The country calling code of a number or of its first digits; 0 when there is none such."""
    digits = e164.lstrip("+")
    for length in (1, 2, 3):
        if (
            digits[:length].isdigit()
            and digits[0] != "0"
            and int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        ):
            return int(digits[:length])
    return 0


#: Kinds of numbers that people ask for, by the descriptions that the library has of a country's numbers.
KINDS = {
    "local": ("fixed_line",),
    "mobile": ("mobile",),
    "toll_free": ("toll_free",),
    "special": ("shared_cost", "premium_rate", "voip", "personal_number", "uan"),
}


def calling_code(region: str) -> int:
    """The country calling code of a country (ISO 3166, two letters); 0 when there is none such."""
    return phonenumbers.country_code_for_region(region)


def sole_region(code: str) -> str:
    """The one country that has this calling code; empty where several share it, or none has it."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code or 0), ())
    return regions[0] if len(regions) == 1 and regions[0] in phonenumbers.SUPPORTED_REGIONS else ""


def without_trunk(digits: str, region: str) -> str:
    """The first digits of a number, as written inside a country, without what is dialled before them only there."""
    prefix = phonenumbers.PhoneMetadata.metadata_for_region(region).national_prefix
    return digits.removeprefix(prefix) if prefix else digits


@cache
def national_pattern(region: str, kind: str = "") -> str:
    """A regular expression for the national part of a country's numbers of a kind (one of ``KINDS``), or of any; empty
    where the country code alone says that they are the country's. Python and PostgreSQL read it alike."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code(region)]
    if not kind and len(regions) == 1:
        return ""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    names = KINDS[kind] if kind else [name for names in KINDS.values() for name in names]
    known = [getattr(metadata, name) for name in names]
    patterns = [one.national_number_pattern for one in known if one is not None and one.national_number_pattern]
    # Nothing matches what a country does not have.
    return f"^(?:{'|'.join(patterns)})$" if patterns else "^$"


@lru_cache(maxsize=65536)
def _pattern(prefix: str, length: int, style: int) -> tuple[str, int]:
    """How numbers with these first characters and this length are written: a pattern for ``%``, and the number of
    digits from the right that fill it.

    Formatting by the library costs forty microseconds, and no country's rules look further than these first digits.
    """
    sample = prefix + ("0123456789" * 2)[: length - len(prefix)]
    text = phonenumbers.format_number(phonenumbers.parse(sample), style)
    pattern, filled = [], 0
    for character in reversed(text):
        # From the right, the digits of the number itself; what differs before them is a trunk prefix.
        if character.isdigit() and filled < length - 1 and character == sample[-1 - filled]:
            pattern.append("s%")
            filled += 1
        else:
            pattern.append("%%" if character == "%" else character)
    return "".join(pattern)[::-1], filled


def _fill(e164: str, pattern: tuple[str, int]) -> str:
    form, filled = pattern
    return form % tuple(e164[len(e164) - filled :])
