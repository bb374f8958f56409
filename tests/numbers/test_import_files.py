"""Files of numbers as other systems, spreadsheets and people make them: what is read, and what is said of the rest."""

import csv
import gzip
import io
import zipfile
from contextlib import suppress

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers.imports import NotAFile, read
from numbers.imports.containers import unpacked
from numbers.imports.records import MOST_LINES_OF_RECORD, Records
from portal.phones import WithoutPlus

OWN = {
    "number": "Number", "used_by": "Used by", "company": "Company", "reserved_for": "Reserved for", "use": "Use",
    "provider": "Provider", "status": "Status",
}  # fmt: skip
NUMBER = "+15145550123"


def understood(content: bytes, **how):
    with read(io.BytesIO(content), OWN, **how) as found:
        rows = list(found.rows)
    return found, rows


def refusal(content: bytes) -> str:
    with pytest.raises(NotAFile) as refused:
        understood(content)
    return str(refused.value)


def cell(found, rows, column, row=0):
    return rows[row][1][found.columns.index(column)]


# Headings

#: Headings of exports, with the place of the number; from what each system documents.
LAYOUTS = {
    "Telnyx": ("phone_number,status,customer_reference,tags,connection_name,phone_number_type,purchased_at", 0),
    "Telnyx console": ("PHONE NUMBER,STATUS,CONNECTION,TAGS", 0),
    "Twilio": ("Sid,Phone Number,Friendly Name,Voice URL,Trunk Sid,Status,Date Created", 1),
    "Bandwidth": ("FullNumber,City,State,RateCenter,Tier,Status,Site,SipPeer,InServiceDate", 0),
    "Bandwidth report": ("TN,City,State,Tier", 0),
    "DIDWW": ("number,description,blocked,terminated,awaiting_registration,capacity_limit,expires_at", 0),
    "voip.ms": ("did,description,note,routing,pop,cnam,e911,billing_type,next_billing", 0),
    "Flowroute": ("value,alias,number_type,rate_center,state", 0),
    "Teams": ("TelephoneNumber,OperatorId,NumberType,ActivationState,AssignedPstnTargetId,City,IsoCountryCode", 0),
    "Zoom": ("Number,Assigned To,Extension,Number Type,Capability,Carrier,Site,Area,Status", 0),
    "RingCentral": ("Phone Number,Type,Assigned To,Ext,Country,Status", 0),
    "FusionPBX": (
        "destination_type,destination_number,destination_context,destination_enabled,destination_description",
        1,
    ),
    "FreePBX": ("description,extension,cidnum,destination,privacyman,alertinfo", 1),
    "NetSapiens": ("Phone Number,Domain,Treatment,Destination,Notes,Enable", 0),
    "NetSapiens rules": ("matchrule,enabled,dial-rule-application", 0),
    "Kazoo": ("e164,account_name,account_id,state,created,used_by,carrier_module,cnam.inbound", 0),
    "CUCM": ("Device Name,Description,Device Pool,Directory Number 1,Route Partition 1,Display 1", 3),
    "ASTPP": ("DID,Country,Account,Per Minute Cost(USD),Setup Fee(USD),Call Type,Destination,Status", 0),
    "A2Billing": ("DID,FIXRATE,activated,startingdate,expirationdate", 0),
    "NetBox": ("number,tenant,region,description,provider,forward_to", 0),
    "3CX": ("Name,DID/DDI,Trunk,Destination", 1),
    "Wazo": ("firstname,lastname,email,exten,context,incall_exten,incall_context", 5),
    "Yeastar": ("DID Number,Extension Matched", 0),
    "French": ("Société;Numéro de téléphone;Libellé", 1),
    "German": ("Kunde;Rufnummer;Bezeichnung", 1),
    "Spanish": ("Empresa;Número de teléfono;Descripción", 1),
    "Italian": ("Azienda;Numero di telefono;Descrizione", 1),
    "Portuguese": ("Empresa;Número de telefone;Descrição", 1),
    "Russian": ("Номер,Описание", 0),
    "Japanese": ("電話番号,備考", 0),
}
NAMES = [
    "phone_number", "Telephone Number", "TelephoneNumber", "PhoneNumber", "DID Number", "DDI", "TN", "Phone Numbers",
    "Phone No.", "Number (E.164)", "E164 Number", "destination_number", "Rufnummer", "Numéro", "N° de téléphone",
    "Tél.",
    "Número de teléfono", "Nº", "Numero", "Telefone", "LineURI", "MSISDN", "Номер", "電話番号", "PHONE-NUMBER",
]  # fmt: skip


@pytest.mark.parametrize("system", LAYOUTS)
def test_the_number_is_found_in_what_other_systems_export(system):
    heading, place = LAYOUTS[system]
    mark = ";" if ";" in heading else ","
    cells = ["x"] * len(heading.split(mark))
    cells[place] = {"NetSapiens rules": "sip:15145550123@*", "CUCM": "\\+15145550123"}.get(system, NUMBER)
    found, rows = understood(f"{heading}\n{mark.join(cells)}\n{mark.join(cells)}\n".encode())
    assert [at for at, column in enumerate(found.columns) if column == "number"] == [place]
    assert len(rows) == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_column_of_numbers_has_many_names(name):
    found, rows = understood(f"{name},Label\n{NUMBER},x\n".encode())
    assert (found.columns, rows) == (["number", "label"], [(2, [NUMBER, "x"])])


def test_a_column_that_nobody_named_is_found_by_its_numbers():
    found, _rows = understood(b"Ruf-Nr.,Wer\n+15145550123,Ann\n+15145550124,Ben\n")
    assert found.columns == ["number", ""]
    found, _rows = understood(b"Line,Extension of it\n1,+15145550123\n2,+15145550124\n")
    assert found.columns == ["", "number"]


def test_what_carriers_call_status_type_and_person_is_no_column_of_ours():
    found, _rows = understood(b"Number,Number Type,Assigned To,Carrier,Status\n+15145550123,Toll,Ann,Zoom,Normal\n")
    assert found.columns == ["number", "", "", "provider", "status"]
    assert found.ignored == ["Number Type", "Assigned To"]


def test_lines_above_the_heading_are_named_and_not_read():
    found, rows = understood(b"Inventory as of 2024-05-01,,\n,,\nNumber,Company,Label\n+15145550123,Acme,Front\n")
    assert found.columns == ["number", "company", "label"]
    assert rows == [(4, [NUMBER, "Acme", "Front"])]
    assert any("Inventory as of 2024-05-01" in note for note in found.notes)


def test_several_columns_of_numbers_are_all_read():
    found, _rows = understood(b"Number,Phone,Label\n+15145550123,+15145550124,x\n")
    assert found.columns == ["number", "number", "label"]
    assert any("Number" in note and "Phone" in note for note in found.notes)
    found, _rows = understood(b"+15145550123;+15145550124;+15145550125")
    assert found.columns == ["number"] * 3


# Lines, quotes, delimiters


def test_a_quote_that_is_not_closed_swallows_no_line():
    others = "".join(f"+1514555{i:04},x\n" for i in range(50))
    found, rows = understood(f'Number,Notes\n+15145559000,ok\n+15145559001,"call Bob\n{others}'.encode())
    assert [cells[0] for _line, cells in rows] == ["+15145559000", "+15145559001"] + [
        f"+1514555{i:04}" for i in range(50)
    ]
    assert found.notes == ["Line 3: a quote opens and is not closed. The line is read without it."]


def test_a_quote_that_another_line_closes_swallows_no_line():
    found, rows = understood(
        b'Number,Notes\n+15145550100,"call Bob\n+15145550101,x\n+15145550102,y\n+15145550103,"z"\n'
    )
    assert [line for line, _cells in rows] == [2, 3, 4, 5]
    assert len(found.notes) == 1


def test_a_cell_of_several_lines_is_one_cell_and_lines_are_those_of_the_file():
    _found, rows = understood(b'Number,Label\n+15145550123,"Reception\nMontreal"\n12,b\n')
    assert [line for line, _cells in rows] == [2, 4]
    _found, rows = understood(b"sep=;\nNumber;Label\n+15145550123;a\n12;b\n")
    assert [line for line, _cells in rows] == [3, 4]


def test_quotes_behind_blanks_and_inside_cells_are_read():
    found, rows = understood(b'"Number", "Label"\n"+15145550123", "Sales, Montreal"\n+15145550124,"Bob" Smith\n')
    assert cell(found, rows, "label") == "Sales, Montreal"
    assert "Smith" in cell(found, rows, "label", 1)


def test_semicolons_of_addresses_are_no_delimiters():
    found, rows = understood(b"Number\nsip:+15145550123@a.example;user=phone\ntel:555-0124;phone-context=+1-514\n")
    assert found.columns == ["number"]
    assert rows[1][1] == ["tel:555-0124;phone-context=+1-514"]


def test_how_numbers_without_plus_are_written_is_seen_from_the_file():
    codes = b"Number\n15145550123\n442079460018\n4930123456\n"
    assert understood(codes)[0].without_plus == WithoutPlus.CODE
    assert understood(b"Number\n02079460018\n01534456789\n", region="GB")[0].without_plus == WithoutPlus.COUNTRY
    # Each of these is a German number as well: somebody is asked.
    assert understood(b"Number\n442079460040\n15145557041\n", region="DE")[0].without_plus == WithoutPlus.ASK
    assert understood(b"Number\n5145550123\n6135550123\n")[0].without_plus == WithoutPlus.ASK


# Encodings


def test_an_accent_far_down_is_read_like_one_at_the_top():
    lines = "".join(f"+1514558{i:04},plain label\n" for i in range(4000))
    found, rows = understood(f"Number,Label\n{lines}+15145590000,Café Émile\n".encode("cp1252"))
    assert (found.encoding, rows[-1][1][1]) == ("cp1252", "Café Émile")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Отдел продаж", "cp1251"), ("Général Gagné", "cp1252"), ("Bürö München", "cp1252"),
        ("営業部 代表電話", "cp932"),
        ("Γραφείο πωλήσεων", "cp1253"), ("قسم المبيعات", "cp1256"), ("L’été – 5 €", "cp1252"),
    ],
)  # fmt: skip
def test_the_encoding_of_other_languages_is_guessed_and_said(text, encoding):
    found, rows = understood(f"Number,Label\n+15145550123,{text}\n".encode(encoding))
    assert (rows[0][1][1], found.encoding_is_guessed) == (text, True)
    assert found.notes[0].startswith("Text is read as")


def test_another_encoding_can_be_chosen():
    content = "Number,Label\n+15145550123,Приёмная\n".encode("koi8-r")
    assert understood(content, encoding="koi8_r")[1][0][1][1] == "Приёмная"
    # What the file itself proves is not asked.
    assert understood("Number,Label\n+15145550123,é\n".encode(), encoding="koi8_r")[1][0][1][1] == "é"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-16"])
def test_unicode_is_read_with_and_without_its_mark(encoding):
    assert understood("Number,Label\n+15145550123,x\n".encode(encoding))[1] == [(2, [NUMBER, "x"])]


# Workbooks and archives


def workbook(rows, sheets=1) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for number in range(sheets):
            sheet = book.add_worksheet(f"Sheet {number}")
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return content.getvalue()


def archive(**files) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(name.replace("_", "."), text)
    return content.getvalue()


def test_a_workbook_is_read_and_its_other_sheets_are_named():
    rows = [["Inventory"], [], ["Number", "Label"], ["+15145550123", "é"], [15145550124, 7], [442079460018.0, "x"]]
    found, lines = understood(workbook(rows, sheets=2))
    assert found.columns == ["number", "label"]
    assert lines == [(4, [NUMBER, "é"]), (5, ["15145550124", "7"]), (6, ["442079460018", "x"])]
    assert "Read from the sheet: Sheet 0." in found.notes
    assert "Not read, other sheets: Sheet 1. Save one as a file of its own to import it." in found.notes


LIST = [["Rufnummer", "Name"], *([f"+4930550001{i:02}", "Anna"] for i in range(20))]
COVER = [["Customer no.", 12345678], ["Date", "2026-11-30"], ["Hotline", "+49 30 5500 0199"], *[["Terms"]] * 12]


@pytest.mark.parametrize(
    ("sheets", "read"),
    [
        ({"Deckblatt": COVER, "Nummern": LIST}, "Nummern"),
        ({"Legend": [["A", "B"]] * 5, "Numbers": LIST, "Calls": [row * 3 for row in LIST] * 3}, "Numbers"),
        ({"Empty": [], "Cover": [["Order"]], "Few": [["x"]] * 9 + [[NUMBER]]}, "Few"),
        ({"Days": [["2026-11-30"], ["30.11.2026"], ["11/30/2026"]], "Numbers": [["514 555 0123"]]}, "Numbers"),
        ({"Figures": [[12, 5000.5]] * 9, "Numbers": [[15145550123]]}, "Numbers"),
    ],
)
def test_of_a_workbook_the_sheet_with_the_numbers_is_read(sheets, read):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    found, lines = understood(content.getvalue())
    assert f"Read from the sheet: {read}." in found.notes
    assert len(lines) >= len(sheets[read]) - 1


def test_an_empty_workbook_and_one_with_a_cell_far_away_are_refused_or_read_in_little_memory():
    assert refusal(workbook([])) == "This file is empty."
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Number", NUMBER])
        sheet.write(1_048_575, 16_383, "far away")
    assert "more than can be read at once" in refusal(content.getvalue())


def test_a_packed_file_is_read():
    text = "Number,Label\n+15145550123,é\n"
    assert understood(archive(numbers_csv=text))[1] == [(2, [NUMBER, "é"])]
    assert understood(gzip.compress(text.encode()))[1] == [(2, [NUMBER, "é"])]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7\n+15145550123", "This is a PDF"), (b"<html><table>", "web page"), (b"\x89PNG\r\n", "picture"),
        (b"{\\rtf1 +15145550123}", "text document"), (b"\x1f\x8bbroken", "damaged"),
        (archive(readme_md="x"), "no CSV file"), (archive(a_csv="x", b_csv="y"), "several CSV files"),
        (archive(a_xlsx="x"), "Choose the workbook itself"), (archive(mimetype="x", x_xml="y"), "not a table"),
        (b"Number\n" + b"+15145550123 " * 100_000, "more than a million characters"),
        (b"Number,Label\n+15145550123,\x00\n", "not a text file"),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_file_of_numbers_is_refused_with_what_to_do(content, says):
    assert says in refusal(content)


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@given(
    st.sampled_from(METHODS),
    st.lists(st.tuples(st.integers(4), st.integers(0, 255)), max_size=4),
    st.one_of(st.none(), st.integers(10)),
)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_archive_damaged_anywhere_is_read_or_refused(method, changed, cut):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as whole:
        whole.writestr("numbers.csv", "".join(f"+1514555{i:04}\n" for i in range(300)))
    content = bytearray(packed.getvalue())
    for place, byte in changed:
        content[4 + place % (len(content) - 4)] = byte
    with suppress(NotAFile):  # and no other error
        understood(bytes(content[: cut and 10 + cut % len(content)]))


def test_an_archive_with_a_password_is_refused_as_that():
    content = bytearray(archive(numbers_csv="Number\n+15145550123\n"))
    # The flags of its entry, in the file and in the directory (APPNOTE 4.4.4).
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + place] |= 1
    assert "protected with a password" in refusal(bytes(content))


def test_a_full_disk_is_not_called_a_damaged_file(tmp_path):
    (tmp_path / "text").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"), unpacked(io.BytesIO(bytes(1 << 20)), tmp_path):
        pass


def test_what_unpacks_a_thousandfold_is_refused(settings):
    settings.IMPORT_BYTES = 100_000
    bomb = "+15145550123\n" * 100_000
    assert "more than can be read at once" in refusal(archive(numbers_csv=bomb))
    assert "more than can be read at once" in refusal(gzip.compress(bomb.encode()))


# Whatever the form: numbers in are numbers out.

numbers = st.lists(st.integers(0, 9_999_999).map(lambda n: f"+1514{n:07}"), min_size=1, max_size=30, unique=True)
labels = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"), exclude_characters="\u2028\u2029"), max_size=12
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    numbers=numbers,
    label=labels,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
)
def test_numbers_in_are_numbers_out(numbers, label, delimiter, end, encoding, quoting):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["Label", "Number", "Colour"])
    writer.writerows([label, number, "red"] for number in numbers)
    found, rows = understood(text.getvalue().encode(encoding))
    assert [cells[found.columns.index("number")] for _line, cells in rows] == numbers
    assert [line for line, _cells in rows] == list(range(2, len(numbers) + 2))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    numbers=numbers, place=st.integers(0, 29), kept=st.text(st.characters(codec="ascii", categories=("L",)), max_size=5)
)
def test_a_stray_quote_loses_no_number(numbers, place, kept):
    lines = [f"{number},note" for number in numbers]
    lines[place % len(lines)] = f'{numbers[place % len(lines)]},"{kept}'
    found, rows = understood(("Number,Label\n" + "\n".join(lines) + "\n").encode())
    assert [cells[0] for _line, cells in rows] == numbers
    assert len(found.notes) == 1


def test_lines_after_a_quote_that_stays_open_are_parsed_once(monkeypatch):
    """However long a file is, each open quote costs as many lines as a record may have, and not their square."""
    parsed, reader = [], csv.reader

    def counting(lines, **how):
        return reader((parsed.append(line) or line for line in lines), **how)

    monkeypatch.setattr(csv, "reader", counting)
    found = Records(iter(['+15145550100,"Acme\n', *(f"+1514556{at:04},Acme\n" for at in range(500))]), ",")
    cells = [cells for _line, cells in found]
    assert cells[0] == ["+15145550100", "Acme"]
    assert len(cells) == 501
    assert found.notes == ["Line 1: a quote opens and is not closed. The line is read without it."]
    assert len(parsed) == MOST_LINES_OF_RECORD
