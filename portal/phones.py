"""Phone numbers as people write them, and E.164 as the portal keeps them."""

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberFormat

# ITU-T E.164, 6.2.1: at most fifteen digits, the first of them not 0.
E164 = re.compile(r"\+[1-9][0-9]{3,14}")
PUNCTUATION = " \t\u00a0.-–—‐‑/()[]"


class NotANumber(ValueError):
    """What was typed cannot be a phone number; the text says why and what to do."""


def parse(typed: str) -> str:
    """The E.164 form of a number typed in international form, in any punctuation and with ``+`` or ``00``.

    Raises ``NotANumber`` with a sentence for people. A number without a country code is refused: guessing the country
    would sooner or later ring somebody else.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    text = re.sub(r"^tel:", "", text, flags=re.IGNORECASE).replace("(0)", "")
    compact = "".join(c for c in text if c not in PUNCTUATION)
    if compact.startswith("00"):
        compact = "+" + compact[2:]
    if compact and not compact.startswith("+") and compact.isascii() and compact.isdigit():
        raise NotANumber(_("Begin with + and the country code, for example +1 514 555 0123."))
    if not re.fullmatch(r"\+[0-9]+", compact):
        raise NotANumber(_("A phone number has a country code and digits, for example +1 514 555 0123."))
    try:
        number = phonenumbers.parse(compact)
    except NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise NotANumber(_("This is not a possible number: check the country code and count the digits."))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


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
        if digits[:length].isdigit() and int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return int(digits[:length])
    return 0


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
