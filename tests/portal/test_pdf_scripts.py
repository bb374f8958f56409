"""Names in every script: drawn with joined letters in the right order, and copied as they were written."""

import io
import subprocess
import unicodedata

import bidi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import ArrayObject, ContentStream

from portal.pdf import Column, layout, shaping
from portal.pdf.shaping import REGULAR, fonts_for, levels
from portal.texts import isolated
from tests.pdf_text import body
from tests.portal.test_pdf import read

NAMES = {
    "Arabic": "محمد عبد الله",
    "Arabic with Latin": "شركة الاتصالات (ABC) 123",
    "Persian": "پژوهشگاه ارتباطات",
    "Urdu": "ٹیلی فون کمپنی",
    "Hebrew": "שלום עולם",
    "Hebrew with points": "שָׁלוֹם",
    "Devanagari": "नमस्ते राम कृष्ण",
    "Bengali": "বাংলা টেলিকম",
    "Tamil": "தமிழ் நிறுவனம்",
    "Telugu": "తెలుగు టెలికాం",
    "Gujarati": "ગુજરાતી ટેલિકોમ",
    "Kannada": "ಕನ್ನಡ ದೂರವಾಣಿ",
    "Malayalam": "മലയാളം ടെലികോം",
    "Thai": "ศูนย์บริการลูกค้า",
    "Lao": "ບໍລິສັດ ລາວ",
    "Khmer": "ក្រុមហ៊ុន",
    "Myanmar": "မြန်မာ ကုမ္ပဏီ",
    "Georgian": "საქართველო",
    "Armenian": "Հայաստան",
    "Ethiopic": "ኢትዮጵያ",
    "Chinese": "中国电信有限公司",
    "Japanese": "株式会社テレコム",
    "Korean": "한국전자통신",
    "emoji": "👩‍👩‍👧 Family 🇫🇷",
    "marks on Latin letters": "x̂ŷ Ŝtefan",
}


def made(rows) -> bytes:
    stream = read(rows, len(rows)).stream
    stream.seek(0)
    return stream.read()


def text_by_poppler(rows, tmp_path) -> str:
    """What a reader that nobody here wrote copies from the table."""
    path = tmp_path / "table.pdf"
    path.write_bytes(made(rows))
    run = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)  # noqa: S603, S607
    assert not run.stderr
    return run.stdout.decode()


def test_every_name_is_copied_as_it_was_written(tmp_path):
    text = text_by_poppler([("+15145550000", name) for name in NAMES.values()], tmp_path)
    # It marks where a direction begins and ends.
    text = text.translate(dict.fromkeys(range(0x202A, 0x202F)))
    missing = [script for script, name in NAMES.items() if unicodedata.normalize("NFC", name) not in text]
    # From right to left, poppler puts brackets elsewhere, and points before their letters.
    assert missing == ["Arabic with Latin", "Hebrew with points"]
    assert "شركة الاتصالات" in text


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_no_character_of_a_name_is_a_box(name):
    (page,) = read([("+15145550000", name)], 1).pages
    codes = glyphs(page)
    assert codes
    assert "0000" not in codes


def glyphs(page) -> list[str]:
    """The glyphs that the page draws with other fonts than its own, by number."""
    shown = [operands[0] for operands, operator in ContentStream(page["/Contents"], page.pdf).operations
             if operator == b"TJ"]  # fmt: skip
    return [part.original_bytes.hex() for parts in shown if isinstance(parts, ArrayObject) for part in parts
            if hasattr(part, "original_bytes")]  # fmt: skip


def test_letters_are_joined_and_marks_stand_on_their_letters():
    arabic = next(font for font in fonts_for(shaping.CHINESE, REGULAR) if font.has("م"))
    joined, alone = arabic.shaped("ممم", from_right=True), arabic.shaped("م", from_right=True)
    numbers = [letter.glyphs[0].number for letter in joined.letters]
    assert len({*numbers, alone.letters[0].glyphs[0].number}) == 4  # final, middle, initial, isolated
    thai = next(font for font in fonts_for(shaping.CHINESE, REGULAR) if font.has("ก"))
    with_mark = thai.shaped("ก้", from_right=False)
    assert with_mark.width == thai.shaped("ก", from_right=False).width
    assert len(with_mark.letters[0].glyphs + with_mark.letters[0].marks) == 2


def test_a_text_from_right_to_left_stands_so_on_the_line():
    rows = [("1", "שלום"), ("2", "Acme שלום Ltd"), ("3", "שלום (ABC) 123"), ("4", "שלום (אבג)")]
    cells = [cell for _number, cell in body(read(rows, len(rows)).pages[0])]
    assert cells == ["םולש", "Acme םולש Ltd", "123 (ABC) םולש", "(גבא) םולש"]


@settings(max_examples=300, deadline=None)
@given(st.text("abאבاب12٣([)]-+., &", max_size=12))
def test_the_order_is_that_of_another_implementation(text):
    """The library's own, in Rust, which does not say which level a character has."""
    runs = [shaping.Run(None, level, character) for character, level in zip(text, levels(text), strict=True)]
    assert "".join(run.text for run in shaping.ordered(runs)) == bidi.get_display(text)


@pytest.mark.parametrize("script", ["Arabic", "Thai", "Japanese", "Devanagari"])
def test_a_name_that_does_not_fit_is_cut_where_a_letter_ends(script):
    name = NAMES[script] * 9
    columns = [Column("Number", 9), Column("Used by", 1)]
    (page,) = read([("+15145550000", name)], 1, columns=columns).pages
    ((_number, cell),) = body(page)
    logical = cell[::-1] if script == "Arabic" else cell
    beginning = logical.removesuffix("…")
    assert logical != beginning
    assert 2 < len(beginning) < len(name)
    assert name.startswith(beginning)
    assert not unicodedata.category(name[len(beginning)]).startswith("M")
    room = (layout.TABLE_WIDTH / 10 - layout.CELL_GAP) * 1000 / layout.TEXT_SIZE
    font = next(font for font in fonts_for(shaping.place_for(name), REGULAR) if font.has(name[0]))
    assert font.shaped(beginning, from_right=script == "Arabic").width <= room


def test_chinese_characters_look_as_the_language_of_the_text_has_them():
    assert shaping.place_for("骨テ") == shaping.JAPANESE
    assert shaping.place_for("骨한") == shaping.KOREAN
    assert shaping.place_for("骨") == shaping.CHINESE
    fonts = {place: fonts_for(place, REGULAR)[-1] for place in (shaping.JAPANESE, shaping.CHINESE)}
    drawn = {place: font.shaped("骨", from_right=False).letters[0].glyphs[0].number for place, font in fonts.items()}
    assert drawn[shaping.JAPANESE] != drawn[shaping.CHINESE]


def test_a_document_has_of_a_font_what_it_shows():
    plain, japanese = (len(made([("+15145550000", name)])) for name in ("Jane", NAMES["Japanese"]))
    assert japanese < plain + 100_000  # the font has 32 MB


def test_without_the_fonts_a_name_is_boxes_and_copied_all_the_same(monkeypatch):
    for kept in (shaping.paths, shaping.fonts_for):
        kept.cache_clear()
    monkeypatch.setattr(shaping, "PACKAGES", ())
    try:
        (page,) = PdfReader(io.BytesIO(made([("+15145550000", NAMES["Japanese"])]))).pages
        assert body(page) == [("+15145550000", NAMES["Japanese"])]
        assert "/S1" not in page["/Resources"]["/Font"]
    finally:
        for kept in (shaping.paths, shaping.fonts_for):
            kept.cache_clear()


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\u202eevil\u202c", "evil Ltd"), ("\u2067abc\u2069", "abc Ltd"), ("\u202eab\u202cשל", "abלש Ltd")],
)
def test_a_name_cannot_turn_what_stands_beside_it(name, shown):
    (page,) = read([("+15145550000", f"{name} Ltd")], 1).pages
    assert [cell.translate(shaping.ORDERING) for _number, cell in body(page)] == [shown]


def test_what_is_isolated_does_not_turn_what_stands_around_it():
    old, new = isolated("חדש אחד"), isolated("ישן (2)")
    (page,) = read([("+15145550000", f"name: {old} → {new} <a@b.example>")], 1).pages
    assert body(page) == [("+15145550000", "name: דחא שדח → (2) ןשי <a@b.example>")]
    assert isolated("Jane (2)") == "Jane (2)"
