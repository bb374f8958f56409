"""Webhooks of Telnyx and Twilio about calls. Each is signed, and read only when the signature is right."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs

from django.utils.translation import gettext as _

from accounts.sealing import CannotOpen, unseal
from numbers.calls import NotCalls, Reading
from numbers.reports.kit import Leg, Sent
from portal import signatures

#: A message older than this, in seconds, is somebody's copy.
STALE = 300
#: The longest call whose length is believed, in seconds.
LONGEST_CALL = 86_400
MOST_FIELDS = 200


class NotSigned(NotCalls):
    """A webhook whose signature is missing, wrong or too old, or cannot be checked."""


def is_telnyx(sent: Any) -> bool:
    """Whether a JSON document is an event of a call."""
    event = sent.get("data") if isinstance(sent, dict) else None
    return isinstance(event, dict) and isinstance(event.get("event_type"), str)


def of_telnyx(sent: Sent, document: dict[str, Any], reading: Reading) -> Leg:
    """The call of ``call.initiated``; None for other events and for outgoing legs. Raises ``NotSigned``."""
    if not reading.public_key:
        raise NotSigned(_("Enter Telnyx’s public key in the settings of this phone system."))
    stamp = sent.header("telnyx-timestamp")
    signature = sent.header("telnyx-signature-ed25519")
    if not signatures.is_ed25519(reading.public_key, signature, f"{stamp}|".encode() + sent.body):
        raise NotSigned(_("This message is not signed by Telnyx."))
    if not signatures.is_fresh(stamp, time.time(), STALE):
        raise NotSigned(_("This message is too old, or the clock of the portal is wrong."))
    event = document["data"]
    said = event.get("payload")
    if event["event_type"] != "call.initiated" or not isinstance(said, dict) or said.get("direction") != "incoming":
        return None
    called_at = said.get("start_time") or event.get("occurred_at")
    return said.get("call_session_id") or said.get("call_leg_id"), said.get("to"), called_at


def fields_of(sent: Sent) -> dict[str, list[str]]:
    """The fields of a form; none if it is no form. Raises ``NotCalls`` for too many."""
    try:
        text = sent.body.decode("utf-8", "replace")
        return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise NotCalls(_("This form has too many fields.")) from error


def of_twilio(sent: Sent, fields: dict[str, list[str]], reading: Reading) -> Leg:
    """The call of a status callback; None for outgoing legs. Raises ``NotSigned``."""
    if not reading.sealed_token:
        raise NotSigned(_("Enter Twilio’s auth token in the settings of this phone system."))
    try:
        token = unseal(reading.sealed_token)
    except CannotOpen as lost:
        raise NotSigned(_("Enter Twilio’s auth token again: it was sealed with a key that is gone.")) from lost
    if not signatures.is_twilio(token, sent.header("x-twilio-signature"), sent.url, fields):
        raise NotSigned(_("This message is not signed by Twilio for this address."))
    said = {name: values[0] for name, values in fields.items()}
    if said.get("Direction") != "inbound":
        return None
    return said.get("CallSid"), said.get("To") or said.get("Called"), begun(said)


def begun(said: dict[str, str]) -> str | None:
    """When the call began. A callback has the time of its event, which is the end of the call for most."""
    at, lasted = said.get("Timestamp", ""), said.get("CallDuration") or "0"
    if not (lasted.isascii() and lasted.isdigit() and int(lasted[:6]) <= LONGEST_CALL):
        return at
    try:
        return format_datetime(parsedate_to_datetime(at) - timedelta(seconds=int(lasted[:6])))
    except (ValueError, OverflowError):
        return at
