"""What a page becomes while somebody works on it: open menus and dialogs, choices, refusals, problems. Nothing of that
is serious for axe, in the light and in the dark, wide and narrow."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import refused
from tests.browser.test_looks import serious

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 800}

#: Forms are sent as they are: the browser itself would ask for what is missing.
UNCHECKED = "for (const form of document.forms) form.noValidate = true"


class Looking:
    """Looks at a page in one state after the other and notes what is wrong."""

    def __init__(self, page):
        self.page, self.found = page, {}

    def look(self, state, width=WIDE):
        """In the light, then in the dark, where nothing but colours is different."""
        self.page.set_viewport_size(width)
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if faults := serious(self.page, scheme):
                self.found[f"{state}, {scheme}"] = faults
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")


@pytest.fixture
def looking(page):
    looking = Looking(page)
    yield looking
    assert looking.found == {}


def test_a_list_in_every_state(looking, sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/")
    page.locator("#list [name=selected]").first.check()
    looking.look("a row selected")
    page.get_by_role("checkbox", name="Select all that match").check()
    looking.look("all selected", NARROW)
    page.set_viewport_size(WIDE)
    page.locator("#verbs summary").click()
    looking.look("actions open")
    looking.look("actions open, narrow", NARROW)
    page.keyboard.press("Escape")
    page.set_viewport_size(WIDE)
    page.get_by_role("button", name="CSV", exact=True).click()
    looking.look("CSV dialog")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    looking.look("keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.locator("#palette-text").fill("acme")
    expect(page.locator("#palette-list [role=option]").first).to_be_visible()
    looking.look("palette")
    page.keyboard.press("Escape")
    page.locator(".person-button").click()
    looking.look("menu of the person")
    page.keyboard.press("Escape")
    page.set_viewport_size(NARROW)
    page.get_by_role("button", name="Menu", exact=True).click()
    looking.look("main menu, narrow", NARROW)
    page.keyboard.press("Escape")
    page.locator("#search-panel-button").click()
    looking.look("search panel, narrow", NARROW)
    page.context.set_offline(True)
    page.locator("#search-number").fill("514")
    page.locator("#search-number").press("Enter")
    expect(page.locator("#list-failed")).to_be_visible()
    looking.look("the list could not be fetched", NARROW)
    page.context.set_offline(False)
    # The browser's note and htmx's of a request that was meant to fail.
    meant = ("ERR_INTERNET_DISCONNECTED", "htmx:")
    page.complaints[:] = [said for said in page.complaints if not any(word in said for word in meant)]
    page.goto("/V1001/numbers/?number=abc%3D&sort=x&company=zzzz")
    looking.look("not understood")
    page.goto("/V1001/numbers/find/?q=acme")
    looking.look("found by name")


def test_a_job_from_its_draft_to_its_undoing(looking, sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/numbers/?filter=available")
    for place in (0, 1):
        page.locator("#list [name=selected]").nth(place).check()
    page.locator("#verbs summary").click()
    page.get_by_role("button", name="Assign", exact=True).click()
    looking.look("draft")
    page.evaluate(UNCHECKED)
    with refused(page, 422):
        page.get_by_role("button", name="Assign", exact=True).click()
    looking.look("draft refused")
    page.get_by_label("Customer").fill("C20001")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    looking.look("done")
    looking.look("done, narrow", NARROW)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The numbers go back to your stock")).to_be_visible()
    looking.look("undo, before it is confirmed")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("^Undo “Assign”: "))).to_be_visible()
    looking.look("undone")


@pytest.mark.parametrize(
    ("email", "path", "button"),
    [
        ("var@alpha.example", "/V1001/numbers/add/", "Add"),
        ("var@alpha.example", "/V1001/numbers/import/", "Read the file"),
        ("var@alpha.example", "/V1001/accounts/add/", "Add"),
        ("var@alpha.example", "/V1001/numbers/14165550100/reserve/", "Reserve"),
        ("admin@acme.example", "/C20001/destinations/add/", "Add"),
        ("admin@acme.example", "/C20001/numbers/15145550100/assign/", "Assign"),
    ],
    ids=lambda part: part.strip("/") if part.startswith("/") else "",
)
def test_a_form_that_is_refused(looking, sign_in, email, path, button):
    page = sign_in(email)
    page.goto(path)
    page.evaluate(UNCHECKED)
    submit = page.locator("main form button[type=submit].btn-primary").first
    with refused(page, 422):
        submit.click()
    looking.look(f"{path} refused")
    looking.look(f"{path} refused, narrow", NARROW)


def test_pages_that_refuse_and_the_banner(looking, sign_in):
    page = sign_in("support@demo.example")
    page.get_by_role("button", name="Enter Alpha Telecom").click()
    looking.look("inside an account")
    looking.look("inside an account, narrow", NARROW)
    with refused(page, 403):
        page.goto("/V1001/numbers/15145550100/unassign/")
    looking.look("403 inside")
    with refused(page, 404):
        page.goto("/V1001/numbers/19995550100/")
    looking.look("404")
    page.goto("/V1001/numbers/")
    page.get_by_role("button", name="Leave").click()
    page.goto("/SYS/?q=999999999")
    looking.look("nothing found")
    page.goto("/V1001/numbers/")
    looking.look("before an account")


def test_an_order_from_its_search_to_its_page(looking, sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/numbers/order/?area=%2B1416&count=2")
    page.get_by_role("button", name="Put into the basket").click()
    looking.look("basket")
    looking.look("basket, narrow", NARROW)
    page.locator("#basket").get_by_role("link", name="Order", exact=True).click()
    looking.look("review")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1, name="Order ")).to_be_visible()
    looking.look("order")


def test_strangers_who_are_refused(looking, page):
    page.goto("/login/")
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".problem, .alert").first).to_be_visible()
    looking.look("wrong password")
    looking.look("wrong password, narrow", NARROW)
    page.goto(reverse("account_reset_password"))
    page.evaluate(UNCHECKED)
    page.locator("main form button[type=submit], form button[type=submit]").first.click()
    looking.look("reset without an address")
