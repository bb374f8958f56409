"""How carriers are called: a deadline for the whole answer, and each way to fail told apart from the others."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import urllib3
from django.utils.translation import gettext as _

from numbers.carriers import Missing, NotReached, Refused, Unclear
from portal.machines import of_json, shown

#: Seconds until a connection stands, between two pieces of an answer, and for all of it; and where somebody waits for
#: their page.
CONNECT, READ, WHOLE, WAITED_FOR = 3.0, 10.0, 20.0, 5.0
MOST_BYTES = 5 * 1024 * 1024
#: A carrier is asked again after so many seconds, whatever it says.
LONGEST_PAUSE = 3600.0


def call(
    method: str,
    url: str,
    authorization: str,
    *,
    query: dict[str, Any] | None = None,
    fields: dict | None = None,
    form: dict[str, str] | None = None,
    seconds: float = WHOLE,
) -> dict[str, Any]:
    """The JSON of the answer to ``fields``, sent as JSON, or to a ``form``, all of it within ``seconds``. It is never
    asked twice: whether that is harmless, the caller knows.

    Raises ``Refused`` for what the carrier does not do, ``Missing`` for what it has not, ``NotReached`` where it has
    certainly done nothing, ``Unclear`` where nobody knows.
    """
    headers = {
        "Authorization": authorization,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "Connection": "close",
    }
    body = urlencode(form).encode() if form else json.dumps(fields).encode() if fields is not None else None
    address = f"{url}?{urlencode(query, doseq=True)}" if query else url
    deadline = time.monotonic() + seconds
    timeout = urllib3.Timeout(connect=min(CONNECT, seconds), read=min(READ, seconds))
    # A connection of its own: one that was kept may be gone, and then nobody would know whether the order was.
    with urllib3.PoolManager(retries=False, timeout=timeout) as connections:
        response, content = asked(connections, deadline, method, address, body=body, headers=headers)
    if response.status == 429:
        raise NotReached(_("The carrier is busy and asks to be tried later."), after(response.headers))
    if response.status >= 500:
        raise Unclear(_("The carrier has failed to answer (%(status)d).") % {"status": response.status})
    if response.status == 401:
        raise Refused(_("The carrier does not accept the portal's key. Ask your operator."))
    if response.status == 204:
        return {}
    try:
        answer = shown(of_json(content))
    except ValueError as error:
        raise Unclear(_("The carrier's answer cannot be read.")) from error
    if not isinstance(answer, dict):
        raise Unclear(_("The carrier's answer cannot be read."))
    if response.status == 403:
        refusal = _("The carrier does not allow the portal to do this. Ask your operator.")
        raise Refused(refusal, detail=said(answer))
    if response.status == 404:
        raise Missing(_("The carrier has nothing of this kind."), detail=said(answer))
    if response.status >= 300:
        detail = said(answer) or _("Status %(status)d") % {"status": response.status}
        raise Refused(_("The carrier does not deliver this. Your operator can see why."), detail=detail)
    return answer


def after(headers: Mapping[str, str]) -> float:
    """How many seconds a carrier wants to be left alone: as ``Retry-After`` says, in seconds or as a date (RFC 9110,
    10.2.3), or Telnyx's ``x-ratelimit-reset``; ten where neither can be read, and never more than an hour."""
    seconds = 10.0
    for text in (headers.get("Retry-After", ""), headers.get("x-ratelimit-reset", "")):
        with suppress(ValueError, TypeError, OverflowError):
            if text.replace(".", "", 1).isdecimal():
                seconds = float(text)
            else:
                seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
            break
    return min(max(seconds, 1.0), LONGEST_PAUSE)


def asked(connections: urllib3.PoolManager, deadline: float, method: str, address: str, **request):
    """The response and its content. Raises ``NotReached`` and ``Unclear``."""
    try:
        response = connections.request(method, address, preload_content=False, redirect=False, **request)
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise NotReached(_("The carrier cannot be reached.")) from error
    except urllib3.exceptions.HTTPError as error:
        raise Unclear(_("The carrier has not answered.")) from error
    try:
        return response, read(response, deadline)
    except urllib3.exceptions.HTTPError as error:
        raise Unclear(_("The carrier's answer broke off.")) from error


def read(response, deadline: float) -> bytes:
    """All of an answer, or ``HTTPError``: one that drips or never ends is none."""
    content = bytearray()
    for piece in response.stream(65536):
        content += piece
        if len(content) > MOST_BYTES or time.monotonic() > deadline:
            raise urllib3.exceptions.HTTPError("too long")
    return bytes(content)


def said(answer: dict) -> str:
    """What a carrier says about its refusal."""
    errors = answer.get("errors")
    if not isinstance(errors, list):
        return str(answer.get("message") or "")[:300]
    texts = [str(error.get("detail") or error.get("title") or "") for error in errors if isinstance(error, dict)]
    return " ".join(filter(None, texts))[:300]
