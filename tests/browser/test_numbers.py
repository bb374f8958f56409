"""Numbers from the file of a carrier to whoever answers them."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import refused, sign_in_at
from tests.factories import make_provider
from tests.numbers.carrier import NAME, on_this_computer
from tests.processes import worker


def test_a_var_imports_a_file_and_assigns_fifty_numbers_to_a_company(sign_in, tmp_path):
    page = sign_in("var@alpha.example")
    file = tmp_path / "from the carrier.csv"
    file.write_text("DID;Label\n" + "".join(f"+1 604 555 {i:04};Block A\n" for i in range(50)) + "604 555 99;\n")
    page.goto("/V1001/numbers/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Provider of new numbers").select_option(label="Northline")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="from the carrier.csv")).to_be_visible()
    expect(page.locator("#job")).to_contain_text("Checked, not applied yet")
    expect(page.locator("#job .facts")).to_contain_text("Lines51Add50Refused1")
    page.get_by_label("Set Filter").select_option("refused")
    wrong = page.get_by_role("row", name=re.compile("604 555 99")).first
    expect(wrong).to_contain_text("too few digits for a number of +1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Refused lines").click()
    assert download.value.suggested_filename == "Refused.csv"
    kept = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert kept[0] == "DID,Label,Reason"
    assert kept[1].startswith("604 555 99,,This is not a possible number")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#job")).to_contain_text("Done")

    page.goto("/V1001/numbers/?number=604555")
    page.get_by_label("Select all that match").check()
    expect(page.locator("#selection-text")).to_have_text("All 50 numbers selected")
    page.locator("#verbs summary").click()
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("heading", name="Assign: 50 numbers")).to_be_visible()
    customer = page.get_by_label("Customer")
    customer.press_sequentially("acm")
    expect(page.locator("datalist option")).to_have_attribute("value", "Acme Corp (C20001)")
    customer.fill("Acme Corp (C20001)")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator("#job")).to_contain_text("Acme Corp (C20001)")
    expect(page.locator("#list-summary")).to_contain_text("50")
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("tbody tr").first).to_contain_text("Acme Corp")


def test_a_company_gives_the_receptionist_a_number(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/numbers/?filter=available")
    number = page.locator("tbody th a").first
    shown = number.inner_text()
    number.click()
    page.get_by_role("link", name="Assign", exact=True).click()
    page.get_by_label("Destination").fill("front")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("rings Front desk now.")).to_be_visible()
    expect(page.get_by_role("heading", name=shown)).to_be_visible()
    expect(page.locator(".events li").first).to_contain_text("assigned the number to a destination")
    # What is wrong is said, and what was typed stays.
    page.get_by_role("link", name="Assign", exact=True).click()
    page.get_by_label("Destination").fill("nobody of that name")
    with refused(page, 422):
        page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_label("Destination")).to_have_value("nobody of that name")
    expect(page.get_by_text("There is no user, group or service with this name.")).to_be_visible()


def test_ticks_on_two_pages_are_one_choice(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/?size=25")
    page.locator("[name=selected]").first.check()
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#list-summary")).to_contain_text("26–")
    expect(page.locator("#selection-text")).to_have_text("1 selected number")
    page.locator("[name=selected]").first.check()
    page.locator("#verbs summary").click()
    page.get_by_role("button", name="Options", exact=True).click()
    expect(page.get_by_role("heading", name="Options: 2 numbers")).to_be_visible()
    page.get_by_label("Label", exact=True).fill("Both")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#list-summary")).to_contain_text("2")
    page.goto("/V1001/numbers/?size=25")
    page.locator("#verbs summary").click()
    with refused(page, 422):
        page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No number is ticked.")).to_be_visible()


def test_a_var_finds_five_numbers_in_a_row_and_reserves_them_and_reads_how_it_was_before(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/")
    page.locator("#verbs summary").click()
    page.get_by_role("link", name="Consecutive numbers").click()
    page.locator("#search-first").fill("+1 416")
    page.locator("#search-length").fill("5")
    page.locator("#search-length").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Show 5").click()
    expect(page.get_by_role("heading", name="Phone Numbers", exact=True)).to_be_visible()
    expect(page.locator("#search-number")).to_have_value(re.compile(r"^\+1416555\d{4} to \+1416555\d{4}$"))
    found = page.locator("#search-number").input_value()
    page.get_by_label("Select all that match").check()
    expect(page.locator("#selection-text")).to_have_text("All 5 numbers selected")
    page.locator("#verbs summary").click()
    page.get_by_role("button", name="Reserve", exact=True).click()
    page.get_by_label("Customer").fill("Acme Corp (C20001)")
    page.get_by_label("Until").fill("2090-01-31T17:00")
    page.get_by_role("button", name="Reserve", exact=True).click()
    expect(page.locator("#job")).to_contain_text("Done")
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("tbody tr").first).to_contain_text("Reserved until")

    page.locator("#verbs summary").click()
    page.get_by_role("link", name="As of a day").click()
    expect(page.get_by_role("heading", name=re.compile("^Numbers as of "))).to_be_visible()
    page.locator("#search-number").fill(found)
    page.locator("#search-number").press("Enter")
    expect(page.locator("#list-summary")).to_contain_text("5")
    expect(page.locator("tbody tr").first).to_contain_text("Acme Corp")
    page.get_by_label("As of").fill("2001-01-31T17:00")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="This account had no numbers then")).to_be_visible()


def test_a_company_orders_five_numbers_in_an_area_and_assigns_one(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/numbers/")
    page.get_by_role("link", name="Order", exact=True).click()
    page.get_by_label("Area code or prefix").fill("+1 416")
    page.get_by_label("How many").fill("5")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("Looked for: 5 numbers, of Canada, beginning with +1 416.")).to_be_visible()
    offers = page.locator("input[name=number][type=checkbox]")
    expect(page.locator("input[name=number]:checked")).to_have_count(5)
    expect(offers.nth(4)).to_be_checked()
    another = page.locator(".offers [data-e164]").nth(5).inner_text()
    page.get_by_role("button", name="Put into the basket").click()
    expect(page.get_by_role("heading", name="Basket: 5 numbers")).to_be_visible()
    expect(page.locator("[data-counts-down]")).to_have_text(re.compile("14:[0-9][0-9]"))
    page.get_by_role("button", name="Take out").first.click()
    expect(page.get_by_role("heading", name="Basket: 4 numbers")).to_be_visible()
    expect(offers.first).to_be_checked()  # what was taken out is the first again
    offers.first.uncheck()
    page.get_by_role("checkbox", name=another).check()
    page.get_by_role("button", name="Put into the basket").click()
    expect(page.get_by_role("heading", name="Basket: 5 numbers")).to_be_visible()
    page.locator("#basket").get_by_role("link", name="Order", exact=True).click()
    page.get_by_label("Also tell the account’s address").check()
    page.get_by_role("button", name="Confirm").dblclick()
    expect(page.get_by_role("heading", name=re.compile("^Order [0-9]+$"))).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.locator("tbody td").filter(has_text="Delivered")).to_have_count(5)
    page.get_by_role("link", name=another).click()
    page.get_by_role("link", name="Assign", exact=True).click()
    page.get_by_label("Destination").fill("front")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("rings Front desk now.")).to_be_visible()


def test_a_var_approves_what_its_customer_has_ordered(page, sign_in):
    sign_in("var@alpha.example")
    page.goto("/V1001/accounts/C20001/")
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Orders wait for approval").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").first.wait_for()
    page.context.clear_cookies()
    sign_in_at(page, "admin@acme.example")
    page.goto("/C20001/numbers/order/?area=%2B1416&count=2")
    page.get_by_role("button", name="Put into the basket").click()
    page.locator("#basket").get_by_role("link", name="Order", exact=True).click()
    expect(page.get_by_text("Your operator approves orders before they are delivered.")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("Waiting for approval").first).to_be_visible()
    page.context.clear_cookies()
    sign_in_at(page, "var@alpha.example")
    page.goto("/V1001/orders/?filter=waiting")
    expect(page.locator("tbody")).to_contain_text("Acme Corp")
    page.locator("tbody th a").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("The order is approved.")).to_be_visible()
    expect(page.locator("tbody td").filter(has_text="Delivered")).to_have_count(2)


def test_numbers_of_a_carrier_arrive_while_somebody_looks_on(page, sign_in, settings):
    make_provider(NAME)
    with on_this_computer(seconds=2) as (_carrier, settings.CARRIERS), worker(CARRIERS=settings.CARRIERS):
        sign_in("admin@acme.example")
        page.goto("/C20001/numbers/order/?country=US&area=201&count=5")
        page.get_by_role("button", name="Put into the basket").click()
        page.locator("#basket").get_by_role("link", name="Order", exact=True).click()
        expect(page.get_by_text("6.00 USD/month + 2.50 once")).to_be_visible()
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("Being delivered")).to_be_visible()
        # What somebody does meanwhile is left alone.
        page.locator("tbody [name=selected]").first.check()
        page.get_by_role("textbox", name="Reason").fill("typed")
        page.evaluate("window.isStillHere = true")
        arrived = page.locator("tbody td").filter(has_text=re.compile("Delivered"))  # not "has not delivered it"
        expect(arrived.first).to_be_visible()
        expect(page.get_by_text("Being delivered")).to_be_visible()
        expect(page.locator(".job-state")).to_have_text("Partly delivered")
        expect(arrived).to_have_count(4)
        expect(page.locator("tbody")).to_contain_text("The carrier has not delivered it. Choose another.")
        assert page.evaluate("window.isStillHere")
        expect(page.get_by_role("textbox", name="Reason")).to_have_value("typed")
        expect(page.get_by_role("textbox", name="Reason")).to_be_focused()
        expect(page.locator("tbody [name=selected]").first).to_be_checked()
        page.locator("tbody th a:not(:empty)").first.click()
        page.get_by_role("link", name="Assign", exact=True).click()
        page.get_by_label("Destination").fill("front")
        page.get_by_role("button", name="Assign", exact=True).click()
        expect(page.get_by_text("rings Front desk now.")).to_be_visible()
