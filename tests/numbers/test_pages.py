"""The pages of numbers over HTTP: bad input, names of files, what a row shows, how many queries it takes."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone
from pypdf import PdfReader

from tests.factories import make_destination, make_number, make_person, make_provider

pytestmark = pytest.mark.django_db
COLUMNS = ["number", "used_by", "company", "reserved_for", "use", "provider", "status"]
HOSTILE = [
    "\0",
    "a\0b",
    "x" * 10_000,
    "%",
    "_",
    "\\",
    "'; DROP TABLE x; --",
    "<script>",
    "\ud800",
    "💥",
    "ＳＡＬＥＳ",
    "\r\n",
]


@pytest.fixture
def alpha_pages(alpha, signed_in):
    make_number(var=alpha, e164="+15145550100")
    client = signed_in(alpha)
    return lambda path="", **query: client.get(f"/{alpha.code}/numbers/{path}", query)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_search_gets_a_page(alpha_pages, column, text):
    if text == "\ud800":
        text = "�"
    response = alpha_pages(**{column: text})
    assert response.status_code == 200
    assert b"<script>alert" not in response.content


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"number": "abc"}, "letters cannot be searched here"),
        ({"number": "\0"}, "cannot be searched"),
        ({"number": "514 555 0100 to 0119"}, "Begin with + and the country code"),
        ({"number": "+1 514 555 0119 to 0100"}, "comes after the first"),
        ({"number": "+1 514 555 0100 to Bob"}, "ends with a number"),
        ({"used_by": "x" * 101}, "100 characters at most"),
        ({"status": "sleeping"}, "Choose from: Active, Pending"),
        ({"use": "robot"}, "There is no such name here"),
    ],
)
def test_a_search_that_is_not_understood_shows_why_and_no_rows(alpha_pages, query, sentence):
    response = alpha_pages(**query)
    assert sentence in response.text
    assert "could not be understood" in response.text
    assert "+15145550100" not in response.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"sort": "password"}, "cannot be sorted by that"),
        ({"sort": "-var__password"}, "cannot be sorted by that"),
        ({"size": "1000000000"}, "25, 50 or 100 rows"),
        ({"size": "-1"}, "25, 50 or 100 rows"),
        ({"filter": "stolen"}, "no such filter"),
        ({"cursor": "garbage"}, "broken or too old"),
        ({"page": "0"}, "numbered from 1"),
        ({"page": "²"}, "numbered from 1"),
        ({"page": "999999"}, "fewer pages"),
    ],
)
def test_an_address_that_is_wrong_shows_the_list_and_a_sentence(alpha_pages, query, sentence):
    response = alpha_pages(**query)
    assert response.status_code == 200
    assert sentence in response.text
    assert "+15145550100" in response.text


def test_a_page_number_may_be_any_digits(alpha_pages):
    assert alpha_pages(page="9" * 400).status_code == 200


@pytest.mark.parametrize(
    ("asked", "saved"),
    [
        ("", "PhoneNumbers.csv"),
        ("My numbers.csv", "My numbers.csv"),
        ("My numbers", "My numbers.csv"),
        ("../../etc/passwd", "passwd.csv"),
        ("C:\\temp\\x.CSV", "x.csv"),
        ("a\r\nSet-Cookie: x=1", "aSet-Cookie x=1.csv"),
        ("...", "PhoneNumbers.csv"),
        ("\u202egnp.exe", "gnp.exe.csv"),
    ],
)
def test_a_csv_is_saved_under_a_safe_name(alpha_pages, asked, saved):
    header = alpha_pages("export.csv", filename=asked)["Content-Disposition"]
    assert header == f'attachment; filename="{saved}"'


def test_a_name_with_accents_is_kept(alpha_pages):
    header = alpha_pages("export.csv", filename="Numéros.csv")["Content-Disposition"]
    assert header == "attachment; filename*=utf-8''Num%C3%A9ros.csv"


@pytest.mark.parametrize(
    ("asked", "saved"),
    [("", "PhoneNumbers.xlsx"), ("Mine.csv", "Mine.xlsx"), ("Mine.XLSX", "Mine.xlsx"), ("../a", "a.xlsx")],
)
def test_a_workbook_is_saved_under_a_safe_name(alpha_pages, asked, saved):
    answer = alpha_pages("export.xlsx", filename=asked)
    assert answer["Content-Disposition"] == f'attachment; filename="{saved}"'
    assert answer["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer.getvalue().startswith(b"PK")


def test_a_list_that_no_workbook_holds_is_refused_with_what_to_do(alpha_pages, monkeypatch):
    monkeypatch.setattr("portal.downloads.MOST_ROWS", 0)
    answer = alpha_pages("export.xlsx")
    assert answer.status_code == 422
    assert "Choose CSV, or narrow the list." in answer.text


@pytest.mark.parametrize(
    ("wish", "begins"),
    [
        ("", "\ufeffNumber,Used by,"), ("yes", "\ufeffNumber,Used by,"), ("no", "Number,Used by,"),
        ("semicolon", "\ufeffNumber;Used by;"), ("anything", "Number,Used by,"),
    ],
)  # fmt: skip
def test_a_csv_is_made_for_whom_it_is_wanted(alpha_pages, wish, begins):
    text = alpha_pages("export.csv", excel=wish).getvalue().decode()
    assert text.startswith(begins)
    assert text.count("\n") == text.count("\r\n") > 1


@pytest.mark.parametrize("kind", ["csv", "xlsx", "pdf"])
def test_an_export_of_what_was_not_understood_is_refused(alpha_pages, kind):
    assert alpha_pages(f"export.{kind}", number="abc").status_code == 422
    assert alpha_pages(f"export.{kind}", sort="password").status_code == 422


def test_the_pdf_has_the_rows_and_says_who_where_what_and_when(alpha, acme, signed_in):
    make_number(destination=make_destination(acme, "Łucja (Ω) <b>"), e164="+442079460000", active=True)
    make_number(var=alpha, e164="+15145550100")
    response = signed_in(alpha).get(f"/{alpha.code}/numbers/export.pdf", {"sort": "-number"})
    assert response["Content-Disposition"] == 'inline; filename="PhoneNumbers.pdf"'
    text = PdfReader(io.BytesIO(response.getvalue())).pages[0].extract_text()
    assert text.index("+44 20 7946 0000") < text.index("+1 514-555-0100")
    for said in (
        "Alpha Telecom",
        alpha.code,
        "All",
        "sorted by Number, descending",
        "Łucja (Ω) <b>",
        "UTC",
        "Page 1 of 1",
    ):
        assert said in text


def test_a_row_shows_what_holds_a_number_back(alpha, acme, signed_in):
    soon = timezone.now() + timedelta(days=2)
    make_number(var=alpha, reserved_for=acme, reserved_until=soon)
    make_number(var=alpha, last_holder=acme, cooling_until=soon)
    text = signed_in(alpha).get(f"/{alpha.code}/numbers/").text
    assert text.count("Reserved until") == 1
    assert text.count("Cooling until") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_takes_six_queries_at_any_size(alpha, signed_in, rows, django_assert_num_queries):
    for _ in range(rows):
        make_number(var=alpha)
    client = signed_in(alpha)
    with django_assert_num_queries(6):  # session, person with account; BEGIN, scope, numbers, COMMIT
        client.get(f"/{alpha.code}/numbers/")


def test_text_that_people_typed_is_shown_as_text(acme, signed_in):
    make_number(destination=make_destination(acme, "<img src=x onerror=alert(1)>"))
    text = signed_in(acme).get(f"/{acme.code}/numbers/").text
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_numbers_are_written_as_the_person_wants(acme, client):
    make_number(customer=acme, e164="+15145550100")
    client.force_login(make_person(acme, role="administrator", number_format="national"))
    text = client.get(f"/{acme.code}/numbers/").text
    assert "(514) 555-0100" in text
    assert 'data-e164="+15145550100"' in text


@pytest.mark.parametrize("typed", ["15145550100", "+1 (514) 555-0100", "０１５１４５５５０１００"[1:], "514.555.0100"])
def test_quick_search_leads_to_the_number(alpha_pages, alpha, typed):
    assert alpha_pages("find/", q=typed).url == f"/{alpha.code}/numbers/15145550100/"


def test_quick_search_leads_to_the_list_where_several_match_or_none(alpha_pages, alpha):
    make_number(var=alpha, e164="+15145550101")
    assert alpha_pages("find/", q="514555").url == f"/{alpha.code}/numbers/?number=514555"
    assert "number=%2B15145550100+to+0101" in alpha_pages("find/", q="+15145550100 to 0101").url
    assert alpha_pages("find/").url == f"/{alpha.code}/numbers/"


def test_quick_search_knows_of_no_number_of_others(alpha_pages, alpha, bravo):
    make_number(var=bravo, e164="+15145550199")
    assert alpha_pages("find/", q="+15145550199").url == f"/{alpha.code}/numbers/?number=%2B15145550199"


@pytest.mark.parametrize("fixture", ["system", "alpha", "acme", "jane"])
def test_every_account_has_a_home_even_without_numbers(request, signed_in, fixture):
    account = request.getfixturevalue(fixture)
    response = signed_in(account).get(f"/{account.code}/")
    assert response.status_code == 200
    make_number(**{"var": account} if fixture == "alpha" else {} if fixture == "system" else {"customer": account})
    assert signed_in(account).get(f"/{account.code}/numbers/").status_code == 200


@pytest.mark.parametrize(
    ("use", "active", "voice", "fax"),
    [
        (("user", ""), False, "on, no traffic seen yet", "on, no traffic seen yet"),
        (("user", ""), True, "on, seen working", "on, no traffic seen yet"),
        (("service", "fax"), True, "on, no traffic seen yet", "on, seen working"),
    ],
)
def test_a_feature_works_once_traffic_has_shown_it(acme, signed_in, use, active, voice, fax):
    provider = make_provider("Faxline")
    type(provider).objects.filter(pk=provider.pk).update(supports_fax=True)
    number = make_number(destination=make_destination(acme, "It", *use), active=active, provider=provider, fax=True)
    text = signed_in(acme).get(f"/{acme.code}/numbers/{number.digits}/").text
    said = {name: text.partition(f"{name} <span>")[2].partition("</span>")[0] for name in ("Voice", "SMS", "Fax")}
    assert said == {"Voice": voice, "SMS": "not offered by the provider", "Fax": fax}
