"""Carriers: what the portal asks of them, whoever they are. A module for each API; which are in use is a setting.

``CARRIERS`` holds one address for each, apart by blanks: the API and the scheme, the base address, and in the query its
``name`` (the provider's), ``key`` and what else it signs in with, ``public_key`` for what it tells by itself, the
address of its ``prices`` where that is another, and the codes of the ``vars`` that may order from it; without those,
every VAR may.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from numbers.listing.offers import Wanted

#: API -> the class that speaks it
APIS = {"telnyx": "numbers.carriers.telnyx.Telnyx", "twilio": "numbers.carriers.twilio.Twilio"}
PENDING, ACTIVE, FAILED = "pending", "active", "failed"


@dataclass(frozen=True)
class CarrierOffer:
    """A number that a carrier has for sale; prices are ``None`` where it does not say."""

    e164: str
    features: tuple[str, ...] = ()
    setup: Decimal | None = None
    monthly: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Standing:
    """How one number of an order stands with the carrier; why, when it failed."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What a carrier says of an order: its own reference, and how each number stands, by E.164."""

    reference: str
    numbers: dict[str, Standing]


class CarrierError(Exception):
    """The text is for people. ``after`` is how many seconds the carrier wants to be left alone."""

    after: float = 0


class Refused(CarrierError):
    """The carrier has answered and does not do it: nothing was ordered, and asking again is of no use."""


class Missing(Refused):
    """The carrier has answered: it has nothing of what it was asked about."""


class NotReached(CarrierError):
    """The carrier has certainly not done it, and may later: it could not be reached, or has too much to do."""

    def __init__(self, text: str, after: float = 0):
        super().__init__(text)
        self.after = after


class Unclear(CarrierError):
    """Nobody knows whether the carrier has done it: no answer came, or none that says."""


class Carrier(Protocol):
    """What every carrier can be asked. Each raises ``Refused``, ``NotReached`` or ``Unclear``."""

    def search(self, wanted: Wanted, most: int) -> list[CarrierOffer]:
        """Numbers that it has for sale; some may not be what is wanted."""

    def price(self, e164: str) -> CarrierOffer | None:
        """This number as it has it for sale now; None where it does not say what it costs, or has sold it."""

    def hold(self, e164s: Collection[str]) -> None:
        """Keep these numbers for the portal for a while, those that it can; nothing where it keeps none."""

    def order(self, key: str, e164s: Collection[str]) -> Report:
        """Order these numbers under our own ``key``. Never called twice with the same."""

    def look(self, key: str, reference: str) -> Report | None:
        """How the order with this key stands; None when the carrier has never heard of it. What is not in the report
        it has not heard of either."""

    def held(self) -> Iterator[list[str]]:
        """All numbers that it holds for the account that the portal signs in with, a page at a time."""

    def find(self, e164: str) -> str:
        """What the carrier calls this number for as long as it holds it for the portal; empty where it does not."""

    def release(self, reference: str) -> None:
        """Give up the number that it calls so; asked again, it has done so already."""

    def told(self, body: bytes, headers: dict[str, str]) -> str:
        """The key of the order that a message is about, which claims to be from the carrier and says that something
        has happened; empty where it is about something else. Raises ``Refused`` for what is not from the carrier."""


def money(text: object) -> Decimal | None:
    """A price as a carrier writes it; None where it is none."""
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 1_000_000 else None


@dataclass(frozen=True)
class Configured:
    """A carrier as the setting has it: the API that it speaks, where and with which secrets, and for which VARs."""

    name: str
    api: str
    address: str
    account: str
    key: str
    public_key: str
    prices: str
    vars: frozenset[str]

    def serves(self, code: str) -> bool:
        """Whether the VAR with this code may order from it."""
        return not self.vars or code in self.vars

    def serves_alone(self, code: str) -> bool:
        """Whether all that it holds is this VAR's: what it holds for several is nobody's to see."""
        return self.vars == {code}

    @property
    def carrier(self) -> Carrier:
        return import_string(APIS[self.api])(self)


def configured() -> dict[str, Configured]:
    """The carriers of the setting, by name."""
    return read(settings.CARRIERS)


@cache
def read(text: str) -> dict[str, Configured]:
    """Raises ``ImproperlyConfigured``, and repeats no secret."""
    found = {}
    for number, address in enumerate(text.split(), 1):
        parts, (api, _plus, scheme) = urlsplit(address), urlsplit(address).scheme.partition("+")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if api not in APIS or scheme not in ("http", "https") or not parts.netloc or not query.get("name"):
            raise ImproperlyConfigured(
                f"Carrier {number} of CARRIERS is not understood: write it as"
                " telnyx+https://api.telnyx.com/v2?name=Telnyx&key=…&public_key=…"
            )
        found[query["name"]] = Configured(
            name=query["name"],
            api=api,
            address=f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}",
            account=query.get("account", ""),
            key=query.get("key", ""),
            public_key=query.get("public_key", "").replace(" ", "+"),
            prices=query.get("prices", "").rstrip("/"),
            vars=frozenset(filter(None, query.get("vars", "").split(","))),
        )
    return found
