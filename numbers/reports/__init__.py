"""Reports of phone systems, read: each format has a module of its own.

A reader turns a report into the id, the number and the time of a call as ``Calls.take`` wants them, or says that it is
no incoming call. The format is the one that the phone system is set to, or is recognized by the contents.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import unquote_to_bytes

from django.utils.translation import gettext as _

from numbers.calls import MOST, MOST_BYTES, PLAIN, Calls, Format, NotCalls, Reading
from numbers.reports import freeswitch, kamailio, tables, webhooks
from numbers.reports.kit import Leg, Sent
from numbers.reports.xml import parsed
from portal import machines

#: What FreeSWITCH posts: the report in a field of a form, the same without encoding, or encoded once more.
FORM, PLAIN_FORM = "application/x-www-form-urlencoded", "application/x-www-form-plaintext"
BASE64 = "application/x-www-form-base64-encoded"
CSV_KINDS = {"text/csv", "application/csv", "text/plain"}


def read(sent: Sent, reading: Reading = PLAIN) -> Calls:
    """The calls of a request. Raises ``NotCalls``, and ``NotSigned`` for a webhook without a valid signature."""
    if len(sent.body) > MOST_BYTES:
        raise NotCalls(_("The request is larger than %(most)d bytes. Send it in parts.") % {"most": MOST_BYTES})
    begins = sent.body.lstrip()[:1]
    is_structured = begins in (b"{", b"[", b"<")
    if reading.format in tables.ONLY or (not is_structured and (
        reading.format in tables.LAYOUTS or (not reading.format and sent.kind in CSV_KINDS)
    )):  # fmt: skip
        return tables.of_text(sent.body.decode("utf-8-sig", "replace"), reading)
    if sent.kind == FORM and not is_structured:
        fields = webhooks.fields_of(sent)
        if "CallSid" in fields:
            expect(Format.TWILIO, reading)
            return of_legs([webhooks.of_twilio(sent, fields, reading)], reading)
    content = unwrapped(sent, is_structured)
    if content.lstrip()[:1] == b"<":
        expect(Format.XML_CDR, reading)
        return of_legs([freeswitch.of_xml(parsed(content.decode("utf-8-sig", "replace")), sent.uuid)], reading)
    return of_json(content, reading, sent)


def unwrapped(sent: Sent, is_structured: bool) -> bytes:
    """The report of FreeSWITCH that a body has in its field ``cdr``, or the body itself. Raises ``NotCalls``."""
    if is_structured:
        return sent.body
    if sent.kind == BASE64:
        encoded = unquote_to_bytes(sent.body.strip().removeprefix(b"cdr=")).replace(b" ", b"+")
        try:
            return base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise NotCalls(_("This is not a report in base64.")) from error
    if sent.kind == FORM:
        return webhooks.fields_of(sent).get("cdr", [""])[0].encode("utf-8", "replace")
    return sent.body.lstrip().removeprefix(b"cdr=") if sent.kind == PLAIN_FORM else sent.body


def expect(found: Format, reading: Reading) -> None:
    """Raise ``NotCalls`` if a phone system is set to another format than that of its report."""
    if reading.format not in ("", found):
        raise NotCalls(another(found, reading))


def another(found: Format, reading: Reading) -> str:
    """Why a report in the format ``found`` is not read."""
    said = {"found": found.label, "format": Format(reading.format).label}
    return _("This report is read as “%(found)s”, but this phone system is set to “%(format)s”.") % said


def of_legs(legs: Iterable[Leg], reading: Reading) -> Calls:
    """The calls of legs, each in its place."""
    calls = Calls(reading)
    for place, leg in enumerate(legs, 1):
        take(calls, place, leg)
    return calls


def take(calls: Calls, place: int, leg: Leg) -> None:
    """Add a leg to calls, or count it as skipped."""
    if leg is None:
        calls.skipped += 1
    else:
        calls.take(place, *leg)


def of_json(content: bytes | str, reading: Reading = PLAIN, sent: Sent | None = None) -> Calls:
    """The calls of a JSON document: one, a list, or an object with a list of them as ``calls``. Each is our own object,
    a report of FreeSWITCH or a transaction of Kamailio. A webhook of Telnyx is read from a request alone.

    Raises ``NotCalls``.
    """
    try:
        document = machines.of_json(content)
    except ValueError as error:
        raise NotCalls(
            _("This is not valid JSON. Send an object with id, number and time, or a list of such objects.")
        ) from error
    if webhooks.is_telnyx(document):
        expect(Format.TELNYX, reading)
        if sent is None:
            raise NotCalls(_("Webhooks are read from requests only: a file has no signature."))
        return of_legs([webhooks.of_telnyx(sent, document, reading)], reading)
    if reading.format in (Format.TELNYX, Format.TWILIO, Format.XML_CDR):
        raise NotCalls(another(Format.PORTAL, reading))
    if isinstance(document, dict):
        document = document.get("calls", [document])
    if not isinstance(document, list):
        raise NotCalls(_("Send an object with id, number and time, or a list of such."))
    if len(document) > MOST:
        raise NotCalls(_("These are more than %(most)d calls: send them in parts.") % {"most": MOST})
    calls = Calls(reading)
    for place, one in enumerate(document, 1):
        add(calls, place, one, sent.uuid if sent and len(document) == 1 else "")
    return calls


def add(calls: Calls, place: int, one: Any, uuid: str) -> None:
    """Add what one object of a JSON document says."""
    one = one if isinstance(one, dict) else {}
    if freeswitch.is_report(one):
        found, leg = Format.JSON_CDR, freeswitch.of_json(one, uuid)
    elif kamailio.is_record(one):
        found, leg = Format.ACC, kamailio.of_json(one)
    else:
        found, leg = Format.PORTAL, (one.get("id"), one.get("number"), one.get("time"))
    if calls.reading.format not in ("", found):
        calls.refuse(place, another(found, calls.reading))
    else:
        take(calls, place, leg)


def of_file(lines: Iterable[str], reading: Reading = PLAIN) -> Iterator[Calls]:
    """The calls of a file, ``MOST`` at a time: CSV, an XML or JSON document, or a JSON document on each line.

    Raises ``NotCalls``, and ``csv.Error`` for what is no CSV.
    """
    lines = iter(lines)
    first = next(lines, "").lstrip("\ufeff")
    begins = first.lstrip()[:1]
    if begins == "<":
        expect(Format.XML_CDR, reading)
        yield of_legs([freeswitch.of_xml(parsed(whole(first, lines)))], reading)
    elif begins not in ("{", "["):
        yield from tables.of_lines(chain([first], lines), reading)
    elif is_json(first):
        yield from of_json_lines(chain([first], lines), reading)
    else:
        yield of_json(whole(first, lines), reading)


def whole(first: str, lines: Iterator[str]) -> str:
    """A document of several lines. Raises ``NotCalls`` if it is too long."""
    parts, length = [first], len(first)
    for line in lines:
        parts.append(line)
        length += len(line)
        if length > MOST_BYTES:
            raise NotCalls(_("This document is larger than %(most)d bytes.") % {"most": MOST_BYTES})
    return "".join(parts)


def is_json(line: str) -> bool:
    """Whether a line is a complete JSON document."""
    try:
        machines.of_json(line)
    except ValueError:
        return False
    return True


def of_json_lines(lines: Iterable[str], reading: Reading) -> Iterator[Calls]:
    """The calls of a file with a JSON document on each line; a line that is none is refused."""
    calls = Calls(reading)
    for place, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = of_json(line, reading)
        except NotCalls as refusal:
            calls.refuse(place, str(refusal))
            continue
        calls.refused += [(place, why) for _place, why in found.refused]
        calls.skipped += found.skipped
        for known_as, digits, at in zip(found.ids, found.digits, found.times, strict=True):
            calls.add(known_as, digits, at)
        if len(calls) + len(calls.refused) >= MOST:
            yield calls
            calls = Calls(reading)
    yield calls
