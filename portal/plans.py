"""Numbering plans: what libphonenumber's metadata say about countries and their codes."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers

#: The countries that have numbers (ISO 3166, two letters).
REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)
#: Kinds of numbers that people ask for, by the descriptions that the library has of a country's numbers.
KINDS = {
    "local": ("fixed_line",),
    "mobile": ("mobile",),
    "toll_free": ("toll_free",),
    "special": ("shared_cost", "premium_rate", "voip", "personal_number", "uan"),
}


#: Digits of the longest phone number, with its country code (E.164, 6.2.1).
LONGEST = 15


class Plan(NamedTuple):
    """The numbers behind a country code: the ``numbers`` that some range of its countries' plans has, and how one
    begins that the library would change (``prefix``)."""

    numbers: re.Pattern
    prefix: re.Pattern | None


#: What a country's plan describes (libphonenumber, ``phonemetadata.proto``), in short.
DESCRIPTIONS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip


@lru_cache(maxsize=1024)
def plan_behind(code: str) -> Plan | None:
    """The plan behind this country code; None for what is no country code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code))
    if not regions:
        return None
    branches, leading = [], []
    for region in regions:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
        known = [getattr(metadata, name) for name in DESCRIPTIONS]
        ranges = [one.national_number_pattern for one in known if one is not None and one.national_number_pattern]
        # The library gives a number to the first country that its first digits name, or that has such a range.
        others = f"(?!{'|'.join(leading)})" if leading else ""
        own = f"(?={metadata.leading_digits})" if metadata.leading_digits else ""
        branches.append(f"{others}{own}(?:{'|'.join(ranges)})")
        if metadata.leading_digits:
            leading.append(metadata.leading_digits)
    main = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    prefix = main.national_prefix_for_parsing or main.national_prefix
    return Plan(re.compile("|".join(branches)), re.compile(prefix) if prefix else None)


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


def calling_code(region: str) -> int:
    """The country calling code of a country (ISO 3166, two letters); 0 when there is none such."""
    return phonenumbers.country_code_for_region(region)


def main_region(code: str) -> str:
    """The country that a calling code is known for: the United States for 1. Empty where it is no country's."""
    region = phonenumbers.region_code_for_country_code(int(code))
    return region if region in REGIONS else ""


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


@cache
def abroad_prefixes(region: str) -> re.Pattern:
    """How calls abroad begin in a country; some have several prefixes, one of which may begin like another."""
    prefix = phonenumbers.PhoneMetadata.metadata_for_region(region).international_prefix
    return re.compile(prefix or "(?!)")


def ranges_beginning_with(digits: str) -> list[tuple[int, int]]:
    """The first and the last number of each length that begins with these digits: ranges that an index finds."""
    first, rooms = int(digits), range(LONGEST - len(digits) + 1)
    return [(first * 10**room, (first + 1) * 10**room - 1) for room in rooms]
