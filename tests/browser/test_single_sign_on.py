"""Signing in with an identity provider that nobody here wrote, in a real browser, whose policy for forms holds."""

import pytest
from django.core.cache import caches
from playwright.sync_api import expect

from accounts.models import Person
from portal.single_sign_on import Provider
from tests.accounts.sso.toolkit.process import CLIENT, PASSWORD, SECRET, toolkit
from tests.browser.test_looks import serious

EMAIL = "admin@acme.example"


@pytest.fixture
def provider(page, live_server, settings):
    callback = f"{live_server.url}/login/with/example/callback/"
    with toolkit(callback, {EMAIL: True}) as issuer:
        caches["process"].clear()
        settings.SINGLE_SIGN_ON = (Provider("example", "Example Corp", issuer, CLIENT, SECRET, ("acme.example",)),)
        yield settings.SINGLE_SIGN_ON[0]


def sign_in_there(page):
    """At the provider: its form."""
    expect(page.get_by_role("heading", name="The provider")).to_be_visible()
    page.get_by_label("Username").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def test_somebody_signs_in_with_their_organization_and_confirms_it(page, provider):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/profile/")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Sign in with Example Corp").click()
    sign_in_there(page)
    page.wait_for_url("**/profile/")
    page.goto("/security/")
    expect(page.get_by_text("linked since")).to_be_visible()
    assert serious(page) == []

    # Without a password, and long after the sign-in, the provider is asked again.
    person = Person.objects.get(email=EMAIL)
    person.join_without_password()
    person.save(update_fields=["password"])
    page.context.clear_cookies()
    page.goto("/login/?next=/security/")
    page.get_by_role("button", name="Sign in with Example Corp").click()
    sign_in_there(page)
    page.wait_for_url("**/security/")
    expect(page.get_by_text("have no password here")).to_be_visible()
    page.goto("/reauthenticate/provider/?next=/password/set/")
    assert serious(page) == []
    page.get_by_role("button", name="Sign in with Example Corp").click()
    sign_in_there(page)
    page.wait_for_url("**/password/set/")
    expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()


@pytest.fixture
def chromium_without_scripts(chromium, demo, live_server):
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    yield context
    context.close()


def test_no_script_is_needed(chromium_without_scripts, provider):
    page = chromium_without_scripts.new_page()
    page.goto("/login/")
    page.get_by_role("button", name="Sign in with Example Corp").click()
    sign_in_there(page)
    page.wait_for_url("**/C20001/")
