"""What people expect of a phone: it rings, says how a call stands, and lets go of the microphone."""

import pytest

from tests.browser.calls.conftest import (
    BROWSER,
    call,
    hears,
    line_of,
    number_of_uma,
    says,
    until,
    words,
)

NUMBER, CALLER = "+15145550123", "+15145559999"
#: Counts tones, notifications and microphones that are in use, before the page has any.
COUNTS = """
globalThis.seen = { tones: 0, notes: [], tracks: [] };
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...given) { seen.tones += 1; return start.apply(this, given); };
globalThis.Notification = class {
  static permission = "granted";
  constructor(words) { seen.notes.push(words); }
  close() { seen.closed = true; }
};
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  await globalThis.permission;
  const stream = await ask(wanted);
  seen.tracks.push(...stream.getTracks());
  return stream;
};
"""


@pytest.fixture
def counted(webphone):
    """The WebPhone, with what it does counted."""
    webphone.add_init_script(COUNTS)
    webphone.reload()
    until(lambda: webphone.locator("#line-state").inner_text() == "Ready", "the WebPhone registers")
    return webphone


def seen(page, what):
    return page.evaluate(f"seen.{what}")


def live_microphones(page):
    return page.evaluate("seen.tracks.filter((track) => track.readyState === 'live').length")


def rung(page, real):
    """A call that rings in the page."""
    real.telephone.answers = False
    line = real.carrier.call(number_of_uma().e164, CALLER)
    says(page, "is calling")
    return line


def test_a_call_that_comes_in_is_heard_and_shown_to_somebody_who_looks_elsewhere(counted, real):
    counted.evaluate("document.hasFocus = () => false")
    line = rung(counted, real)
    until(lambda: seen(counted, "tones") > 0, "it rings")
    assert seen(counted, "notes") == [f"{CALLER} is calling"]
    line.hang_up()
    says(counted, f"Missed call from {CALLER}")
    assert seen(counted, "closed")


def test_who_calls_hears_that_it_rings_there(counted, real):
    call(counted, "+15145550180")
    says(counted, "Ringing")
    until(lambda: seen(counted, "tones") == 2, "the ring-back tone")
    counted.keyboard.press("Escape")
    says(counted, "The call was cancelled.")


def test_who_does_not_want_to_be_disturbed_is_not(counted, real):
    counted.get_by_text("Microphone and speakers").click()
    counted.get_by_label("Do not disturb").check()
    real.telephone.answers = False
    line = real.carrier.call(number_of_uma().e164, CALLER)
    until(lambda: line_of(real.telephone).state == "ringing", "the desk phone rings")
    line.hang_up()
    until(lambda: line_of(real.telephone).state == "ended", "it rings no longer")
    assert counted.locator("#call").is_hidden()
    assert seen(counted, "tones") == 0


def test_a_call_that_was_answered_on_the_desk_phone_was_not_missed(counted, real):
    real.telephone.rings = 2
    real.carrier.call(number_of_uma().e164, CALLER)
    says(counted, "is calling")
    says(counted, f"The call from {CALLER} was answered on another phone.")


def test_a_call_that_one_rejects_was_not_missed_either(counted, real):
    rung(counted, real)
    counted.get_by_role("button", name="Hang up").click()
    says(counted, f"You rejected the call from {CALLER}.")


def test_a_permission_that_comes_late_leaves_no_microphone_on(counted, real):
    line = rung(counted, real)
    counted.evaluate("() => { globalThis.permission = new Promise((resolve) => { globalThis.permit = resolve; }); }")
    counted.get_by_role("button", name="Answer").click()
    line.hang_up()
    says(counted, "Missed call")
    counted.evaluate("permit()")
    until(lambda: seen(counted, "tracks.length") == 1, "the browser permits it")
    until(lambda: live_microphones(counted) == 0, "the microphone is off")


def test_without_a_microphone_an_incoming_call_says_so_where_it_is_looked_at(counted, real):
    line = rung(counted, real)
    counted.evaluate("""() => {
      globalThis.permission = Promise.reject(new DOMException("", "NotReadableError"));
      globalThis.permission.catch(() => {});
    }""")
    counted.get_by_role("button", name="Answer").click()
    note = counted.locator("#call-note")
    until(lambda: "Another program uses the microphone" in note.inner_text(), "it is said")
    assert note.is_visible()
    assert "is calling" in words(counted)
    line.hang_up()


def test_a_hold_that_the_other_side_refuses_keeps_the_call(webphone, real):
    call(webphone, "+15145550188")
    says(webphone, "Connected")
    line = line_of(real.carrier)
    hold = webphone.get_by_role("button", name="Hold")
    hold.click()
    says(webphone, "On hold: the other side hears silence.")
    assert hold.get_attribute("aria-pressed") == "true"
    hold.click()
    says(webphone, "Connected")
    line.sound.heard.clear()
    hears(line, BROWSER)
    assert line.state == "talking"


def test_a_double_click_on_hold_shows_what_is_so(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    line = line_of(real.carrier)
    hold = webphone.get_by_role("button", name="Hold")
    hold.dblclick()

    def agree():
        is_held = "a=sendonly" in line.wanted
        return ("On hold" in words(webphone)) == is_held == (hold.get_attribute("aria-pressed") == "true")

    until(agree, "the page says what the other side was told")


def test_mute_and_hold_are_told_apart(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    mute, hold = (webphone.get_by_role("button", name=name) for name in ("Mute", "Hold"))
    mute.click()
    says(webphone, "Muted")
    hold.click()
    says(webphone, "On hold")
    until(lambda: "a=sendonly" in line_of(real.carrier).wanted, "the other side knows")
    hold.click()
    says(webphone, "Muted")
    assert mute.get_attribute("aria-pressed") == "true"
    mute.click()
    says(webphone, "Connected")


def test_a_hold_of_the_other_side_is_said(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    line_of(real.carrier).hold()
    says(webphone, "has put you on hold.")


def test_an_ending_says_what_it_was_and_what_support_needs(webphone, real):
    call(webphone, "+15145550103")
    says(webphone, "+15145550103 declined the call.")
    note = webphone.locator("#call-note").inner_text()
    assert note.startswith("For support: SIP 603, ")


def test_a_recent_call_is_there_at_once_and_fills_in_its_number(webphone, real):
    call(webphone, "514 555 0186")
    says(webphone, "is busy.")
    recent = webphone.locator("#recent a[data-number]").first
    until(lambda: recent.count() and "0186" in recent.inner_text(), "the list is up to date")
    webphone.evaluate("globalThis.isSame = true")
    recent.click()
    assert webphone.get_by_label("Number to call").input_value() == "+1 514-555-0186"
    assert webphone.evaluate("isSame")


def test_who_signs_out_elsewhere_reads_it_and_is_off_the_phone(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    other = webphone.context.new_page()
    other.goto("/")
    other.locator("form#sign-out").evaluate("(form) => form.requestSubmit()")
    until(lambda: line_of(real.carrier).state == "ended", "the other side is hung up")
    state = webphone.locator("#line-state")
    until(lambda: state.inner_text() == "You are signed out", "the page says so")
