"""Numbers as people write them."""

import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat

from portal import phones


@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("+1 514 555 0123", "+15145550123"),
        ("+1 (514) 555-0123", "+15145550123"),
        ("0044 20 7946 0018", "+442079460018"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("tel:+49-30-1234567", "+49301234567"),
        ("＋１５１４５５５０１２３", "+15145550123"),
        (" +33\u00a01 70 18 99 00 ", "+33170189900"),
    ],
)
def test_international_spellings_are_understood(typed, e164):
    assert phones.parse(typed) == e164


@pytest.mark.parametrize(
    "typed", ["", "abc", "514 555 0123", "+1", "+999 123", "+1 514 555 0123 0123", "+1514\n555x", "+"]
)
def test_anything_else_is_refused_with_a_sentence(typed):
    with pytest.raises(phones.NotANumber, match=r"\.$"):
        phones.parse(typed)


def test_formats_are_those_of_the_library_in_every_country():
    rng = random.Random(7)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            text = phonenumbers.format_number(example, PhoneNumberFormat.E164)
            for _ in range(5):
                e164 = text[:-3] + f"{rng.randrange(1000):03}"
                number = phonenumbers.parse(e164)
                assert phones.international(e164) == phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
                assert phones.national(e164) == phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)


@pytest.mark.parametrize(
    ("e164", "code"), [("+15145550123", 1), ("+442079460018", 44), ("+3531234567", 353), ("+999", 0)]
)
def test_country_code(e164, code):
    assert phones.country_code(e164) == code
