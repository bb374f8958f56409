"""What a table's parts are, as programs that read a document aloud find them."""

import subprocess

import pytest
from pypdf.generic import ContentStream

from portal.pdf import Document, layout
from tests.portal.test_pdf import DOCUMENT, FIRST_PAGE, FURTHER_PAGES, MADE_AT, numbered, read


def tree(reader):
    """The element of the document."""
    (document,) = reader.root_object["/StructTreeRoot"]["/K"]
    return document.get_object()


def kids(element) -> list:
    return [kid.get_object() for kid in element["/K"]]


def marks_of(page) -> tuple[dict[int, str], list[bytes]]:
    """The kinds of what is marked on the page by number; and the operators that draw something outside of all marks."""
    found, outside, depth = {}, [], 0
    for operands, operator in ContentStream(page["/Contents"], page.pdf).operations:
        if operator in (b"BDC", b"BMC"):
            depth += 1
            if operator == b"BDC" and "/MCID" in operands[1]:
                found[operands[1]["/MCID"]] = operands[0]
        elif operator == b"EMC":
            depth -= 1
        elif operator in (b"Tj", b"TJ", b"f", b"S") and not depth:
            outside.append(operator)
    assert depth == 0
    return found, outside


def test_a_document_is_a_title_its_evidence_and_a_table_of_rows():
    rows = numbered(3)
    document = tree(read(rows, 3))
    *parts, table = kids(document)
    assert document["/S"] == "/Document"
    assert [part["/S"] for part in parts] == ["/H1", *["/P"] * (2 * len(DOCUMENT.evidence) + 6)]
    assert table["/S"] == "/Table"
    headings, *others = kids(table)
    assert [(cell["/S"], cell["/A"]["/Scope"]) for cell in kids(headings)] == [("/TH", "/Column")] * 2
    assert [[cell["/S"] for cell in kids(row)] for row in others] == [["/TH", "/TD"]] * 3
    assert kids(others[0])[0]["/A"]["/Scope"] == "/Row"


@pytest.mark.parametrize("how_many", [0, 1, FIRST_PAGE + 2 * FURTHER_PAGES, FIRST_PAGE + 2 * FURTHER_PAGES + 5])
def test_all_that_is_drawn_is_a_part_or_repeats_and_leads_to_its_element(how_many):
    reader = read(numbered(how_many), how_many)
    assert reader.root_object["/MarkInfo"]["/Marked"]
    parents = reader.root_object["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    parents = dict(zip(parents[::2], parents[1::2], strict=True))
    reached = 0
    for page in reader.pages:
        marks, outside = marks_of(page)
        assert not outside
        elements = [element.get_object() for element in parents[page["/StructParents"]].get_object()]
        assert {element["/K"]: element["/S"] for element in elements} == marks
        assert {element.raw_get("/Pg").idnum for element in elements} <= {page.indirect_reference.idnum}
        reached += len(elements)
    rows = kids(kids(tree(reader))[-1])
    assert len(rows) == how_many + 1
    assert reached == len(kids(tree(reader))) - 1 + 2 * len(rows)


def test_a_text_that_is_drawn_letter_by_letter_is_read_as_it_was_written():
    rows = [("+15145550000", "محمد عبد الله"), ("+15145550001", "Jane")]
    document = Document("Phone Numbers", "Jane", MADE_AT)
    _headings, arabic, latin = kids(kids(tree(read(rows, 2, document=document)))[-1])
    assert kids(arabic)[1]["/ActualText"] == rows[0][1]
    assert "/ActualText" not in kids(latin)[1]


def test_a_long_table_has_no_structure_and_neither_has_one_of_unknown_length(monkeypatch):
    monkeypatch.setattr(layout, "MOST_TAGGED", 5)
    for reader, is_tagged in ((read(numbered(5), 5), True), (read(numbered(6), 6), False), (read(numbered(5)), False)):
        assert ("/StructTreeRoot" in reader.root_object) == is_tagged
        assert (b"BDC" in reader.pages[0].get_contents().get_data()) == is_tagged


def test_another_reader_finds_the_rows_with_their_texts(tmp_path):
    path = tmp_path / "table.pdf"
    stream = read(numbered(450), 450).stream
    stream.seek(0)
    path.write_bytes(stream.read())
    run = subprocess.run(["pdfinfo", "-struct-text", str(path)], capture_output=True, check=True)  # noqa: S603, S607
    assert not run.stderr
    said = run.stdout.decode()
    assert said.count("TR\n") == 451
    assert '/Scope /Row\n        "+15145550449"\n      TD\n        "Name 449"' in said
