"""Telnyx: numbers ordered now and delivered later, told of by signed messages.

API version 2: ``available_phone_numbers``, ``number_orders``, ``phone_numbers`` and webhooks, as developers.telnyx.com
documents them.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import count
from urllib.parse import quote

import phonenumbers
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.translation import gettext as _

from numbers.carriers import (
    ACTIVE,
    FAILED,
    PENDING,
    CarrierOffer,
    Configured,
    Missing,
    Refused,
    Report,
    Standing,
    Unclear,
    money,
)
from numbers.carriers.http import WAITED_FOR, call, said
from portal.phones import E164

#: A message older than this, in seconds, is somebody's copy.
STALE = 300
PAGE = 250
KINDS = {"local": "local", "mobile": "mobile", "toll_free": "toll_free", "special": "shared_cost"}
STATES = {"success": ACTIVE, "failure": FAILED, "failed": FAILED}


class Telnyx:
    """See ``Carrier``."""

    def __init__(self, setting: Configured):
        self.setting = setting

    def ask(self, method: str, path: str, **options) -> dict:
        return call(method, f"{self.setting.address}/{path}", f"Bearer {self.setting.key}", **options)

    def search(self, wanted, most: int) -> list[CarrierOffer]:
        query = {
            "filter[country_code]": wanted.region,
            "filter[limit]": most,
            # Others than what was asked for are no answer, and none that is kept for somebody's basket.
            "filter[best_effort]": "false",
            "filter[exclude_held_numbers]": "true",
        }
        if wanted.area:
            query["filter[phone_number][starts_with]"] = wanted.area
        if wanted.piece:
            query["filter[phone_number][contains]"] = wanted.piece
        if wanted.kind:
            query["filter[phone_number_type]"] = KINDS[wanted.kind]
        if wanted.features:
            query["filter[features][]"] = list(wanted.features)
        rows = data_of(self.ask("GET", "available_phone_numbers", query=query, seconds=WAITED_FOR), list)
        return [offer_of(row) for row in rows if E164.fullmatch(str(row.get("phone_number", "")))]

    def price(self, e164: str) -> CarrierOffer | None:
        number = phonenumbers.parse(e164)
        query = {
            "filter[country_code]": phonenumbers.region_code_for_number(number) or "",
            "filter[phone_number][starts_with]": phonenumbers.national_significant_number(number),
            "filter[limit]": 1,
            "filter[best_effort]": "false",
        }
        rows = data_of(self.ask("GET", "available_phone_numbers", query=query, seconds=WAITED_FOR), list)
        return next((offer_of(row) for row in rows if row.get("phone_number") == e164), None)

    def hold(self, e164s: Collection[str]) -> None:
        fields = {"phone_numbers": [{"phone_number": e164} for e164 in e164s]}
        self.ask("POST", "number_reservations", fields=fields, seconds=WAITED_FOR)

    def order(self, key: str, e164s: Collection[str]) -> Report:
        fields = {"phone_numbers": [{"phone_number": e164} for e164 in e164s], "customer_reference": key}
        return report_of(data_of(self.ask("POST", "number_orders", fields=fields), dict))

    def look(self, key: str, reference: str) -> Report | None:
        if reference:
            return report_of(data_of(self.ask("GET", f"number_orders/{reference}"), dict))
        found = data_of(self.ask("GET", "number_orders", query={"filter[customer_reference]": key}), list)
        same = [row for row in found if row.get("customer_reference") == key]
        # The list may leave out the numbers of an order; by itself it has them.
        return self.look(key, str(same[0]["id"])) if same else None

    def held(self) -> Iterator[list[str]]:
        for page in count(1):
            query = {"page[number]": page, "page[size]": PAGE}
            answer = self.ask("GET", "phone_numbers", query=query)
            yield [str(row.get("phone_number", "")) for row in data_of(answer, list)]
            if page >= int((answer.get("meta") or {}).get("total_pages") or 0):
                return

    def find(self, e164: str) -> str:
        rows = data_of(self.ask("GET", "phone_numbers", query={"filter[phone_number]": e164}), list)
        return next((str(row["id"]) for row in rows if row.get("phone_number") == e164 and row.get("id")), "")

    def release(self, reference: str) -> None:
        with suppress(Missing):
            self.ask("DELETE", f"phone_numbers/{quote(reference, safe='')}")

    def told(self, body: bytes, headers: dict[str, str]) -> str:
        stamp = headers.get("telnyx-timestamp", "")
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.setting.public_key))
            public.verify(base64.b64decode(headers.get("telnyx-signature-ed25519", "")), f"{stamp}|".encode() + body)
        except (InvalidSignature, ValueError) as error:
            raise Refused(_("This message is not signed by the carrier.")) from error
        if not stamp.isdigit() or abs(time.time() - int(stamp[:12])) > STALE:
            raise Refused(_("This message is too old."))
        try:
            event = json.loads(body)["data"]
            return str(event["payload"].get("customer_reference") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            return ""


def data_of(answer: dict, kind: type):
    """What an answer is about. Raises ``Unclear`` where it is something else than ``kind``."""
    data = answer.get("data")
    if not isinstance(data, kind):
        raise Unclear(_("The carrier's answer cannot be read."))
    return [row for row in data if isinstance(row, dict)] if kind is list else data


def offer_of(row: dict) -> CarrierOffer:
    cost = row.get("cost_information") or {}
    features = [str(one.get("name", "")) for one in row.get("features") or [] if isinstance(one, dict)]
    return CarrierOffer(
        e164=row["phone_number"],
        features=tuple(feature for feature in ("voice", "sms", "fax") if feature in features),
        setup=money(cost.get("upfront_cost")),
        monthly=money(cost.get("monthly_cost")),
        currency=str(cost.get("currency") or "")[:3],
    )


def report_of(data: dict) -> Report:
    """How an order stands. Raises ``Unclear`` for one without a reference."""
    if not data.get("id"):
        raise Unclear(_("The carrier's answer cannot be read."))
    numbers = {}
    for row in data.get("phone_numbers") or []:
        state = STATES.get(str(row.get("status")), PENDING)
        reason = (said(row) or _("The carrier has not delivered it.")) if state == FAILED else ""
        numbers[str(row.get("phone_number"))] = Standing(state, reason)
    return Report(str(data["id"]), numbers)
