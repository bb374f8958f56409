"""Reports of FreeSWITCH: ``mod_json_cdr`` and ``mod_xml_cdr`` send the same facts about a leg of a call."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from numbers.reports.kit import Leg
from numbers.reports.xml import Element


def is_report(sent: dict[str, Any]) -> bool:
    """Whether a JSON object is a report of ``mod_json_cdr``."""
    return isinstance(sent.get("variables"), dict)


def of_json(report: dict[str, Any], place: str = "") -> Leg:
    """The leg of a report of ``mod_json_cdr``; None if it went out.

    Each value under ``variables`` is percent-encoded, which is the module's default.
    """
    said = {name: unquote(value) for name, value in report["variables"].items() if isinstance(value, str)}
    data = report.get("channel_data")
    direction = data.get("direction") if isinstance(data, dict) else ""
    flow = report.get("callflow")
    entries = [one for one in flow if isinstance(one, dict)] if isinstance(flow, list) else []
    profile = entries[-1].get("caller_profile") if entries else None
    found = profile.get("destination_number") if isinstance(profile, dict) else None
    return leg(said, direction, found if isinstance(found, str) else "", place)


def of_xml(report: Element, place: str = "") -> Leg:
    """The leg of a report of ``mod_xml_cdr``; None if it went out."""
    variables = report.find("variables")
    said = {one.tag: unquote(one.text or "") for one in (variables if variables is not None else ())}
    found = [one.findtext("caller_profile/destination_number") or "" for one in report.findall("callflow")]
    return leg(said, report.findtext("channel_data/direction"), found[-1] if found else "", place)


def leg(said: dict[str, str], direction: Any, first_destination: str, place: str) -> Leg:
    """What a report says of its leg.

    The number called is what the carrier asked for (``sip_req_user``), otherwise where the call went first, the last
    entry of the call flow: later ones come before it, and are extensions. ``place`` is the id in the address of a
    report, where an a-leg is marked with ``a_``.
    """
    if (said.get("direction") or direction) == "outbound":
        return None
    call_id = said.get("uuid") or said.get("call_uuid") or place.removeprefix("a_")
    return call_id, said.get("sip_req_user") or first_destination, said.get("start_uepoch") or said.get("start_epoch")
