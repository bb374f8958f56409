"""The reader of numbers beside libphonenumber, for every country, type of number and prefix for calls abroad: it reads
the same number, or none."""

import itertools
import re
from functools import cache

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.phonenumberutil import PhoneNumberType as Types

from portal import phones
from portal.number_lists import read_list

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CODES = sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
E164, INTERNATIONAL, NATIONAL, RFC3966 = (
    PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL, PhoneNumberFormat.RFC3966,
)  # fmt: skip


@cache
def examples() -> list[tuple[str, phonenumbers.PhoneNumber]]:
    """One number of each type that each country has, and of the codes that belong to no country."""
    found = []
    for region, kind in itertools.product(REGIONS, Types.values()):
        if kind in (PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UNKNOWN):
            continue
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None:
            found.append((region, number))
    return found + [("", phonenumbers.example_number_for_non_geo_entity(code)) for code in CODES]


def read(typed: str, region: str = "", **how) -> str:
    try:
        return phones.parse(typed, region, strict=True, **how)
    except phones.NotANumber:
        return ""


def written(number, form) -> str:
    return phonenumbers.format_number(number, form)


@pytest.mark.parametrize("form", [E164, INTERNATIONAL, RFC3966])
def test_what_has_a_country_code_is_read_whatever_country_is_chosen(form):
    for region, number in examples():
        typed, e164 = written(number, form), written(number, E164)
        assert read(typed) == e164, typed
        assert read(typed, region) == e164, typed
        assert read(typed, "US") == e164, typed


def test_what_is_written_inside_a_country_is_read_as_its_number():
    asked = 0
    for region, number in examples():
        if region:
            typed = written(number, NATIONAL)
            found = read(typed, region)
            asked += not found
            assert found in (written(number, E164), ""), (typed, region)
            bare = "".join(c for c in typed if c.isdigit())
            assert read(bare, region) in (written(number, E164), ""), (bare, region)
    assert asked < 5


def test_00_is_plus_or_refused():
    refused = 0
    for _region, number in examples():
        found = read("00" + written(number, INTERNATIONAL).removeprefix("+"))
        refused += not found
        assert found in (written(number, E164), ""), number
    assert refused < len(examples()) / 20


def test_digits_without_plus_are_read_as_told_and_never_as_another_number():
    for region, number in examples():
        e164 = written(number, E164)
        assert read(e164[1:], without_plus=phones.WithoutPlus.CODE) == e164
        assert read(e164[1:]) == ""
        assert read(e164[1:], region) in (e164, ""), (e164, region)
        for other in ("DE", "AT", "US", "IT", "ID", "FI"):
            # Where the number might be one of the country as well, somebody is asked.
            if found := read(e164[1:], other):
                assert found == e164 or phonenumbers.is_valid_number(phonenumbers.parse(e164[1:], other))
                assert found == e164 or phonenumbers.parse(found).country_code == phonenumbers.country_code_for_region(
                    other
                )


@cache
def prefixes() -> list[tuple[str, str]]:
    """Pairs of a country and how calls abroad begin there, all short ones of them."""
    regexes = {phonenumbers.PhoneMetadata.metadata_for_region(region).international_prefix for region in REGIONS}
    short = ["".join(digits) for length in (2, 3, 4) for digits in itertools.product("0123456789", repeat=length)]
    known = {regex: [text for text in short if re.fullmatch(regex, text)] for regex in regexes if regex}
    return [
        (region, text)
        for region in REGIONS
        for text in known.get(phonenumbers.PhoneMetadata.metadata_for_region(region).international_prefix, ())
    ]


def test_calls_abroad_are_read_as_dialled_in_each_country():
    numbers = [number for _region, number in examples()][::29]
    tried = right = 0
    for region, prefix in prefixes():
        for number in numbers:
            e164 = written(number, E164)
            found = read(f"{prefix} {written(number, INTERNATIONAL).removeprefix('+')}", region)
            tried, right = tried + 1, right + (found == e164)
            if found != e164:
                assert found == "", (region, prefix, e164, found)
    assert tried > 10_000
    assert right > tried * 0.97


def test_what_is_dialled_in_one_country_is_never_another_number_elsewhere():
    """Australia's 0011, Singapore's 001 and the like, with no country or the wrong one chosen."""
    for typed in ("0011 64 9 377 1234", "0011 44 20 7946 0031", "008 1 514 555 7032", "0014 44 20 7946 0018"):
        for region in ("", "DE", "GB", "US", "FR"):
            found = read(typed, region)
            digits = re.sub(r"\D", "", typed)
            assert found == "" or digits.endswith(found[1:]), (typed, region, found)


def test_a_number_is_one_piece_of_a_list_however_it_is_written():
    for form in (E164, INTERNATIONAL, RFC3966):
        for _region, number in examples():
            (piece,) = read_list(written(number, form), strict=True)
            assert piece.refusal or (piece.first, piece.last) == (written(number, E164),) * 2, piece


def test_quick_verdicts_are_the_librarys():
    for _region, number in examples():
        e164 = written(number, E164)
        for changed in (e164, e164[:-1], e164 + "0", e164[:-2] + "99", e164[:4] + "0" + e164[5:]):
            if found := phones.quick(changed):
                assert found == changed
                assert phonenumbers.is_valid_number(phonenumbers.parse(changed)), changed
                assert written(phonenumbers.parse(changed), E164) == changed
        assert phones.quick(e164) in (e164, "")
