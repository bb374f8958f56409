"""The SIP server is a whitelist: of methods, headers, bodies, targets and callers, in every request of a call."""

import re

import pytest

from tests.webphone.sip.conftest import DOMAIN, PASSWORD, PHONES, token
from tests.webphone.sip.raw import Talk, Udp, address, answering, header, headers, names, response, status
from webphone.telephony import sip_user
from webphone.telephony.sip import SipTelephony

NUMBER, OWN = "+15145550123", "+15145550106"
EXPENSIVE = "+19005550100"
#: What says who somebody is, or sends a call elsewhere; what identity or route a person could invent.
FORGED = "".join(
    f"{name}: {value}\r\n"
    for name, value in {
        "P-Asserted-Identity": f"<sip:{EXPENSIVE}@x>", "P-Preferred-Identity": f"<sip:{EXPENSIVE}@x>",
        "Remote-Party-ID": f"<sip:{EXPENSIVE}@x>;party=calling;privacy=off", "Diversion": f"<sip:{EXPENSIVE}@x>",
        "P-Charge-Info": f"<sip:{EXPENSIVE}@x>", "History-Info": f"<sip:{EXPENSIVE}@x>;index=1",
        "P-Charging-Vector": "icid-value=1", "Privacy": "none", "Alert-Info": "<http://evil.example/ring.wav>",
        "Call-Info": "<http://evil.example/>;purpose=info", "Identity": "forged", "Replaces": "a;to-tag=b;from-tag=c",
        "Referred-By": f"<sip:{EXPENSIVE}@x>", "Join": "a;to-tag=b;from-tag=c", "X-Anything": "evil", "Subject": "evil",
        "Refer-To": f"<sip:{EXPENSIVE}@x>", "P-Early-Media": "supported", "Geolocation": "<sip:evil@x>",
    }.items()
)  # fmt: skip
#: What may reach anybody (RFC 3261 and what belongs to it), and our own identity towards trunks.
KNOWN = {
    "via", "record-route", "route", "from", "to", "call-id", "cseq", "contact", "max-forwards", "content-type",
    "content-length", "supported", "allow", "accept", "require", "rseq", "rack", "session-expires", "min-se", "reason",
    "retry-after", "user-agent", "event", "content-disposition", "proxy-authenticate", "www-authenticate", "warning",
    "p-asserted-identity", "privacy", "server",
}  # fmt: skip


def arrived(sip, verb):
    """The first request of this method that the trunk got."""
    return sip.trunk.wait(lambda one: one.startswith(f"{verb} "))


@pytest.fixture
def talking(sip, person):
    """A call of a browser's to the trunk, answered."""
    browser = sip.browser(person)
    talk = browser.call(NUMBER, more=token(person, NUMBER, caller_id=OWN.removeprefix("+")))
    assert status(talk.answer) == 200, talk.answer
    return browser, talk


@pytest.mark.parametrize("verb", ["REFER", "MESSAGE", "NOTIFY", "SUBSCRIBE", "PUBLISH", "REGISTER", "EVIL"])
def test_within_a_call_no_other_method_passes(sip, talking, verb):
    browser, talk = talking
    answer = browser.ask(verb, talk.target, talk, more=f"Refer-To: <sip:{EXPENSIVE}@{DOMAIN}>\r\nEvent: refer\r\n")
    assert status(answer) in (405, 400), answer
    # What passes arrives in order: had the other one passed, it would be there.
    assert status(browser.ask("INFO", talk.target, talk)) == 200
    assert sip.trunk.requests(verb) == []


@pytest.mark.parametrize("verb", ["REFER", "MESSAGE", "NOTIFY", "SUBSCRIBE"])
def test_nor_one_of_the_trunk(sip, talking, verb):
    browser, _talk = talking
    theirs = Talk.of_callee(sip.trunk.requests("INVITE")[0])
    answer = sip.trunk.ask(
        verb, theirs.target, theirs, more=f"Refer-To: <sip:{EXPENSIVE}@{DOMAIN}>\r\nEvent: refer\r\n"
    )
    assert status(answer) == 405
    assert status(sip.trunk.ask("BYE", theirs.target, theirs, seconds=1)) == 0
    assert browser.wait(lambda one: one.startswith("BYE "))
    assert browser.requests(verb) == []


@pytest.mark.parametrize("verb", ["INVITE", "UPDATE", "INFO", "BYE", "OPTIONS", "PRACK"])
def test_the_target_is_the_calls_own_whatever_is_asked_for(sip, talking, verb):
    browser, talk = talking
    elsewhere = Udp(DOMAIN, "x", None)
    for target in (f"sip:x@{elsewhere.at}", f"sip:{EXPENSIVE}@{sip.trunk.at}", f"sip:{EXPENSIVE}@{DOMAIN}"):
        since = len(sip.trunk.heard)
        browser.ask(verb, target, talk, body=browser.offers if verb in ("INVITE", "UPDATE") else "", seconds=5)
        found = sip.trunk.wait(lambda one: one.startswith(f"{verb} "), 5, since)
        if verb == "BYE" and found is None:
            break  # the call is over
        assert found.split()[1].partition(";")[0] == sip.trunk.contact, found
    assert elsewhere.heard == []
    elsewhere.close()


@pytest.mark.parametrize("verb", ["INVITE", "UPDATE", "INFO", "BYE"])
def test_no_header_of_ones_own_reaches_the_trunk(sip, talking, verb):
    browser, talk = talking
    body = browser.offers if verb in ("INVITE", "UPDATE") else ""
    since = len(sip.trunk.heard)
    browser.ask(verb, talk.target, talk, more=FORGED, body=body)
    found = sip.trunk.wait(lambda one: one.startswith(f"{verb} "), since=since)
    assert names(found) <= KNOWN, names(found) - KNOWN
    assert EXPENSIVE not in found
    assert address(found, "From") == f"sip:{OWN}@{DOMAIN}"


def test_the_first_request_has_one_identity_and_it_is_the_signed_one(sip, person):
    browser = sip.browser(person)
    more = FORGED + token(person, NUMBER, caller_id=OWN.removeprefix("+"))
    browser.call(NUMBER, more=more, display='"Your bank" ')
    found = arrived(sip, "INVITE")
    assert names(found) <= KNOWN, names(found) - KNOWN
    assert EXPENSIVE not in found
    assert "bank" not in found
    assert headers(found, "P-Asserted-Identity") == [f"<sip:{OWN}@{DOMAIN}>"]
    assert re.match(rf"<sip:{re.escape(OWN)}@{DOMAIN}>;tag=", header(found, "From"))
    assert headers(found, "Privacy") == []


def test_without_a_number_of_ones_own_the_caller_is_withheld(sip, person):
    sip.browser(person).call(NUMBER, more=FORGED + token(person, NUMBER))
    found = arrived(sip, "INVITE")
    assert headers(found, "P-Asserted-Identity") == []
    assert headers(found, "Privacy") == ["id"]
    assert address(found, "From") == "sip:anonymous@anonymous.invalid"


def test_what_the_trunk_says_about_itself_does_not_reach_the_browser(sip, talking):
    _browser, talk = talking
    assert names(talk.answer) <= KNOWN - {"p-asserted-identity"}
    assert "Evil" not in talk.answer


@pytest.mark.parametrize(
    ("verb", "kind"),
    [("INVITE", "multipart/mixed;boundary=x"), ("INVITE", "application/pidf+xml"), ("INFO", "text/plain"),
     ("UPDATE", "message/sipfrag")],
)  # fmt: skip
def test_no_other_body_passes(sip, talking, verb, kind):
    browser, talk = talking
    assert status(browser.ask(verb, talk.target, talk, body="evil", kind=kind)) == 415
    assert status(browser.ask("INFO", talk.target, talk, body="Signal=5\r\n", kind="application/dtmf-relay")) == 200
    assert not any("evil" in one for one in sip.trunk.heard)


def test_whoever_hangs_up_does_so_with_any_body_and_it_goes_no_further(sip, talking):
    browser, talk = talking
    assert status(browser.ask("BYE", talk.target, talk, body="evil", kind="text/plain")) == 200
    assert "evil" not in arrived(sip, "BYE")


def test_a_token_that_was_withdrawn_places_no_call(sip, person):
    """Hung up before the SIP server has seen it: the token is spent then."""
    ref = "C1001-" + "a" * 32
    assert SipTelephony().end_dialog(ref)[-1].cancelled
    assert status(sip.browser(person).call(NUMBER, more=token(person, NUMBER, ref=ref)).answer) == 403
    assert sip.trunk.requests("INVITE") == []


def test_calls_of_a_person_are_counted_by_the_sip_server_itself(sip, person, other):
    browser = sip.browser(person)
    first, second, third = (browser.call(NUMBER, more=token(person, NUMBER)) for _turn in range(3))
    assert [status(one.answer) for one in (first, second, third)] == [200, 200, 486]
    assert sum(dialog["state"] == 4 for dialog in sip.dialogs()) == 2
    assert status(sip.browser(other).call(NUMBER, more=token(other, NUMBER)).answer) == 200
    assert status(browser.ask("BYE", first.target, first)) == 200
    assert status(browser.call(NUMBER, more=token(person, NUMBER)).answer) == 200


def test_a_call_lasts_as_long_as_the_portal_has_granted(sip, person):
    browser = sip.browser(person)
    browser.answers = answering()
    talk = browser.call(NUMBER, more=token(person, NUMBER, seconds=2))
    assert status(talk.answer) == 200
    assert arrived(sip, "BYE")
    assert browser.wait(lambda one: one.startswith("BYE "))


# Tenants


@pytest.fixture
def phones(sip):
    """The phones, registered, by name."""
    known = {name: sip.phone(name) for name in PHONES}
    for phone in known.values():
        phone.answers = answering()
        assert phone.register() == 200
    return known


def test_a_phone_reaches_its_own_account_and_nothing_else(sip, phones, person):
    browser = sip.browser(person)
    browser.answers = answering()
    assert browser.register() == 200
    caller = phones["C1001-101"]
    for target in (
        "C2002-101",
        sip_user(person),
        "+15145550123",
        "911",
        "call-back",
        "C1001",
        "C1001-",
        "C1001-102-1",
        "x",
    ):
        assert status(caller.call(target).answer) == 404, target
    assert status(caller.call("C1001-102", more=FORGED, display='"Your bank" ').answer) == 200
    found = phones["C1001-102"].requests("INVITE")[0]
    assert names(found) <= KNOWN - {"p-asserted-identity", "privacy"}
    assert re.match(rf"<sip:C1001-101@{DOMAIN}>;tag=", header(found, "From"))
    # As it is dialled on the phone
    assert status(caller.call("102").answer) == 200
    assert browser.requests("INVITE") == phones["C2002-101"].requests("INVITE") == sip.trunk.requests("INVITE") == []


def test_a_phone_calls_and_registers_as_itself_alone(sip, phones):
    pretender = sip.phone("C2002-101")
    pretender.user = "C1001-101"
    assert status(pretender.call("C1001-102").answer) in (401, 403, 407)
    assert pretender.register() in (401, 403)
    assert phones["C1001-102"].requests("INVITE") == []


def test_who_comes_from_the_address_of_a_trunk_reaches_numbers_alone(sip, phones, person):
    sip.portal.rings["+15145550106"] = "- C1001-101"
    for target in ("C1001-101", sip_user(person), "call-back", "911", "+0145550106"):
        assert status(sip.trunk.call(target).answer) == 404, target
    talk = sip.trunk.call("15145550106", more=FORGED)
    assert status(talk.answer) == 200
    found = phones["C1001-101"].requests("INVITE")[0]
    assert names(found) <= KNOWN - {"p-asserted-identity", "privacy"}
    for verb in ("REGISTER", "MESSAGE", "SUBSCRIBE"):
        assert (
            status(sip.trunk.ask(verb, f"sip:{DOMAIN}", Talk(f"<sip:w8@{DOMAIN}>;tag=a", f"<sip:w8@{DOMAIN}>"))) == 405
        )


# Guessing


def test_guessing_a_password_is_stopped_and_others_of_the_same_address_go_on(sip):
    host = "127.77.1.12"
    guesser = sip.phone("C1001-101", "wrong", host)
    for _turn in range(10):
        assert guesser.register() == 401
    guesser.password = PASSWORD
    assert guesser.register() == 0
    assert sip.phone("C1001-102", host=host).register() == 200
    assert sip.phone("C1001-101").register() == 200
    assert f"SIP guessing from {host}" in sip.log()
    assert f"SIP password refused for C1001-101 from {host}" in sip.log()


def test_guessing_at_many_phones_shuts_out_the_address(sip):
    host = "127.77.1.13"
    for name in range(60):
        phone = sip.phone(f"C1001-{name}", "wrong", host)
        call = Talk(f"<sip:{phone.name}@{DOMAIN}>;tag=r", f"<sip:{phone.name}@{DOMAIN}>")
        if not phone.ask("REGISTER", f"sip:{DOMAIN}", call, seconds=1):
            break
    else:
        pytest.fail("nobody was shut out")
    assert name >= 49
    assert sip.phone("C1001-101").register() == 200


def test_strangers_hear_nothing_of_a_server_here(sip):
    stranger = sip.phone("x", host="127.77.1.14")
    call = Talk("<sip:x@x>;tag=a", f"<sip:x@{DOMAIN}>")
    assert stranger.ask("OPTIONS", f"sip:{DOMAIN}", call, seconds=1) == ""
    assert status(sip.trunk.ask("OPTIONS", f"sip:{DOMAIN}", call)) == 200


# Signing out


def test_who_signs_out_is_off_the_phone_at_once(sip, person, other):
    browser, colleague = sip.browser(person), sip.browser(other)
    assert browser.register() == colleague.register() == 200
    talk = browser.call(NUMBER, more=token(person, NUMBER))
    theirs = colleague.call(NUMBER, more=token(other, NUMBER))
    assert status(talk.answer) == status(theirs.answer) == 200
    SipTelephony().sign_out([person])
    assert browser.wait(lambda one: one.startswith("BYE "), 2)
    assert arrived(sip, "BYE")
    # The credential is refused, whoever has a copy of it; that of others is not.
    assert browser.register() == 403
    assert status(browser.call(NUMBER, more=token(person, NUMBER)).answer) == 403
    sip.portal.rings[OWN] = f"- {sip_user(person)}"
    assert status(sip.trunk.call(OWN).answer) == 480
    assert colleague.register() == 200
    assert status(colleague.ask("INFO", theirs.target, theirs)) == 200
    # Signed in again a moment later
    assert sip.browser(person, seconds=602).register() == 200


def test_a_redirection_is_not_followed(sip, person):
    def answers(peer, message):
        if message.startswith("INVITE "):
            peer.write(response(message, 302, more=f"Contact: <sip:{EXPENSIVE}@{peer.at}>\r\n"))

    sip.trunk.answers = answers
    assert status(sip.browser(person).call(NUMBER, more=token(person, NUMBER)).answer) == 480
    assert len(sip.trunk.requests("INVITE")) == 1
