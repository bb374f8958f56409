"""Every list of the portal: who sees which columns, and what happens to those who ask it for something else."""

import csv
import io

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from numbers.models import PhoneNumber
from portal.exports import without_guards
from portal.paging import Cursor
from tests.access.addresses import ALL, LISTS
from tests.access.identities import IDENTITIES
from tests.access.tokens import found_in, tokens
from tests.pdf_text import shown

NUMBERS = ["Number", "Used by", "Use", "Provider", "Status"]
CUSTOMERS = ["Code", "Name", "Numbers", "Quota", "Cooling days", "Contact", "Phone", "Status"]
VARS = ["Code", "Name", "Companies", "Professionals", "Used", "Available", "Contact", "Phone", "Status"]
OF_NUMBERS = {
    "system": ["Number", "Used by", "Company", "VAR", "Use", "Provider", "Status"],
    "var": ["Number", "Used by", "Company", "Reserved for", "Use", "Provider", "Status"],
    "company": NUMBERS,
    "professional": NUMBERS,
}
#: address -> kind of account that is acted in, or *everybody* -> the columns, in order
COLUMNS = {
    "numbers:list": OF_NUMBERS,
    "numbers:as_of": OF_NUMBERS,
    "calls:systems": {"everybody": ["Name", "State", "Last heard", "Calls", "Other numbers", "Added by"]},
    "numbers:runs": {"system": ["First", "Last", "Numbers", "VAR"], "everybody": ["First", "Last", "Numbers"]},
    "accounts": {"system": VARS, "var": CUSTOMERS},
    "people": {"everybody": ["Name", "E-mail", "Role", "State", "Last sign-in"]},
    "grants": {"everybody": ["Support agent", "Account", "Permission", "Until", "Granted by"]},
    "destinations:list": {"everybody": ["Name", "Use", "Extension", "Numbers"]},
    "numbers:imports": {"everybody": ["When", "File", "Who", "Lines", "Done", "Refused", "State"]},
    "numbers:released": {"everybody": ["Number", "Provider", "When", "Who", "State", "Reason"]},
    "numbers:import_page": {"everybody": ["Line", "Number", "Verdict", "Column", "Reason", "Original"]},
    "numbers:jobs": {"everybody": ["When", "What", "Who", "Numbers", "Done", "Refused", "State"]},
    "numbers:job": {"everybody": ["Number", "Outcome", "Reason"]},
    "orders:list": {
        "var": ["Order", "When", "Company", "Who", "Numbers", "Delivered", "Failed", "State"],
        "everybody": ["Order", "When", "Who", "Numbers", "Delivered", "Failed", "State"],
    },
    "webphone:calls": {"everybody": ["Time", "Number", "Talk with", "Outcome", "Length", "Caller id"]},
    "orders:order": {"everybody": ["Number", "Provider", "Price", "Outcome", "Reason"]},
    "notices": {"everybody": ["What", "Time", "About", "Account", "State"]},
    "numbers:levels": {"everybody": ["Numbers that begin with", "Minimum", "Available", "State"]},
    "access": {"everybody": ["Who", "From", "Entered", "Ended", "Why it ended", "Reason", "Permission", "Changes"]},
    "history": {"everybody": ["Time", "Who", "From", "What", "Of", "Before and after"]},
}
#: Who looks at lists: one for each kind of account, and one who is inside, and one who only looks.
READERS = [
    "system administrator", "system support to view", "var administrator", "var support to view",
    "company administrator", "professional administrator", "system administrator in var in company",
    "system support to view in var",
]  # fmt: skip
each_list = pytest.mark.parametrize("address", LISTS, ids=lambda address: address.name)

WORDS = [
    "person__password", "-person__password", "user__password", "account__parent__contact", "password", "-password",
    "pk", "id", "number__regex", "?", "random", "name__startswith", "1; DROP TABLE accounts_person", "'", '"', "\\",
    "%", "_", "(a+)+$", "[", "\x00", "a\x00b", "\u202e", "💥" * 20, "x" * 10_000, "-" * 10, "null", "-1", "0", "1e9",
    "9" * 30, "..", "%s", "{}", "{{ 7 }}", "<b>", "ſ", "İ", "  ", "=cmd",
]  # fmt: skip


def of_workbook(answer):
    """The rows of a workbook, as texts."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.getvalue())).get_sheet_by_index(0).to_python()
    return [[str(int(cell)) if isinstance(cell, float) else cell for cell in row] for row in rows]


def rows_of(answer):
    """What identifies the rows of a page, in order."""
    listing = answer.context["listing"]
    return [row.get("id", row.get("pk")) for row in listing["rows"]]


@pytest.fixture
def unrecorded():
    """Here answers are asked for their contexts."""


@pytest.fixture
def readers(world):
    """Who sees the list, each with its path."""

    def found(address, names=READERS):
        seats = [(name, world.seat(IDENTITIES[name])) for name in names]
        return [
            (name, seat, seat.path(address))
            for name, seat in seats
            if seat.client.get(seat.path(address)).status_code == 200
        ]

    return found


@each_list
def test_each_sees_the_columns_that_are_theirs_and_no_others(readers, address):
    assert address.name in COLUMNS, f"Say in COLUMNS which columns of {address.name} are for whom."
    wanted = COLUMNS[address.name]
    for _name, seat, path in readers(address):
        columns = wanted.get(seat.account.kind) or wanted["everybody"]
        page = seat.client.get(path)
        assert [heading.heading for heading in page.context["listing"]["columns"]] == columns
        text = seat.client.get(page.context["csv_url"]).getvalue().decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text)))
        assert table[0] == columns
        assert of_workbook(seat.client.get(page.context["xlsx_url"])) == [
            columns, *([without_guards(cell) for cell in row] for row in table[1:])
        ]  # fmt: skip
        pdf = PdfReader(io.BytesIO(seat.client.get(page.context["pdf_url"]).getvalue()))
        first = shown(pdf.pages[0])
        at = first.index(columns[0])
        assert first[at : at + len(columns)] == columns


@each_list
def test_a_list_asked_for_anything_stays_in_order_and_never_breaks(readers, address):
    """Words of the ORM, patterns, NUL, ten thousand letters, in every parameter: answered as if not asked, or 4xx."""
    readers = readers(address, ["var administrator", "company administrator"])
    # Where both have the same search row, and as of a time it is that of the numbers, one asks for both.
    alike = "everybody" in COLUMNS[address.name] or address.name == "numbers:as_of"
    for name, seat, path in readers[:1] if alike else readers:
        plain = seat.client.get(path)
        order = rows_of(plain)
        # Each by itself, but for those that have nothing to say about which rows there are.
        parameters = [
            ("sort",),
            ("filter",),
            ("page",),
            ("cursor",),
            ("selected",),
            ("size", "count", "kind", "filename"),
        ]
        searched = [heading.name for heading in plain.context["listing"]["columns"]]
        for word in WORDS:
            for some in parameters:
                answer = seat.client.get(path, dict.fromkeys(some, word))
                assert answer.status_code < 500, (name, some, word)
                if answer.status_code == 200 and not {"page", "selected"} & set(some):
                    assert rows_of(answer) == order, (some, word)
            answer = seat.client.get(path, dict.fromkeys(searched, word))
            assert answer.status_code < 500, (name, word)
            assert set(rows_of(answer)) <= set(order), (name, word)


@each_list
def test_a_cursor_that_somebody_made_up_leads_to_the_beginning(readers, address):
    """In the form of ours, with a text where the sort has a number or a time."""
    _name, seat, path = readers(address, ["var administrator", "company administrator"])[0]
    for heading in seat.client.get(path).context["listing"]["columns"]:
        for texts in range(1, 5) if heading.sort_url else ():
            cursor = Cursor((0, *["x"] * texts, 0, 1)).encode(heading.name)
            answer = seat.client.get(path, {"sort": heading.name, "cursor": cursor})
            assert answer.status_code == 200, (heading.name, texts)


@each_list
def test_columns_that_are_not_ones_own_neither_sort_nor_search(readers, address):
    view = address.view.view_class
    declared = set(getattr(view, "filter_class", None).base_filters if hasattr(view, "filter_class") else ())
    declared |= {"var", "company", "reserved_for", "companies", "used"}
    for _name, seat, path in readers(address):
        page = seat.client.get(path)
        own = {heading.name for heading in page.context["listing"]["columns"]}
        for hidden in declared - own:
            for query in ({"sort": hidden}, {"sort": f"-{hidden}"}, {hidden: "nothing is called that"}):
                assert rows_of(seat.client.get(path, query)) == rows_of(page), query


@each_list
def test_a_selection_with_somebody_elses_row_in_it_is_the_own_rows(world, readers, address):
    """All of one's own rows and one, then all, of the other tree, and of another company of the same VAR: the file has
    one's own, and the page no more."""
    seats = readers(address, ["var administrator", "company administrator"])
    # The sibling has too few numbers to have any in a row.
    trees = {"var administrator": "B", "company administrator": "B" if address.name == "numbers:runs" else "BS"}
    for name, seat, path, letter in [(*one, letter) for one in seats for letter in trees[one[0]]]:
        own = rows_of(seat.client.get(path, {"size": "100"}))
        theirs = world.seat(IDENTITIES[name], letter)
        foreign = rows_of(theirs.client.get(theirs.path(address), {"size": "100"}))
        assert foreign
        assert not set(own) & set(foreign)
        export = seat.client.get(path).context["csv_url"]
        lines = [
            seat.client.get(export, {"selected": chosen}).getvalue().decode()
            for chosen in (own, [*own, foreign[0]], [*foreign, *own], foreign)
        ]
        assert len(lines[0].splitlines()) == len(own) + 1
        assert lines[0] == lines[1] == lines[2]
        assert len(lines[3].splitlines()) == 1
        book = seat.client.get(export.replace("export.csv", "export.xlsx"), {"selected": [*own, foreign[0]]})
        assert len(of_workbook(book)) == len(own) + 1
        assert not found_in("".join(lines), tokens(world.tree_of(theirs.account)))


def test_ninety_nine_own_numbers_and_one_of_somebody_else(world):
    own = [row.pk for row in world.a.rows if isinstance(row, PhoneNumber)]
    more = 99 - len(own)
    ids = own + [world.number(world.a, customer=world.a.company).pk for _turn in range(more)]
    del world.a.rows[-more:]
    seat = world.seat(IDENTITIES["var administrator"])
    foreign = world.number_of(world.b.company)
    for name in ("numbers:export_csv", "numbers:export_pdf"):
        body = seat.client.get(seat.path(ALL[name]), {"selected": [*ids, foreign.pk]}).getvalue()
        if name.endswith("csv"):
            assert len(body.splitlines()) == 100
            assert foreign.e164.encode() not in body
