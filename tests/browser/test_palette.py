"""The command palette: Ctrl K leads to numbers, accounts, people, pages and actions."""

import re

import pytest
from playwright.sync_api import expect

from numbers.models import PhoneNumber
from tests.browser.conftest import sign_in_at
from tests.browser.test_looks import serious


@pytest.fixture
def var(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/")
    return page


def palette(page):
    """The palette, opened by its key."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to")).to_be_visible()
    return page.get_by_role("combobox", name="Go to")


def option(page, name):
    return page.get_by_role("option", name=re.compile(name))


def test_it_offers_the_pages_and_actions_that_the_person_may_open(var):
    field = palette(var)
    expect(field).to_be_focused()
    expect(option(var, "^Add numbers$")).to_be_visible()
    expect(option(var, "^Order numbers$")).to_be_visible()
    expect(option(var, "^Add a destination$")).to_have_count(0)  # a customer's
    field.fill("impo")
    offered = var.locator("#palette-list").get_by_role("option")
    expect(offered).to_have_text(["Import a file of numbers", "Imports"])
    var.keyboard.press("ArrowDown")
    expect(option(var, "^Imports$")).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", re.compile("palette-option-"))
    var.keyboard.press("Enter")
    var.wait_for_url("**/V1001/numbers/imports/")


@pytest.mark.parametrize(
    ("typed", "name", "address"),
    [
        ("514 555-0101", r"\+1 514-555-0101", "/V1001/numbers/15145550101/"),
        ("acme", "^Acme Corp", "/V1001/accounts/C20001/"),
        ("C20001", "^Acme Corp", "/V1001/accounts/C20001/"),
        ("alpha adm", "var@alpha.example", "/V1001/people/"),
    ],
)
def test_it_leads_to_numbers_accounts_and_people(var, typed, name, address):
    field = palette(var)
    if "adm" in typed:
        typed = var.locator(".person-button span").first.inner_text().split("\n")[0]
    field.fill(typed)
    option(var, name).first.click()
    var.wait_for_url(f"**{address}**")


def test_in_a_company_it_leads_to_what_numbers_ring(sign_in):
    page = sign_in("admin@acme.example")
    palette(page).fill("front")
    option(page, "^Front desk").click()
    page.wait_for_url("**/C20001/destinations/*/")


def test_a_support_agent_finds_numbers_of_granted_accounts_and_of_no_others(sign_in):
    page = sign_in("support@demo.example")
    field = palette(page)
    field.fill("514 555 0101")
    expect(option(page, "Alpha Telecom")).to_be_visible()
    foreign = PhoneNumber.unscoped.filter(var__code="V1002").first()
    field.fill(foreign.e164)
    expect(page.get_by_text("Nothing is called that here.")).to_be_visible()


def test_the_field_in_the_bar_of_a_support_agent_searches_what_was_granted(sign_in):
    page = sign_in("support@demo.example")
    page.goto("/SYS/accounts/")
    page.keyboard.press("/")
    page.keyboard.type("514 555-0101")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("514-555-0101"))).to_contain_text("Alpha Telecom")


def test_it_closes_and_gives_the_focus_back(var):
    var.locator("#search-number").focus()
    palette(var)
    var.keyboard.press("Escape")
    expect(var.locator("#palette")).to_be_hidden()
    expect(var.locator("#search-number")).to_be_focused()
    palette(var)
    var.keyboard.press("Control+k")
    expect(var.locator("#palette")).to_be_hidden()
    palette(var)
    var.mouse.click(5, 400)
    expect(var.locator("#palette")).to_be_hidden()
    var.get_by_role("button", name="Go to").click()
    expect(var.locator("#palette-text")).to_be_focused()


def test_it_says_how_much_it_has_found_and_when_it_cannot_search(var):
    field = palette(var)
    field.fill("impo")
    expect(var.locator("#palette-state")).to_have_text("2 found")
    field.fill("zzzz")
    expect(var.locator("#palette-state")).to_have_text("Nothing is called that here.")
    var.context.set_offline(True)
    field.fill("acme")
    expect(var.locator("#palette-state")).to_have_text("The search failed. Type on to retry.")
    var.context.set_offline(False)
    field.fill("acme c")
    expect(option(var, "^Acme Corp")).to_be_visible()
    var.complaints[:] = [said for said in var.complaints if "ERR_INTERNET_DISCONNECTED" not in said]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_no_serious_fault(var, scheme):
    var.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    palette(var).fill("a")
    expect(option(var, "Add numbers")).to_be_visible()
    for width in (1440, 320):
        var.set_viewport_size({"width": width, "height": 700})
        assert serious(var, scheme) == []
        box = var.locator("#palette").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_without_scripts_it_is_not_there(chromium, demo, live_server):
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = sign_in_at(context.new_page(), "var@alpha.example")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_hidden()
    expect(page.get_by_role("button", name="Go to")).to_be_hidden()
    context.close()
