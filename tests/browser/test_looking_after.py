"""Looking after people, destinations and grants, as administrators do it in a browser."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Access, Person
from numbers.models import Destination
from tests.accounts.post import deliver
from tests.browser.conftest import PATIENCE, refused, sign_in_at, type_in


@pytest.fixture
def another(chromium, live_server):
    """A page of somebody else's browser."""
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def rows(page):
    return [" ".join(text.split()) for text in page.locator("table.rows tbody tr").all_inner_texts()]


def test_an_invited_person_chooses_a_password_and_signs_in(sign_in, another, mailoutbox):
    page = sign_in("admin@acme.example")
    page.get_by_role("link", name="People").first.click()
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("Name").fill("Nora Nowak")
    page.get_by_label("E-mail").fill("nora@acme.example")
    page.get_by_label("Role").select_option("Administrator")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("An invitation is on its way to nora@acme.example.")).to_be_visible()
    assert any("Nora Nowak" in row and "Invited" in row for row in rows(page))

    deliver()
    (message,) = mailoutbox
    another.goto(re.search(r"https?://\S+", message.body)[0])
    another.get_by_label("New Password", exact=True).fill("fresh-password-7")
    another.get_by_label("New Password (again)").fill("fresh-password-7")
    another.get_by_role("button", name="Save the password").click()
    type_in(another, "nora@acme.example", "fresh-password-7")
    expect(another.get_by_role("heading", name="Home")).to_be_visible()
    assert another.url.endswith("/C20001/")

    page.reload()
    assert any("Nora Nowak" in row and "Active" in row for row in rows(page))


def test_the_last_administrator_stays(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/people/")
    page.get_by_role("link", name="Amira Haddad").click()
    expect(page.get_by_text("This is you")).to_be_visible()
    assert page.get_by_role("button", name="Deactivate").count() == 0
    # The page offers nothing; what it does not offer is refused as well.
    token = page.locator("input[name=csrfmiddlewaretoken]").first.get_attribute("value")
    answer = page.request.post(
        page.url,
        form={"csrfmiddlewaretoken": token, "name": "Amira Haddad", "role": "user"},
        headers={"Referer": page.url},
    )
    assert answer.status == 422
    assert "Amira Haddad is the last active administrator of Acme Corp." in answer.text()
    assert Person.objects.get(email="admin@acme.example").role == "administrator"


def test_somebody_who_is_deactivated_is_out_at_once(sign_in, another):
    page = sign_in("admin@acme.example")
    sign_in_at(another, "user@acme.example")
    expect(another.get_by_role("heading", name="Home")).to_be_visible()
    page.goto("/C20001/people/")
    page.get_by_role("link", name="Uma Patel").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Uma Patel is deactivated and signed out everywhere.")).to_be_visible()
    another.reload()
    expect(another.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_company_adds_a_service_and_sees_it(sign_in):
    page = sign_in("admin@acme.example")
    page.get_by_role("link", name="Destinations").first.click()
    page.get_by_role("link", name="Add", exact=True).click()
    page.get_by_label("Use", exact=True).select_option("Service (Conference)")
    page.get_by_label("Name").fill("Monday round")
    page.get_by_label("Extension").fill("100")
    with refused(page, 422):
        page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("100 is the extension of Front desk already.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Monday round")
    page.get_by_label("Extension").fill("177")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Monday round")).to_be_visible()

    page.get_by_role("link", name="All destinations").click()
    with page.expect_response(lambda response: "/destinations/" in response.url):
        page.get_by_label("Set Filter").select_option("services")
    expect(page.get_by_role("link", name="Monday round", exact=True)).to_be_visible()
    assert any(row.startswith("Monday round Service Conference 177 –") for row in rows(page))
    page.get_by_role("link", name="Numbers that ring Front desk: 1").click()
    expect(page.get_by_role("heading", name="Phone Numbers")).to_be_visible()
    assert all("Front desk" in row for row in rows(page))


def test_what_numbers_ring_is_not_deleted(sign_in):
    page = sign_in("admin@acme.example")
    page.goto("/C20001/destinations/?name=front")
    page.get_by_role("link", name="Front desk", exact=True).click()
    page.get_by_role("link", name="Delete").click()
    expect(
        page.get_by_text(re.compile("Front desk cannot be deleted while a number rings it: .1 514-555-01"))
    ).to_be_visible()
    assert page.get_by_role("button", name="Delete").count() == 0
    assert Destination.unscoped.filter(name="Front desk").exists()


def test_an_agent_enters_what_was_granted_and_changes_nothing_until_it_is_withdrawn(sign_in, another):
    page = sign_in("system@demo.example")
    page.get_by_role("link", name="Delegation").first.click()
    page.get_by_role("link", name="Grant access").click()
    page.get_by_label("Support agent").select_option("Sasha Lind")
    page.get_by_label("Account").fill("zenith")
    page.get_by_role("button", name="Grant").click()
    expect(page.get_by_text("Sasha Lind may enter Zenith Ltd now.")).to_be_visible()

    sign_in_at(another, "support@demo.example")
    another.get_by_role("button", name="Enter Zenith Ltd").click()
    expect(another.get_by_text("You cannot change anything.")).to_be_visible()
    another.goto("/C20002/destinations/")
    expect(another.get_by_role("link", name="Board room", exact=True)).to_be_visible()
    assert another.get_by_role("link", name="Add", exact=True).count() == 0
    assert another.goto("/C20002/destinations/add/").status == 403

    page.locator("table.rows tbody tr", has_text="Zenith").get_by_role("link").click()
    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_text("Sasha Lind may not enter Zenith Ltd any more.")).to_be_visible()
    assert another.goto("/C20002/destinations/").status == 404
    assert Access.unscoped.get().ended_why == "not_allowed"


def test_the_form_of_a_phone_system_shows_the_settings_of_its_format(sign_in):
    page = sign_in("var@alpha.example")
    page.goto("/V1001/phone-systems/add/")
    particular = ["Contexts of incoming calls", "Column of the id", "Telnyx public key", "Twilio auth token"]

    def shown() -> list[str]:
        return [label for label in particular if page.get_by_label(label).is_visible()]

    assert shown() == []
    page.get_by_text("Settings of single formats").click()
    assert shown() == particular
    page.get_by_label("Format of its reports").select_option("Twilio call webhooks")
    assert shown() == ["Twilio auth token"]
    page.get_by_label("Format of its reports").select_option("FreeSWITCH mod_json_cdr")
    assert shown() == []
    page.get_by_label("Format of its reports").select_option("Asterisk CDR (CSV)")
    assert shown() == ["Contexts of incoming calls"]
    page.get_by_label("Format of its reports").select_option("Telnyx call webhooks")
    page.get_by_label("Name", exact=True).fill("Telnyx")
    with refused(page, 422):
        page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("Enter the key: webhooks of Telnyx are read only if it has signed them.")).to_be_visible()
    assert shown() == ["Telnyx public key"]
