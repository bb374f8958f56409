"""What may be called."""

import pytest
from django.core.exceptions import ValidationError

from webphone.rules import as_extension, refuse_unless_allowed, understood


@pytest.mark.parametrize(
    "typed",
    ["+1 (514) 555-0123", "001 514 555 0123", "tel:+15145550123", "+1.514.555.0123", "＋１ ５１４ ５５５ ０１２３"],
)
def test_any_spelling_of_a_number_is_understood(typed):
    assert understood(typed) == "+15145550123"


@pytest.mark.parametrize(
    "typed",
    [
        "+15145550123\r\nX-Evil: 1", "+1514555\x000123", "+15145550123;ext=x",
        "+1514555O123", "0145550123", "", "   ", "+" + "1" * 30, "😀", "<script>", "*67+15145550123",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_a_sentence(typed):
    with pytest.raises(ValidationError) as refusal:
        understood(typed)
    assert refusal.value.messages[0].endswith(".")
    assert as_extension(typed) == ""


@pytest.mark.parametrize("typed", ["911", "9-1-1", "112", "999", "000", "１１２"])
def test_emergency_numbers_are_refused_even_where_an_extension_is_called_so(typed):
    assert as_extension(typed) == ""
    with pytest.raises(ValidationError, match="is an emergency number"):
        understood(typed)


@pytest.mark.parametrize("number", ["+19005551234", "+449098790012", "+33899123456"])
def test_premium_rate_numbers_are_refused(settings, number):
    settings.CALL_COUNTRIES = "*"
    with pytest.raises(ValidationError, match="premium-rate"):
        refuse_unless_allowed(number)


def test_countries_that_are_not_allowed_are_refused(settings):
    settings.CALL_COUNTRIES = "ca, fr"
    refuse_unless_allowed("+15145550123")
    refuse_unless_allowed("+33140000000")
    for number in ("+12125550123", "+442079460018", "+88213300655"):
        with pytest.raises(ValidationError, match="in this country cannot be called"):
            refuse_unless_allowed(number)
