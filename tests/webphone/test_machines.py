"""What the telephony tells the portal, and asks it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from numbers.models import PhoneNumber
from tests.factories import make_destination, make_number
from webphone.actions import calls
from webphone.models import Call
from webphone.telephony import key_for, sip_user

pytestmark = pytest.mark.django_db
EVENTS, ROUTE = "/telephony/events/", "/telephony/route/"
NOBODYS = "SYS-" + "0" * 32


@pytest.fixture(autouse=True)
def real_telephony(settings):
    settings.TELEPHONY, settings.TELEPHONY_SECRET = "sip", "s" * 40


@pytest.fixture
def tell(client):
    def tell(url, told, key=None):
        header = f"Bearer {key_for('events') if key is None else key}"
        content = told if isinstance(told, str) else json.dumps(told)
        return client.post(url, content, content_type="application/json", headers={"Authorization": header})

    return tell


@pytest.fixture
def call(uma):
    return calls.place(uma, "+15145550123", location_id=None, caller_id="")


@pytest.mark.parametrize("url", [EVENTS, ROUTE])
def test_without_the_key_nothing_is_taken_and_nothing_told(client, tell, url, call, own, settings):
    told = {"ref": call.ref, "event": "talking", "number": own.e164}
    for key in ("", "x", key_for("dial"), key_for("register"), key_for("call-back")):
        assert tell(url, told, key).status_code == 401
    assert client.post(url, told, content_type="application/json").status_code == 401
    settings.TELEPHONY = "demo"
    assert tell(url, told).status_code == 401
    call.refresh_from_db()
    assert call.state == "placed"


def test_what_happens_to_a_call_is_taken_down(tell, call):
    for event, more in (("ringing", {}), ("talking", {}), ("ended", {"code": "200"})):
        assert tell(EVENTS, {"ref": call.ref, "event": event, **more}).status_code == 204
    call.refresh_from_db()
    assert (call.state, call.outcome) == ("ended", "answered")


def test_what_is_told_late_happened_when_it_did(tell, call):
    placed = call.placed_at.timestamp()
    Call.unscoped.update(placed_at=call.placed_at - timedelta(minutes=10))
    tell(EVENTS, {"ref": call.ref, "event": "talking", "time": placed - 500})
    tell(EVENTS, {"ref": call.ref, "event": "ended", "time": placed - 440})
    call.refresh_from_db()
    assert call.answered_at.timestamp() == pytest.approx(placed - 500, abs=1e-3)
    assert call.seconds == 60


@pytest.mark.parametrize("time", [4e9, -1, 0, 1e400, "x", None, [], True, 10**400])
def test_a_time_that_cannot_be_is_taken_for_now(tell, call, time):
    before = timezone.now()
    assert tell(EVENTS, {"ref": call.ref, "event": "talking", "time": time}).status_code == 204
    call.refresh_from_db()
    assert before <= call.answered_at <= timezone.now()


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("not a JSON object", 422), ("[]", 422), ({}, 422), ({"ref": "C1-x", "event": "talking"}, 422),
        ({"ref": NOBODYS, "event": "talking"}, 404), ({"ref": "SYS-\x00", "event": "talking"}, 422),
        ({"ref": ["x"], "event": "ended"}, 422), ({"ref": NOBODYS, "event": "digits", "digits": "😀" * 99}, 404),
        ({"ref": NOBODYS, "event": "ended", "code": {"a": 1}}, 404), ("x" * 10_000, 422), ("[" * 4000, 422),
        ({"ref": f"{NOBODYS}\n", "event": "ended"}, 422), ({"ref": NOBODYS, "event": ["ended"]}, 422),
    ],
)  # fmt: skip
def test_nonsense_is_refused_and_breaks_nothing(tell, system, told, status):
    assert tell(EVENTS, told).status_code == status


def test_a_call_that_comes_in_rings_the_extension_and_the_webphone_of_its_user(tell, uma, own, telephone):
    answer = tell(ROUTE, {"number": own.e164, "from": "+15145559999"}).content.decode()
    ref, *names = answer.split()
    assert names == [f"{uma.account.code}-301", sip_user(uma.person)]
    call = Call.unscoped.get()
    assert (call.ref, call.mode, call.number, call.own_number) == (ref, "incoming", "+15145559999", own.e164)
    tell(EVENTS, {"ref": ref, "event": "ended", "code": 480})
    call.refresh_from_db()
    assert call.outcome == "no_answer"


def test_a_number_that_rings_an_extension_without_a_webphone_leaves_no_record(tell, own, acme):
    assert tell(ROUTE, {"number": own.e164, "from": ""}).content.decode() == f"- {acme.code}-301"
    assert not Call.unscoped.exists()


def test_a_withheld_number_stays_withheld(tell, own, telephone):
    tell(ROUTE, {"number": own.e164, "from": "anonymous"})
    assert Call.unscoped.get().number == ""


def test_what_rings_nothing_is_answered_with_nothing(tell, alpha, acme, system):
    free = make_number(var=alpha)
    silent = make_number(destination=make_destination(acme))  # has no extension
    for number in (free.e164, silent.e164, "+15145550199", "x", "", "\x00"):
        assert tell(ROUTE, {"number": number, "from": "x"}).content == b""
    assert PhoneNumber.unscoped.count() == 2
