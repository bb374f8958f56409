"""Calls as switches tell of them: signing in, times and formats of their own."""

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from numbers.calls import EARLIEST, understood
from numbers.models import PhoneNumber
from numbers.reports import BASE64, FORM, read
from numbers.reports.kit import Sent
from tests.factories import make_number
from tests.numbers.test_calls import NOW

pytestmark = pytest.mark.django_db
EPOCH = int(NOW.timestamp())


def basic(token, user="portal"):
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def report(number="+15145550100", uuid="5d2c", direction="inbound", **variables):
    """What mod_json_cdr posts: each value under ``variables`` is percent-encoded."""
    said = {"uuid": uuid, "direction": direction, "start_epoch": str(EPOCH), "sip_req_user": number} | variables
    return {
        "core-uuid": "9f",
        "variables": {name: quote(value, safe="") for name, value in said.items() if value is not None},
        "callflow": [
            {"caller_profile": {"destination_number": "2001"}},
            {"caller_profile": {"destination_number": "+15145550101"}},
        ],
    }


def calls_of(sent, kind="application/json"):
    return read(Sent(sent if isinstance(sent, bytes) else json.dumps(sent).encode(), kind))


def test_a_switch_signs_in_with_the_token_as_its_password_and_posts_its_report(token_of, system, acme):
    number = make_number(customer=acme, e164="+15145550100")
    PhoneNumber.unscoped.update(assigned_at=EARLIEST)
    client, token = Client(enforce_csrf_checks=True), token_of(system)
    bodies = [
        (json.dumps(report(uuid="a")), "application/json"),
        (urlencode({"cdr": json.dumps(report(uuid="b"))}), FORM),
        (json.dumps(report(uuid="c", direction="outbound")), "application/json"),
    ]
    recorded = []
    for body, kind in bodies:
        answer = client.post("/calls/", body, content_type=kind, headers={"Authorization": basic(token)})
        assert answer.status_code == 200, answer.text
        recorded.append(answer.json()["recorded"])
    assert recorded == [1, 1, 0]
    number.refresh_from_db()
    assert number.first_call_at == NOW


@pytest.mark.parametrize(
    "given", ["Basic", "Basic !", "Basic " + base64.b64encode(b"\xff").decode(), basic("wrong"), basic("")]
)
def test_a_wrong_password_is_refused(token_of, system, given):
    token_of(system)
    answer = Client().post("/calls/", "[]", content_type="application/json", headers={"Authorization": given})
    assert answer.status_code == 401


def test_the_number_called_is_the_carriers_or_where_the_call_went_first():
    assert calls_of(report()).digits == [15145550100]
    assert calls_of(report(number=None)).digits == [15145550101]
    assert calls_of(report(start_uepoch=f"{EPOCH}000000")).times == [NOW]
    assert calls_of(report(number="2001")).refused


@pytest.mark.parametrize(
    "broken", [{"variables": {}}, {"variables": {"uuid": 5}, "callflow": [1, {"caller_profile": 2}]}]
)
def test_a_report_without_what_is_needed_is_refused_with_a_sentence(broken):
    (refused,) = calls_of(broken).refused
    assert refused[1]


@pytest.mark.parametrize(
    "at",
    [EPOCH, float(EPOCH), str(EPOCH), f"{EPOCH}.000000", EPOCH * 1000, f"{EPOCH}000", EPOCH * 10**6, f"{EPOCH}000000",
     "2026-11-01T12:00:00Z", "Sun, 01 Nov 2026 12:00:00 +0000", "Sun, 01 Nov 2026 14:00:00 +0200"],
)  # fmt: skip
def test_times_come_in_any_unit_and_as_mail_writes_them(at):
    assert understood("a", "+15145550100", at, NOW)[2] == NOW


@pytest.mark.parametrize(
    "at", ["", "x,y", "Sun, 01 Nov 2026 12:00:00 -0000", "1e9", "-5", "2026-11-01 12:00:00", "१७", True, 10**17]
)
def test_times_that_cannot_be_are_refused(at):
    with pytest.raises(ValueError, match=r"call|time"):
        understood("a", "+15145550100", at, NOW)


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"cdr=%7Bbroken", FORM), (b"other=1", FORM), (b"cdr=e3!0=", BASE64), (b"x" * 8_000_001, "")],
    ids=["not valid JSON", "no report", "base64", "too large"],
)  # fmt: skip
def test_what_is_no_report_says_what_is_expected(body, kind):
    with pytest.raises(ValueError, match=r"JSON|base64|larger"):
        read(Sent(body, kind))
