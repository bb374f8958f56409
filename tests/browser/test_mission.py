"""The user's own document, sentence by sentence: what of it needs neither a change nor a telephone."""

import csv
import io
import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from accounts.models import Account
from numbers.models import PhoneNumber
from portal.phones import international
from tests.browser.conftest import refused

HEADINGS = ["Number", "Used by", "Company", "VAR", "Use", "Provider", "Status"]


@pytest.fixture
def numbers_page(sign_in):
    """Sign in and choose Phone Numbers from the main menu."""

    def open_as(email):
        page = sign_in(email)
        page.get_by_role("link", name="Phone Numbers", exact=True).last.click()
        expect(page.get_by_role("heading", name="Phone Numbers")).to_be_visible()
        return page

    return open_as


def headings(page):
    return [text.strip() for text in page.locator("table.rows thead th").all_inner_texts()]


def column(page, name):
    """The texts of one column, row by row."""
    place = headings(page).index(name) + 1
    return [row.locator("td, th").nth(place).inner_text().strip() for row in page.locator("table.rows tbody tr").all()]


def numbers(page):
    return ["+" + re.sub(r"\D", "", text) for text in column(page, "Number")]


@contextmanager
def another_list(page):
    """What is done within asks for another list: afterwards that one stands there."""
    page.locator("#list").evaluate("list => list.dataset.before = ''")
    yield
    expect(page.locator("#list:not([data-before])")).to_be_attached()


def search(page, name, text):
    field = page.get_by_role("textbox", name=name, exact=True).or_(page.get_by_role("combobox", name=name, exact=True))
    field.fill(text)
    with another_list(page):
        field.press("Enter")


def choose_filter(page, value):
    with another_list(page):
        page.get_by_label("Set Filter").select_option(value)


def sort_by(page, name):
    with another_list(page):
        page.get_by_role("link", name=name, exact=True).click()


def downloaded(page, name=None):
    page.get_by_role("button", name="CSV", exact=True).click()
    field = page.get_by_label("File name")
    shown = field.input_value()
    if name:
        field.fill(name)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    return shown, download.value.suggested_filename, list(csv.reader(io.StringIO(text)))


def test_this_page_lists_all_the_phone_numbers_assigned_and_available(numbers_page):
    page = numbers_page("system@demo.example")
    assert "400" in page.locator("#list-summary").inner_text()
    assert PhoneNumber.unscoped.filter(customer=None).exists()


def test_the_list_has_the_headings_of_the_document(numbers_page):
    assert headings(numbers_page("system@demo.example")) == HEADINGS


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        ("var@alpha.example", ["Number", "Used by", "Company", "Reserved for", "Use", "Provider", "Status"]),
        ("admin@acme.example", ["Number", "Used by", "Use", "Provider", "Status"]),
        ("pro@jane.example", ["Number", "Used by", "Use", "Provider", "Status"]),
    ],
)
def test_some_headings_are_context_specific(numbers_page, email, expected):
    assert headings(numbers_page(email)) == expected


@pytest.mark.parametrize(
    ("email", "code", "holder"),
    [
        ("var@alpha.example", "V1001", "var"),
        ("admin@acme.example", "C20001", "customer"),
        ("pro@jane.example", "P30001", "customer"),
    ],
)
def test_each_administrator_sees_the_numbers_of_their_own_account_and_no_other(numbers_page, email, code, holder):
    page = numbers_page(email)
    own = PhoneNumber.unscoped.filter(**{f"{holder}__code": code}).order_by("digits")
    assert numbers(page) == [number.e164 for number in own]


def test_only_administrator_level_users_can_handle_phone_numbers(sign_in):
    page = sign_in("user@acme.example")
    assert page.get_by_role("link", name="Phone Numbers", exact=True).count() <= 1  # the product's name alone
    with refused(page, 403):
        page.goto("/C20001/numbers/")


def test_system_administrators_can_only_view(numbers_page):
    page = numbers_page("system@demo.example")
    for path in ("/SYS/numbers/", "/SYS/numbers/15145550100/"):
        page.goto(path)
        # The one form there is leads into the accounts of the list.
        forms = page.locator("main form[method=post]:not(#enter)").count()
        words = page.locator("main").inner_text()
        assert forms == 0
        assert not re.search(r"\b(Assign|Unassign|Release|Delete|Reserve|Order)\b", words)


def test_provider_and_status_are_not_editable(numbers_page):
    page = numbers_page("var@alpha.example")
    rows = page.locator("table.rows tbody")
    assert rows.locator("input:not([type=checkbox]), select, textarea, [contenteditable]").count() == 0
    page.goto("/V1001/numbers/15145550100/")
    # What can be filled in there asks who had the number on some day.
    fields = "input:not([name=at]):not([type=hidden]), select, textarea, [contenteditable]"
    assert page.locator("main").locator(fields).count() == 0
    page.goto("/V1001/numbers/15145550100/options/")
    assert page.locator("main").locator("[name*=provider], [name*=status]").count() == 0


def test_status_is_active_once_a_call_was_received_and_pending_before(numbers_page):
    page = numbers_page("admin@acme.example")
    called = dict(PhoneNumber.unscoped.values_list("e164", "first_call_at"))
    expected = ["Active" if called[e164] else "Pending" for e164 in numbers(page)]
    assert column(page, "Status") == expected
    assert set(expected) == {"Active", "Pending"}


def test_enter_a_string_of_digits_and_press_enter(numbers_page):
    page = numbers_page("system@demo.example")
    for spelling in ("514 555", "(514) 555", "+1514555"):
        search(page, "Number", spelling)
        found = numbers(page)
        assert len(found) == 24
        assert all("1514555" in e164 for e164 in found)


def test_type_service_in_the_use_column_to_view_all_numbers_of_services(numbers_page):
    page = numbers_page("admin@acme.example")
    search(page, "Use", "Service")
    assert sorted(column(page, "Used by")) == ["Accounting fax", "Assistant line", "Front desk", "Night watch"]
    search(page, "Use", "duty agent")
    assert column(page, "Used by") == ["Night watch"]


def test_to_reset_the_search_erase_the_text_and_press_enter(numbers_page):
    page = numbers_page("admin@acme.example")
    everything = numbers(page)
    search(page, "Used by", "émile")
    assert column(page, "Used by") == ["Émile Gagné"]
    search(page, "Used by", "")
    assert numbers(page) == everything


def test_numbers_used_numbers_available_and_all(numbers_page):
    page = numbers_page("var@alpha.example")
    stock = PhoneNumber.unscoped.filter(var__code="V1001").order_by("digits")
    choose_filter(page, "used")
    assert numbers(page) == [n.e164 for n in stock.exclude(customer=None)]
    choose_filter(page, "available")
    assert numbers(page) == [n.e164 for n in stock.filter(customer=None)]
    choose_filter(page, "all")
    assert numbers(page) == [n.e164 for n in stock]


def test_click_any_heading_to_sort_and_again_to_reverse(numbers_page):
    page = numbers_page("admin@acme.example")
    for name in ("Used by", "Use", "Provider", "Status"):
        sort_by(page, name)
        ascending = numbers(page)
        texts = [text.casefold() for text in column(page, name) if text]
        if name in ("Provider", "Status"):
            assert texts == sorted(texts)
        sort_by(page, name)
        # Rows that have nothing to sort by come last in both directions.
        filled = len(texts) - texts.count("available")
        assert numbers(page) == ascending[:filled][::-1] + ascending[filled:][::-1]


def test_numbers_sort_numerically(numbers_page):
    page = numbers_page("system@demo.example")
    first = [int(e164) for e164 in numbers(page)]
    assert first == sorted(first)
    sort_by(page, "Number")
    last = [int(e164) for e164 in numbers(page)]
    assert last == sorted(last, reverse=True)
    assert last[0] == PhoneNumber.unscoped.order_by("-digits").first().digits


def test_export_one_or_several_items_to_csv_with_the_default_name(numbers_page):
    page = numbers_page("system@demo.example")
    boxes = page.locator("table.rows tbody input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(2).check()
    chosen = [numbers(page)[i] for i in (0, 2)]
    shown, saved, rows = downloaded(page)
    assert (shown, saved) == ("PhoneNumbers.csv", "PhoneNumbers.csv")
    assert rows[0] == HEADINGS
    assert [row[0] for row in rows[1:]] == chosen


def test_check_the_box_at_the_top_of_the_list_to_select_all_on_all_pages(numbers_page):
    page = numbers_page("system@demo.example")
    page.get_by_role("checkbox", name="Select all that match").check()
    expect(page.locator("#selection-text")).to_contain_text("400")
    assert page.locator("table.rows tbody input[type=checkbox]:not(:checked)").count() == 0
    _shown, _saved, rows = downloaded(page)
    everything = PhoneNumber.unscoped.order_by("digits").values_list("e164", flat=True)
    assert [row[0] for row in rows[1:]] == list(everything)


def test_a_selection_survives_paging(numbers_page):
    page = numbers_page("system@demo.example")
    page.locator("table.rows tbody input[type=checkbox]").nth(1).check()
    first = numbers(page)[1]
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#list-summary")).to_contain_text("51–100")
    page.locator("table.rows tbody input[type=checkbox]").nth(0).check()
    second = numbers(page)[0]
    _shown, _saved, rows = downloaded(page)
    assert [row[0] for row in rows[1:]] == [first, second]


def test_change_the_file_name_but_keep_the_csv_extension(numbers_page):
    page = numbers_page("admin@acme.example")
    _shown, saved, _rows = downloaded(page, "MyPhoneNumbers.csv")
    assert saved == "MyPhoneNumbers.csv"
    _shown, saved, _rows = downloaded(page, "../../etc/My numbers")
    assert saved == "My numbers.csv"


def test_the_csv_has_what_the_search_and_the_filter_left(numbers_page):
    page = numbers_page("var@alpha.example")
    choose_filter(page, "used")
    search(page, "Company", "acme")
    shown = numbers(page)
    _shown, _saved, rows = downloaded(page)
    assert [row[0] for row in rows[1:]] == shown
    assert len(shown) == 24


def test_the_pdf_opens_in_a_new_window(numbers_page):
    page = numbers_page("admin@acme.example")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="PDF", exact=True).click()
    address = opened.value.url
    assert opened.value != page
    if "export.pdf" not in address:
        opened.value.wait_for_url("**/export.pdf*")
        address = opened.value.url
    answer = page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline")
    text = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.body())).pages)
    shown = [international(e164) for e164 in numbers(page)]
    assert re.findall(r"\+1 514-555-01\d\d", text) == shown
    for said in ("Acme Corp (C20001)", "Amira Haddad", "UTC", "Page 1 of 1", "24"):
        assert said in text


def test_each_number_can_be_handed_to_the_webphone(numbers_page):
    page = numbers_page("admin@acme.example")
    with page.expect_popup() as opened:
        page.locator("table.rows tbody tr").first.get_by_role("link", name=re.compile("Dial")).click()
    phone = opened.value
    expect(phone.get_by_label("Number to call")).to_have_value("+1 514-555-0100")
    assert phone.get_by_role("link", name="Call with this device").get_attribute("href") == "tel:+15145550100"


def test_quick_search_finds_a_number_in_any_spelling(sign_in):
    page = sign_in("admin@acme.example")
    for spelling in ("+1 (514) 555-0107", "15145550107", "001 514 555 0107"):
        page.get_by_role("textbox", name="Find a number").fill(spelling)
        page.get_by_role("textbox", name="Find a number").press("Enter")
        page.wait_for_url("**/C20001/numbers/15145550107/")
    page.get_by_role("textbox", name="Find a number").fill("555.0107")
    page.get_by_role("textbox", name="Find a number").press("Enter")
    page.wait_for_url("**/C20001/numbers/?number=555.0107")
    assert numbers(page) == ["+15145550107"]


def test_everything_works_without_scripts(chromium, demo, live_server):
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("E-mail").fill("admin@acme.example")
    page.get_by_label("Password", exact=True).fill("demo-portal-2026")
    page.get_by_role("button", name="Sign in").click()
    page.goto("/C20001/numbers/")
    page.get_by_role("textbox", name="Used by", exact=True).fill("noor")
    page.get_by_role("textbox", name="Used by", exact=True).press("Enter")
    page.wait_for_url("**used_by=noor*")
    assert column(page, "Used by") == ["Noor de Vries"]
    page.locator("table.rows tbody input[type=checkbox]").first.check()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert download.value.suggested_filename == "PhoneNumbers.csv"
    context.close()
    assert Account.unscoped.filter(code="C20001").exists()
