"""The bell, in a browser: counted, opened, read, and told how to ring."""

import re

from django.core import mail
from playwright.sync_api import expect

from accounts import notices
from accounts.models import Account, Notice, Person
from tests.accounts.post import deliver
from tests.browser.conftest import be_signed_in


def tell(count):
    account = Account.called("V1001")
    for order in range(count):
        facts = {"order": order, "customer": "Acme Corp", "wish": "", "total": 2, "lines": []}
        notices.notify("order_waiting", account, facts, key=f"order:{order}:waiting")


def test_the_bell_leads_to_what_is_unread_and_falls_silent_when_all_is_read(sign_in):
    page = sign_in("var@alpha.example")
    bell = page.get_by_role("link", name=re.compile("Notices"))
    expect(page.locator(".bell-count")).to_have_count(0)
    tell(2)
    notices.notify("holds", Account.called("V1001"), {"reserved": 2, "cooling": 0}, key="holds")
    page.reload()
    expect(page.locator(".bell-count")).to_have_text("3")
    expect(bell).to_have_accessible_name("Notices, 3 unread")
    bell.click()
    expect(page.get_by_role("heading", name="Notices", exact=True)).to_be_visible()
    page.get_by_role("button", name="2 reservations end within two days.").click()
    expect(page.get_by_role("heading", name="Phone Numbers")).to_be_visible()
    assert page.url.endswith("/V1001/numbers/?filter=reserved")
    expect(page.locator(".bell-count")).to_have_text("2")


def test_a_row_is_opened_with_the_keyboard(sign_in):
    page = sign_in("var@alpha.example")
    tell(1)
    Notice.unscoped.update(facts={"page": "job", "work": 0, "name": "Assign", "state": "done", "total": 1, "done": 1,
                                  "refused": 0}, kind="work")  # fmt: skip
    page.goto("/notices/")
    page.keyboard.press("j")
    expect(page.get_by_role("button", name="Assign has ended")).to_be_focused()


def test_all_are_marked_as_read(sign_in):
    page = sign_in("var@alpha.example")
    tell(2)
    page.goto("/notices/")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("2 notices are marked as read.")).to_be_visible()
    expect(page.locator(".bell-count")).to_have_count(0)
    page.get_by_label("Set Filter").select_option("unread")
    expect(page.get_by_text("No notice matches")).to_be_visible()


def test_somebody_chooses_how_they_are_told_and_unsubscribes_by_mail(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/profile/")
    page.get_by_role("link", name="Notice settings").click()
    page.get_by_label("Orders waiting for approval: Bell").uncheck()
    page.get_by_label("Imports and jobs: E-mail").select_option("Daily")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your choice is saved.")).to_be_visible()
    tell(1)
    page.reload()
    expect(page.locator(".bell-count")).to_have_count(0)
    deliver()
    (message,) = mail.outbox
    off = re.search(r"https?://[^/]+(/notices/off/\S+)", message.body)[1]
    page.context.clear_cookies()
    page.goto(off)
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    be_signed_in(page, "var@alpha.example")
    page.get_by_role("link", name="Notice settings").click()
    expect(page.get_by_label("Orders waiting for approval: E-mail")).to_have_value("off")
    assert Person.objects.get(email="var@alpha.example").channels["work"] == {"page": True, "mail": "daily"}
