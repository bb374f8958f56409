"""Text that people type: what stays, what goes, what is refused."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal import texts
from portal.fields import AddressField, LineField, LinesField, NameField
from tests.access.texts import HIDDEN, HOSTILE, LINKS, UNWRITABLE, ZALGO, is_inert

#: Names and words that people have, in many scripts.
MEANT = [
    "José Ångström", "O’Brien & Søn (2) – Büro #7", "名前 株式会社", "葛\U000e0100城", "علی\u200cرضا", "بُعْد شَدَّة",
    "क्\u200dष न्\u200cन", "ශ්\u200dරී ලංකා", "שָׁלוֹם", "ประเทศไทยที่นี่", "བསྒྲུབས", "Việt Nam Đỗ Ệ", "ᠮᠣᠩᠭᠣᠯ\u180b",
    "👩\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 ☎\ufe0e 👍🏽 👨🏽\u200d💻 🇨🇦 🏳\ufe0f\u200d🌈",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "Ω≈ç√ ½ ™ €", "A  B", "St. Gallen",
    "Booking.com", "9123-4567 Québec inc.", "a/b: c; d|e", "=1+1", "<b>",
]  # fmt: skip
anything = st.one_of(
    st.text(max_size=12),
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("".join([*HIDDEN, *MEANT, *(c for c in UNWRITABLE if len(c) == 1), ZALGO])), max_size=12),
)


@pytest.mark.parametrize("text", MEANT)
def test_what_people_write_stays_as_it_is(text):
    assert texts.line(text) == text
    assert texts.name(text) == text
    assert texts.shown(text) == " ".join(text.split())


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_what_nobody_sees_goes(hidden):
    assert texts.line(f"A{hidden}B") in ("AB", "A B")
    assert texts.line(f"{hidden}AB{hidden}") == "AB"
    assert texts.line(hidden * 3) == ""


@pytest.mark.parametrize("c", UNWRITABLE, ids=ascii)
def test_what_cannot_be_written_is_refused(c):
    with pytest.raises(ValidationError, match=r"cannot be shown"):
        texts.line(f"A{c}B")


def test_only_a_text_of_several_lines_has_several():
    assert texts.line(" one\r\ntwo\n", breaks=True) == "one\ntwo"
    for c in set(UNWRITABLE) - {"\n", "\r\n"}:
        with pytest.raises(ValidationError, match=r"Type it again\."):
            texts.line(f"A{c}B", breaks=True)


def test_marks_are_not_piled_up():
    with pytest.raises(ValidationError, match="too many accents"):
        texts.line(f"A{ZALGO}")
    assert texts.line("\u0301\u0302x") == "x"


@pytest.mark.parametrize("link", LINKS)
def test_a_name_is_no_link(link):
    with pytest.raises(ValidationError, match="cannot contain a link"):
        texts.name(f"Your line is blocked {link}")
    assert texts.line(link)


@given(anything)
@example("\u0ccd\U0001f3fd\u0ccd\u200c\ufe0f")
@example(" \u200c\u0ccd\u0301\u09cda")
@settings(max_examples=1000, deadline=None, database=None)
def test_what_is_taken_is_inert_and_taken_again_as_it_is(text):
    try:
        taken = texts.line(text)
    except ValidationError:
        taken = None
    if taken is not None:
        assert is_inert(taken)
        assert texts.line(taken) == taken
    shown = texts.shown(text)
    assert is_inert(shown.replace(texts.LOST, ""))
    assert texts.shown(shown) == shown


@given(anything, st.sampled_from(["", "http://evil.example/x", "www.evil.example", "evil.example", "a@evil.example"]))
@settings(max_examples=500, deadline=None, database=None)
def test_in_mail_a_text_is_one_short_line_without_a_link(text, link):
    said = texts.in_mail(f"{link}{text}{link}")
    assert len(said) <= 2 * texts.LONGEST_IN_MAIL
    # Between letters of a cursive script a joiner is needed.
    assert said.replace("\u200c", "").replace("\u200d", "").isprintable()
    for part in ("://", "evil.example", "@evil", "www.e"):
        assert part not in said


@pytest.mark.parametrize(
    "address",
    ['"\x01"@example.com', '"call 900"@example.com', "a@ex\u202eample.com", "a@ex\u200bample.com",
     "a@exam\u3164ple.com", "a\x00@example.com", "a@example.com\nBcc: b@example.com"],
)  # fmt: skip
def test_an_address_hides_nothing(address):
    with pytest.raises(ValidationError):
        AddressField().clean(address)


def test_an_address_that_people_have_is_taken():
    for address in ("nora.new+x@acme.example", "n@bücher.example", "o'brien@example.com"):
        assert AddressField().clean(f" {address} ") == address


@pytest.mark.parametrize("field", [LineField, NameField, LinesField])
def test_what_is_nothing_but_hidden_is_nothing(field):
    with pytest.raises(ValidationError, match="required"):
        field().clean("".join(HIDDEN))
