"""Calls through the browser and by call-back, heard at both ends."""

import pytest
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Person
from accounts.scope import scope
from tests.browser.calls.conftest import (
    BROWSER,
    CARRIER,
    DOMAIN,
    TELEPHONE,
    call,
    hears,
    line_of,
    number_of_uma,
    open_webphone,
    page_hears,
    says,
    until,
)
from tests.browser.test_looks import serious
from webphone.actions.calls import hang_up, look_for_silent, place
from webphone.models import Call, Location
from webphone.telephony import telephony
from webphone.telephony.media import strength

NUMBER, SHOWN = "+1 514-555-0123", "+1 514-555-0123"
DESK = "Extension 301"


def silent(line):
    """Wait until a telephone has heard nothing for a second."""
    until(lambda: len(line.sound.heard) and max(strength(bytes(line.sound.heard), BROWSER), 0) < 0.01, "silence")


def last_call(**wanted):
    """The last call's row, once it is as wanted."""

    def found():
        row = Call.unscoped.order_by("-pk").first()
        return row if row and all(getattr(row, name) == value for name, value in wanted.items()) else None

    return until(found, f"the record says {wanted}")


def test_a_call_through_the_browser_is_heard_at_both_ends(webphone, real):
    call(webphone, NUMBER)
    says(webphone, f"Ringing {SHOWN}")
    says(webphone, f"Connected with {SHOWN}")
    line = line_of(real.carrier)
    assert line.called == "+15145550123"
    hears(line, BROWSER)
    page_hears(webphone, CARRIER)
    row = last_call(state="talking", mode="computer", number="+15145550123")
    assert row.ref in telephony().live()
    assert serious(webphone) == []

    webphone.get_by_role("button", name="Mute").click()
    silent(line)
    webphone.get_by_role("button", name="Mute").click()
    hears(line, BROWSER)

    webphone.get_by_role("button", name="Hold").click()
    says(webphone, "On hold")
    silent(line)
    webphone.get_by_role("button", name="Hold").click()
    hears(line, BROWSER)
    page_hears(webphone, CARRIER)

    webphone.keyboard.press("1")
    webphone.get_by_role("button", name="5", exact=True).click()
    webphone.get_by_role("button", name="#", exact=True).click()
    until(lambda: line.sound.keys == "15#", "the keys are heard")

    webphone.keyboard.press("Escape")
    says(webphone, "The call has ended.")
    until(lambda: line.state == "ended", "the other side is hung up")
    last_call(state="ended", outcome="answered")
    until(lambda: row.ref not in telephony().live(), "the server knows nothing of it any more")


def test_the_last_wish_counts_where_hold_is_pressed_while_the_change_before_is_on_its_way(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    line = line_of(real.carrier)
    hears(line, BROWSER)
    press = "(times) => { for (let i = 0; i < times; i++) document.getElementById('hold').click(); }"
    webphone.evaluate(press, 2)
    says(webphone, f"Connected with {SHOWN}")
    hears(line, BROWSER)
    page_hears(webphone, CARRIER)
    webphone.evaluate(press, 3)
    says(webphone, "On hold")
    silent(line)
    webphone.get_by_role("button", name="Hold").click()
    hears(line, BROWSER)


def test_who_is_called_sees_the_number_that_was_chosen(webphone, real):
    number = number_of_uma()
    open_webphone(webphone)
    webphone.get_by_label("Caller id").select_option(value=number.e164)
    call(webphone, NUMBER)
    says(webphone, "Connected")
    assert line_of(real.carrier).leg.asserted == f"<sip:{number.e164}@{DOMAIN}>"
    webphone.keyboard.press("Escape")
    says(webphone, "The call has ended.")
    call(webphone, NUMBER, DESK)
    says(webphone, "Connected")
    assert line_of(real.carrier, 1).caller == number.e164


def uma():
    return Actor.at_home(Person.objects.get(email="user@acme.example"))


def test_a_call_is_ended_at_the_server_from_another_page(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    hang_up(uma(), last_call().ref)
    says(webphone, "The call has ended.")
    until(lambda: line_of(real.carrier).state == "ended", "the other side is hung up")
    last_call(state="ended", outcome="answered")


def test_a_call_that_rings_is_cancelled_at_the_server_from_another_page(webphone, real):
    call(webphone, "+15145550180")
    says(webphone, "Ringing")
    hang_up(uma(), last_call().ref)
    says(webphone, "The call was cancelled.")
    until(lambda: line_of(real.carrier).state == "ended", "it rings no longer")
    last_call(state="ended", outcome="cancelled")


def test_a_call_that_the_server_never_heard_of_is_over_when_it_is_hung_up(webphone, real):
    row = place(uma(), NUMBER, location_id=None, caller_id="")
    assert hang_up(uma(), row.ref).outcome == "cancelled"


def test_what_happens_while_the_portal_is_away_is_told_afterwards(webphone, real):
    real.door.shut()
    call(webphone, NUMBER)
    says(webphone, "Connected")
    row = last_call(state="placed")
    webphone.locator("#call-time", has_text="0:02").wait_for()
    webphone.keyboard.press("Escape")
    says(webphone, "The call has ended.")
    until(lambda: row.ref not in telephony().live(), "the server knows nothing of it any more")
    opened = timezone.now()
    row.refresh_from_db()
    assert row.state == "placed"
    real.door.open()
    row = last_call(state="ended", outcome="answered")
    assert row.placed_at < row.answered_at < row.ended_at < opened
    assert row.seconds > 0


def test_a_call_back_whose_service_is_gone_goes_on_and_is_closed_as_unknown(webphone, real):
    call(webphone, NUMBER, DESK)
    says(webphone, "Connected")
    own, other = line_of(real.telephone), line_of(real.carrier)
    hears(own, CARRIER)
    hears(other, TELEPHONE)
    real.restart("call-back service")
    own.sound.heard.clear()
    other.sound.heard.clear()
    hears(own, CARRIER)
    hears(other, TELEPHONE)
    row = last_call(state="talking")
    with scope(row.account):
        look_for_silent(row.account, [row.ref], telephony().live())
    last_call(state="ended", outcome="unknown")
    says(webphone, "It is not known how the call ended.")
    # And the next call is one like any other.
    for line in (own, other):
        line.hang_up()
    until(lambda: own.state == other.state == "ended", "both are hung up")
    webphone.get_by_role("button", name="Close").click()
    call(webphone, NUMBER, DESK)
    says(webphone, "Connected")


def test_a_call_that_nobody_answers_ends_by_itself(webphone, real):
    call(webphone, "+15145550180")
    says(webphone, "does not answer.")
    last_call(state="ended", outcome="no_answer")


@pytest.mark.parametrize(
    ("number", "sentence", "outcome"),
    [
        ("+15145550186", "+15145550186 is busy.", "busy"),
        ("+15145550104", "+15145550104 cannot be reached.", "unreachable"),
        ("+15145550199", "The call has ended.", "answered"),
    ],
)
def test_endings_are_told_in_words_and_kept(webphone, real, number, sentence, outcome):
    call(webphone, number)
    says(webphone, sentence)
    last_call(state="ended", outcome=outcome)


def test_a_call_that_is_not_answered_can_be_cancelled(webphone, real):
    call(webphone, "+15145550180")
    says(webphone, "Ringing")
    webphone.get_by_role("button", name="Hang up").click()
    says(webphone, "The call was cancelled.")
    until(lambda: real.carrier.lines[0].state == "ended", "it rings no longer")
    last_call(state="ended", outcome="cancelled")


def test_a_tab_that_is_closed_leaves_nobody_on_the_line(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    line = line_of(real.carrier)
    webphone.close(run_before_unload=False)
    # It might have been loaded again.
    until(lambda: line.state == "ended", "the other side is hung up", 40)
    last_call(state="ended", outcome="answered")


def test_a_call_that_comes_in_rings_in_the_browser(webphone, real):
    number = number_of_uma()
    real.telephone.answers = False
    line = real.carrier.call(number.e164, "+15145559999")
    says(webphone, "+15145559999 is calling")
    webphone.get_by_role("button", name="Answer").click()
    says(webphone, "Connected with +15145559999")
    hears(line, BROWSER)
    page_hears(webphone, CARRIER)
    line.hang_up()
    says(webphone, "The call has ended.")
    last_call(mode="incoming", state="ended", outcome="answered", number="+15145559999")

    def is_active():
        number.refresh_from_db()
        return number.last_call_at is not None and number.last_call_at > number.since

    until(is_active, "the number is active")


def test_a_call_that_comes_in_while_the_portal_is_slow_is_one_call(webphone, real):
    real.telephone.answers = False
    real.door.seconds = 0.9  # whoever calls hears nothing for longer than it takes to call again (RFC 3261, T1)
    line = real.carrier.call(number_of_uma().e164, "+15145559999")
    says(webphone, "is calling")
    line.hang_up()
    says(webphone, "Missed call from +15145559999")
    last_call(mode="incoming", state="ended", outcome="no_answer")
    assert Call.unscoped.count() == 1


def test_a_call_that_comes_in_and_stops_was_missed(webphone, real):
    real.telephone.answers = False
    line = real.carrier.call(number_of_uma().e164, "+15145559999")
    says(webphone, "is calling")
    line.hang_up()
    says(webphone, "Missed call from +15145559999")
    last_call(mode="incoming", state="ended", outcome="no_answer")


def test_a_call_back_rings_the_own_telephone_first_and_then_connects_both(webphone, real):
    real.telephone.rings = real.carrier.rings = 2.0  # the page looks every 0.7 seconds, if it gets to it
    call(webphone, NUMBER, DESK)
    says(webphone, f"Ringing {DESK}")
    says(webphone, f"Ringing {SHOWN}")
    says(webphone, f"Connected with {SHOWN}")
    own, other = line_of(real.telephone), line_of(real.carrier)
    hears(own, CARRIER)
    hears(other, TELEPHONE)
    last_call(state="talking", mode="call_back", own_number="301")
    other.hang_up()
    says(webphone, "The call has ended.")
    until(lambda: own.state == "ended", "the own telephone is hung up too")
    last_call(state="ended", outcome="answered")


def test_a_call_back_to_a_private_telephone_goes_through_the_carrier(webphone, real):
    call(webphone, NUMBER, "Mobile +1 514-555-0170")
    says(webphone, "Connected")
    own, other = line_of(real.carrier), line_of(real.carrier, 1)
    assert (own.called, other.called) == ("+15145550170", "+15145550123")
    hears(own, CARRIER)
    webphone.get_by_role("button", name="Hang up").click()
    says(webphone, "The call has ended.")
    until(lambda: own.state == other.state == "ended", "both are hung up")


def test_a_call_back_can_be_cancelled_while_the_own_telephone_rings(webphone, real):
    real.telephone.answers = False
    call(webphone, NUMBER, DESK)
    says(webphone, f"Ringing {DESK}")
    webphone.get_by_role("button", name="Hang up").click()
    says(webphone, "The call was cancelled.")
    until(lambda: line_of(real.telephone).state == "ended", "it rings no longer")
    assert real.carrier.lines == []


def test_a_call_back_can_be_cancelled_while_the_other_side_rings(webphone, real):
    call(webphone, "+15145550180", DESK)
    says(webphone, "Ringing +1 514-555-0180")
    webphone.keyboard.press("Escape")
    says(webphone, "The call was cancelled.")
    until(lambda: line_of(real.telephone).state == line_of(real.carrier).state == "ended", "nothing rings")


@pytest.mark.parametrize(
    ("number", "sentence", "outcome"),
    [("+15145550186", "is busy.", "busy"), ("+15145550104", "cannot be reached.", "unreachable")],
)
def test_a_call_back_tells_why_the_other_side_was_not_reached(webphone, real, number, sentence, outcome):
    call(webphone, number, DESK)
    says(webphone, sentence)
    last_call(state="ended", outcome=outcome)
    until(lambda: line_of(real.telephone).state == "ended", "the own telephone is hung up")


def test_a_call_back_that_the_own_telephone_does_not_answer_calls_nobody(webphone, real):
    real.telephone.answers = False
    call(webphone, NUMBER, DESK)
    says(webphone, f"{DESK} did not answer. {SHOWN} was not called.")
    last_call(state="ended", outcome="not_you")
    assert real.carrier.lines == []


def test_a_hold_on_the_own_telephone_reaches_the_other_side(webphone, real):
    call(webphone, NUMBER, DESK)
    says(webphone, "Connected")
    own, other = line_of(real.telephone), line_of(real.carrier)
    hears(own, CARRIER)
    own.hold()
    until(lambda: "a=sendonly" in other.wanted, "the other side learns of the hold")
    own.hang_up()
    says(webphone, "The call has ended.")
    until(lambda: other.state == "ended", "the other side is hung up")


def test_a_telephone_is_verified_by_the_code_that_is_typed_on_it(webphone, real):
    webphone.goto("/C20001/webphone/telephones/")
    webphone.get_by_label("Kind").select_option("home")
    webphone.get_by_label("Number or extension").fill("+1 514 555 0175")
    webphone.get_by_role("button", name="Add").click()
    webphone.get_by_role("button", name="Verify Home +1 514-555-0175").click()
    says_code = webphone.locator(".code").inner_text()
    line = line_of(real.carrier)
    until(lambda: line.sound and line.sound.packets_in, "the telephone asks for the code")
    line.sound.press(says_code)
    webphone.get_by_text("This telephone is verified").wait_for()
    assert Location.unscoped.get(number="+15145550175").is_verified
    open_webphone(webphone)
    assert "Home +1 514-555-0175" in webphone.get_by_label("Talk with").inner_text()


def test_microphone_and_speakers_are_chosen_and_tried_out(webphone, real):
    webphone.get_by_text("Microphone and speakers").click()
    webphone.get_by_role("button", name="Test").click()
    webphone.get_by_text("The microphone hears you.").wait_for()
    assert webphone.get_by_label("Microphone", exact=True).locator("option").count() > 1
