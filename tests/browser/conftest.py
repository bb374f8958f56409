"""A real browser against a real server, with the demo's cast and a few hundred numbers."""

import os
import time
from contextlib import contextmanager

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.core.cache import caches
from django.db import connections
from django.test import Client
from playwright.sync_api import expect, sync_playwright

from accounts import devices
from accounts.models import Person
from numbers.demo import PASSWORD, write_demo_data
from tests.queue import empty_queue

# Playwright's own event loop runs in the test's thread; Django would take it for ours.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NUMBERS = 400
#: Milliseconds that are waited for what a page shows: what comes late on a busy machine comes.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as playwright:
        yield playwright
        # Where a loop runs, Django has connections of their own; once it has ended nobody can close them.
        connections.close_all()


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def demo(static_files_as_built, transactional_db):
    caches["default"].clear()  # sign-ins of other tests count towards this address's limit
    empty_queue()
    write_demo_data(NUMBERS)


@pytest.fixture
def page(chromium, demo, live_server):
    """A page of a fresh browser profile. What the browser complains of (scripts, policy, failures) fails the test."""
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.complaints = complaints
    yield page
    context.close()
    assert complaints == []


def sign_in_at(page, email):
    """Sign in at a page as one of the demo's people, and stand on their home page."""
    be_signed_in(page, email)
    page.goto("/")
    return page


def be_signed_in(page, email):
    """Be signed in at a page as one of the demo's people, a moment ago by password, with a mailed link opened: both
    forms have tests of their own."""
    client, person = Client(), Person.objects.get(email=email)
    client.force_login(person, "accounts.sign_in.Backend")
    session = client.session
    session[devices.SESSION] = devices.Device.new(person).written
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time(), "email": email}]
    session.save()
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session.session_key}
    page.context.add_cookies([cookie | {"url": page.request.get("/healthz").url, "httpOnly": True}])


def type_in(page, email, password=PASSWORD):
    """Sign in at a page by its form."""
    page.goto("/login/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()
    return page


@contextmanager
def refused(page, status):
    """The one complaint that is meant: the browser's own note of an answer of that status, which may come late."""
    with page.expect_console_message(lambda message: f"status of {status} " in message.text) as noted:
        yield
    page.complaints.remove(noted.value.text)


@pytest.fixture
def sign_in(page):
    """Be signed in at the page as one of the demo's people."""
    return lambda email: sign_in_at(page, email)
