"""The streamed table: what a reader of the file sees, for any text and any number of rows."""

import io
import unicodedata
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain, count, islice
from pathlib import Path

import pytest
import reportlab
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from portal.pdf import Column, Document, Wording, fonts, layout, shaping, table_pdf, writer
from portal.pdf.shaping import FROM_RIGHT, MIRRORED, ORDERING
from tests.pdf_text import body, shown, to_unicode

VERA = Path(reportlab.__file__).parent / "fonts"
MADE_AT = datetime(2026, 5, 4, 10, 32, 5, tzinfo=timezone(timedelta(hours=-4), "EDT"))
DOCUMENT = Document(
    "Phone Numbers",
    "Jane Doe (jane@acme.example)",
    MADE_AT,
    [("Account", "C20001 Acme Corp"), ("Filter", "Company contains “north”")],
    language="en-CA",
)
COLUMNS = [Column("Number", 1), Column("Used by", 2)]
FIRST_PAGE, FURTHER_PAGES = 33, 40


def numbered(how_many: int) -> list[tuple[str, str]]:
    return [(f"+1514555{i:04}", f"Name {i}") for i in range(how_many)]


def read(rows, total=None, *, document=DOCUMENT, columns=COLUMNS, **options) -> PdfReader:
    return PdfReader(io.BytesIO(b"".join(table_pdf(document, columns, rows, total, **options))), strict=True)


def footers(reader) -> list[str]:
    return [shown(page)[-1] for page in reader.pages]


@pytest.mark.parametrize(
    ("how_many", "pages"),
    [
        (1, 1),
        (FIRST_PAGE, 1),
        (FIRST_PAGE + 1, 2),
        (FIRST_PAGE + FURTHER_PAGES, 2),
        (FIRST_PAGE + FURTHER_PAGES + 1, 3),
        (FIRST_PAGE + 3 * FURTHER_PAGES + 7, 5),
    ],
)
def test_every_row_is_there_once_and_in_order(how_many, pages):
    rows = numbered(how_many)
    reader = read(rows, how_many)
    assert list(chain.from_iterable(body(page) for page in reader.pages)) == rows
    assert footers(reader) == [f"Page {page} of {pages}" for page in range(1, pages + 1)]


def test_no_rows_make_one_page_that_says_so():
    reader = read([], 0)
    assert footers(reader) == ["Page 1 of 1"]
    assert shown(reader.pages[0])[-3:-1] == ["No rows.", "End of table · rows: 0"]


def test_every_page_has_title_evidence_and_headings():
    first, further = (shown(page) for page in read(numbered(60), 60).pages)
    assert first[: first.index("+15145550000")] == [
        "Phone Numbers",
        *("Made by", "Jane Doe (jane@acme.example)"),
        *("Account", "C20001 Acme Corp"),
        *("Filter", "Company contains “north”"),
        *("Made at", "2026-05-04 10:32:05 EDT (UTC-04:00)"),
        *("Rows", "60"),
        *("Number", "Used by"),
    ]
    assert further[: further.index(f"+1514555{FIRST_PAGE:04}")] == [
        "Phone Numbers",
        "Jane Doe (jane@acme.example) · C20001 Acme Corp · Company contains “north” · "
        "2026-05-04 10:32:05 EDT (UTC-04:00)",
        *("Number", "Used by"),
    ]


@pytest.mark.parametrize(
    ("total", "labels", "end"),
    [
        (None, ["Page 1", "Page 2", "Page 3 of 3"], "End of table · rows: 100"),
        (100, ["Page 1 of 3", "Page 2 of 3", "Page 3 of 3"], "End of table · rows: 100"),
        (
            1234,
            ["Page 1 of 32", "Page 2 of 32", "Page 3 of 3"],
            "rows: 100 (counted when this document was begun: 1,234)",
        ),
        (60, ["Page 1 of 2", "Page 2", "Page 3 of 3"], "rows: 100 (counted when this document was begun: 60)"),
        (0, ["Page 1", "Page 2", "Page 3 of 3"], "rows: 100 (counted when this document was begun: 0)"),
    ],
)
def test_a_wrong_total_is_put_right_on_the_last_page(total, labels, end):
    reader = read(numbered(100), total)
    assert footers(reader) == labels
    assert shown(reader.pages[-1])[-2].removeprefix("End of table · " if end.startswith("rows") else "") == end


def test_the_file_describes_itself():
    reader = read(numbered(1), 1)
    assert dict(reader.metadata) == {
        "/Title": "Phone Numbers",
        "/Author": "Jane Doe (jane@acme.example)",
        "/CreationDate": "D:20260504103205-04'00'",
    }
    assert reader.metadata.creation_date == MADE_AT
    assert reader.root_object["/Lang"] == "en-CA"
    assert reader.root_object["/ViewerPreferences"] == {"/DisplayDocTitle": True}
    assert {tuple(map(float, page.mediabox)) for page in reader.pages} == {(0, 0, 841.89, 595.28)}


def test_the_words_can_be_in_another_language():
    words = Wording(page_of="Page {page} de {pages}", rows="Lignes", grouping="\u202f")
    page = read([], 1234, document=Document("Numéros", "Zoé", MADE_AT, language="fr", wording=words)).pages[0]
    assert shown(page)[5:7] == ["Lignes", "1\u202f234"]
    assert shown(page)[-1] == "Page 1 de 1"


def as_shown(text: str) -> str:
    """What a reader should get for a text: composed, with controls and broken characters replaced."""
    return "".join(map(_as_shown, unicodedata.normalize("NFC", text)))


def _as_shown(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
        return " " if character.isspace() else "\ufffd"
    is_none = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    return "\ufffd" if is_none or unicodedata.category(character) == "Cs" else character


ANY_TEXT = st.text(st.characters() | st.sampled_from("()\\\r\n\0<>%/\ud800\u202e\u0301"), max_size=20)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=FIRST_PAGE))
def test_any_text_can_be_read_back(rows):
    (page,) = read(rows, len(rows), columns=[Column("Number", 1), Column("Used by", 1)]).pages
    for read_back, row in zip(body(page), rows, strict=True):
        for cell, text in zip(read_back, map(as_shown, row), strict=True):
            if FROM_RIGHT & set(map(unicodedata.bidirectional, text)):
                assert sorted(map(either_way, cell)) == sorted(map(either_way, text.translate(ORDERING)))
            else:
                assert cell in (text, text.translate(ORDERING))


def either_way(character: str) -> str:
    """A bracket and what it looks like from the other side are one."""
    return min(character, MIRRORED.get(character, character))


@settings(max_examples=30, deadline=None)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_any_text_can_be_evidence(title, author, value):
    document = Document(title, author, MADE_AT, [("Filter", value)])
    reader = read(numbered(1), 1, document=document)
    assert body(reader.pages[0]) == numbered(1)
    assert reader.metadata["/Title"] == title.encode("utf-16-be", "replace").decode("utf-16-be")


@pytest.mark.parametrize(
    "name",
    ["Émilie Tremblay", "<b>Jürgen</b> &amp; Söhne", "Zoë (sales) \\ 50%", "日本語の名前", "Ωmega Ёлка", "👋 hello"],
)
def test_a_name_is_found_by_a_reader_whether_the_font_has_it_or_not(name):
    assert name in read([("+15145550000", name)], 1).pages[0].extract_text()


def test_a_character_that_no_font_has_is_drawn_as_a_box():
    page = read([("+15145550000", "é\U00013000\ue000")], 1).pages[0]
    font = page["/Resources"]["/Font"]["/F1"].get_object()
    codes = {text: int.from_bytes(code) for code, text in to_unicode(font).items()}
    glyphs = font["/DescendantFonts"][0]["/CIDToGIDMap"].get_data()
    glyph = {text: int.from_bytes(glyphs[2 * code : 2 * code + 2]) for text, code in codes.items()}
    assert (glyph["\U00013000"], glyph["\ue000"]) == (0, 0)
    assert glyph["é"] != 0


def test_a_subset_has_the_glyphs_and_widths_of_its_font(tmp_path):
    from reportlab.pdfbase.ttfonts import TTFontFile  # noqa: PLC0415 (slow)

    text = "Aé½ÿ\u00a0 z…"
    font = read([(text, "")], 1).pages[0]["/Resources"]["/Font"]["/F1"].get_object()["/DescendantFonts"][0]
    subset_path = tmp_path / "subset.ttf"
    subset_path.write_bytes(font["/FontDescriptor"]["/FontFile2"].get_data())
    whole, subset = TTFontFile(str(VERA / "Vera.ttf")), TTFontFile(str(subset_path), charInfo=0, validate=1)
    assert subset.name == whole.name
    characters = to_unicode(read([(text, "")], 1).pages[0]["/Resources"]["/Font"]["/F1"].get_object())
    widths = {
        first + place: width
        for first, following in zip(font["/W"][::2], font["/W"][1::2], strict=True)
        for place, width in enumerate(following)
    }
    for code, character in characters.items():
        if ord(character) in whole.charWidths:
            assert widths[int.from_bytes(code)] == round(whole.charWidths[ord(character)])


def test_text_that_does_not_fit_ends_in_an_ellipsis():
    rows = [("+15145550000", "W" * 30), ("+15145550001", "i" * 100_000), ("+15145550002", "e\u0301" * 300)]
    columns = [Column("Number", 9), Column("Used by", 1)]
    cells = [name for _, name in body(read(rows, 3, columns=columns).pages[0])]
    room = (layout.TABLE_WIDTH / 10 - layout.CELL_GAP) * 1000 / layout.TEXT_SIZE
    lettering = fonts.Lettering("F1", fonts.typefaces(None)[0], shaping.REGULAR, shaping.Shelf())
    for (_, name), cell in zip(rows, cells, strict=True):
        beginning = cell.removesuffix("…")
        assert cell == beginning + "…"
        assert unicodedata.normalize("NFC", name).startswith(beginning)
        assert lettering.width(cell) <= room < lettering.width(cell + beginning[0])


def test_long_evidence_is_wrapped_and_then_cut():
    (page,) = read(numbered(1), 1, document=Document("T", "A", MADE_AT, [("Filter", "some words " * 1000)])).pages
    texts = shown(page)
    lines = texts[texts.index("Filter") + 1 : texts.index("Made at")]
    assert len([line for line in lines if line]) == fonts.LINES_A_VALUE
    assert lines[-1].endswith("…")


def test_more_characters_than_there_are_codes_become_the_replacement(monkeypatch):
    monkeypatch.setattr(fonts, "_SAFE_CODES", fonts._SAFE_CODES[:60])
    names = [chr(0xE000 + i) for i in range(FIRST_PAGE)]
    texts = shown(read([("1", name) for name in names], FIRST_PAGE).pages[0])
    cells = texts[texts.index("1") + 1 :: 2][:FIRST_PAGE]
    known = cells.index("\ufffd")
    assert 0 < known < FIRST_PAGE
    assert cells == names[:known] + ["\ufffd"] * (FIRST_PAGE - known)


def test_the_page_tree_is_nested(monkeypatch):
    monkeypatch.setattr(writer, "KIDS_PER_NODE", 3)
    for pages in (1, 3, 4, 9, 10, 28):
        rows = numbered(FIRST_PAGE + FURTHER_PAGES * (pages - 1))
        reader = read(rows, len(rows))
        assert list(chain.from_iterable(body(page) for page in reader.pages)) == rows
        assert _page_count(reader.root_object["/Pages"], limit=3) == pages


def _page_count(node, limit: int) -> int:
    if node["/Type"] == "/Page":
        return 1
    kids = [kid.get_object() for kid in node["/Kids"]]
    assert 1 <= len(kids) <= limit
    assert all(kid["/Parent"] == node for kid in kids)
    assert node["/Count"] == sum(_page_count(kid, limit) for kid in kids)
    return node["/Count"]


def test_the_first_page_leaves_before_later_rows_are_read():
    endless = ((str(i), "x") for i in count())
    first = next(table_pdf(DOCUMENT, COLUMNS, endless))
    assert first.startswith(b"%PDF-")
    assert int(next(endless)[0]) == FIRST_PAGE + FURTHER_PAGES


class _Cell(str):
    """A text that can be watched."""

    __slots__ = ("__weakref__",)


def test_rows_are_let_go_of():
    alive = weakref.WeakSet()

    def rows():
        for i in count():
            cell = _Cell(f"{i}")
            alive.add(cell)
            yield cell, _Cell("x")

    pages = table_pdf(DOCUMENT, COLUMNS, rows())
    most = 0
    for _ in islice(pages, 5):
        most = max(most, len(alive))
    assert most <= layout.CACHED_CELLS + 3 * FURTHER_PAGES


def test_documents_made_at_once_do_not_mix():
    def cells(letter: str) -> set[str]:
        reader = read([(f"{letter}{i}", "") for i in range(200)], 200)
        return {number[0] for page in reader.pages for number, _ in body(page)}

    letters = "ABCDEFGH"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(cells, letters)) == [{letter} for letter in letters]


def test_the_font_folder_is_used_when_it_holds_the_font(tmp_path):
    named = read([], 0, font_folder=tmp_path).pages[0]["/Resources"]["/Font"]
    assert named["/F2"]["/BaseFont"].endswith("+BitstreamVeraSans-Bold")
    (tmp_path / "DejaVuSans.ttf").write_bytes((VERA / "VeraIt.ttf").read_bytes())
    named = read([], 0, font_folder=tmp_path).pages[0]["/Resources"]["/Font"]
    assert [named[name]["/BaseFont"][8:] for name in ("/F1", "/F2")] == ["BitstreamVeraSans-Oblique"] * 2
    assert all(len(named[name]["/BaseFont"].split("+")[0]) == 7 for name in named)


@pytest.mark.parametrize(
    ("document", "columns"),
    [
        (DOCUMENT, []),
        (DOCUMENT, [Column("Number", 0)]),
        (Document("T", "A", datetime(2026, 5, 4)), COLUMNS),  # noqa: DTZ001
        (Document("T", "A", datetime(2026, 5, 4, tzinfo=UTC), [("Label", "value")] * 60), COLUMNS),
    ],
)
def test_what_cannot_be_a_table_is_refused_at_once(document, columns):
    with pytest.raises(ValueError, match=r"columns|zone|evidence"):
        table_pdf(document, columns, [], 0)


@pytest.mark.parametrize("row", [("+15145550000",), ("+15145550000", "x", "y")])
def test_a_row_of_another_length_is_refused(row):
    with pytest.raises(ValueError, match="zip"):
        list(table_pdf(DOCUMENT, COLUMNS, [row], 1))
