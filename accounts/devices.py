"""Known browsers of people. They have rate limits of their own, so guessing elsewhere does not lock out their owner
(OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

A full sign-in makes a browser known for a year, by a signed cookie. A link from a mail to the person makes it known for
an hour, by the session. Both end when the password or a factor changes and whenever ``actions.end_everything`` runs:
browsers that became known before ``Person.devices_since`` do not count.
"""

import secrets
import time
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from accounts.limits import HOUR, hashed
from accounts.models import Person
from portal import security

COOKIE_SECONDS = 365 * 24 * HOUR
#: How many people one browser can be known for.
MOST_PEOPLE = 5
#: How long a link by mail is valid, and how long it makes the browser known.
LINK_SECONDS = HOUR
COOKIE, LINK, SESSION = "accounts.device", "accounts.mailed-link", "mailed_link"


@dataclass(frozen=True)
class Device:
    """A known browser of one person: attempts are counted under ``key``; ``since`` is in seconds since 1970."""

    person_id: int
    key: str
    since: float

    @classmethod
    def new(cls, person: Person) -> "Device":
        return cls(person.pk, secrets.token_hex(8), time.time())

    @property
    def written(self) -> list:
        return [self.person_id, self.key, self.since]

    def is_of(self, person: Person) -> bool:
        since = person.devices_since
        return self.person_id == person.pk and (since is None or self.since >= since.timestamp())


def in_cookie(request: HttpRequest) -> list[Device]:
    """The people and browsers in the cookie, which is read once for a request; none in an expired or forged one."""
    if not hasattr(request, "devices"):
        request.devices = read_cookie(request)
    return request.devices


def read_cookie(request: HttpRequest) -> list[Device]:
    cookie = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    try:
        return [Device(*written) for written in signing.loads(cookie, salt=COOKIE, max_age=COOKIE_SECONDS)]
    except signing.BadSignature as refusal:
        if cookie and not isinstance(refusal, signing.SignatureExpired):
            security.log("link.refused", kind="device cookie")
        return []


def in_session(request: HttpRequest) -> list[Device]:
    """What a link by mail has made known, unless it has expired."""
    device = Device(*request.session.get(SESSION, (0, "", 0)))
    return [device] if time.time() - device.since < LINK_SECONDS else []


def known(request: HttpRequest, email: str) -> Device | None:
    """The known browser of the person who signs in with ``email``; None when it is not known.

    An unknown browser costs no query; a known one costs one query for any address, so that timing tells nothing.
    """
    devices = in_session(request) + in_cookie(request)
    if not devices:
        return None
    people = Person.objects.only("email", "devices_since").in_bulk([device.person_id for device in devices])
    mine = (device for device in devices if (person := people.get(device.person_id)) and device.is_of(person))
    return next((device for device in mine if people[device.person_id].email.lower() == email.lower()), None)


def remember(request: HttpRequest, person: Person) -> None:
    """Have the response make this browser known: the person signed in fully, or has just changed a credential."""
    request.device_of = person


class DeviceCookie:
    """Set the cookie of a browser that ``remember`` made known."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.device_of = None
        response = self.get_response(request)
        if (person := request.device_of) is not None:
            others = [device for device in in_cookie(request) if device.person_id != person.pk]
            devices = [Device.new(person), *others][:MOST_PEOPLE]
            response.set_cookie(
                settings.DEVICE_COOKIE_NAME,
                signing.dumps([device.written for device in devices], salt=COOKIE),
                max_age=COOKIE_SECONDS,
                secure=settings.SECURE_COOKIES,
                httponly=True,
                samesite="Lax",
            )
        return response


# By mail


def link_for(person: Person) -> str:
    """The path of a new link for a mail to the person."""
    key = signing.dumps([person.pk, time.time()], salt=LINK)
    return f"{reverse('link')}?{urlencode({'key': key})}"


def person_of_link(key: str) -> Person | None:
    """The person a link was mailed to; None when it expired, was used, or is older than their credentials."""
    try:
        person_id, since = signing.loads(key, salt=LINK, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return None
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None or not Device(person_id, "", since).is_of(person) or cache.get(used(key)):
        return None
    return person


def open_link(request: HttpRequest, key: str) -> Person | None:
    """Use a link, which works once, and make this browser known; None when the link is not valid."""
    person = person_of_link(key)
    if person is None or not cache.add(used(key), True, LINK_SECONDS):
        return None
    security.log("link.opened", request, **person.for_log)
    link_opened(request, person)
    return person


def used(key: str) -> str:
    return f"link-opened:{hashed(key)}"


def link_opened(request: HttpRequest, person: Person) -> None:
    """Make this browser known for an hour: its user has proved that they read the person's mail."""
    request.session[SESSION] = Device.new(person).written


def has_opened_link(request: HttpRequest, person: Person) -> bool:
    """Whether a link from a mail to the person was opened in this session within the hour."""
    return any(device.is_of(person) for device in in_session(request))
