"""What switches tell of calls in formats of their own, read before ``numbers.calls`` understands it.

Each reader turns a report into the id, the number and the time of a call as ``Calls.take`` wants them, or says that the
report is none of its own.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote

from django.utils.translation import gettext as _

from numbers.calls import MOST_BYTES, Calls, NotCalls, of_json
from portal import machines

#: What ``mod_json_cdr`` posts by default: the report in a field of a form, or encoded once more.
FORM, BASE64 = "application/x-www-form-urlencoded", "application/x-www-form-base64-encoded"


def read(body: bytes, content_type: str) -> Calls:
    """The calls of a request: our own JSON, or a report of FreeSWITCH's ``mod_json_cdr``. Raises ``NotCalls``."""
    if len(body) > MOST_BYTES:
        raise NotCalls(_("The request is larger than %(most)d bytes. Send it in parts.") % {"most": MOST_BYTES})
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BASE64:
        raise NotCalls(_("Reports in base64 are not read: set “encode” to true or false in json_cdr.conf."))
    content = body
    if kind == FORM and body.lstrip()[:1] not in (b"{", b"["):
        content = parse_qs(body.decode("utf-8", "replace")).get("cdr", [""])[0].encode()
    try:
        sent = machines.of_json(content)
    except ValueError:
        return of_json(content)  # which says what is expected
    if isinstance(sent, dict) and isinstance(sent.get("variables"), dict):
        return of_freeswitch(sent)
    return of_json(content)


def of_freeswitch(report: dict[str, Any]) -> Calls:
    """The call of a report of ``mod_json_cdr``; none for a leg that went out.

    Each value under ``variables`` is percent-encoded, which is the module's default. The number called is what the
    carrier asked for (``sip_req_user``), otherwise where the call went first, the last entry of ``callflow``: later
    ones come before it, and are extensions.
    """
    said = {name: unquote(value) for name, value in report["variables"].items() if isinstance(value, str)}
    data = report.get("channel_data")
    direction = said.get("direction") or (data.get("direction") if isinstance(data, dict) else "")
    calls = Calls()
    if direction == "outbound":
        return calls
    number = said.get("sip_req_user") or first_destination(report.get("callflow"))
    calls.take(
        1, said.get("uuid") or said.get("call_uuid"), number, said.get("start_uepoch") or said.get("start_epoch")
    )
    return calls


def first_destination(flow: Any) -> str:
    """Where a call went first, as the switch's call flow has it; empty where it does not say."""
    entries = [one for one in flow if isinstance(one, dict)] if isinstance(flow, list) else []
    profile = entries[-1].get("caller_profile") if entries else None
    found = profile.get("destination_number") if isinstance(profile, dict) else None
    return found if isinstance(found, str) else ""
