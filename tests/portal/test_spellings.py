"""How people, files and telephone systems write numbers: understood, or refused with a reason, and none guessed."""

import pytest

from portal import number_lists, phones

#: E.164 -> how it is written with its country code, whoever reads it.
INTERNATIONAL = {
    "+15145550123": [
        "+15145550123", "+1 514 555 0123", "+1-514-555-0123", "+1.514.555.0123", "+1 (514) 555-0123",
        "+1(514)555-0123", "+1 (514) 555 01 23", "001 514 555 0123", "0015145550123", "00 1 514 555 0123",
        " +1 514 555 0123 ", "+1\u00a0514\u00a0555\u00a00123", "+1/514/555/0123", "+1–514–555–0123",
        "+1—514—555—0123", "+1‐514‐555‐0123", "+1‑514‑555‑0123", "+1 [514] 555-0123", "'+1 514 555 0123",
        '"+1 514 555 0123"', "'+15145550123'", "tel:+1-514-555-0123", "TEL:+15145550123", "Tel: +1 514 555 0123",
        "+１ ５１４ ５５５ ０１２３", "＋１５１４５５５０１２３", "+ 1 514 555 0123", "+1  514  555  0123",
        "+1\t514\t555\t0123", "+1 514 555 0123\r\n", "\t+15145550123", "+1.514.555-0123", "+1 514-555 0123",
        "+(1) 514 555 0123", "+1 5145550123", "+1-5145550123", "+15 14 55 50 12 3", "+1 514 5550123",
        "\u2007+1 514 555 0123", "+1\u2009514\u2009555\u20090123", "+1\u202f514\u202f555\u202f0123",
        "+1 514.555.0123", "(+1) 514 555 0123", "[+1] 514 555 0123",
        "\u202a+15145550123\u202c", "\u200e+1 514 555 0123", "\u200b+15145550123", "\ufeff+15145550123",
        "+1\u00ad514\u00ad555\u00ad0123", "+1\u2212514\u2212555\u22120123", "+1\ufe0d-514-555-0123",
        "+\u0661\u0665\u0661\u0664\u0665\u0665\u0665\u0660\u0661\u0662\u0663",
        "+\u06f1\u06f5\u06f1\u06f4\u06f5\u06f5\u06f5\u06f0\u06f1\u06f2\u06f3",
        "+\u0967\u096b\u0967\u096a\u096b\u096b\u096b\u0966\u0967\u0968\u0969",
        "sip:+15145550123@sbc.example.com;user=phone", "sip:+15145550123@192.0.2.1:5060", "sips:+15145550123@x.example",
        "sip:%2B15145550123@example.com", "Ann <sip:+15145550123@example.com>", "+15145550123@pbx.example.com",
        "sip:+1-514-555-0123:secret@example.com", "tel:+1-514-555-0123;isub=12345", "tel:555-0123;phone-context=+1-514",
        "tel:514-555-0123;phone-context=+1", "callto:+15145550123", "\\+15145550123", "Phone: +1 514 555 0123",
        "T\u00e9l\u00e9phone : +1 514 555 0123", "Tel. +1 514 555 0123",
        '="+15145550123"', "=+15145550123", "\u2019+15145550123", "+15145550123.0", "+1.5145550123E+10",
        "1. +15145550123", "- +1 514 555 0123",
    ],
    "+442079460018": [
        "+44 20 7946 0018", "+442079460018", "+44 (0)20 7946 0018", "+44(0)2079460018", "+44 (0) 20 7946 0018",
        "0044 20 7946 0018", "00442079460018", "0044 (0)20 7946 0018", "+44-20-7946-0018", "+44 (20) 7946 0018",
        "+44 207 946 0018", "tel:+442079460018", "+44 020 7946 0018",
    ],
    "+33170189900": [
        "+33 1 70 18 99 00", "+33170189900", "+33 (0)1 70 18 99 00", "+33.1.70.18.99.00", "0033 1 70 18 99 00",
        "+33-1-70-18-99-00", "+33 01 70 18 99 00", "+33 1\u00a070\u00a018\u00a099\u00a000",
    ],
    "+4930123456": [
        "+49 30 123456", "+4930123456", "+49 (0)30 123456", "+49 (30) 123456", "+49/30/123456", "0049 30 123456",
        "+49 30 12 34 56", "+49 (0) 30 / 12 34 56", "+49-30-123456", "+49 030 123456",
    ],
    "+41446681800": ["+41 44 668 18 00", "+41446681800", "+41 (0)44 668 18 00", "0041 44 668 18 00"],
    # In Italy the zero belongs to the number.
    "+390612345678": ["+39 06 1234 5678", "+390612345678", "0039 06 12345678", "+39-06-1234-5678"],
    "+61291234567": ["+61 2 9123 4567", "+61 (0)2 9123 4567", "0061 2 9123 4567", "+61 (2) 9123 4567"],
    "+81312345678": ["+81 3-1234-5678", "+81 (0)3-1234-5678", "＋８１−３−１２３４−５６７８".replace("−", "-")],
    "+5511912345678": ["+55 11 91234-5678", "+55 (11) 91234-5678", "0055 11 91234 5678"],
    "+34912345678": ["+34 912 345 678", "+34912345678", "0034 91 234 56 78"],
    "+31201234567": ["+31 20 123 4567", "+31 (0)20 123 4567", "0031 20 1234567"],
    "+971501234567": ["+971 50 123 4567", "00971 50 123 4567"],
    "+3531234567": ["+353 1 234 567", "00353 1 234567"],
    "+18003569377": ["+1 800 FLOWERS", "+1-800-flowers", "+1 (800) FLOWERS"],
    "+3612345678": ["+36 1 234 5678", "+36 (0)1 234 5678"],
}  # fmt: skip
#: region -> E.164 -> how it is written there.
NATIONAL = {
    "CA": {"+15145550123": [
        "514 555 0123", "(514) 555-0123", "514-555-0123", "514.555.0123", "5145550123", "1 514 555 0123",
        "1-514-555-0123", "15145550123", "（514）555-0123", "'514 555 0123", "514 5550123",
    ]},
    "GB": {"+441534456789": ["01534 456789"], "+441481256789": ["01481 256789"], "+447797712345": ["07797 712345"],
           "+442079460018": ["020 7946 0018", "(020) 7946 0018", "02079460018", "020-7946-0018", "0207 946 0018"]},
    "FR": {
        "+33612345678": ["06 12 34 56 78", "06.12.34.56.78", "0612345678", "06-12-34-56-78"],
        "+33170189900": ["01 70 18 99 00"],
    },
    "DE": {"+491701234567": ["0170 1234567", "170 1234567", "1701234567.0"],
        "+4930123456": ["30123456.0", "030 123456", "030/123456", "(030) 123456", "030-123456", "030 12 34 56"]},
    "CH": {"+41446681800": ["044 668 18 00", "0446681800"]},
    "IT": {"+390612345678": ["06 1234 5678", "0612345678"]},
    "AU": {
        "+61291234567": ["(02) 9123 4567", "02 9123 4567"], "+6493771234": ["0011 64 9 377 1234"],
        "+442079460031": ["0011 44 20 7946 0031"],
    },
    "JP": {"+81312345678": ["03-1234-5678", "0312345678"]},
    "ES": {"+34912345678": ["912 345 678", "91 234 56 78"]},
    "NL": {"+31201234567": ["020 123 4567", "020-1234567"]},
    # One numbering plan and one trunk prefix for several countries.
    "US": {
        "+15145557050": ["(514) 555-7050"], "+18095550151": ["(809) 555-0151"], "+17875550152": ["(787) 555-0152"],
        "+442079460033": ["011 44 20 7946 0033"], "+14325550123": ["4325550123", "(432) 555-0123"],
        "+15145550123": ["15145550123.0", "1.5145550123E+10", "1,5145550123E+10", "15,145,550,123"],
    },
    "JE": {"+442079460050": ["020 7946 0050"]},
    "RU": {"+77272123456": ["8 (727) 212-34-56"], "+79123456701": ["8 (912) 345-67-01", "89123456701"],
           "+442079460018": ["8 10 44 20 7946 0018", "810 44 20 7946 0018"]},
    "NO": {"+4779123456": ["79 12 34 56"]},
    "FI": {"+35818123456": ["018 123456"]},
    # Calls abroad.
    "KR": {"+442079460018": ["002 44 20 7946 0018", "001 44 20 7946 0018"]},
    "SG": {"+15145557032": ["008 1 514 555 7032", "001 1 514 555 7032"], "+6493771234": ["001 64 9 377 1234"]},
    "NZ": {"+15145550123": ["00 1 514 555 0123"]},
}  # fmt: skip
#: a piece of the reason -> what is refused for it, in whatever country.
REFUSED = {
    "Begin with + and the country code": [
        "514 555 0123", "(514) 555-0123", "5145550123", "1 514 555 0123", "020 7946 0018", "06 12 34 56 78", "0123",
        "112", "911", "7", "0", "\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    ],
    "A spreadsheet has shortened": [
        "1.51455E+10", "1,51455E+10", "1.5E10", "1E+10", "4.42079E+11", "1,5E10", "1.51455e+10", "+1.51455E+10",
        "-1.5E10",
    ],
    "This has an extension": [
        "+1 514 555 0123 x12", "+1 514 555 0123 ext. 12", "+1 514 555 0123 ext 12", "+1 514 555 0123#4",
        "+1 514 555 0123 extension 4", "tel:+15145550123;ext=12", "+1 514 555 0123 X 7", "+44 20 7946 0018 EXT99",
    ],
    "has a country code and digits": [
        "++15145550123", "+1 514 555 xxxx", "+1 514 555 0123 💥", "514 555 0123 main", "(514) main", "+1_514_555_0123",
        "+1 514 555 0123\x00", "+1 514 555 O123", "+l 514 555 0123", "+1 514 555 0123 or 0124", "=15145550123",
        "+1 514 555 0123;+1 514 555 0124", "+1*514", "15145550123+", "+1,514,555,0123",
    ],
    "it has no digits": ["", " ", "+", "hello", "💥", "(main)", "anonymous", "NULL", "N/A", "#REF!"],
    "There is text after the number": ["+49 30 123456 abc", "+1 514 555 0123 (main)", "+15145550123 n/a"],
    "names no phone number": ["@15145550123", "sip:front.desk@example.com", "Ann <sip:ann@pbx.example.com>"],
    "not a digit of a phone number": ["½", "+1 514 555 01²³ text", "+49 30 123456²", "①②③④⑤⑥⑦"],
    "put + before it": ["15145550123", "442079460018", "1-800-FLOWERS", "15145550123.0", "1.5145550123E+10"],
    "an amount with a fraction": ["4930123456.25", "+4930123456.5", "1701234567,1"],
    "There may be two numbers": ["+49 30 123456/57", "+43 1 234567 / 68"],
    "The prefix for calls abroad is not clear": ["0011 64 9 123 4567", "0011 64 9 377 1234", "001 64 9 377 1234"],
    "not a possible number": [
        "+1 514 555", "+999 123456", "+1 514 555 0123 4567", "+1 514 555 0123 4567 8901", "+1", "+0 514 555 0123",
        "+44 20 7946 00189999", "+49 1", "+33 1 70", "+1 514 555 012", "00",
    ],
}  # fmt: skip


def understood():
    for e164, spellings in INTERNATIONAL.items():
        yield from ((typed, region, e164) for typed in spellings for region in ("", "CA"))
    for region, numbers in NATIONAL.items():
        yield from ((typed, region, e164) for e164, spellings in numbers.items() for typed in spellings)


def refused():
    yield from ((typed, why) for why, spellings in REFUSED.items() for typed in spellings)


@pytest.mark.parametrize(("typed", "region", "e164"), list(understood()), ids=ascii)
def test_a_number_is_understood(typed, region, e164):
    assert phones.parse(typed, region) == e164
    assert phones.from_cell(typed, region) == e164


@pytest.mark.parametrize(("typed", "why"), list(refused()), ids=ascii)
def test_what_cannot_be_understood_is_refused_with_the_reason(typed, why):
    with pytest.raises(phones.NotANumber) as refusal:
        phones.parse(typed)
    assert why in str(refusal.value)


def test_there_are_two_hundred_spellings():
    typed = {typed for typed, _region, _e164 in understood()} | {typed for typed, _why in refused()}
    assert len(typed) >= 200


@pytest.mark.parametrize("apart", [", ", "; ", " ", ","])
def test_a_long_list_on_one_line_loses_no_number(apart):
    numbers = [f"+1438557{n:04}" for n in range(1000, 1060)]
    found = number_lists.read_list(apart.join(numbers), "CA")
    assert [piece.first for piece in found] == numbers


@pytest.mark.parametrize("typed", ["+14385571000" + " " * 260 + "7", "+1438557１000" + " " * 1200 + "7"], ids=len)
def test_of_a_text_that_is_too_long_the_beginning_is_no_number(typed):
    (piece,) = number_lists.read_list(typed, "CA")
    assert (piece.first, piece.refusal) == ("", "This is longer than any phone number.")


@pytest.mark.parametrize(
    ("typed", "region", "ends"),
    [
        ("030 1234-0 bis -99", "DE", None),
        ("+43 1 2345-0 bis -99", "AT", None),
        ("040 22334-0 bis 29", "DE", None),
        ("030 123456-10 bis -19", "DE", ("+493012345610", "+493012345619")),
        ("514-555-0100 to 0119", "CA", ("+15145550100", "+15145550119")),
        ("514-555-0100 to 555-0119", "CA", ("+15145550100", "+15145550119")),
        ("+1 514-555-0100 to 5550119", "CA", ("+15145550100", "+15145550119")),
    ],
)
def test_a_range_does_not_grow_beyond_the_digits_behind_its_dash(typed, region, ends):
    (piece,) = number_lists.read_list(typed, region)
    assert ((piece.first, piece.last) if ends else piece.refusal) == (
        ends or "The last number of this range has more digits behind its dash. Write both numbers in full."
    )


@pytest.mark.parametrize(
    ("typed", "readings"),
    [
        ("49 030 223377", {"+4949030223377", "+4930223377"}),
        ("(49) 030 223366", {"+4949030223366", "+4930223366"}),
        ("490 30 223399", {"+4949030223399", "+4930223399"}),
    ],
)
def test_a_country_code_before_a_trunk_prefix_is_asked_about(typed, readings):
    for how in ("", "country"):
        with pytest.raises(phones.Unclear) as asked:
            phones.parse(typed, "DE", without_plus=how)
        assert set(asked.value.readings) == readings
    assert phones.parse(typed, "DE", without_plus="code") == min(readings, key=len)
    assert phones.parse("49 (0)30 223355", "DE") == "+4930223355"
    assert phones.parse("44 (0)20 7946 0018", "DE") == "+442079460018"


def test_a_word_is_a_number_of_its_own_only_where_words_are_usual():
    assert phones.parse("1-800-FLOWERS", "CA") == "+18003569377"
    with pytest.raises(phones.Unclear) as asked:
        phones.parse("514 PENDING", "CA")
    assert asked.value.readings == ("+15147363464",)
