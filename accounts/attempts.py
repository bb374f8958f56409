"""Rate limits on passwords and codes. Only failures count: a success is taken back.

Guessing never locks out the owner of a sign-in: their known browsers (``accounts.devices``) have limits of their own,
and a link by mail makes any browser known. docs/sign-in.md has the arithmetic.
"""

import ipaddress
from http import HTTPStatus
from math import ceil

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import devices, limits
from accounts.limits import DAY, HOUR, MINUTE, Limit
from accounts.models import Person
from accounts.tasks import send_warning
from portal import security
from portal.links import base_url

#: kind of attempt -> scope of the count -> limits. *client*: all names from one client. *here*: one name from one
#: client. *name*: one name from all clients. *device*: one known browser of the person, instead of the other three.
LIMITS = {
    "password": {
        "client": (Limit(30, 5 * MINUTE), Limit(200, DAY)),
        "here": (Limit(5, MINUTE), Limit(15, HOUR), Limit(30, DAY)),
        "name": (Limit(50, HOUR), Limit(100, DAY)),
        "device": (Limit(5, MINUTE), Limit(15, HOUR), Limit(30, DAY)),
    },
    # Three of a million codes are valid at a time.
    "code": {
        "here": (Limit(5, MINUTE), Limit(10, HOUR), Limit(20, DAY)),
        "name": (Limit(20, HOUR), Limit(40, DAY)),
        "device": (Limit(5, MINUTE), Limit(10, HOUR), Limit(20, DAY)),
    },
    # Nothing can be guessed; the limit saves work.
    "passkey": {"client": (Limit(30, 5 * MINUTE), Limit(200, DAY))},
}
#: Sign-ins by passkey that one client may begin: each is a row in the table of sessions.
PASSKEYS_BEGUN = (Limit(300, 5 * MINUTE),)
#: Sign-ins with an identity provider that one client may begin: each is such a row, and may ask the provider.
PROVIDERS_BEGUN = (Limit(300, 5 * MINUTE),)
#: Links of each kind to one address. A link is valid for an hour, so one of them always works.
LINKS_TO_AN_ADDRESS = (Limit(3, HOUR),)
#: Links that one client may request, to any addresses.
LINKS_FOR_A_CLIENT = (Limit(30, HOUR),)


def client_of(request: HttpRequest) -> str:
    """The client of a request: an IPv4 address, or the /64 network of an IPv6 address, which is one subscriber's."""
    address = ipaddress.ip_address(get_adapter().get_client_ip(request))
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def name_of(email: str) -> str:
    """The key under which an e-mail address is counted. Folded twice: some foreign letters have Latin capitals."""
    return limits.hashed(email.upper().casefold())


def facts_of(email: str) -> dict:
    """The fields of the security log for a name: its owner, if it has one. One query in either case."""
    found = Person.objects.filter(email=email.lower(), has_joined=True).values_list("pk", "account__code").first()
    person, account = found or (None, None)
    return {"person": person, "account": account, "name_hash": security.hash_of(email)}


class Attempt:
    """One attempt at the password or code of ``email``, counted as a failure until ``succeeded`` is called.

    Raises ``ValidationError`` when a limit is reached, with how long to wait and the way around.
    """

    def __init__(self, kind: str, request: HttpRequest, email: str = ""):
        client, name = client_of(request), name_of(email)
        device = devices.known(request, email) if email else None
        if device:
            names = {"device": f"{kind}:device:{device.key}"}
        else:
            names = {"client": f"{kind}:{client}", "here": f"{kind}:{name}:{client}", "name": f"{kind}:{name}"}
        counted = {names[what]: of for what, of in LIMITS[kind].items() if what in names}
        try:
            self.taken = limits.take(counted)
        except limits.Reached as reached:
            security.log("sign_in.locked", request, **(facts_of(email) if email else {}))
            if reached.name == names.get("name"):
                warn(kind, request, email)
            said = _("Too many attempts. Wait {time}, then try again.")
            if email:
                said = _('Too many attempts. Wait {time}, or <a href="{link}">have a link mailed to you</a> to go on.')
            raise refused(request, reached, said) from None

    def succeeded(self) -> None:
        limits.give_back(self.taken)


def refused(request: HttpRequest, reached: limits.Reached, said: str) -> ValidationError:
    """The error for a person who has to wait: ``said`` is a sentence with ``{time}`` and perhaps ``{link}``."""
    request.refused_for = reached.seconds
    said = format_html(said, time=limits.duration(reached.seconds), link=reverse("link"))
    return ValidationError(said, code="too_many")


class Refusals:
    """Set status 429 on the page of a refused attempt."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.refused_for = None
        response = self.get_response(request)
        if request.refused_for and response.status_code in (HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY):
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = ceil(request.refused_for)
        return response


def warn(kind: str, request: HttpRequest, email: str) -> None:
    """Warn the owner of an address by mail, once a day. The worker finds out whether it has one."""
    if cache.add(f"warned:{kind}:{name_of(email)}", True, DAY):
        send_warning.defer(email=email, kind=kind, base_url=base_url(request))


def count_link(kind: str, request: HttpRequest, email: str) -> None:
    """Count a request for a link by mail. Raises ``ValidationError``, in the same words for unknown addresses."""
    client, name = f"link:{client_of(request)}", f"link:{kind}:{name_of(email)}"
    try:
        limits.take({client: LINKS_FOR_A_CLIENT, name: LINKS_TO_AN_ADDRESS})
    except limits.Reached as reached:
        security.log("limit.reached", request, limit="links")
        said = _("Three links were asked for with this address. Use the last one, or try again in {time}.")
        if reached.name == client:
            said = _("Many links were asked for from where you are. Try again in {time}.")
        raise refused(request, reached, said) from None
