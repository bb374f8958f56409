"""A VAR's administrator looks after customers, with a real browser."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Account
from tests.browser.conftest import refused


@pytest.mark.parametrize("width", [1440, 390])
def test_a_customer_is_added_changed_suspended_and_not_closed_with_numbers(page, sign_in, width):
    page.set_viewport_size({"width": width, "height": 900})
    sign_in("var@alpha.example")
    page.goto("/V1001/accounts/")
    page.get_by_role("link", name="Add company").click()
    page.get_by_label("Name", exact=True).fill("Nouvelle Société")
    page.get_by_label("Phone").fill("555 0123")
    with refused(page, 422):
        page.get_by_role("button", name="Add company").click()
    expect(page.get_by_text("A phone number has a country code").or_(page.get_by_text("Begin with +"))).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nouvelle Société")
    page.get_by_label("Phone").fill("+1 514 555 0123")
    page.get_by_role("button", name="Add company").click()
    expect(page.get_by_role("status").first).to_contain_text("Nouvelle Société is added")
    made = Account.unscoped.get(name="Nouvelle Société")

    page.get_by_role("link", name=made.code, exact=True).click()
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Contact").fill("Ann Example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="Ann Example")).to_be_visible()

    page.get_by_role("link", name=made.code, exact=True).click()
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("status").first).to_contain_text("is suspended")
    page.get_by_role("link", name="All accounts").click()
    row = page.locator("table.rows tbody tr").filter(has_text=made.code)
    expect(row).to_contain_text("Suspended")
    expect(row.get_by_role("button")).to_have_count(0)

    page.goto("/V1001/accounts/C20001/")
    page.get_by_role("link", name="Close this account").click()
    expect(page.get_by_role("alert")).to_contain_text("Acme Corp holds 24 numbers (+1 514-555-0100")
    page.get_by_role("link", name="Show these numbers").click()
    expect(page.locator("#list-summary")).to_contain_text("24")


def test_names_lead_inside_and_phones_to_the_webphone(page, sign_in):
    sign_in("system@demo.example")
    page.goto("/SYS/accounts/")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="+1 514-555-0180").click()
    expect(opened.value.get_by_label("Number to call")).to_have_value("+1 514-555-0180")
    page.goto("/SYS/accounts/")
    page.get_by_role("button", name="Alpha Telecom").click()
    page.wait_for_url("**/V1001/accounts/")
    page.get_by_role("navigation", name="Accounts").get_by_role("link", name="Professionals").click()
    page.get_by_role("button", name="Jane Doe").click()
    page.wait_for_url("**/P30001/numbers/")
    page.get_by_role("button", name="Leave").click()
    page.wait_for_url(re.compile(r"/V1001/accounts/\?kind=professional"))


def test_search_keeps_the_tab(page, sign_in):
    sign_in("system@demo.example")
    page.goto("/SYS/accounts/?kind=company")
    field = page.get_by_role("textbox", name="Name", exact=True)
    field.fill("acme")
    field.press("Enter")
    page.wait_for_url(re.compile("kind=company.*name=acme|name=acme.*kind=company"))
    expect(page.locator("table.rows tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Reset").click()
    page.wait_for_url(re.compile(r"\?kind=company$"))


@pytest.mark.parametrize("width", [1440, 390])
def test_a_new_account_comes_with_its_first_administrator_or_gets_one_later(page, sign_in, width):
    page.set_viewport_size({"width": width, "height": 900})
    sign_in("var@alpha.example")
    page.goto("/V1001/accounts/add/?kind=professional")
    page.get_by_label("Name", exact=True).fill("Dr. Doe")
    page.get_by_label("Person's e-mail").fill("doe@practice.example")
    page.get_by_role("button", name="Add professional").click()
    expect(page.get_by_text("An invitation is on its way to doe@practice.example.")).to_be_visible()

    page.goto("/V1001/accounts/add/?kind=company")
    page.get_by_label("Name", exact=True).fill("Later Ltd")
    page.get_by_role("button", name="Add company").click()
    expect(page.get_by_role("status").first).to_contain_text("Later Ltd is added")
    page.goto(f"/V1001/accounts/{Account.unscoped.get(name='Later Ltd').code}/")
    expect(page.get_by_text("Nobody can sign in to this account yet.")).to_be_visible()
    page.get_by_role("link", name="Invite an administrator").click()
    page.get_by_label("Name").fill("Nora New")
    page.get_by_label("E-mail").fill("nora@later.example")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("Nora New (nora@later.example) was invited")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
