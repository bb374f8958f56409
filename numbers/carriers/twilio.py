"""Twilio: each number is bought by itself, at once, under a name of our choice.

API of 2010-04-01: ``AvailablePhoneNumbers`` and ``IncomingPhoneNumbers``, as twilio.com/docs/phone-numbers/api
documents them, and ``PhoneNumbers/Countries`` of the pricing API, where the setting says where that is (``prices``).
The setting's ``account`` is the account's SID, its ``key`` the auth token.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from urllib.parse import quote

import phonenumbers
from django.core.cache import caches
from django.utils.translation import gettext as _

from numbers.carriers import (
    ACTIVE,
    FAILED,
    PENDING,
    CarrierError,
    CarrierOffer,
    Configured,
    Held,
    Line,
    Missing,
    NotReached,
    Refused,
    Report,
    Standing,
    Unclear,
    kind_of,
    money,
)
from numbers.carriers.http import WAITED_FOR, call
from portal.phones import E164, region_of

#: Seconds for the purchases of one order; the numbers that are left are ordered later.
WHOLE = 30
#: Seconds after which the numbers are ordered that an interruption has left.
PAUSE = 10.0
#: So many numbers are searched for where the carrier cannot be told all that is wanted.
MOST_SEARCHED = 200
#: kind of number -> the types that the carrier has for it
KINDS = {
    "": ("Local", "Mobile", "TollFree", "National"),
    "local": ("Local", "National"),
    "mobile": ("Mobile",),
    "toll_free": ("TollFree",),
    "special": ("SharedCost",),
}
#: name of a setting -> the carrier's name for it in a purchase, and in a number
ROUTE = {
    "trunk": ("TrunkSid", "trunk_sid"),
    "voice_application": ("VoiceApplicationSid", "voice_application_sid"),
    "voice_url": ("VoiceUrl", "voice_url"),
    "sms_application": ("SmsApplicationSid", "sms_application_sid"),
    "sms_url": ("SmsUrl", "sms_url"),
    "emergency_address": ("EmergencyAddressSid", "emergency_address_sid"),
}
DOCUMENTS = {"bundle": "BundleSid", "address": "AddressSid", "identity": "IdentitySid"}
#: kind of number -> how the list of prices calls it
TYPES = {"local": "local", "mobile": "mobile", "toll_free": "toll free"}
#: Which types a country has changes seldom.
KNOWN_SECONDS = 86400
FEATURES = {"voice": "voice", "sms": "SMS", "fax": "fax"}
PAGE = 1000


class Twilio:
    """See ``Carrier``."""

    ROUTE, VOICE, DOCUMENTS = tuple(ROUTE), ("trunk", "voice_application", "voice_url"), tuple(DOCUMENTS)

    def __init__(self, setting: Configured):
        self.setting = setting
        self.known_prices: dict[str, dict[str, tuple[Decimal | None, str]]] = {}
        self.authorization = "Basic " + base64.b64encode(f"{setting.account}:{setting.key}".encode()).decode()

    def ask(self, method: str, path: str, **options) -> dict:
        address = f"{self.setting.address}/2010-04-01/Accounts/{self.setting.account}/{path}.json"
        return call(method, address, self.authorization, **options)

    def search(self, wanted, most: int) -> list[CarrierOffer]:
        query = {"PageSize": most} | {f"{FEATURES[name].capitalize()}Enabled": "true" for name in wanted.features}
        if wanted.code == "1" and len(wanted.area) >= 3:
            query["AreaCode"] = wanted.area[:3]
            if wanted.piece:
                query["Contains"] = wanted.piece
        elif wanted.area:
            query["Contains"] = pattern_of(wanted.region, f"{wanted.code}{wanted.area}")
            query["PageSize"] = MOST_SEARCHED
        elif wanted.piece:
            query["Contains"] = wanted.piece
        rows: list[dict] = []
        for kind in KINDS[wanted.kind]:
            if len(rows) >= most or kind not in self.types(wanted.region):
                continue
            path = f"AvailablePhoneNumbers/{wanted.region}/{kind}"
            with suppress(Missing):
                answer = self.ask("GET", path, query=query, seconds=WAITED_FOR)
                rows += rows_of(answer, "available_phone_numbers")
        prices = {}
        if rows:
            with suppress(CarrierError):  # what it costs is not said then
                prices = self.prices_in(wanted.region)
        return [offer_of(row, prices) for row in rows]

    def types(self, region: str) -> Collection[str]:
        """The types of numbers that the carrier has in a country, as it lists them."""
        known = f"twilio-types:{self.setting.name}:{region}"
        found = caches["process"].get(known)
        if found is None:
            try:
                answer = self.ask("GET", f"AvailablePhoneNumbers/{region}", seconds=WAITED_FOR)
            except Missing:
                answer = {}
            addresses = (answer.get("subresource_uris") or {}).values()
            found = [str(address).rpartition("/")[2].removesuffix(".json") for address in addresses]
            caches["process"].set(known, found, KNOWN_SECONDS)
        return found

    def prices(self, e164s: Collection[str]) -> dict[str, CarrierOffer]:
        offers = {e164: offer_of({"phone_number": e164}, self.prices_in(region_of(e164))) for e164 in e164s}
        return {e164: offer for e164, offer in offers.items() if offer.monthly is not None}

    def prices_in(self, region: str) -> dict[str, tuple[Decimal | None, str]]:
        """What a number of each type costs a month in a country, and in which currency; asked for once."""
        if region not in self.known_prices:
            found = {}
            if self.setting.prices and region:
                address = f"{self.setting.prices}/v1/PhoneNumbers/Countries/{region}"
                answer = call("GET", address, self.authorization, seconds=WAITED_FOR)
                currency = str(answer.get("price_unit") or "").upper()[:3]
                for row in [row for row in answer.get("phone_number_prices") or [] if isinstance(row, dict)]:
                    found[row.get("number_type")] = (money(row.get("current_price")), currency)
            self.known_prices[region] = found
        return self.known_prices[region]

    def hold(self, e164s: Collection[str]) -> None:
        """The API keeps no number."""

    def order(self, key: str, lines: Collection[Line], route: Mapping[str, str]) -> Report:
        numbers: dict[str, Standing] = {}
        began, after = time.monotonic(), 0.0
        sent = {ROUTE[name][0]: value for name, value in route.items()}
        for line in lines:
            if numbers and time.monotonic() - began > WHOLE:
                break
            form = {"PhoneNumber": line.e164, "FriendlyName": key} | sent
            form |= {DOCUMENTS[name]: value for name, value in line.documents.items()}
            try:
                self.ask("POST", "IncomingPhoneNumbers", form=form)
            except Refused as refusal:
                numbers[line.e164] = Standing(FAILED, str(refusal), refusal.detail)
            except (NotReached, Unclear) as trouble:
                if not numbers:  # nothing is bought yet for certain: the portal knows what to do with all of them
                    raise
                if isinstance(trouble, Unclear):
                    numbers[line.e164] = Standing(PENDING)
                after = trouble.after or PAUSE
                break
            else:
                numbers[line.e164] = Standing(ACTIVE)
        return Report(key, numbers, frozenset(line.e164 for line in lines) - numbers.keys(), after)

    def look(self, key: str, reference: str) -> Report | None:
        answer = self.ask("GET", "IncomingPhoneNumbers", query={"FriendlyName": key, "PageSize": PAGE})
        mine = [row for row in rows_of(answer, "incoming_phone_numbers") if row.get("friendly_name") == key]
        return Report(key, {row["phone_number"]: Standing(ACTIVE) for row in mine}) if mine else None

    def cancel(self, reference: str) -> None:
        raise Refused(_("This carrier delivers at once, so there is nothing to cancel."))

    def held(self) -> Iterator[list[Held]]:
        yield from self.pages({})

    def pages(self, query: dict[str, str]) -> Iterator[list[Held]]:
        """The numbers of the account for which these filters hold."""
        answer = self.ask("GET", "IncomingPhoneNumbers", query=query | {"PageSize": PAGE})
        while True:
            yield [held_of(row) for row in rows_of(answer, "incoming_phone_numbers")]
            following = str(answer.get("next_page_uri") or "")
            if not following:
                return
            # A path of its own: wherever else it might lead, the key does not go there.
            answer = call("GET", f"{self.setting.address}/{following.lstrip('/')}", self.authorization)

    def find(self, e164s: Collection[str], key: str = "") -> dict[str, Held]:
        found: dict[str, Held] = {}
        if key and len(e164s) > 1:
            found = {one.e164: one for page in self.pages({"FriendlyName": key}) for one in page}
        for e164 in [e164 for e164 in e164s if e164 not in found]:
            found |= {one.e164: one for page in self.pages({"PhoneNumber": e164}) for one in page}
        return {e164: found[e164] for e164 in e164s if e164 in found and found[e164].reference}

    def connect(self, number: Held, route: Mapping[str, str]) -> Held:
        differing = {name: value for name, value in route.items() if number.route.get(name, "") != value}
        form = {ROUTE[name][0]: value for name, value in differing.items()}
        path = f"IncomingPhoneNumbers/{quote(number.reference, safe='')}"
        return held_of(self.ask("POST" if form else "GET", path, form=form or None))

    def release(self, reference: str) -> None:
        self.ask("DELETE", f"IncomingPhoneNumbers/{quote(reference, safe='')}")

    def told(self, body: bytes, headers: dict[str, str]) -> str:
        raise Refused(_("This carrier sends no messages."))


def pattern_of(region: str, beginning: str) -> str:
    """A pattern of the whole number, so that the carrier finds the ``beginning`` nowhere else: a star is any digit."""
    example = phonenumbers.example_number(region)
    length = len(f"{example.country_code}{example.national_number}") if example else 0
    return beginning.ljust(length, "*")


def rows_of(answer: dict, name: str) -> list[dict]:
    """The numbers of an answer. Raises ``Unclear`` where there is nothing like that in it."""
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise Unclear(_("The carrier's answer cannot be read."))
    return [row for row in rows if isinstance(row, dict) and E164.fullmatch(str(row.get("phone_number", "")))]


def held_of(row: dict) -> Held:
    route = {name: str(row[theirs]) for name, (_sent, theirs) in ROUTE.items() if row.get(theirs)}
    return Held(str(row.get("phone_number") or ""), str(row.get("sid") or ""), route)


def offer_of(row: dict, prices: dict[str, tuple[Decimal | None, str]]) -> CarrierOffer:
    has = row.get("capabilities") or {}
    monthly, currency = prices.get(TYPES.get(kind_of(row["phone_number"])), (None, ""))
    features = tuple(name for name, theirs in FEATURES.items() if has.get(theirs))
    return CarrierOffer(row["phone_number"], features, monthly=monthly, currency=currency)
