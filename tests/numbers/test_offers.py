"""Looking for numbers to order: understood in any spelling, offered from the stock, never a silent nothing."""

import re
from datetime import timedelta

import phonenumbers
import pytest
from django.db import connection
from django.utils import timezone

from accounts.scope import scope
from numbers.forms.orders import SearchForm, in_words
from numbers.listing.offers import in_stock
from portal import plans
from tests.factories import make_number

pytestmark = pytest.mark.django_db


def wanted(**typed):
    form = SearchForm(typed)
    assert form.is_valid(), form.errors
    return form.wanted


def found(acme, **typed):
    with scope(acme):
        return [offer.e164 for offer in in_stock(acme, wanted(**typed))]


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"area": "+1 514"},
        {"area": "001514555"},
        {"country": "CA"},
        {"country": "CA", "area": "514"},
        {"country": "CA", "area": "1 (514) 555"},
        {"digits": "5 0-1"},
        {"country": "CA", "kind": "local"},
        {"country": "CA", "kind": "local", "count": "5", "in_a_row": "on"},
    ],
)
def test_numbers_of_the_stock_are_found_in_any_spelling(acme, stock, typed):
    make_number(acme.parent, e164="+442079460018")
    assert [e164 for e164 in found(acme, **typed) if e164.startswith("+1")] == [number.e164 for number in stock]


@pytest.mark.parametrize(
    "typed",
    [
        {"country": "US"},
        {"country": "GB"},
        {"country": "CA", "area": "416"},
        {"country": "CA", "kind": "toll_free"},
        {"digits": "999"},
        {"sms": "on"},
        {"count": "6", "in_a_row": "on"},
    ],
)
def test_what_was_not_asked_for_is_not_offered(acme, stock, typed):
    assert found(acme, **typed) == []


def test_what_others_have_or_keep_is_not_offered(alpha, bravo, acme, jane, stock):
    soon, past = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)
    make_number(bravo)
    make_number(customer=jane)
    make_number(alpha, reserved_for=jane, reserved_until=soon)
    make_number(alpha, cooling_until=soon, last_holder=jane)
    mine = [
        make_number(alpha, reserved_for=acme, reserved_until=soon),
        make_number(alpha, cooling_until=soon, last_holder=acme),
        make_number(alpha, reserved_for=jane, reserved_until=past),
        make_number(alpha, cooling_until=past, last_holder=jane),
    ]
    assert found(acme) == sorted(number.e164 for number in [*stock, *mine])


def test_numbers_in_a_row_are_offered_as_whole_runs(acme, alpha, stock):
    make_number(alpha, e164="+15145550106")
    make_number(alpha, e164="+15145550107")
    with scope(acme):
        offers = in_stock(acme, wanted(count="2", in_a_row="on"))
    assert [(offer.e164, offer.run) for offer in offers] == [
        ("+15145550100", "+15145550100"), ("+15145550101", "+15145550100"),
        ("+15145550106", "+15145550106"), ("+15145550107", "+15145550106"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"area": "514"}, "Choose a country, or begin with +"),
        ({"area": "+999"}, "No country code begins with +999"),
        ({"area": "+44", "country": "CA"}, "code of another country"),
        ({"area": "+1 514 555 0100 0000 0000"}, "longer than any phone number"),
        ({"area": "Montréal"}, "Type digits"),
        ({"digits": "12*4"}, "Type digits"),
        ({"kind": "mobile"}, "Choose a country"),
        ({"kind": "mobile", "area": "+1"}, "Choose a country"),
        ({"count": "0"}, "greater than or equal to 1"),
        ({"count": "101"}, "less than or equal to 100"),
        ({"country": "XX"}, "XX"),
        ({"digits": "\x00"}, ""),
    ],
)
def test_a_search_that_cannot_be_understood_says_so_and_keeps_what_was_typed(acme, stock, signed_in, typed, says):
    page = signed_in(acme).get(f"/{acme.code}/numbers/order/", typed)
    assert page.status_code == 422
    assert says in page.text.replace("&#x27;", "'")
    assert "555-0100" not in page.text
    form = page.context["form"]
    assert {name: form[name].value() for name in typed} == typed


def test_it_says_how_it_was_understood_and_is_never_silent(acme, stock, signed_in):
    client = signed_in(acme)
    page = client.get(f"/{acme.code}/numbers/order/", {"country": "CA", "area": "514", "count": 3, "in_a_row": "on"})
    assert "3 numbers, consecutive, of Canada, beginning with +1 514" in page.text
    (group,) = page.context["groups"]
    ticked = [offer for offer in group["offers"] if offer["ticked"]]
    assert [offer["e164"] for offer in ticked] == [number.e164 for number in stock[:3]]
    assert re.findall(r'name="number" value="([^"]+)" checked', page.text) == [offer["value"] for offer in ticked]
    nothing = client.get(f"/{acme.code}/numbers/order/", {"country": "FR", "kind": "mobile", "sms": "on"})
    assert "Nothing found" in nothing.text
    assert "1 number, Mobile, of France, beginning with +33, with SMS" in nothing.text
    assert "Widen the search" in nothing.text
    assert [(one["area"], one["count"]) for one in nothing.context["elsewhere"]] == [("+1", "5")]
    near = client.get(f"/{acme.code}/numbers/order/", {"area": "+1 416", "count": 2})
    assert [one["url"] for one in near.context["elsewhere"]] == [f"/{acme.code}/numbers/order/?area=%2B1514&count=2"]
    assert "555-0101" in client.get(near.context["elsewhere"][0]["url"]).text


def test_what_is_understood_reads_well():
    assert in_words(wanted()) == "1 number"
    assert in_words(wanted(area="+49 30", digits="77", fax="on")) == (
        "1 number, of Germany, beginning with +49 30, containing 77, with fax"
    )


def test_the_type_of_a_number_is_what_the_library_says_in_every_country():
    names = phonenumbers.PhoneNumberType
    kinds = {
        "local": {names.FIXED_LINE, names.FIXED_LINE_OR_MOBILE},
        "mobile": {names.MOBILE, names.FIXED_LINE_OR_MOBILE},
        "toll_free": {names.TOLL_FREE},
    }
    seen = 0
    with connection.cursor() as cursor:
        for region in sorted(phonenumbers.SUPPORTED_REGIONS):
            for kind, types in kinds.items():
                for of_type in sorted(types):
                    example = phonenumbers.example_number_for_type(region, of_type)
                    if example is None or phonenumbers.number_type(example) not in types:
                        continue
                    national = phonenumbers.national_significant_number(example)
                    pattern = plans.national_pattern(region, kind)
                    cursor.execute("SELECT %s ~ %s", [national, pattern])
                    assert cursor.fetchone() == (True,), (region, kind, national)
                    assert re.match(pattern, national)
                    seen += 1
    assert seen > 600


def test_a_search_costs_the_same_queries_whatever_it_finds(acme, stock, signed_in, django_assert_num_queries):
    client = signed_in(acme)
    client.get(f"/{acme.code}/numbers/order/?count=1")
    with django_assert_num_queries(13):
        assert "555-0104" in client.get(f"/{acme.code}/numbers/order/?count=5").text
    with django_assert_num_queries(18):
        client.get(f"/{acme.code}/numbers/order/?digits=99999")
