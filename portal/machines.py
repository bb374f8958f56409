"""Requests of machines: they have no session, and sign in with each. And what machines write, read."""

import base64
import json
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import JsonResponse
from django.utils.translation import gettext as _

from portal import texts


def bearer_token(request) -> str:
    """The token that came with a request (RFC 6750, 2.1); empty where none did.

    A view that goes by it alone looks at no cookie, so that another site can make no browser send what it takes: such a
    view is exempt from the check for that.
    """
    scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def token_of(request) -> str:
    """The same, or the password of a request that signs in as HTTP Basic has it (RFC 7617), whatever its user is
    called: some switches can send nothing else."""
    scheme, _blank, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return bearer_token(request)
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def over_tls(view):
    """Decorator: refuse a machine that comes without TLS, where people are redirected to TLS.

    Most machines would follow the redirect, and nobody would notice that the token travels in plain text (OWASP ASVS
    4.1.2). The address of ``view`` is in ``SECURE_REDIRECT_EXEMPT``.
    """

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            answer = {"error": _("Use https. The token of this request was sent in plain text: replace it.")}
            return JsonResponse(answer, status=HTTPStatus.FORBIDDEN)
        return view(request, *args, **kwargs)

    return guarded


def of_json(content: bytes | str) -> Any:
    """Parse a JSON document (RFC 8259); numbers that only Python accepts, such as NaN, become None.

    Raises ``ValueError`` for invalid JSON and too deep nesting.
    """
    try:
        return json.loads(content, parse_constant=lambda name: None)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def shown(value: Any) -> Any:
    """A parsed document with texts that can be shown and stored (``portal.texts``).

    Raises ``ValueError`` for too deep nesting.
    """
    try:
        return _shown(value)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {texts.shown(name): _shown(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return texts.shown(value) if isinstance(value, str) else value
