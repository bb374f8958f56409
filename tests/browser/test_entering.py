"""Working in accounts below one's own, as support does it with a customer on the line."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import refused, sign_in_at


def test_down_two_accounts_a_change_and_back_where_it_began(sign_in, chromium, live_server):
    page = sign_in("system@demo.example")
    began = "/SYS/numbers/?var=alpha&sort=-company"
    page.goto(began)
    page.get_by_role("button", name="Alpha Telecom", exact=True).first.click()
    expect(page).to_have_url(re.compile("/V1001/numbers/$"))
    inside = page.get_by_role("region", name="Working in another account")
    expect(inside).to_contain_text("you are working in Alpha Telecom (V1001)")

    page.get_by_role("button", name="Acme Corp", exact=True).first.click()
    expect(page).to_have_url(re.compile("/C20001/numbers/$"))
    expect(inside).to_contain_text("Alpha Telecom › Acme Corp")
    page.get_by_role("link", name="Destinations").first.click()
    page.get_by_role("link", name="Add", exact=True).click()
    page.get_by_label("Name").fill("Night desk")
    page.get_by_label("Use", exact=True).select_option("Group")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Night desk")).to_be_visible()

    page.goto("/C20001/numbers/")
    page.get_by_role("button", name="Leave").click()
    expect(page).to_have_url(re.compile("/V1001/numbers/$"))
    page.get_by_role("button", name="Leave").click()
    expect(page).to_have_url(re.compile(re.escape(began) + "$"))
    expect(inside).to_have_count(0)

    theirs = chromium.new_context(base_url=live_server.url).new_page()
    sign_in_at(theirs, "admin@acme.example")
    theirs.goto("/C20001/access/")
    visit = theirs.locator("table.rows tbody tr").first
    for said in ("Sam Rivera", "Demo Telephone Company", "Left", "manage", "1"):
        expect(visit).to_contain_text(said)
    theirs.goto("/C20001/history/?what=destination")
    expect(theirs.locator("table.rows tbody tr")).to_have_count(1)
    expect(theirs.locator("table.rows tbody tr")).to_contain_text("Night desk")
    expect(theirs.locator("table.rows tbody tr")).to_contain_text("Sam Rivera")
    theirs.context.close()


def test_two_windows_are_in_two_accounts_and_a_form_lands_where_it_was_drawn(sign_in):
    page = sign_in("system@demo.example")
    page.goto("/V1001/numbers/")
    page.get_by_role("button", name="Enter Alpha Telecom").click()
    page.goto("/V1001/settings/")
    page.get_by_label("Contact").fill("Typed in Alpha's window")
    other = page.context.new_page()
    other.goto("/V1002/numbers/")
    other.get_by_role("button", name="Enter Bravo Networks").click()
    expect(other.get_by_role("region", name="Working in another account")).to_contain_text("Bravo Networks")

    page.get_by_role("button", name="Save").click()
    page.goto("/V1001/settings/")
    expect(page.get_by_label("Contact")).to_have_value("Typed in Alpha's window")
    other.goto("/V1002/settings/")
    expect(other.get_by_label("Contact")).not_to_have_value("Typed in Alpha's window")


def test_what_was_typed_survives_the_end_of_an_access(sign_in):
    page = sign_in("system@demo.example")
    page.goto("/V1001/settings/")
    page.get_by_role("button", name="Enter Alpha Telecom").click()
    page.get_by_label("Contact").fill("Not lost")
    other = page.context.new_page()
    other.goto("/V1001/numbers/")
    other.get_by_role("button", name="Leave").click()

    with refused(page, 409):
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("What you typed is kept")
    page.get_by_role("button", name="Enter Alpha Telecom").click()
    expect(page.locator("main")).to_contain_text("Not lost")
    page.get_by_role("button", name="Send", exact=True).click()
    page.goto("/V1001/settings/")
    expect(page.get_by_label("Contact")).to_have_value("Not lost")
