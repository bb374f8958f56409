"""Phone numbers as people write them, and E.164 as the portal keeps them."""

import contextlib
import re
from functools import cache, lru_cache

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

from portal.plans import REGIONS, abroad_prefixes, calling_code, country_code, plan_behind
from portal.spellings import LONGEST, Odd, spelled

# ITU-T E.164, 6.2.1: at most fifteen digits, the first of them not 0.
E164 = re.compile(r"\+[1-9][0-9]{3,14}")
# Prefixes for calls abroad of some countries that begin like the 00 of all others: Australia, Singapore, Korea, Brazil.
LONGER_THAN_00 = ("001", "002", "005", "007", "008", "009", "0011", "0014", "0015", "0021")
#: Kinds of numbers that are given out as words. Elsewhere a word behind a number is a remark.
WORDED = {PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN}
KEYPAD = dict(zip("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999", strict=True))


class NotANumber(ValueError):
    """What was typed cannot be a phone number; the text says why and what to do."""


class Unusual(NotANumber):
    """A possible number that no range of its country's plan has: new ranges exist, and typing errors too."""

    def __init__(self, sentence: str, e164: str):
        super().__init__(sentence)
        self.e164 = e164


class Unclear(NotANumber):
    """What was typed is a number, or one of several, once somebody says how it is meant."""

    def __init__(self, sentence: str, readings: tuple[str, ...]):
        super().__init__(sentence)
        self.readings = readings


class WithoutPlus:
    """How digits without + and without a prefix are read."""

    #: As a number of the country; asked about where they may begin with a country code as well.
    ASK = ""
    #: They begin with a country code.
    CODE = "code"
    #: They are written as inside the country.
    COUNTRY = "country"


def parse(typed: str, region: str = "", *, without_plus: str = WithoutPlus.ASK, strict: bool = False) -> str:
    """The E.164 form of a number in any spelling (``portal.spellings``): in international form, as dialled from
    ``region`` (ISO 3166, two letters) abroad, or as written inside that country and its numbering plan.

    With + a number has to be possible; ``strict``: it has to be in a range of its country's plan as well, as every
    other number has to. ``without_plus`` (``WithoutPlus``) says how bare digits are read.

    Raises ``NotANumber`` with a sentence for people: ``Unclear`` where somebody has to say how it is meant, ``Unusual``
    where ``strict`` is why. The number is never guessed: sooner or later somebody else would be called.
    """
    if len(typed.strip().splitlines()) > 1:  # of a list, each line would be a number of its own
        raise NotANumber(_("A phone number has a country code and digits, for example +1 514 555 0123."))
    try:
        text, extension = spelled(typed)
    except Odd as odd:
        raise NotANumber(str(odd)) from odd
    if extension:
        raise NotANumber(_("This has an extension. Leave it out: an extension belongs to a destination."))
    if len(text) > LONGEST:
        raise NotANumber(_("This is longer than any phone number."))
    if not any(c.isdigit() for c in text):
        raise NotANumber(_("This is not a phone number: it has no digits."))
    is_worded = bool(re.search(r"[a-z]", text, re.IGNORECASE))
    if is_worded:
        refuse_remark(text, region, without_plus)
        text = of_keypad(text)
    if not re.fullmatch(r"[(\[ ]*\+?[0-9 \t./()\[\]-]*[0-9][ .)\]/-]*", text) and not re.fullmatch(
        r"[(\[ ]*\+[0-9 \t./()\[\]-]+", text
    ):
        raise NotANumber(_("A phone number has a country code and digits, for example +1 514 555 0123."))
    try:
        found = read(text, region, without_plus)
    except Unclear:
        raise
    except NotANumber as refusal:
        if is_worded:  # what is said of its length is about the letters
            said = _("A phone number has a country code and digits, for example +1 514 555 0123.")
            raise NotANumber(said) from refusal
        raise
    if is_worded and not (found.country_code == 1 or phonenumbers.number_type(found) in WORDED):
        raise NotANumber(_("A phone number has a country code and digits, for example +1 514 555 0123."))
    refuse_two(text, region)
    e164 = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    if is_worded and phonenumbers.number_type(found) not in WORDED and phonenumbers.is_valid_number(found):
        # 514 FLOWERS may be a number, and 514 PENDING a remark.
        said = _("This has letters. If they stand for digits, %(number)s is meant: type that.")
        raise Unclear(said % {"number": written(found)}, (e164,))
    if not E164.fullmatch(e164):  # nothing but zeros
        raise NotANumber(not_possible(None))
    if not phonenumbers.is_valid_number(found) and (strict or is_worded):
        raise Unusual(
            _("This number is possible, but the numbering plan of +%(code)s has no such range. Check the digits.")
            % {"code": found.country_code},
            e164,
        )
    return e164


# Prefixes for calls abroad of most countries, those of others being like them.
ABROAD = ("00", "011", "0011", "010", "810", "001", "002", "009")


@cache
def rewriting() -> tuple[str, ...]:
    """The countries whose numbers are not written inside them as they are behind the country code, but for a leading 0
    or 1: Russia's 8, Argentina's 15."""
    found = []
    for region in REGIONS:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if metadata.national_prefix_transform_rule or (metadata.national_prefix or "0") not in ("0", "1"):
            found.append(region)
    return tuple(sorted(found))


def readings(typed: str, home: str = "") -> tuple[str, ...]:
    """All numbers that a text may mean as a whole, in E.164 form, for a search: whatever country it is written or
    dialled in, the account's ``home`` first. An extension is left out."""
    try:
        text, _extension = spelled(typed)
    except Odd:
        return ()
    if re.search(r"[a-z]", text, re.IGNORECASE):
        try:
            text = of_keypad(text)
        except NotANumber:
            return ()
    digits = "".join(c for c in text if c.isdigit())
    if not 4 <= len(digits) <= 25:
        return ()
    found: list[phonenumbers.PhoneNumber | None] = []
    if "+" in text:
        with contextlib.suppress(NotANumber):
            found.append(abroad(text))
    else:
        found += [number for region in (home, *rewriting()) if (number := dialled(text, region)) is not None
                  and phonenumbers.is_valid_number(number)]  # fmt: skip
        for prefix in ABROAD:
            if digits.startswith(prefix):
                # Also with the 0 that is dialled at home only: 00 44 (0)20.
                number = parsed("+" + digits[len(prefix) :])
                if number is not None and phonenumbers.is_valid_number(number):
                    found.append(number)
        found.append(with_code(digits))
    return tuple(dict.fromkeys(in_e164(*(number for number in found if number is not None))))


def region_of(e164: str) -> str:
    """The country of a number; empty where it has none, or none that is known."""
    number = parsed(e164)
    return (phonenumbers.region_code_for_number(number) or "") if number is not None else ""


def of_keypad(text: str) -> str:
    """The digits of a number that is given out as a word: ``+1 800 FLOWERS``. Raises ``NotANumber``."""
    if not re.fullmatch(r"\+?[0-9][0-9 .()-]{2,}[a-z][0-9a-z .()-]*", text, re.IGNORECASE) or not re.search(
        r"[a-z]{3}", text.lower().replace("x", "")
    ):
        raise NotANumber(_("A phone number has a country code and digits, for example +1 514 555 0123."))
    return "".join(KEYPAD.get(c, c) for c in text.lower())


#: A country code without + and a trunk prefix in brackets.
CODE_AND_ZERO = re.compile(r"[(\[ ]*([1-9][0-9]{0,2})[)\] ]*\(\s*0\s*\)")


def read(text: str, region: str, without_plus: str) -> phonenumbers.PhoneNumber:
    """What plain digits and punctuation mean; see ``parse``."""
    digits = "".join(c for c in text if c.isdigit())
    if "+" in text:
        return abroad(text)
    if not digits:
        raise NotANumber(_("A phone number has a country code and digits, for example +1 514 555 0123."))
    # 49 (0)30: what stands before a 0 in brackets is a country code (E.123, 2.5).
    if (code := CODE_AND_ZERO.match(text)) and country_code(code[1]) == int(code[1]):
        return abroad(f"+{text.lstrip('([ ')}")
    inside = dialled(text, region)
    if inside is not None and inside.country_code_source == CountryCodeSource.FROM_NUMBER_WITH_IDD:
        if not phonenumbers.is_possible_number(inside):
            raise NotANumber(not_possible(inside))
        others = [one for one in behind_prefixes(digits, abroad_prefixes(region)) if not same(one, inside)]
        if others:
            raise Unclear(
                _("This may be %(one)s or %(other)s. Write it with + and the country code.")
                % {"one": written(inside), "other": written(others[0])},
                in_e164(inside, *others),
            )
        return inside
    if inside is not None and not phonenumbers.is_valid_number(inside):
        inside = None
    if digits.startswith("00") and inside is None:
        return after_00(text, digits)
    behind_code = behind_own_code(digits, region)
    bare = with_code(digits) or behind_code
    if without_plus == WithoutPlus.CODE and bare is not None:
        return bare
    if inside is not None:
        doubted = bare is not None and without_plus == WithoutPlus.ASK and not is_national(text, digits, inside, region)
        if (doubted or bare is behind_code is not None) and not same(inside, bare):
            raise Unclear(
                _("This may be %(one)s or %(other)s. Write it with + and the country code.")
                % {"one": written(inside), "other": written(bare)},
                in_e164(inside, bare),
            )
        return inside
    if bare is not None and without_plus != WithoutPlus.COUNTRY:
        raise Unclear(
            _("Begin with + and the country code. If %(number)s is meant, put + before it.")
            % {"number": written(bare)},
            in_e164(bare),
        )
    if region and without_plus != WithoutPlus.CODE:
        raise NotANumber(not_inside(text, region))
    raise NotANumber(_("Begin with + and the country code, for example +1 514 555 0123."))


def behind_own_code(digits: str, region: str) -> phonenumbers.PhoneNumber | None:
    """What digits mean that begin with the country's own code and its trunk prefix: 49 030 for Berlin, not for a number
    of Germany that begins with 49030. None where they do not, or that is no number."""
    code = str(calling_code(region)) if region else ""
    if not code or code == "1" or not digits.startswith(f"{code}0"):
        return None
    number = parsed(f"+{code}{digits.removeprefix(code).lstrip('0')}")
    return number if number is not None and phonenumbers.is_valid_number(number) else None


def abroad(text: str) -> phonenumbers.PhoneNumber:
    """A number that begins with + and a country code, at least possible. Raises ``NotANumber``."""
    tried = [text]
    if "(0)" in text.replace(" ", ""):
        # The 0 in +36 (0)1 is dialled at home only, whatever the country's own prefix is (E.123, 2.5).
        tried.append(re.sub(r"\(\s*0\s*\)", " ", text))
    found = [number for one in tried if (number := parsed(one)) is not None]
    valid = next((number for number in found if phonenumbers.is_valid_number(number)), None)
    possible = next((number for number in found if phonenumbers.is_possible_number(number)), None)
    if valid is None and possible is None:
        raise NotANumber(not_possible(found[0] if found else None))
    return valid if valid is not None else possible


def parsed(text: str, region: str | None = None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException:
        return None


def dialled(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    """What somebody in ``region`` reaches who dials this, valid or not; None where nothing."""
    return parsed(text, region) if region else None


def with_code(digits: str) -> phonenumbers.PhoneNumber | None:
    """The valid number that these digits are with + before them, none left out."""
    number = parsed(f"+{digits}") if digits[:1] != "0" else None
    if number is None or not phonenumbers.is_valid_number(number):
        return None
    return number if phonenumbers.format_number(number, PhoneNumberFormat.E164) == f"+{digits}" else None


def after_00(text: str, digits: str) -> phonenumbers.PhoneNumber:
    """A number behind 00, which most countries dial for + (ITU-T E.123, 2.3). Raises ``NotANumber``."""
    number = abroad("+" + re.sub(r"^[^0-9]*0[^0-9]*0", "", text))
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    left_out = len(digits) - 2 - (len(e164) - 1)
    others = behind_prefixes(digits, re.compile("|".join(LONGER_THAN_00)))
    is_other = number.country_code in (1, 7) and (left_out or others)
    if is_other or (digits.startswith(LONGER_THAN_00) and not phonenumbers.is_valid_number(number)):
        raise Unclear(
            _("The prefix for calls abroad is not clear. Write + and the country code."), in_e164(number, *others)
        )
    return number


def behind_prefixes(digits: str, prefix: re.Pattern) -> list[phonenumbers.PhoneNumber]:
    """The valid numbers that stand behind a prefix for calls abroad, however long that is."""
    found = (with_code(digits[length:]) for length in range(2, 7) if prefix.fullmatch(digits[:length]))
    return [number for number in found if number is not None]


def is_national(text: str, digits: str, inside: phonenumbers.PhoneNumber, region: str) -> bool:
    """Whether nothing else than a number of the country is written like this: with its trunk prefix, or grouped or as
    long as numbers are there, so that it cannot begin with a country code."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    national = phonenumbers.national_significant_number(inside)
    if len(metadata.general_desc.possible_length) == 1 or (digits != national and digits.endswith(national)):
        return True
    groups = re.findall("[0-9]+", text)
    return len(groups) > 1 and country_code(groups[0]) != int(groups[0])


def refuse_two(text: str, region: str) -> None:
    """Raise ``NotANumber`` where a number is followed by a slash and the last digits of another."""
    first, slash, rest = text.rpartition("/")
    if slash and rest.strip():
        number = parsed(first, region or None)
        if number is not None and phonenumbers.is_valid_number(number):
            raise NotANumber(_("There may be two numbers here. Write each on a line of its own."))


def refuse_remark(text: str, region: str, without_plus: str) -> None:
    """Raise ``NotANumber`` where a complete number is followed by words, which are not its last digits."""
    remark = re.fullmatch(r"([^a-z]*?)[ ,;:.(\[/-]*([a-z][^0-9]*)", text, re.IGNORECASE)
    if remark is None:
        return
    try:
        found = read(remark[1], region, without_plus)
    except NotANumber:
        return
    if phonenumbers.is_valid_number(found):
        said = {"text": remark[2][:60].strip(" )]")}
        raise NotANumber(_("There is text after the number: “%(text)s”. Leave it out.") % said)


def same(one: phonenumbers.PhoneNumber, other: phonenumbers.PhoneNumber) -> bool:
    return in_e164(one) == in_e164(other)


def in_e164(*numbers: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    return tuple(phonenumbers.format_number(number, PhoneNumberFormat.E164) for number in numbers)


def written(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def not_possible(number: phonenumbers.PhoneNumber | None) -> str:
    """Why a number with a country code is none."""
    if number is None:
        return _("This is not a possible number: check the country code and count the digits.")
    reason = phonenumbers.is_possible_number_with_reason(number)
    said = {"code": number.country_code}
    if reason == ValidationResult.TOO_SHORT:
        return _("This is not a possible number: it has too few digits for a number of +%(code)s.") % said
    if reason in (ValidationResult.TOO_LONG, ValidationResult.INVALID_LENGTH):
        return _("This is not a possible number: +%(code)s has no numbers of this length.") % said
    if reason == ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        return _("This is not a possible number: the area code is missing.")
    return _("This is not a possible number: check the country code and count the digits.")


def not_inside(text: str, region: str) -> str:
    """Why what is written without a country code is no number of a country."""
    number = parsed(text, region)
    if number is None or not phonenumbers.is_possible_number(number):
        return not_possible(number)
    said = {"country": region, "code": number.country_code}
    return (
        _("No number of %(country)s (+%(code)s) is like this. Check the digits, or write + and the country code.")
        % said
    )


def quick(typed: str) -> str:
    """What ``parse`` makes of a number, at a fiftieth of the cost, where it is written as E.164 already, stands in a
    range of its plan, and nothing in it could be meant otherwise; empty where ``parse`` has to be asked."""
    if not E164.fullmatch(typed):
        return ""
    for length in (1, 2, 3):
        if plan := plan_behind(typed[1 : length + 1]):
            national = typed[length + 1 :]
            return (
                typed if plan.numbers.fullmatch(national) and not (plan.prefix and plan.prefix.match(national)) else ""
            )
    return ""


def from_cell(cell: str, region: str = "", **how) -> str:
    """The E.164 form of what stands in a file. Raises ``NotANumber``; see ``parse``."""
    return quick(cell) or parse(cell, region, **how)


def is_e164(text: str) -> bool:
    """Whether a text is written as a number in E.164 is: a plus sign and at most 15 digits."""
    return text[:1] == "+" and text[1:].isascii() and text[1:].isdigit() and 6 < len(text) < 17


def international(e164: str) -> str:
    """``+15145550123`` as ``+1 514-555-0123``."""
    return _fill(e164, _pattern(e164[:9], len(e164), PhoneNumberFormat.INTERNATIONAL))


def national(e164: str) -> str:
    """``+15145550123`` as ``(514) 555-0123``."""
    return _fill(e164, _pattern(e164[:9], len(e164), PhoneNumberFormat.NATIONAL))


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
