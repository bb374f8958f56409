"""Numbers as people write them."""

import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat

from portal import phones, plans


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
    assert plans.country_code(e164) == code
