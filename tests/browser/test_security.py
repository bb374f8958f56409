"""What keeps a sign-in safe, in a real browser: an app, recovery codes, a passkey, sessions."""

import pytest
from playwright.sync_api import expect

from tests.accounts.post import deliver, mailed_link
from tests.accounts.totp import code_for
from tests.browser.conftest import type_in
from tests.browser.test_looks import serious

EMAIL = "var@alpha.example"


@pytest.fixture
def authenticator(page):
    """A device that keeps passkeys and answers for its owner at once."""
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": options})


@pytest.fixture
def sign_in(page):
    """As people do: here it matters how somebody has signed in."""
    return lambda email: type_in(page, email)


def open_security(page):
    page.get_by_role("button", name="VAR administrator").click()
    page.get_by_role("link", name="Security").click()
    expect(page.get_by_role("heading", name="Security", exact=True)).to_be_visible()


def sign_out(page):
    page.get_by_role("button", name="VAR administrator").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def confirm_by_mail(page):
    """Have the link mailed that the first factor needs, and open it."""
    page.get_by_role("button", name=f"Send the link to {EMAIL}").click()
    expect(page.get_by_text("A link is on its way")).to_be_visible()
    deliver()
    page.goto(mailed_link("/login/link/"))
    assert serious(page) == []
    page.get_by_role("button", name="Yes, this browser is mine").click()
    expect(page.get_by_text("This browser is confirmed as yours for an hour.")).to_be_visible()


def set_up_app(page):
    """Set up the app; return its secret and the recovery codes."""
    page.get_by_role("link", name="Set up an authenticator app").click()
    assert serious(page) == []
    confirm_by_mail(page)
    page.get_by_role("link", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code with the secret")).to_be_visible()
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code that the app shows").fill(code_for(secret))
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return secret, page.locator(".codes code").all_inner_texts()


def test_an_app_and_its_recovery_codes(page, sign_in):
    sign_in(EMAIL)
    open_security(page)
    secret, codes = set_up_app(page)
    assert len(codes) == 10
    assert serious(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert set(codes) <= set(download.value.path().read_text().split())
    sign_out(page)

    sign_in(EMAIL)
    assert serious(page) == []
    page.get_by_label("Code from the app, or a recovery code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    page.get_by_label("Code from the app, or a recovery code").fill(code_for(secret, steps=1))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/V1001/")
    sign_out(page)

    sign_in(EMAIL)
    page.get_by_label("Code from the app, or a recovery code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/V1001/")
    open_security(page)
    expect(page.get_by_text("9 codes left")).to_be_visible()
    assert serious(page) == []

    page.get_by_role("link", name="Remove the authenticator app").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("link", name="Set up an authenticator app")).to_be_visible()


def test_a_passkey_replaces_password_and_code(page, sign_in, authenticator):
    sign_in(EMAIL)
    open_security(page)
    page.get_by_role("link", name="Add a passkey").click()
    confirm_by_mail(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("passkey, signs in alone")).to_be_visible()
    sign_out(page)

    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/V1001/")
    sign_out(page)

    sign_in(EMAIL)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/V1001/")

    open_security(page)
    page.get_by_role("link", name="Rename Work laptop").click()
    page.get_by_label("Name").fill("Home laptop")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Remove Home laptop").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Home laptop")).to_be_hidden()


def test_a_passkey_confirms_that_it_is_still_the_same_person(page, sign_in, authenticator, settings):
    sign_in(EMAIL)
    open_security(page)
    page.get_by_role("link", name="Add a passkey").click()
    confirm_by_mail(page)
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    page.get_by_role("link", name="Make new codes").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_role("link", name="Use a passkey").click()
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 60
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_role("heading", name="Make new recovery codes?")).to_be_visible()


def test_ending_a_session_elsewhere(page, sign_in, chromium, live_server):
    elsewhere = chromium.new_context(base_url=live_server.url)
    other = elsewhere.new_page()
    type_in(other, EMAIL)
    other.wait_for_url("**/V1001/")
    sign_in(EMAIL)
    open_security(page)
    expect(page.get_by_text("Chrome on Linux")).to_have_count(2)
    page.get_by_role("button", name="End this session").click()
    expect(page.get_by_text("The session is ended.")).to_be_visible()
    other.goto("/V1001/")
    assert "/login/" in other.url
    elsewhere.close()


def test_signing_out_leaves_nothing_in_any_tab(page, sign_in):
    sign_in(EMAIL)
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto("/V1001/numbers/")
        tab.evaluate("sessionStorage.setItem('mark', 'x')")
    sign_out(page)
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    for tab in (page, other):
        assert tab.evaluate("sessionStorage.length") == 0
