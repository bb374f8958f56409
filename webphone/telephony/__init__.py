"""How the portal reaches telephones. ``TELEPHONY`` says which way: ``sip`` (a SIP server and the call-back service),
``demo`` (the same states, and nothing rings) or ``none``."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from accounts.models import Person
    from webphone.models import Call

#: How calls are called: the account's code, which says in whose scope one is looked up, and a random part.
REF = r"[A-Z0-9]{3,14}-[0-9a-f]{32}"
#: Seconds that a browser's credential is valid, and in which a call that was allowed must begin.
REGISTERED, TO_DIAL = 600, 30


class Unreachable(Exception):
    """The telephony does not answer; the text says so to people."""


@dataclass(frozen=True)
class News:
    """Something that happened to a call, as the telephony tells it.

    ``event`` is *ringing_you*, *answered_you*, *ringing*, *talking*, *digits* or *ended*. ``code`` is the SIP status
    with which it ended, 0 when somebody hung up; ``side`` is *you* where that was the person's own telephone, and
    ``digits`` what was typed on it.
    """

    event: str
    at: datetime
    code: int = 0
    side: str = ""
    digits: str = ""
    cancelled: bool = False


class Telephony(Protocol):
    """What rings telephones."""

    #: Whether a call with the computer goes through the browser: otherwise there is nothing to be heard.
    speaks_sip: bool

    def ring(self, call: Call, code: str) -> None:
        """Ring the person's telephone and then the other side, or have ``code`` typed. Raises ``Unreachable``."""

    def hang_up(self, call: Call) -> list[News]:
        """End a call; what is known of it by that, nothing where news of its end come. Raises ``Unreachable``."""

    def news(self, call: Call, now: datetime) -> list[News]:
        """What happened to a call that has not been told by itself."""

    def sign_out(self, people: Collection[Person]) -> None:
        """End what people's browsers have here: registrations, credentials and calls. Raises ``Unreachable``."""

    def live(self) -> Collection[str] | None:
        """What the calls that are there now are called (``Call.ref``); None where that cannot be known."""


@cache
def telephony_called(name: str) -> Telephony:
    return import_string(f"webphone.telephony.{name}.{name.capitalize()}Telephony")()


def telephony() -> Telephony | None:
    """The one that is set up."""
    return None if settings.TELEPHONY == "none" else telephony_called(settings.TELEPHONY)


# Keys and what is signed with them


def key_for(purpose: str) -> str:
    """The key for one purpose, out of the one secret that all parts of the telephony share."""
    return hmac.new(settings.TELEPHONY_SECRET.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def signature(key: str, text: str) -> bytes:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()


def sip_user(person: Person) -> str:
    """What a person's WebPhone is called at the SIP server."""
    return f"w{person.pk}"


def sip_name(code: str, number: str) -> str:
    """What the SIP server knows a telephone by: its number, or its extension after the code of the account, which makes
    it unique."""
    return number if number.startswith("+") else f"{code}-{number}"


def credentials(person: Person, expires: int) -> dict:
    """With which the person's browser registers at the SIP server until ``expires`` (Unix time, in seconds).

    Nothing lasting: the user's name has its end in it, the password is its signature (Kamailio's auth_ephemeral).
    """
    user = f"{expires}:{sip_user(person)}"
    password = base64.b64encode(signature(key_for("register"), user)).decode()
    return {
        "url": settings.TELEPHONY_SIP_URL, "domain": settings.TELEPHONY_DOMAIN, "name": sip_user(person),
        "user": user, "password": password, "expires": expires, "ice_servers": ice_servers(person, expires),
    }  # fmt: skip


def ice_servers(person: Person, expires: int) -> list[dict]:
    """What the person's browser may send sound through until ``expires``, as WebRTC writes it.

    A TURN server, where one is set up, with a name and a password as short-lived as those above (coturn's
    ``use-auth-secret``).
    """
    if not settings.TELEPHONY_TURN_URLS:
        return []
    user = f"{expires}:{sip_user(person)}"
    mac = hmac.new(key_for("turn").encode(), user.encode(), hashlib.sha1).digest()
    return [{"urls": settings.TELEPHONY_TURN_URLS, "username": user, "credential": base64.b64encode(mac).decode()}]


def dial_token(call: Call, expires: int) -> str:
    """With which the person's browser may place this one call, once, until ``expires`` (Unix time, in seconds)."""
    caller_id = call.caller_id.removeprefix("+")
    target = sip_name(call.account.code, call.number)
    signed = f"{expires}|{sip_user(call.person)}|{target}|{call.ref}|{caller_id}|{call.most_seconds}"
    mac = base64.urlsafe_b64encode(signature(key_for("dial"), signed)).decode().rstrip("=")
    return f"{expires}.{call.ref}.{caller_id}.{call.most_seconds}.{mac}"
