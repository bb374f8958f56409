"""The settings of phone systems: their pages, the signed address, and secrets that are kept sealed."""

import base64
import json
import re
import time

import pytest
from django.core.exceptions import PermissionDenied
from django.core.signing import Signer
from django.db import connection
from django.test import Client

from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.scope import scope
from accounts.sealing import box, seal, unseal
from numbers.actions import calls
from numbers.models import CallEvent, TelephoneSystem
from numbers.tasks import seal_systems
from portal import signatures
from tests.factories import make_number, make_person
from tests.logged import logging_to_memory
from tests.numbers.test_calls_formats import EPOCH, KEY, NUMBER, PUBLIC, telnyx, twilio

pytestmark = pytest.mark.django_db
OLD = "a secret key of before, long enough to be one"


def report(call_id="a", number=NUMBER):
    return json.dumps({"id": call_id, "number": number, "time": EPOCH})


def send(path, body, kind="application/json", **headers):
    return Client(enforce_csrf_checks=True).post(path, body, content_type=kind, headers=headers)


@pytest.fixture
def system_of(token_of):
    """A phone system of an account, with settings."""

    def add(account, **settings):
        token_of(account, **settings)
        return TelephoneSystem.unscoped.latest("pk")

    return add


# The signed address


def test_a_signed_address_stands_for_the_token_until_that_is_revoked(system_of, alpha, administrator_of):
    make_number(alpha, e164=NUMBER)
    found = system_of(alpha)
    path = f"/calls/{found.key}/"
    with logging_to_memory() as logged:
        assert send(path, report()).json()["recorded"] == 1
        assert send(f"{path}?uuid=a_1", report()).json()["repeated"] == 1
    (line, _second) = [line for line in logged.lines if line["logger"] == "portal.requests"]
    assert (line["page"], line["account"], line["system"]) == ("calls_signed", alpha.code, found.pk)
    assert found.key.partition("-")[2] not in logged.text
    with scope(alpha):
        calls.revoke_system(Actor.at_home(administrator_of(alpha)), found.pk)
    assert send(path, report("b")).status_code == 401


def test_a_signed_address_is_of_one_phone_system_and_made_with_the_secret_key(system_of, alpha, bravo, settings):
    ours, theirs = system_of(alpha), system_of(bravo)
    signature = theirs.key.partition("-")[2]
    keys = [f"{ours.pk}-{signature}", f"{ours.pk}-", f"{ours.pk}", f"-{signature}", f"{'9' * 30}-{signature}", "²-x",
            f"{ours.pk}-\N{SNOWMAN}", f"{ours.pk}-{ours.token_hash}"]  # fmt: skip
    with logging_to_memory() as logged:
        assert {send(f"/calls/{key}/", report()).status_code for key in keys} == {401}
    assert [event["door"] for event in logged.events("token.refused")] == ["calls"] * len(keys)
    assert not CallEvent.unscoped.exists()
    # A key that was replaced opens until it is forgotten.
    signer = Signer(key=OLD, salt="numbers.calls", algorithm="sha256", fallback_keys=[])
    key = f"{ours.pk}-{signer.signature(f'{ours.pk}:{ours.token_hash}')}"
    for fallbacks, status in (([], 401), ([OLD], 200)):
        settings.SECRET_KEY_FALLBACKS = fallbacks
        assert send(f"/calls/{key}/", report()).status_code == status


def test_a_large_report_to_a_signed_address_is_admitted(system_of, alpha):
    many = json.dumps([json.loads(report(f"{n:0100}")) for n in range(2000)])
    assert send(f"/calls/{system_of(alpha).key}/", many).json()["unknown"] == 2000


# Webhooks


def test_webhooks_are_read_with_the_keys_of_the_phone_system(system_of, alpha, settings):
    make_number(alpha, e164=NUMBER)
    settings.PORTAL_URL = "https://portal.example"
    found = system_of(alpha, public_key=PUBLIC, auth_token="a token of an account")
    path = f"/calls/{found.key}/"
    sent = telnyx()
    assert send(path, sent.body, **sent.headers).json()["recorded"] == 1
    assert send(path, sent.body, **sent.headers).json()["repeated"] == 1
    stale = telnyx(stamp=str(int(time.time()) - 301))
    assert send(path, stale.body, **stale.headers).status_code == 401
    # What is signed is the public address, whatever host the request came for.
    signed = twilio(signed=f"https://portal.example{path}")
    assert send(path, signed.body, signed.kind, **signed.headers).json()["recorded"] == 1
    assert send(path, twilio().body, signed.kind, **twilio().headers).status_code == 401
    assert send("/calls/", sent.body, **sent.headers).status_code == 401


def test_a_wrong_signature_is_logged_as_a_refused_token(system_of, alpha):
    found = system_of(alpha, public_key=PUBLIC)
    with logging_to_memory() as logged:
        assert send(f"/calls/{found.key}/", telnyx().body).status_code == 401
    (event,) = logged.events("token.refused")
    assert (event["door"], event["account"]) == ("calls", alpha.code)


# The pages


def test_the_settings_are_chosen_when_a_phone_system_is_added(alpha, signed_in):
    alpha.home_country = "CA"
    alpha.save(update_fields=["home_country"])
    client, path = signed_in(alpha), f"/{alpha.code}/phone-systems/add/"
    page = client.get(path)
    assert (page.context["form"]["country"].value(), page.context["form"]["time_zone"].value()) == ("CA", "UTC")
    fields = {
        "name": "PBX",
        "format": "cdr",
        "country": "CA",
        "time_zone": "America/Toronto",
        "contexts": "from-carrier",
    }
    answer = client.post(path, fields)
    found = TelephoneSystem.unscoped.get()
    assert (answer.status_code, found.format, found.country, found.time_zone) == (201, "cdr", "CA", "America/Toronto")
    assert (found.id_column, found.number_column, found.time_column) == ("id", "number", "time")
    assert f"/calls/{found.key}/" in answer.text
    event = AuditEvent.unscoped.get(verb="system.added")
    assert event.after == fields


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"format": "none"}, "format"),
        ({"country": "ZZ"}, "country"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"without_plus": "guess"}, "without_plus"),
        ({"without_plus": "country"}, "country"),
        ({"format": "telnyx"}, "public_key"),
        ({"format": "telnyx", "public_key": "x" * 44}, "public_key"),
        ({"format": "twilio"}, "auth_token"),
        ({"auth_token": "\N{SNOWMAN}"}, "auth_token"),
        ({"id_column": "Number"}, "id_column"),
        ({"contexts": "x" * 201}, "contexts"),
        ({"name": ""}, "name"),
    ],
)
def test_settings_that_cannot_be_are_refused(alpha, signed_in, fields, field):
    answer = signed_in(alpha).post(f"/{alpha.code}/phone-systems/add/", {"name": "PBX"} | fields)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not TelephoneSystem.unscoped.exists()


def test_settings_are_changed_and_history_has_them_before_and_after(alpha, signed_in, system_of):
    found, client = system_of(alpha, name="PBX"), signed_in(alpha)
    path = f"/{alpha.code}/phone-systems/{found.pk}/change/"
    token_hash = found.token_hash
    fields = {"name": "PBX", "format": "csv", "country": "GB", "time_zone": "", "id_column": "Call"}
    assert client.post(path, fields).status_code == 302
    found.refresh_from_db()
    assert (found.format, found.country, found.id_column, found.token_hash) == ("csv", "GB", "Call", token_hash)
    event = AuditEvent.unscoped.get(verb="system.changed")
    assert event.before == {"format": "", "country": "", "id_column": "id"}
    assert event.after == {"format": "csv", "country": "GB", "id_column": "Call"}
    assert client.post(path, fields).status_code == 302
    assert AuditEvent.unscoped.filter(verb="system.changed").count() == 1
    page = client.get(f"/{alpha.code}/phone-systems/{found.pk}/")
    assert "CSV with a heading line" in page.text
    assert "United Kingdom" in page.text
    system_of(alpha, name="Other")
    assert client.post(path, fields | {"name": "other"}).status_code == 422
    client.post(f"/{alpha.code}/phone-systems/{found.pk}/revoke/")
    assert client.post(path, fields | {"name": "New"}).status_code == 404
    assert client.post(f"/{alpha.code}/phone-systems/{found.pk}/address/").status_code == 404


def test_an_auth_token_is_kept_sealed_and_never_shown(alpha, signed_in, system_of):
    found, client = system_of(alpha, name="PBX"), signed_in(alpha)
    path = f"/{alpha.code}/phone-systems/{found.pk}/change/"
    assert client.post(path, {"name": "PBX", "format": "twilio", "auth_token": "secret of ours"}).status_code == 302
    found.refresh_from_db()
    kept = found.auth_token
    assert "secret" not in kept
    assert unseal(kept) == "secret of ours"
    assert AuditEvent.unscoped.get(verb="system.changed").after["auth_token"] == "replaced"
    assert "secret of ours" not in client.get(path).text
    assert client.post(path, {"name": "PBX 2", "format": "twilio"}).status_code == 302
    found.refresh_from_db()
    assert (found.name, found.auth_token) == ("PBX 2", kept)


def test_only_who_may_change_phone_systems_sees_the_signed_address(alpha, bravo, signed_in, system_of, system):
    found = system_of(alpha)
    url = f"/{alpha.code}/phone-systems/{found.pk}/"
    signature = found.key.partition("-")[2]
    client = signed_in(alpha)
    assert signature not in client.get(url).text
    shown = client.post(f"{url}address/")
    assert re.search(r'id="signed-address">(.*?)<', shown.text)[1].endswith(f"/calls/{found.key}/")
    assert signed_in(bravo).post(f"/{bravo.code}/phone-systems/{found.pk}/address/").status_code == 404
    agent = make_person(system, "administrator")
    inside = Client()
    inside.force_login(agent)
    inside.post(f"/{alpha.code}/access/", {"next": url, "reason": "Ticket"})
    assert inside.get(url).status_code == 200
    for path in ("address/", "change/"):
        assert inside.post(url + path, {"name": "x"}).status_code == 403


@pytest.mark.parametrize("form", ["", "json_cdr", "xml_cdr", "cdr", "cel", "acc", "cucm", "telnyx", "twilio", "csv"])
def test_a_page_has_a_sample_for_its_format(alpha, signed_in, system_of, form):
    found = system_of(alpha, format=form)
    text = signed_in(alpha).get(f"/{alpha.code}/phone-systems/{found.pk}/").text
    assert "/calls/KEY/" in text if form in ("telnyx", "twilio") else "/calls/" in text


def test_actions_ask_for_the_permission(alpha, acme, system_of, administrator_of):
    found = system_of(alpha)
    with scope(alpha), pytest.raises(PermissionDenied):
        calls.change_system(Actor.at_home(make_person(alpha, "support")), found.pk, name="x")
    with scope(alpha), pytest.raises(KeyError):
        calls.change_system(Actor.at_home(administrator_of(alpha)), found.pk, token_hash="x")


# Sealed tokens


def test_tokens_are_sealed_anew_when_the_secret_key_was_replaced(alpha, system_of, settings):
    first, lost = system_of(alpha, auth_token="one"), system_of(alpha, name="Lost", auth_token="two")
    name, fernet = box(OLD)
    before = f"sealed:{name}:{fernet.encrypt(b'one').decode()}"
    TelephoneSystem.unscoped.filter(pk=first.pk).update(auth_token=before)
    TelephoneSystem.unscoped.filter(pk=lost.pk).update(auth_token="sealed:00000000:gone")
    settings.SECRET_KEY_FALLBACKS = [OLD]
    with logging_to_memory() as logged:
        seal_systems(0)
    settings.SECRET_KEY_FALLBACKS = []
    after = TelephoneSystem.unscoped.get(pk=first.pk).auth_token
    assert after != before
    assert unseal(after) == "one"
    assert [line["message"] for line in logged.lines if line["level"] == "error"] == [
        "Auth tokens sealed with a key that is not in SECRET_KEY_FALLBACKS: 1"
    ]
    assert send(f"/calls/{lost.key}/", twilio().body, twilio().kind, **twilio().headers).status_code == 401


def test_a_sealed_token_of_the_longest_kind_fits_its_column():
    longest = TelephoneSystem._meta.get_field("auth_token").max_length
    assert len(seal("x" * 64)) <= longest


def test_the_columns_of_a_phone_system_that_was_there_before_read_as_before(alpha, administrator_of):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO numbers_telephonesystem (account_id, name, token_hash, added_by_id, calls, unknown)"
            " VALUES (%s, 'Old', 'x', %s, 0, 0)",
            [alpha.pk, administrator_of(alpha).pk],
        )
    reading = TelephoneSystem.unscoped.get().reading
    assert (reading.format, reading.country, reading.zone, reading.columns) == ("", "", None, ("id", "number", "time"))


def test_a_signature_of_telnyx_is_checked_with_the_key_that_was_entered():
    signature = base64.b64encode(KEY.sign(b"text")).decode()
    assert signatures.is_ed25519(PUBLIC, signature, b"text")
    assert not signatures.is_ed25519(PUBLIC, signature, b"other")
    assert not signatures.is_twilio("t", "", "https://a.example/", {})
