"""Numbers are found in whatever spelling, list or pattern they are typed."""

import pytest

from numbers.models import PhoneNumber
from portal.filters import folded
from tests import factories

pytestmark = pytest.mark.django_db

GB, CA = "+442079460070", "+15145550123"


@pytest.fixture
def pages(of_alpha, alpha):
    factories.make_number(alpha, e164=GB)
    factories.make_number(alpha, e164=CA)
    factories.make_number(alpha, e164="+15145550124")
    return lambda path, **query: of_alpha.get(f"/{alpha.code}/numbers/{path}", query)


def shown(page) -> set[str]:
    return {f"+{number}" for number in PhoneNumber.unscoped.values_list("digits", flat=True)
            if f'/numbers/{number}/"' in page.text}  # fmt: skip


SPELLINGS = [
    "tel:+442079460070", "tel:+44-20-7946-0070", "sip:+442079460070@pbx.example.com", "Tel: +44 20 7946 0070",
    "011 44 20 7946 0070", "0011 44 20 7946 0070", "810 44 20 7946 0070", "+44 0 20 7946 0070", "+44 (0)20 7946 0070",
    "＋４４２０７９４６００７０", "'+442079460070", "+442079460070 x12", "\u202a+442079460070\u202c", "020 7946 0070",
    "+44\u221220\u22127946\u22120070", "442079460070", "4.42079460070E+11", "+442079460070.0", "0044 (0)20 7946 0070",
]  # fmt: skip


@pytest.mark.parametrize("typed", SPELLINGS, ids=ascii)
def test_quick_search_opens_the_number_in_any_spelling(pages, alpha, typed):
    assert pages("find/", q=typed).url == f"/{alpha.code}/numbers/442079460070/"


@pytest.mark.parametrize("typed", SPELLINGS, ids=ascii)
def test_the_field_finds_the_number_in_any_spelling(pages, typed):
    assert shown(pages("", number=typed)) == {GB}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("+4420*0070", {GB}), ("*79460070", {GB}), ("4420xxxx0070", {GB}), ("416-555-01xx", set()),
        ("514-555-012x", {CA, "+15145550124"}), ("*0124", {"+15145550124"}), ("+1514*", {CA, "+15145550124"}),
        ("+15145550123, +15145550124", {CA, "+15145550124"}), ("+15145550123 +15145550124", {CA, "+15145550124"}),
        ("15145550123 442079460070", {CA, GB}), ("+15145550123\n+442079460070", {CA, GB}),
        ("+1 514 555 0123 - 0124", {CA, "+15145550124"}), ("+1 514 555 0123-0124", {CA, "+15145550124"}),
        ("+1 514 555 01xx; +44 20 7946 0070", {CA, "+15145550124", GB}),
        ("+1 514 555 0123 to 0124", {CA, "+15145550124"}),
        ("+1 514 555 0123 + 1 more", {CA, "+15145550124"}),
    ],
)  # fmt: skip
def test_patterns_lists_and_ranges_are_searched(pages, typed, found):
    assert shown(pages("", number=typed)) == found


def test_numbers_of_a_list_that_are_not_here_are_named(pages):
    page = pages("", number="+15145550123, +15145550199").text
    assert "Not found, 1 of the list: +1 514-555-0199." in page
    assert "These are not complete numbers: 0199." in pages("", number="+15145550123, 0199").text


def test_a_national_number_is_read_in_the_home_country(pages, alpha):
    type(alpha).unscoped.filter(pk=alpha.pk).update(home_country="CA")
    assert shown(pages("", number="514 555 0123 - 514 555 0124")) == {CA, "+15145550124"}
    assert pages("find/", q="(514) 555-0123").url.endswith("/15145550123/")


def test_another_countrys_number_is_never_opened_as_if_it_were_the_one(pages, alpha):
    factories.make_number(alpha, e164="+989123456701")
    assert "?number=" in pages("find/", q="8 (912) 345-67-01").url
    factories.make_number(alpha, e164="+79123456701")
    assert pages("find/", q="8 (912) 345-67-01").url.endswith("/79123456701/")
    assert {"+79123456701", "+989123456701"} <= shown(pages("", number="912 345 67 01"))


def test_quick_search_finds_what_is_called_so_and_says_where_it_looked(of_alpha, alpha, acme):
    factories.make_number(destination=factories.make_destination(acme, "Front desk", "service", "virtual_receptionist"))
    factories.make_number(alpha, e164=CA, label="Lobby phone")

    def find(typed):
        return of_alpha.get(f"/{alpha.code}/numbers/find/", {"q": typed}).text

    assert "Acme Corp" in find("acme")
    assert "Looked for <strong>acme</strong>" in find("acme")
    assert "Front desk" in find("frontdesk")
    assert f'href="/{alpha.code}/numbers/15145550123/"' in find("lobby")
    assert find("nobody").count("None") == 3


@pytest.mark.parametrize("typed", ["o'brien", "O’Brien", "obrien", "OBRIEN", "o brien"])
def test_apostrophes_and_hyphens_do_not_matter(of_alpha, alpha, acme, typed):
    factories.make_number(destination=factories.make_destination(acme, "Seán O’Brien-Kelly"))
    assert "O’Brien-Kelly" in of_alpha.get(f"/{alpha.code}/numbers/", {"used_by": typed}).text
    assert folded("O’Brien-Kelly") == folded("OBRIEN KELLY").replace(" ", "")
