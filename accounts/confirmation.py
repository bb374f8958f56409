"""Confirming one's identity again, before rights are given and where a session has moved (OWASP ASVS 8.2.4, 8.4.2).

The policy lists the addresses in ``CONFIRMED``; the middleware asks. What a form sent is kept in the session meanwhile.
"""

import ipaddress
import time
from functools import wraps

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts import entrance
from accounts.policy import CONFIRMED
from portal.browsers import in_words

#: Keys of the session: where the last proof of identity came from, and the form that waits for the next one.
PLACE, WAITING = "proved_from", "waiting_form"
#: Prefix lengths of the network of an address: changing addresses within it is ordinary.
NETWORK = {4: 24, 6: 48}


def place(request: HttpRequest) -> list[str]:
    """Where a request comes from: the network of its address, and its browser in words."""
    address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    address = getattr(address, "ipv4_mapped", None) or address
    network = ipaddress.ip_network((address, NETWORK[address.version]), strict=False)
    return [str(network), in_words(request.headers.get("User-Agent", ""))]


def proved(request: HttpRequest) -> None:
    """The person has just proved their identity: remember from where."""
    request.session[PLACE] = place(request)


def has_moved(request: HttpRequest) -> bool:
    """Whether the session is used from another network or browser than its last proof of identity."""
    return request.session.get(PLACE, place(request)) != place(request)


def recently_authenticated(request: HttpRequest) -> bool:
    """Whether the person proved their identity within ``ACCOUNT_REAUTHENTICATION_TIMEOUT``, and from this place."""
    records = get_authentication_records(request, request.actor.person)
    recently = bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return recently and not has_moved(request)


def before_giving(request: HttpRequest) -> HttpResponse | None:
    """The response that asks for confirmation; None when the policy requires none here or it was given recently."""
    methods = CONFIRMED.get(request.resolver_match.view_name, ())
    return ask(request) if request.method in methods and not recently_authenticated(request) else None


def ask(request: HttpRequest) -> HttpResponse:
    """Redirect to the confirmation of the person's identity, and from there to the page they asked for.

    A form is kept and shown with a Send button, because permissions may have changed in the meantime.
    Raises ``PermissionDenied`` for a person who has nothing to confirm with.
    """
    back = request.get_full_path()
    if request.method not in ("GET", "HEAD"):
        request.session[WAITING] = {"at": time.time(), "path": back, "fields": entrance.kept_fields(request)}
        back = reverse("waiting_form")
    methods = get_adapter(request).get_reauthentication_methods(request.actor.person)
    if not methods:
        raise PermissionDenied
    return redirect(f"{methods[0]['url']}?{urlencode({'next': back})}")


def waiting_form(request: HttpRequest) -> dict | None:
    """The ``path`` and ``fields`` of the form that was sent before the confirmation; None without one."""
    waiting = request.session.get(WAITING)
    is_recent = waiting and time.time() - waiting["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return waiting if is_recent else None


def reauthentication_required(view):
    """Decorator: ask for confirmation first. For personal pages only, because allauth then repeats a POST itself."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not recently_authenticated(request):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return guarded
