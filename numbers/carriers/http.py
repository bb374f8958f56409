"""How carriers are called: a deadline for the whole answer, and each way to fail told apart from the others."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import urllib3
from django.utils.translation import gettext as _

from numbers.carriers import Missing, NotReached, Refused, Unclear

#: Seconds until a connection stands, between two pieces of an answer, and for all of it; and where somebody waits for
#: their page.
CONNECT, READ, WHOLE, WAITED_FOR = 3.0, 10.0, 20.0, 5.0
MOST_BYTES = 5 * 1024 * 1024


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
        after = response.headers.get("Retry-After", "")
        raise NotReached(_("The carrier has too much to do."), float(after) if after.isdigit() else 10)
    if response.status >= 500:
        raise Unclear(_("The carrier has failed to answer (%(status)d).") % {"status": response.status})
    if response.status in (401, 403):
        raise Refused(_("The carrier does not accept the portal's key. Your operator has to look."))
    if response.status == 204:
        return {}
    try:
        answer = json.loads(content)
    except ValueError as error:
        raise Unclear(_("The carrier's answer cannot be read.")) from error
    if not isinstance(answer, dict):
        raise Unclear(_("The carrier's answer cannot be read."))
    if response.status >= 300:
        kind = Missing if response.status == 404 else Refused
        raise kind(said(answer) or _("The carrier refuses (%(status)d).") % {"status": response.status})
    return answer


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
