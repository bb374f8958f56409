"""Twilio: each number is bought by itself, at once, under a name of our choice.

API of 2010-04-01: ``AvailablePhoneNumbers`` and ``IncomingPhoneNumbers``, as twilio.com/docs/phone-numbers/api
documents them, and ``PhoneNumbers/Countries`` of the pricing API, where the setting says where that is (``prices``).
The setting's ``account`` is the account's SID, its ``key`` the auth token.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from decimal import Decimal
from urllib.parse import quote

import phonenumbers
from django.utils.translation import gettext as _

from numbers.carriers import (
    ACTIVE,
    FAILED,
    CarrierError,
    CarrierOffer,
    Configured,
    Missing,
    NotReached,
    Refused,
    Report,
    Standing,
    Unclear,
    money,
)
from numbers.carriers.http import WAITED_FOR, call
from portal.phones import E164

#: Who has bought for so many seconds leaves the others: nobody may come to ask meanwhile.
WHOLE = 30
KINDS = {"": "Local", "local": "Local", "mobile": "Mobile", "toll_free": "TollFree"}
TYPES = {
    phonenumbers.PhoneNumberType.FIXED_LINE: "local",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "local",
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll free",
}
FEATURES = {"voice": "voice", "sms": "SMS", "fax": "fax"}
PAGE = 1000


class Twilio:
    """See ``Carrier``."""

    def __init__(self, setting: Configured):
        self.setting = setting
        self.known_prices: dict[str, dict[str, tuple[Decimal | None, str]]] = {}
        self.authorization = "Basic " + base64.b64encode(f"{setting.account}:{setting.key}".encode()).decode()

    def ask(self, method: str, path: str, **options) -> dict:
        address = f"{self.setting.address}/2010-04-01/Accounts/{self.setting.account}/{path}.json"
        return call(method, address, self.authorization, **options)

    def search(self, wanted, most: int) -> list[CarrierOffer]:
        if wanted.kind not in KINDS:
            return []
        query = {"PageSize": most} | {f"{FEATURES[name].capitalize()}Enabled": "true" for name in wanted.features}
        if wanted.code == "1" and len(wanted.area) >= 3:
            query["AreaCode"] = wanted.area[:3]
        if wanted.piece or wanted.area:
            query["Contains"] = wanted.piece or f"{wanted.code}{wanted.area}"
        path = f"AvailablePhoneNumbers/{wanted.region}/{KINDS[wanted.kind]}"
        rows = rows_of(self.ask("GET", path, query=query, seconds=WAITED_FOR), "available_phone_numbers")
        prices = {}
        if rows:
            with suppress(CarrierError):  # what it costs is not said then
                prices = self.prices(wanted.region)
        return [offer_of(row, prices) for row in rows]

    def price(self, e164: str) -> CarrierOffer | None:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or ""
        offer = offer_of({"phone_number": e164}, self.prices(region))
        return offer if offer.monthly is not None else None

    def prices(self, region: str) -> dict[str, tuple[Decimal | None, str]]:
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

    def order(self, key: str, e164s: Collection[str]) -> Report:
        numbers, began = {}, time.monotonic()
        for e164 in e164s:
            try:
                if time.monotonic() - began > WHOLE:
                    raise NotReached(_("There was no time left for it. Order it again."))
                self.ask("POST", "IncomingPhoneNumbers", form={"PhoneNumber": e164, "FriendlyName": key})
            except Refused as refusal:
                numbers[e164] = Standing(FAILED, str(refusal))
            except NotReached as trouble:
                if not numbers:  # nothing is done yet: all of it may be tried again
                    raise
                numbers[e164] = Standing(FAILED, str(trouble))
            else:
                numbers[e164] = Standing(ACTIVE)
        return Report(key, numbers)

    def look(self, key: str, reference: str) -> Report | None:
        answer = self.ask("GET", "IncomingPhoneNumbers", query={"FriendlyName": key, "PageSize": PAGE})
        mine = [row for row in rows_of(answer, "incoming_phone_numbers") if row.get("friendly_name") == key]
        return Report(key, {row["phone_number"]: Standing(ACTIVE) for row in mine}) if mine else None

    def held(self) -> Iterator[list[str]]:
        answer = self.ask("GET", "IncomingPhoneNumbers", query={"PageSize": PAGE})
        while True:
            yield [row["phone_number"] for row in rows_of(answer, "incoming_phone_numbers")]
            following = str(answer.get("next_page_uri") or "")
            if not following:
                return
            # A path of its own: wherever else it might lead, the key does not go there.
            answer = call("GET", f"{self.setting.address}/{following.lstrip('/')}", self.authorization)

    def find(self, e164: str) -> str:
        rows = rows_of(self.ask("GET", "IncomingPhoneNumbers", query={"PhoneNumber": e164}), "incoming_phone_numbers")
        return next((str(row["sid"]) for row in rows if row["phone_number"] == e164 and row.get("sid")), "")

    def release(self, reference: str) -> None:
        with suppress(Missing):
            self.ask("DELETE", f"IncomingPhoneNumbers/{quote(reference, safe='')}")

    def told(self, body: bytes, headers: dict[str, str]) -> str:
        raise Refused(_("This carrier tells of nothing by itself."))


def rows_of(answer: dict, name: str) -> list[dict]:
    """The numbers of an answer. Raises ``Unclear`` where there is nothing like that in it."""
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise Unclear(_("The carrier's answer cannot be read."))
    return [row for row in rows if isinstance(row, dict) and E164.fullmatch(str(row.get("phone_number", "")))]


def offer_of(row: dict, prices: dict[str, tuple[Decimal | None, str]]) -> CarrierOffer:
    has, number = row.get("capabilities") or {}, phonenumbers.parse(row["phone_number"])
    monthly, currency = prices.get(TYPES.get(phonenumbers.number_type(number)), (None, ""))
    features = tuple(name for name, theirs in FEATURES.items() if has.get(theirs))
    return CarrierOffer(row["phone_number"], features, monthly=monthly, currency=currency)
