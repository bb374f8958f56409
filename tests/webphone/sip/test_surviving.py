"""Calls outlive the SIP server, the connection of a browser and the portal."""

import re
import time
from pathlib import Path

import pytest

from tests.webphone.sip.conftest import DOMAIN, PASSWORD, token
from tests.webphone.sip.raw import Talk, answering, description, header, response, status
from webphone.telephony import sip_data, sip_user
from webphone.telephony.sip import SipTelephony

NUMBER, OWN = "+15145550123", "+15145550106"


def bye(peer, seconds=15):
    return peer.wait(lambda one: one.startswith("BYE "), seconds)


def restarted(sip, *talks, kill, phone=""):
    """Start the SIP server anew, once it has written down the calls and the phone: it does so every second or two."""
    wanted = [f"dialog WHERE state = 4 AND callid = '{talk.id}'" for talk in talks]
    if phone:
        wanted.append(f"location WHERE username = '{phone.lower()}'")
    deadline = time.monotonic() + 15
    while not all(sip.written(rows) for rows in wanted):
        assert time.monotonic() < deadline, [rows for rows in wanted if not sip.written(rows)]
        time.sleep(0.1)
    sip.stop("SIP server", kill=kill)
    sip.start("SIP server")


@pytest.fixture
def talking(sip, person):
    browser = sip.browser(person)
    browser.answers = answering()
    assert browser.register() == 200
    talk = browser.call(NUMBER, more=token(person, NUMBER, caller_id=OWN.removeprefix("+")))
    assert status(talk.answer) == 200
    return browser, talk


@pytest.mark.parametrize("kill", [False, True])
def test_after_a_restart_a_browser_hangs_up_over_its_new_connection(sip, talking, person, kill):
    _browser, talk = talking
    restarted(sip, talk, kill=kill)
    again = sip.browser(person)
    again.number = 100
    assert status(again.ask("BYE", talk.target, talk)) == 200
    assert bye(sip.trunk)


@pytest.mark.parametrize("kill", [False, True])
def test_after_a_restart_the_trunk_hangs_up_a_browser_that_has_registered_again(sip, talking, person, kill):
    restarted(sip, talking[1], kill=kill)
    again = sip.browser(person)
    again.answers = answering()
    assert again.register() == 200
    theirs = Talk.of_callee(sip.trunk.requests("INVITE")[0])
    assert status(sip.trunk.ask("BYE", theirs.target, theirs)) == 200
    assert bye(again)


def test_after_a_restart_where_nobody_comes_back_the_trunk_is_hung_up(sip, talking):
    restarted(sip, talking[1], kill=True)
    assert bye(sip.trunk, 50)


def test_after_a_restart_calls_still_count_and_registrations_stand(sip, person):
    browser = sip.browser(person)
    phone = sip.phone("C1001-101")
    phone.answers = answering()
    assert phone.register() == 200
    talks = [browser.call(NUMBER, more=token(person, NUMBER)) for _turn in range(2)]
    assert [status(talk.answer) for talk in talks] == [200, 200]
    restarted(sip, *talks, kill=True, phone="C1001-101")
    again = sip.browser(person)
    assert status(again.call(NUMBER, more=token(person, NUMBER)).answer) == 486
    # Nobody has registered the phone again.
    sip.portal.rings[OWN] = "- C1001-101"
    assert status(sip.trunk.call(OWN).answer) == 200


def test_a_browser_that_closes_and_comes_back_keeps_its_call(sip, talking, person):
    browser, talk = talking
    browser.close()
    again = sip.browser(person)
    again.answers, again.number = answering(), 100
    assert again.register() == 200
    answer = again.ask("INVITE", talk.target, talk, body=again.offers)
    assert status(answer) == 200
    again.acknowledge(talk.target, talk, answer)
    # The far end still writes to the old address.
    theirs = Talk.of_callee(sip.trunk.requests("INVITE")[0])
    assert status(sip.trunk.ask("BYE", theirs.target, theirs)) == 200
    assert bye(again)


def test_a_phone_that_is_added_registers_at_once_and_one_that_is_removed_does_not(sip):
    data = Path(sip.places.data)
    phone = sip.phone("C1001-777")
    assert phone.register() == 401
    sip_data.set_phone(data, "C1001-777", DOMAIN, PASSWORD)
    assert phone.register() == 200
    sip_data.remove_phone(data, "C1001-777")
    assert phone.register() == 401


# The portal


def test_a_portal_that_hangs_holds_up_no_phone_and_loses_no_call(sip):
    """Twenty calls come in while the portal takes questions and says nothing."""
    phone = sip.phone("C1001-101")
    phone.answers = answering()
    assert phone.register() == 200
    sip.portal.rings[OWN] = "- C1001-101"
    first = sip.trunk.call(OWN)
    assert status(first.answer) == 200
    sip.portal.answers.clear()
    uri = f"sip:{OWN}@{DOMAIN}"
    talks = [Talk(f"<sip:+1416555{turn:04}@{DOMAIN}>;tag=t{turn}", f"<{uri}>") for turn in range(20)]
    since = len(sip.trunk.heard)
    for talk in talks:
        sip.trunk.send("INVITE", uri, talk, body=description())
    # All twenty wait now; nobody else does.
    assert phone.register(seconds=1.5) == 200
    for talk in talks:
        answer = sip.trunk.wait(lambda one, talk=talk: status(one) >= 200 and talk.id in one, since=since)
        assert status(answer) == 200, answer
        talk.begun(answer)
        sip.trunk.acknowledge(talk.target, talk, answer)
    sip.portal.answers.set()


# Offers


def test_an_offer_may_come_in_the_answer_to_a_request_of_the_trunk(sip, talking):
    """A re-INVITE without a session description (RFC 3261, 14): the browser offers in its answer."""
    browser, _talk = talking

    def answers(peer, message):
        if message.startswith("INVITE "):
            peer.write(response(message, 200, peer.offers, f"Contact: <{peer.contact}>\r\n"))
        elif not message.startswith("ACK "):
            peer.write(response(message, 200))

    browser.answers = answers
    theirs = Talk.of_callee(sip.trunk.requests("INVITE")[0])
    answer = sip.trunk.ask("INVITE", theirs.target, theirs)
    assert status(answer) == 200
    offered = answer.partition("\r\n\r\n")[2]
    assert re.search(r"m=audio \d+ RTP/AVP ", offered)
    assert "fingerprint" not in offered
    sip.trunk.acknowledge(theirs.target, theirs, answer, body=description(codecs="0 101"))
    acknowledged = browser.wait(lambda one: one.startswith("ACK "))
    assert "UDP/TLS/RTP/SAVPF" in acknowledged
    assert "a=fingerprint" in acknowledged


def test_an_offer_may_come_in_the_answer_to_the_first_request(sip, person):
    browser = sip.browser(person)
    browser.answers = answering(rings=False)
    assert browser.register() == 200
    sip.portal.rings[OWN] = f"- {sip_user(person)}"
    uri = f"sip:{OWN}@{DOMAIN}"
    talk = Talk(f"<sip:+14165551234@{DOMAIN}>;tag=late", f"<{uri}>")
    answer = sip.trunk.ask("INVITE", uri, talk)
    assert status(answer) == 200
    assert "RTP/AVP" in answer
    assert "fingerprint" not in answer
    talk.begun(answer)
    sip.trunk.acknowledge(talk.target, talk, answer, body=description())
    acknowledged = browser.wait(lambda one: one.startswith("ACK "))
    assert "a=fingerprint" in acknowledged


@pytest.mark.parametrize("codec", ["0", "8", "9"])
def test_a_trunk_that_knows_one_codec_is_offered_it(sip, person, codec):
    """A browser that offers Opus alone; the relay transcodes."""
    sip.trunk.answers = answering(description(codecs=codec))
    browser = sip.browser(person)
    talk = browser.call(NUMBER, more=token(person, NUMBER), body=browser.offers.replace("111 0 101", "111"))
    assert status(talk.answer) == 200
    offered = sip.trunk.requests("INVITE")[0]
    assert codec in re.search(r"m=audio \d+ RTP/AVP ([\d ]+)", offered)[1].split()
    assert re.search(r"m=audio \d+ UDP/TLS/RTP/SAVPF 111", talk.answer)


def test_who_picks_up_elsewhere_is_told_apart_from_a_missed_call(sip, person):
    """A CANCEL says that the call was answered on another phone (RFC 3326)."""
    browser, phone = sip.browser(person), sip.phone("C1001-101")
    browser.answers = answering(code=180)
    phone.answers = answering()
    assert browser.register() == phone.register() == 200
    sip.portal.rings[OWN] = f"- {sip_user(person)} C1001-101"
    assert status(sip.trunk.call(OWN).answer) == 200
    cancelled = browser.wait(lambda one: one.startswith("CANCEL "))
    assert "cause=200" in header(cancelled, "Reason")


def test_a_browser_that_is_gone_while_it_rings_leaves_nothing_ringing(sip, person):
    sip.trunk.answers = answering(code=180)
    browser = sip.browser(person)
    assert browser.register() == 200
    uri = f"sip:{NUMBER}@{DOMAIN}"
    talk = Talk(f"<sip:{browser.name}@{DOMAIN}>;tag=a", f"<{uri}>")
    browser.ask("INVITE", uri, talk, more=token(person, NUMBER), body=browser.offers, seconds=1)
    assert sip.trunk.requests("INVITE")
    browser.close()
    assert sip.trunk.wait(lambda one: one.startswith("CANCEL "), 5)
    deadline = time.monotonic() + 10
    while SipTelephony().dialogs():
        assert time.monotonic() < deadline
