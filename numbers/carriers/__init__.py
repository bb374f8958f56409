"""Carriers: what the portal asks of them, whoever they are. A module for each API; which are in use is a setting.

``CARRIERS`` holds one address for each, apart by blanks: the API and the scheme, the base address, and in the query its
``name`` (the provider's), ``key`` and what else it signs in with, ``public_key`` for what it tells by itself, the
address of its ``prices`` where that is another, and the codes of the ``vars`` that may order from it; without those,
every VAR may.

The query also has the identifiers that the carrier knows: to which connection or trunk its numbers lead, and which
documents it asks for. Each may be written for one VAR, one country or one kind of number: ``connection.V1001``,
``bundle.DE.mobile``. The most specific one counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

import phonenumbers
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from portal import phones

if TYPE_CHECKING:
    from numbers.listing.offers import Wanted

#: API -> the class that speaks it
APIS = {"telnyx": "numbers.carriers.telnyx.Telnyx", "twilio": "numbers.carriers.twilio.Twilio"}
PENDING, ACTIVE, FAILED = "pending", "active", "failed"
#: What the query of an address means, besides identifiers that the carrier knows.
NAMES = {"name", "account", "key", "public_key", "prices", "vars"}
KINDS = {
    phonenumbers.PhoneNumberType.FIXED_LINE: "local",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "local",
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll_free",
}


@dataclass(frozen=True)
class CarrierOffer:
    """A number that a carrier has for sale; prices are ``None`` where it does not say."""

    e164: str
    features: tuple[str, ...] = ()
    setup: Decimal | None = None
    monthly: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Line:
    """A number to be ordered, with the identifiers of the ``documents`` that the carrier asks for."""

    e164: str
    documents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """How one number of an order stands with the carrier: why, in a sentence for everybody, and in ``detail`` the
    carrier's own words for operators. ``deadline`` is until when the carrier waits for something, as it writes it."""

    state: str
    reason: str = ""
    detail: str = ""
    deadline: str = ""

    @property
    def for_operators(self) -> str:
        """The detail, and until when the carrier waits."""
        return " · ".join(filter(None, [self.detail, self.deadline]))


@dataclass(frozen=True)
class Held:
    """A number of the carrier account: its ``reference`` there, and where the carrier leads its calls and messages,
    by the names that the settings have for it. ``state`` is the carrier's word where the number cannot be used: not
    bought yet, ported to somebody else, deleted."""

    e164: str
    reference: str
    route: Mapping[str, str] = field(default_factory=dict)
    state: str = ""


@dataclass(frozen=True)
class Report:
    """What a carrier says of an order: its own reference, and how each number stands, by E.164. It was certainly not
    asked for the numbers that are ``left``; it may be in ``after`` seconds. ``problem`` is what else operators should
    know."""

    reference: str
    numbers: dict[str, Standing]
    left: frozenset[str] = frozenset()
    after: float = 0
    problem: str = ""


class CarrierError(Exception):
    """The text is for everybody. ``detail`` is the carrier's own, for operators: it may name their account there.
    ``after`` is how many seconds the carrier wants to be left alone."""

    after: float = 0

    def __init__(self, text: str, after: float = 0, detail: str = ""):
        super().__init__(text)
        self.after = after
        self.detail = detail

    @property
    def for_operators(self) -> str:
        """The text with the carrier's own words."""
        return f"{self} ({self.detail})" if self.detail else str(self)


class Refused(CarrierError):
    """The carrier has answered and does not do it: nothing was ordered, and asking again is of no use."""


class Missing(Refused):
    """The carrier has answered: it has nothing of what it was asked about."""


class NotReached(CarrierError):
    """The carrier has certainly not done it, and may later: it could not be reached, or has too much to do."""


class Unclear(CarrierError):
    """Nobody knows whether the carrier has done it: no answer came, or none that says."""


class Carrier(Protocol):
    """What every carrier can be asked. Each method raises ``Refused``, ``NotReached`` or ``Unclear``.

    ``ROUTE`` are the names of the settings that say where calls and messages go, ``VOICE`` those of them of which one
    is enough for a call to arrive, and ``DOCUMENTS`` those of the documents that the carrier may ask for.
    """

    ROUTE: Collection[str]
    VOICE: Collection[str]
    DOCUMENTS: Collection[str]

    def search(self, wanted: Wanted, most: int) -> list[CarrierOffer]:
        """Numbers that it has for sale; some may not be what is wanted."""

    def prices(self, e164s: Collection[str]) -> dict[str, CarrierOffer]:
        """These numbers as it has them for sale now, by E.164; it may leave some out."""

    def hold(self, e164s: Collection[str]) -> None:
        """Keep these numbers for the portal for a while, those that it can; nothing where it keeps none."""

    def order(self, key: str, lines: Collection[Line], route: Mapping[str, str]) -> Report:
        """Order these numbers under our own ``key``, and have them lead where ``route`` says, where the carrier takes
        that with the order. Never called twice with the same key."""

    def look(self, key: str, reference: str) -> Report | None:
        """How the order with this key stands; None when the carrier has never heard of it. What is not in the report
        it has not heard of either."""

    def cancel(self, reference: str) -> None:
        """Give up what is still pending of the order that it calls so. Raises ``Refused`` where it cannot be."""

    def held(self) -> Iterator[list[Held]]:
        """All numbers of the account that the portal signs in with, a page at a time, those that cannot be used too."""

    def find(self, e164s: Collection[str], key: str = "") -> dict[str, Held]:
        """Those of these numbers that the account has, by E.164. With ``key`` they are of the order with this key,
        which a carrier may list at once."""

    def connect(self, number: Held, route: Mapping[str, str]) -> Held:
        """Have a number lead where ``route`` says, and return it as the carrier has it now; again is harmless."""

    def release(self, reference: str) -> None:
        """Give up the number that it calls so. Raises ``Missing`` where it has no such number, or not any more."""

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
    identifiers: Mapping[str, str] = field(default_factory=dict)

    def serves(self, code: str) -> bool:
        """Whether the VAR with this code may order from it."""
        return not self.vars or code in self.vars

    def serves_alone(self, code: str) -> bool:
        """Whether all that it holds is this VAR's: what it holds for several is nobody's to see."""
        return self.vars == {code}

    def route(self, code: str) -> dict[str, str]:
        """Where the numbers of the VAR with this code are to lead: those of ``Carrier.ROUTE``."""
        return self.identified(self.kind.ROUTE, {code})

    def documents(self, code: str, e164: str) -> dict[str, str]:
        """The documents that go with the order of a number for this VAR: those of ``Carrier.DOCUMENTS``."""
        return self.identified(self.kind.DOCUMENTS, {code, phones.region_of(e164), kind_of(e164)})

    def identified(self, names: Collection[str], facts: set[str]) -> dict[str, str]:
        """The identifiers with these names that hold where the ``facts`` are so, of each the most specific one."""
        found: dict[str, tuple[int, str]] = {}
        for written, value in self.identifiers.items():
            name, *conditions = written.split(".")
            if name in names and set(conditions) <= facts and len(conditions) >= found.get(name, (0, ""))[0]:
                found[name] = (len(conditions), value)
        return {name: found[name][1] for name in names if name in found and found[name][1]}

    @property
    def kind(self) -> type[Carrier]:
        """The class that speaks this carrier's API."""
        return import_string(APIS[self.api])

    @property
    def carrier(self) -> Carrier:
        return self.kind(self)


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
            identifiers={name: value for name, value in query.items() if name not in NAMES},
        )
        one = found[query["name"]]
        known = {*one.kind.ROUTE, *one.kind.DOCUMENTS}
        for name in one.identifiers:
            if name.partition(".")[0] not in known:
                raise ImproperlyConfigured(f"Carrier {number} of CARRIERS has {name}=…, which {api} does not know.")
    return found


def kind_of(e164: str) -> str:
    """What kind of number this is: ``local``, ``mobile``, ``toll_free`` or ``special``."""
    return KINDS.get(phonenumbers.number_type(phonenumbers.parse(e164)), "special")


def leads_nowhere(number: Held, route: Mapping[str, str], kind: type[Carrier]) -> list[str]:
    """The names of the settings in which a number is not what ``route`` says; where that says nothing of calls, those
    of which the carrier would need one. Empty where calls arrive."""
    differ = [name for name, wanted in route.items() if number.route.get(name, "") != wanted]
    if not any(name in route for name in kind.VOICE) and not any(number.route.get(name) for name in kind.VOICE):
        differ += kind.VOICE
    return differ
