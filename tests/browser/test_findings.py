"""Wrong turns that somebody took who did a day's work in the portal, each of which is closed."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Account
from numbers.models import Destination, PhoneNumber
from tests.browser.conftest import refused
from tests.factories import make_number

FIRST_BOX = "#list [name=selected]"


@pytest.fixture
def var(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/")
    return page


def chosen(page):
    return page.locator("#selection-text")


def test_enter_in_the_file_name_saves_the_file(var):
    for path in ("/V1001/numbers/", "/V1001/accounts/", "/V1001/history/"):
        var.goto(path)
        var.get_by_role("button", name="CSV", exact=True).click()
        with var.expect_download() as download:
            var.keyboard.type("Mine")
            var.keyboard.press("Enter")
        assert download.value.suggested_filename == "Mine.csv"
        expect(var.locator("#csv-dialog")).to_be_hidden()


def test_a_click_with_shift_selects_what_lies_between(var):
    boxes = var.locator(FIRST_BOX)
    boxes.nth(1).check()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(chosen(var)).to_have_text("6 selected numbers")
    boxes.nth(3).click(modifiers=["Shift"])
    expect(chosen(var)).to_have_text("2 selected numbers")


def test_shift_and_j_select_on_the_way(var):
    var.keyboard.press("j")
    for _turn in range(3):
        var.keyboard.press("Shift+J")
    expect(chosen(var)).to_have_text("4 selected numbers")


def test_all_but_one_and_only_this_page(var):
    every = PhoneNumber.unscoped.filter(var__code="V1001").count()
    var.goto("/V1001/numbers/?size=25")
    var.get_by_role("checkbox", name="Select all that match").check()
    expect(chosen(var)).to_have_text(f"All {every} numbers selected")
    var.locator(FIRST_BOX).nth(2).uncheck()
    expect(chosen(var)).to_have_text("All numbers but 1 selected")
    left_out = var.locator("#list tbody th [data-e164]").nth(2).get_attribute("data-e164")
    var.get_by_role("button", name="CSV", exact=True).click()
    with var.expect_download() as download:
        var.keyboard.press("Enter")
    text = download.value.path().read_text()
    assert len(text.splitlines()) == every
    assert left_out not in text
    var.locator("#verbs summary").click()
    var.get_by_role("button", name="Options", exact=True).click()
    expect(var.get_by_role("heading", name=f"Options: {every - 1} numbers")).to_be_visible()
    var.go_back()
    var.get_by_role("button", name="Only this page").click()
    expect(chosen(var)).to_have_text("25 selected numbers")


def test_select_all_says_exactly_how_many(var, monkeypatch):
    monkeypatch.setattr("portal.pages.BOUND", 10)
    monkeypatch.setattr("portal.paging.BOUND", 10)
    every = PhoneNumber.unscoped.filter(var__code="V1001").count()
    var.goto("/V1001/numbers/?size=25")
    expect(var.locator("#list-summary")).to_contain_text("more than")
    var.get_by_role("checkbox", name="Select all that match").check()
    expect(chosen(var)).to_have_text(f"All {every} numbers selected")
    var.get_by_role("button", name="CSV", exact=True).click()
    expect(var.locator("#csv-what")).to_have_text(f"All {every} numbers that match")


def test_what_a_job_was_started_with_is_selected_no_longer(var):
    var.goto("/V1001/numbers/?filter=available")
    for place in (0, 1):
        var.locator(FIRST_BOX).nth(place).check()
    var.locator("#verbs summary").click()
    var.get_by_role("button", name="Assign", exact=True).click()
    var.get_by_label("Customer").fill("C20001")
    var.get_by_role("button", name="Assign", exact=True).click()
    var.get_by_role("link", name="Back to the list").click()
    expect(var.locator("#selection")).to_be_hidden()
    assert var.locator("#list [name=selected]:checked").count() == 0


def test_who_assigns_more_than_the_quota_is_told(var):
    Account.unscoped.filter(code="C20001").update(number_quota=24)
    free = PhoneNumber.unscoped.filter(var__code="V1001", customer=None, reserved_for=None).first()
    var.goto(f"/V1001/numbers/{free.digits}/assign/")
    var.get_by_label("Customer").fill("C20001")
    var.get_by_role("button", name="Assign", exact=True).click()
    expect(var.get_by_text("Acme Corp now has 25 numbers; its quota is 24.")).to_be_visible()


def test_acting_on_many_says_what_acting_on_one_says(var):
    var.goto("/V1001/numbers/?company=acme")
    for place in range(3):
        var.locator(FIRST_BOX).nth(place).check()
    shown = var.locator("#list tbody th [data-e164]").all_inner_texts()[:3]
    var.locator("#verbs summary").click()
    var.get_by_role("button", name="Unassign", exact=True).click()
    main = var.locator("main")
    expect(main).to_contain_text("In use: 3 are with a customer.")
    expect(main).to_contain_text("Numbers that ring somebody stop ringing")
    expect(main.locator("tbody th")).to_have_text(shown)
    expect(main.locator("tbody tr").first).to_contain_text("Acme Corp, Front desk")
    expect(var.get_by_role("button", name="Unassign 3 numbers")).to_have_class(re.compile("btn-danger"))


def test_a_professional_lets_an_ordered_number_ring(sign_in):
    page = sign_in("pro@jane.example")
    free = PhoneNumber.unscoped.filter(customer__code="P30001", destination=None).first()
    page.goto(f"/P30001/numbers/{free.digits}/")
    page.get_by_role("link", name="Assign", exact=True).click()
    page.get_by_label("Destination").fill("Jane Doe")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("rings Jane Doe now.")).to_be_visible()


def test_company_and_var_lead_in_from_the_page_of_a_number_and_its_whole_history_is_there(sign_in):
    page = sign_in("system@demo.example")
    page.goto("/SYS/numbers/15145550100/")
    page.get_by_role("link", name="Everything in the history").or_(page.get_by_text("Nothing has happened")).wait_for()
    page.get_by_role("button", name="Acme Corp").click()
    page.wait_for_url("**/C20001/numbers/")
    page.goto("/C20001/numbers/15145550100/options/")
    page.get_by_label("Label").fill("Front")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Leave").click()
    page.wait_for_url("**/SYS/numbers/15145550100/")
    page.get_by_role("link", name="Everything in the history").click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    expect(page.locator("#list tbody tr").first).to_contain_text("+1 514-555-0100")


def test_the_way_back_from_a_number_keeps_the_search(var):
    var.goto("/V1001/numbers/?company=acme&sort=-number")
    var.locator("#list tbody th a").first.click()
    var.get_by_role("link", name="All phone numbers").click()
    var.wait_for_url("**company=acme&sort=-number")


def test_support_finds_a_number_in_the_accounts_that_were_granted(sign_in):
    page = sign_in("support@demo.example")
    page.locator("#find-number").fill("514 555-0101")
    page.get_by_role("button", name="Find", exact=True).click()
    row = page.get_by_role("row", name=re.compile("514-555-0101"))
    expect(row).to_contain_text("Alpha Telecom")
    row.get_by_role("button", name=re.compile("^Enter Alpha Telecom")).click()
    page.wait_for_url("**/V1001/numbers/15145550101/")
    page.get_by_role("button", name="Leave").click()
    page.locator("#find-number").fill("20 7946")  # Bravo's, which is not granted
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_text("No account that was granted to you has such a number.")).to_be_visible()


def test_blanks_come_last_in_both_directions(sign_in):
    page = sign_in("system@demo.example")
    for name, heading in (("used_by", "Used by"), ("company", "Company"), ("use", "Use")):
        for sort in (name, f"-{name}"):
            page.goto(f"/SYS/numbers/?sort={sort}")
            cells = page.locator(f"#list tbody [data-heading='{heading}']").all_inner_texts()
            assert cells[0] not in ("", "Available"), sort


def test_what_is_refused_inside_an_account_keeps_the_menu_the_banner_and_the_way_out(sign_in):
    page = sign_in("support@demo.example")
    page.get_by_role("button", name="Enter Alpha Telecom").click()
    with refused(page, 403):
        page.goto("/V1001/numbers/15145550100/unassign/")
    expect(page.get_by_text("You may view Alpha Telecom and change nothing.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.get_by_role("button", name="Leave").click()
    page.wait_for_url("**/SYS/")


def test_menus_close_with_escape_and_a_click_beside_and_go_by_arrow_keys(var):
    summary, menu = var.locator("#verbs summary"), var.locator("#verbs")
    summary.click()
    var.keyboard.press("ArrowDown")
    expect(var.get_by_role("button", name="Assign", exact=True)).to_be_focused()
    var.keyboard.press("End")
    expect(var.locator("#verbs .menu-item").last).to_be_focused()
    var.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(summary).to_be_focused()
    summary.click()
    var.get_by_role("heading", name="Phone Numbers").click()
    expect(menu).not_to_have_attribute("open", "")


def test_the_slash_goes_where_it_is_printed_and_f_searches_the_list(var):
    var.keyboard.press("/")
    expect(var.locator("#quick-search")).to_be_focused()
    var.locator("#main").focus()
    var.keyboard.press("f")
    expect(var.locator("#search-number")).to_be_focused()


@pytest.mark.parametrize("width", [390, 768, 1024, 1280, 1440])
def test_selecting_moves_no_row_and_actions_stay_in_sight(var, width):
    var.set_viewport_size({"width": width, "height": 900})
    var.goto("/V1001/numbers/?number=514")
    row = var.locator("#list tbody tr").nth(3)
    before = row.bounding_box()["y"]
    var.locator(FIRST_BOX).first.check()
    assert row.bounding_box()["y"] == before
    var.locator(FIRST_BOX).nth(20).scroll_into_view_if_needed()
    for seen in (chosen(var), var.locator("#verbs summary"), var.get_by_role("button", name="CSV", exact=True)):
        expect(seen).to_be_in_viewport()


def test_an_order_in_the_history_reads_as_people_write_it(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/numbers/order/?area=%2B1416&count=2")
    page.get_by_role("button", name="Put into the basket").click()
    page.locator("#basket").get_by_role("link", name="Order", exact=True).click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name=re.compile("^Order [0-9]+$"))).to_be_visible()
    page.goto("/C20001/history/")
    row = page.locator("#list tbody tr").filter(has_text=re.compile(r"Order \d+")).filter(has_text="numbers:")
    expect(row).to_contain_text(re.compile(r"\+1 416-555-01\d\d, \+1 416-555-01\d\d"))
    expect(row).not_to_contain_text("[")


def test_numbers_that_were_added_are_shown(var):
    var.goto("/V1001/numbers/add/")
    var.get_by_label("Numbers", exact=True).fill("+1 613 260 6000 - 6019")
    var.get_by_label("Provider").select_option(label="Northline")
    var.get_by_role("button", name="Add", exact=True).click()
    expect(var.get_by_text("20 numbers are added.")).to_be_visible()
    expect(var.locator("#list tbody tr")).to_have_count(20)
    expect(var.locator("#list tbody tr").first).to_contain_text("Available")


def test_countries_are_chosen_by_their_names(var):
    var.goto("/V1001/numbers/add/")
    texts = var.locator("select[name=region] option").all_inner_texts()
    assert texts[0] == "Canada +1"  # the account's own
    assert texts[2:5] == ["Afghanistan +93", "Åland Islands +358", "Albania +355"]
    assert "Switzerland +41" in texts


def test_numbers_are_reserved_for_thirty_days_without_a_date(var):
    free = PhoneNumber.unscoped.filter(var__code="V1001", customer=None, reserved_for=None).first()
    var.goto(f"/V1001/numbers/{free.digits}/reserve/")
    var.get_by_label("Customer").fill("C20001")
    var.get_by_label("For", exact=True).select_option("90 days")
    var.get_by_role("button", name="Reserve", exact=True).click()
    expect(var.get_by_text("is reserved for Acme Corp.")).to_be_visible()
    free.refresh_from_db()
    assert 89 <= (free.reserved_until - free.since).days <= 90


def test_a_caller_name_that_is_too_long_is_said_and_not_cut(var):
    number = PhoneNumber.unscoped.filter(var__code="V1001").first()
    var.goto(f"/V1001/numbers/{number.digits}/options/")
    var.get_by_label("Caller name").fill("Jane Doe Consulting Inc")
    with refused(var, 422):
        var.get_by_role("button", name="Save").click()
    expect(var.get_by_label("Caller name")).to_have_value("Jane Doe Consulting Inc")
    expect(var.locator(".problem, .errorlist").first).to_contain_text("15")


def test_a_new_destination_is_given_a_number_on_its_page(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/destinations/add/")
    page.get_by_label("Name").fill("Lobby")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name=re.compile("^Assign ")).first.click()
    expect(page.get_by_text("rings Lobby now.")).to_be_visible()
    assert PhoneNumber.unscoped.filter(destination=Destination.unscoped.get(name="Lobby")).count() == 1


def test_the_name_of_an_account_opens_its_page_and_enter_enters(var):
    var.goto("/V1001/accounts/")
    var.get_by_role("link", name="Acme Corp").click()
    expect(var.get_by_role("heading", name="Acme Corp")).to_be_visible()
    expect(var.locator(".stock")).to_contain_text("24")
    expect(var.get_by_label("Number quota")).to_be_hidden()
    var.get_by_text("Edit", exact=True).click()
    expect(var.get_by_label("Number quota")).to_be_visible()
    var.get_by_role("link", name="All accounts").click()
    var.get_by_role("button", name="Enter Acme Corp").click()
    var.wait_for_url("**/C20001/numbers/")
    assert Account.unscoped.filter(code="C20001").exists()


def test_home_says_what_waits(sign_in, var):
    var.goto("/V1001/")
    expect(var.get_by_role("heading", name="Needs your attention")).to_be_visible()
    expect(var.get_by_role("heading", name="Go to")).to_have_count(0)


@pytest.mark.parametrize(
    ("topic", "sentence"),
    [
        ("user-types", "Professional: one person with an account of their own"),
        ("roles", "Only administrator-level users can handle phone numbers."),
        ("direct-access", "as if you were its administrator"),
        ("var-help", "You look after a stock of phone numbers"),
    ],
)
def test_the_help_has_the_topics_that_the_document_names(var, topic, sentence):
    var.goto(f"/V1001/help/{topic}/")
    expect(var.locator("article")).to_contain_text(sentence)


def test_a_row_offers_what_can_be_done_to_its_number_and_leads_back(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/numbers/?filter=available")
    rows = page.locator("#list tbody tr")
    number = rows.nth(1).locator("[data-e164]").inner_text()
    rows.nth(1).hover()
    acts = page.locator(".row-acts")
    expect(acts.get_by_role("link")).to_have_text(["Assign", "Options"])
    acts.get_by_role("link", name=f"Assign {number}").click()
    page.get_by_label("Destination").fill("Front desk")
    page.keyboard.press("Enter")
    page.wait_for_url("**/C20001/numbers/?filter=available")
    expect(page.get_by_text("rings Front desk now.")).to_be_visible()
    expect(page.locator("#list tbody").get_by_text(number)).to_have_count(0)


def test_the_actions_of_a_row_are_reached_and_left_by_keys(var):
    var.goto("/V1001/numbers/?company=acme")
    var.keyboard.press("j")
    var.keyboard.press("a")
    expect(var.get_by_role("link", name=re.compile(r"^Unassign \+1"))).to_be_focused()
    var.keyboard.press("Escape")
    expect(var.locator(".row-acts")).to_have_count(0)
    expect(var.locator("#list tbody th a").first).to_be_focused()
    var.keyboard.press("a")
    var.keyboard.press("Enter")
    var.get_by_role("link", name="Cancel").click()
    var.wait_for_url("**/V1001/numbers/?company=acme")


def test_a_row_that_is_pointed_at_moves_no_other(var):
    var.goto("/V1001/numbers/")
    rows = var.locator("#list tbody tr")
    places = [rows.nth(place).bounding_box()["y"] for place in (0, 3, 9)]
    rows.nth(3).hover()
    expect(rows.nth(3).locator(".row-acts")).to_be_visible()
    assert [rows.nth(place).bounding_box()["y"] for place in (0, 3, 9)] == places
    rows.nth(9).hover()
    expect(var.locator(".row-acts")).to_have_count(1)
    expect(rows.nth(9).locator(".row-acts")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_however_much_an_order_finds_the_basket_is_in_sight(sign_in, width):
    page = sign_in("admin@acme.example")
    var = Account.unscoped.get(code="V1001")
    for turn in range(120):
        make_number(var, e164=f"+1613555{turn:04}")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/C20001/numbers/order/?area=613&count=60")
    page.locator(".offers li").nth(4).scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Put into the basket")).to_be_in_viewport()
    expect(page.get_by_role("heading", name="100 shown")).to_be_visible()


def test_an_order_reads_an_area_code_as_in_the_accounts_own_country(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/numbers/order/")
    expect(page.get_by_label("Country").locator("option:checked")).to_have_text("Canada +1")
    page.get_by_label("Country").select_option(label="Any")
    page.get_by_label("Area code or prefix").fill("416")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Looked for: 1 number, of Canada, beginning with +1 416.")).to_be_visible()
    expect(page.get_by_role("button", name="Put into the basket")).to_be_in_viewport()
