"""Workbooks as they are sent: what Excel needs, what a cell may hold, and how little of them is in memory."""

import io
import re
import tracemalloc
import zipfile
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from portal.workbooks import LONGEST_TEXT, SHEET, Sheet, sheet_name, workbook

NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet(count=0, **more):
    facts = {"name": "Numbers", "headings": ["Number", "Used by"], "widths": [14, 30], "count": count}
    return Sheet(**facts | more)


def content(rows, **more):
    return b"".join(workbook(sheet(len(rows), **more), rows))


def read(data):
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def part(data, name=SHEET):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return archive.read(name).decode()


def tree(data, name=SHEET):
    return ElementTree.fromstring(part(data, name))  # noqa: S314 - it is our own


def test_a_workbook_has_its_rows_as_texts_below_a_frozen_heading_with_a_filter():
    data = content([["+15145550100", "=cmd|x"], ["+442079460000", ""]])
    assert read(data) == [["Number", "Used by"], ["+15145550100", "=cmd|x"], ["+442079460000", ""]]
    xml = part(data)
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in xml
    assert '<autoFilter ref="A1:B3"/>' in xml
    assert '<dimension ref="A1:B3"/>' in xml
    assert re.findall(r'<col min="(\d)" max="\d" width="(\d+)', xml) == [("1", "14"), ("2", "30")]
    assert "<f>" not in xml
    cells = [one for one in tree(data).iter(f"{NAMESPACE}c") if not one.get("r").endswith("1")]
    (style,) = {one.get("s") for one in cells}
    formats = list(tree(data, "xl/styles.xml").find(f"{NAMESPACE}cellXfs"))
    assert formats[int(style)].get("numFmtId") == "49"  # text


def test_a_workbook_without_rows_is_one():
    data = content([])
    assert read(data) == [["Number", "Used by"]]
    assert '<autoFilter ref="A1:B2"/>' in part(data)


def test_figures_are_numbers_and_numbers_of_phones_are_not():
    data = content([["+15145550100", "120"], ["007", "007"], ["12", "1,200"]], figures=frozenset([1]))
    assert read(data)[1:] == [["+15145550100", 120.0], ["007", "007"], ["12", "1,200"]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=5))
@example(["_x0041_", "a\rb\r\nc\nd", "\x00\x08\ufffe", " a ", "<&>'\"", "😀", "_x000D_"])
def test_a_text_is_read_as_it_was_written(texts):
    data = content([[text, "x"] for text in texts])
    cells = {}
    for one in tree(data).iter(f"{NAMESPACE}c"):
        if (inside := one.find(f"{NAMESPACE}is")) is not None:
            cells[one.get("r")] = "".join(inside.itertext())
    unwritten = [re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cells.get(f"A{at + 2}", ""))
                 for at in range(len(texts))]  # fmt: skip
    assert unwritten == texts


def test_a_text_that_no_cell_can_hold_is_cut():
    (_headings, (text, _blank)) = read(content([["x" * 40_000, "a"]]))
    assert text == "x" * (LONGEST_TEXT - 1) + "…"


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("History", "History 1"), ("a/b:c*?[d]", "a b c   d"), ("'Ours'", "Ours"), ("", "1"), ("x" * 40, "x" * 31),
    ],
)  # fmt: skip
def test_a_sheet_has_a_name_that_excel_takes(name, called):
    assert sheet_name(name) == called
    assert CalamineWorkbook.from_filelike(io.BytesIO(content([], name=name))).sheet_names == [called]


def test_a_long_list_is_sent_while_it_is_written_in_little_memory():
    asked = 0

    def rows():
        nonlocal asked
        for number in range(20_000):
            asked += 1
            yield [f"+1514{number:07}", "Émile Gagné"]

    pieces = workbook(sheet(20_000), rows())
    next(pieces)
    assert asked < 2_000
    tracemalloc.start()
    length = sum(map(len, pieces))
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert asked == 20_000
    assert length > 100_000
    assert most < 1_000_000


def test_what_broke_off_is_no_workbook():
    def rows():
        yield from [["+15145550100", "x" * 1_000]] * 500
        raise ConnectionError

    sent = []

    def read_on():
        for piece in workbook(sheet(501), rows()):
            sent.append(piece)

    with pytest.raises(ConnectionError):
        read_on()
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(sent)))
    pieces = workbook(sheet(5_000), [["+15145550100", "x" * 1_000]] * 5_000)
    begun = next(pieces)
    pieces.close()
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(begun))
