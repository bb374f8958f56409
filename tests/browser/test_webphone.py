"""The WebPhone's window in the demo, where calls go through their states and nothing rings."""

import pytest

from tests.browser.conftest import sign_in_at
from webphone.demo import write_demo_telephones
from webphone.models import Call

#: Whether a window has the lock of this name: it is the WebPhone then.
IS_HELD = "async (name) => (await navigator.locks.query()).held.some((lock) => lock.name === name)"


@pytest.fixture(autouse=True)
def a_demonstration(demo, settings):
    settings.TELEPHONY, settings.CALL_COUNTRIES = "demo", "*"
    write_demo_telephones()


def test_a_number_in_a_list_opens_the_webphone_and_the_next_is_handed_to_it(page, sign_in):
    sign_in("admin@acme.example")
    page.goto("/C20001/numbers/?number=5145550")
    with page.expect_popup() as opened:
        page.locator(".dial").nth(0).click()
    phone = opened.value
    number = phone.get_by_label("Number to call")
    first = number.input_value()
    assert first.startswith("+1 514-555-01")
    phone.get_by_text(f"{first} is filled in. Press Call.").wait_for()
    phone.wait_for_function(IS_HELD, arg="webphone")
    phone.evaluate("() => { window.isTheSame = true; }")
    page.locator(".dial").nth(1).click()
    phone.wait_for_function("first => document.getElementById('number').value !== first", arg=first)
    phone.get_by_text("is filled in. Press Call.").wait_for()
    assert phone.evaluate("() => window.isTheSame")
    # Nothing is dialled before whoever is there says so.
    assert not Call.unscoped.exists()
    assert page.url.endswith("/C20001/numbers/?number=5145550")
    phone.get_by_role("button", name="Call", exact=True).click()
    phone.get_by_text("Connected with").wait_for()
    # Another number does not break into the call.
    page.locator(".dial").nth(2).click()
    phone.get_by_text("End this call before the next.").wait_for()
    phone.keyboard.press("Escape")
    phone.get_by_text("The call has ended.").wait_for()
    phone.get_by_role("link", name="All my calls").click()
    phone.get_by_role("cell", name="Answered").wait_for()


def test_there_is_one_webphone_across_tabs(page, sign_in):
    sign_in("user@acme.example")
    page.goto("/C20001/webphone/")
    second = page.context.new_page()
    second.goto("/C20001/webphone/")
    second.get_by_text("The WebPhone is open in another window.").wait_for()
    second.get_by_role("button", name="Use it here").click()
    page.get_by_text("The WebPhone is open in another window.").wait_for()
    second.get_by_label("Number to call").fill("+1 514 555 0123")
    second.get_by_role("button", name="Call", exact=True).click()
    second.get_by_text("Connected with").wait_for()


def test_a_call_back_is_followed_in_words_and_remembered(page, sign_in):
    sign_in("user@acme.example")
    page.goto("/C20001/webphone/")
    page.get_by_label("Number to call").fill("301")
    page.get_by_label("Talk with").select_option(label="Mobile +1 514-555-0170")
    page.keyboard.press("Tab")
    page.get_by_label("Number to call").press("Enter")
    for words in ("Ringing Mobile +1 514-555-0170", "You answered. Calling 301", "Connected with 301"):
        page.locator("#call-state", has_text=words).wait_for()
    page.get_by_role("button", name="Hang up").click()
    page.get_by_text("The call has ended.").wait_for()
    page.reload()
    assert page.get_by_label("Talk with").locator("option:checked").inner_text() == "Mobile +1 514-555-0170"


#: Where the button is that hangs up, each time the page is drawn.
WATCH = """
() => {
  const button = document.getElementById("hang-up");
  globalThis.places = new Set();
  const look = () => {
    const { x, y } = button.getBoundingClientRect();
    if (x && y) places.add(`${x + scrollX} ${y + scrollY}`);
    requestAnimationFrame(look);
  };
  look();
}
"""


@pytest.mark.parametrize("width", [1440, 390])
def test_the_button_that_hangs_up_does_not_move_while_somebody_is_about_to_press_it(page, sign_in, width):
    sign_in("user@acme.example")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/C20001/webphone/")
    page.evaluate(WATCH)
    page.get_by_label("Number to call").fill("+1 514 555 0123")
    page.get_by_label("Talk with").select_option(label="Mobile +1 514-555-0170")
    page.get_by_role("button", name="Call", exact=True).click()
    page.get_by_text("Connected with").wait_for()
    # Here no key does anything: the own telephone has some.
    assert not page.get_by_role("button", name="5", exact=True).is_visible()
    page.locator("#call-time", has_text="0:01").wait_for()
    page.get_by_role("button", name="Hang up").click()
    page.get_by_text("The call has ended.").wait_for()
    assert len(page.evaluate("[...places]")) == 1
    assert page.get_by_role("button", name="5", exact=True).is_visible()


@pytest.mark.parametrize("talk_with", ["This computer", "Mobile +1 514-555-0170"])
def test_escape_before_the_portal_has_answered_still_ends_the_call(page, sign_in, talk_with):
    sign_in("user@acme.example")
    page.goto("/C20001/webphone/")
    asked = []
    page.route("**/dial/", lambda route: asked.append(route))
    page.get_by_label("Number to call").fill("+1 514 555 0123")
    page.get_by_label("Talk with").select_option(label=talk_with)
    page.get_by_role("button", name="Call", exact=True).click()
    page.get_by_text("Calling +1 514").wait_for()
    page.keyboard.press("Escape")
    asked[0].continue_()
    page.get_by_text("The call was cancelled.").wait_for()
    assert Call.unscoped.get().outcome == "cancelled"


def test_a_call_on_this_computer_ends_with_its_window(page, sign_in):
    sign_in("user@acme.example")
    phone = page.context.new_page()
    phone.goto("/C20001/webphone/?number=%2B15145550123")
    phone.get_by_role("button", name="Call", exact=True).click()
    phone.get_by_text("Connected with").wait_for()
    phone.close(run_before_unload=False)
    page.goto("/C20001/webphone/calls/")
    while not page.get_by_role("cell", name="Answered").is_visible():
        page.wait_for_timeout(200)
        page.reload()


def test_what_may_not_be_called_is_refused_in_place_and_stays_typed(page, sign_in):
    sign_in("user@acme.example")
    page.goto("/C20001/webphone/")
    for typed, sentence in (
        ("911", "is an emergency number"),
        ("+1 900 555 1234", "premium-rate"),
        ("x", "has no digits"),
    ):
        page.get_by_label("Number to call").fill(typed)
        with page.expect_console_message(lambda message: "422" in message.text) as noted:
            page.get_by_role("button", name="Call", exact=True).click()
        page.get_by_text(sentence).wait_for()
        page.complaints.remove(noted.value.text)
        assert page.get_by_label("Number to call").input_value() == typed


def test_the_webphone_of_somebody_who_works_elsewhere_is_their_own(page, sign_in):
    sign_in("var@alpha.example")
    page.goto("/V1001/accounts/")
    page.get_by_role("button", name="Acme Corp").click()
    page.get_by_role("button", name="Leave").wait_for()
    page.goto("/C20001/webphone/?number=%2B15145550100")
    assert page.url.endswith("/V1001/webphone/?number=%2B15145550100")


def test_without_scripts_a_call_back_is_made_and_ended(chromium, demo, live_server):
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in_at(page, "user@acme.example")
    page.goto("/C20001/webphone/?number=%2B15145550123")
    assert page.get_by_role("link", name="Call with this device").get_attribute("href") == "tel:+15145550123"
    page.get_by_label("Talk with").select_option(label="Extension 301")
    page.get_by_role("button", name="Call", exact=True).click()
    page.get_by_text("Connected with +1 514-555-0123").wait_for()
    page.get_by_role("button", name="Hang up").click()
    page.get_by_text("The call has ended.").wait_for()
    context.close()
