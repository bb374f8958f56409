"""Texts that a spreadsheet would run, in both places that keep it from doing so; and names of files."""

import csv
import io
import re
import unicodedata

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from numbers.listing.cells import INERT_PARAMS, inert
from numbers.models import PhoneNumber
from portal import exports
from portal.exports import file_name
from tests.access.texts import HIDDEN, HOSTILE
from tests.factories import make_destination, make_number

RUN = [
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "%0", "|calc", "＝1", "＋1", "－1", "＠x", "％1", "｜x", "﹦1", "﹢1", "﹣1",
    "﹫x", "⁼1", "₌1", "−1",
]  # fmt: skip
BEFORE = [*HIDDEN, " ", "  ", "\t", "\n", "\r\n", "\xa0", "\u3000", '"', '" ', "\x0b", "\x01", "\u2028"]
FORMULAS = [
    *RUN,
    *(f"{before}=1" for before in BEFORE),
    "=cmd|' /C calc'!A0", "x;=1", 'x;"=1"', "x\t=1", "x\n=1", "x|=1", "x; ;\u200b＝1", "'=1", "''=1", "x;'=1",
    "|=1", ";;=1", "\t\t=1", "+15145550100 ", "+1 514 555 0100", "-5;-5",
]  # fmt: skip
HARMLESS = [
    "", "Acme", "Jean-Pierre", "a=b", "5+5", "'", "''", "O'Brien", "x, =1", "a;b", "+15145550100", "-5", "+5", "0800",
    "é=1", "(=1)", "x '=1",
]  # fmt: skip
marks = "".join([*RUN, *HIDDEN]) + "=+-@%|;'\" \t\r\n,aZ0é\u0085\u2028\U000e0041"
texts = st.one_of(st.text(st.sampled_from(marks), max_size=9), st.text(max_size=9), st.sampled_from(HOSTILE))


def in_sql(texts):
    """What the database makes of these texts."""
    with connection.cursor() as cursor:
        values = {"texts": list(texts), **INERT_PARAMS}
        statement = f"SELECT {inert('t')} FROM unnest(%(texts)s::text[]) WITH ORDINALITY AS x (t, place) ORDER BY place"
        cursor.execute(statement, values)
        return [text for (text,) in cursor.fetchall()]


def cells_of(line, delimiter):
    """The cells that a spreadsheet finds in a line, by whatever it takes for what separates them."""
    return next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter))


def begins_a_formula(cell):
    """Found out by itself: the first character that is seen, in its plain width."""
    if re.fullmatch(r"[+-]?[0-9]+", cell):
        return False
    for c in cell:
        if c == '"' or c.isspace() or unicodedata.category(c) in ("Cf", "Cc", "Zs", "Zl", "Zp") or c in "".join(HIDDEN):
            continue
        return unicodedata.normalize("NFKC", c)[0] in "=+-@%|\u2212"
    return False


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_inert_in_whatever_cell_it_ends_up(text):
    made = exports.inert(text)
    assert made != text
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["x", made, "x"])
    for delimiter in ",;\t|":
        for cell in cells_of(buffer.getvalue(), delimiter):
            assert not begins_a_formula(cell.removesuffix(",x\r\n")), (delimiter, cell)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_is_left_alone(text):
    assert exports.inert(text) == text


@pytest.mark.django_db
@settings(max_examples=400, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=1, max_size=20))
@example([*FORMULAS, *HARMLESS])
def test_the_database_and_python_make_the_same_of_every_text(some):
    some = [text for text in some if "\0" not in text and not re.search("[\ud800-\udfff]", text)]
    assert in_sql(some) == [exports.inert(text) for text in some]


@settings(max_examples=1000, deadline=None, database=None)
@given(texts)
@example("'=1")
@example("x;''=1")
def test_every_text_comes_back_from_an_export(text):
    assert exports.without_guards(exports.inert(text)) == text


@pytest.mark.parametrize(
    ("asked", "saved"),
    [
        *((name, f"_{name}.csv") for name in ("CON", "nul", "Aux", "prn", "COM1", "com9", "LPT¹", "lpt3", "CONIN$")),
        ("CON.csv", "_CON.csv"), ("con.tar.gz", "_con.tar.gz.csv"), ("NUL .x", "_NUL .x.csv"),
        ("conout$.", "_conout$.csv"), ("Console", "Console.csv"), ("COM10", "COM10.csv"), ("nullable", "nullable.csv"),
        ("...", "Numbers.csv"), (" . . ", "Numbers.csv"), ("", "Numbers.csv"), ("\u200b\u202e", "Numbers.csv"),
        ("\u202evsc.exe", "vsc.exe.csv"), ("a\u2066b\x00c\nd", "abcd.csv"), ("..\\..\\x", "x.csv"),
        ("/etc/passwd", "passwd.csv"),
        ("x.csv. . ", "x.csv"), ("x:y", "xy.csv"), ("X.CSV", "X.csv"), (".csv", "Numbers.csv"),
    ],
)  # fmt: skip
def test_a_file_has_a_name_that_every_system_takes(asked, saved):
    assert file_name(asked, "Numbers.csv", ".csv") == saved


@given(st.one_of(st.text(), texts, st.text(st.sampled_from("漢💥é. "), min_size=100, max_size=300)))
@settings(max_examples=500, deadline=None, database=None)
def test_no_name_of_a_file_is_too_long_or_hides_anything(asked):
    name = file_name(asked, "Numbers.csv", ".csv")
    assert len(name.encode()) <= 255
    assert name.endswith(".csv")
    assert name.removesuffix(".csv") == name.removesuffix(".csv").strip(" .") != ""
    assert name.isprintable()
    assert not set(name) & set('<>:"/\\|?*')


@pytest.mark.django_db
def test_a_csv_of_the_list_is_guarded_and_comes_back_unchanged(acme, alpha, signed_in):
    names = [name for name in (*FORMULAS, *HARMLESS) if name.strip() == name and name and "\0" not in name]
    for i, name in enumerate(dict.fromkeys(names)):
        make_number(destination=make_destination(acme, name), e164=f"+1514555{i:04}")
    answer = signed_in(acme).get(f"/{acme.code}/numbers/export.csv").getvalue().decode()
    rows = list(csv.reader(io.StringIO(answer, newline="")))[1:]
    stored = dict(PhoneNumber.unscoped.values_list("e164", "destination__name"))
    assert {row[0]: exports.without_guards(row[1]) for row in rows} == stored
    assert all(re.fullmatch(r"\+1514555[0-9]{4}", row[0]) for row in rows)


# Half a surrogate pair is in no text of the database, and in no file.
@given(st.lists(texts.filter(lambda text: not re.search("[\ud800-\udfff]", text)), min_size=1, max_size=4))
@settings(max_examples=300, deadline=None, database=None)
def test_a_csv_with_semicolons_is_inert_also_where_a_comma_separates_cells(cells):
    """An Excel that writes 0.5 splits the cells of such a file at their commas."""
    written = io.StringIO(newline="")
    csv.writer(written).writerow([exports.inert(cell) for cell in cells])
    (chunk,) = exports.with_semicolons(iter_of(written.getvalue()))
    (row,) = csv.reader(io.StringIO(chunk.decode(), newline=""), delimiter=";")
    assert [exports.without_guards(exports.without_guards_of_semicolons(cell)) for cell in row] == cells
    assert not [piece for cell in row for piece in cell.split(",") if begins_a_formula(piece)]


def iter_of(text):
    yield text.encode()
