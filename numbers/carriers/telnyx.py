"""Telnyx: numbers ordered now and delivered later, told of by signed messages.

API version 2: ``available_phone_numbers``, ``number_orders``, ``phone_numbers`` and webhooks, as developers.telnyx.com
documents them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from urllib.parse import quote

import phonenumbers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.carriers import (
    ACTIVE,
    FAILED,
    PENDING,
    CarrierOffer,
    Configured,
    Held,
    Line,
    Refused,
    Report,
    Standing,
    Unclear,
    money,
)
from numbers.carriers.http import WAITED_FOR, call, said
from portal import signatures
from portal.machines import of_json
from portal.phones import E164, region_of

log = logging.getLogger(__name__)
#: A message older than this, in seconds, is somebody's copy.
STALE = 300
PAGE = 250
#: Seconds for a search before an order; nobody waits at their page.
PRICED_WITHIN, SEARCHED_AT_ONCE = 10.0, 8
KINDS = {"local": "local", "mobile": "mobile", "toll_free": "toll_free", "special": "shared_cost"}
STATES = {
    "pending": PENDING, "success": ACTIVE, "failure": FAILED, "failed": FAILED, "cancelled": FAILED,
    "canceled": FAILED, "deleted": FAILED,
}  # fmt: skip
#: How the documents of a pending number stand; what they are, the carrier's console says.
DOCUMENT_STATES = {
    "requirement-info-pending": gettext_lazy("The carrier waits for documents."),
    "requirement-info-under-review": gettext_lazy("The carrier is checking the documents."),
    "requirement-info-exception": gettext_lazy("The carrier does not accept the documents. New ones are needed."),
}
#: The states of a number that can be used; any other is not ours yet, or not any more.
USABLE = {"active", "emergency-only", "port-out-pending"}
#: Settings of the route that an order takes; the others are set when the number is there.
WITH_ORDER = {"connection", "billing_group", "messaging_profile"}
#: name of a setting -> the carrier's name for it
DOCUMENTS = {"requirement_group": "requirement_group_id", "bundle": "bundle_id"}
ROUTE = {
    "connection": "connection_id", "billing_group": "billing_group_id", "messaging_profile": "messaging_profile_id",
    "emergency_address": "emergency_address_id",
}  # fmt: skip
#: Numbers that a search by their common beginning has left out are searched for one by one, so many of them.
ONE_BY_ONE = 10


class Telnyx:
    """See ``Carrier``."""

    ROUTE, VOICE, DOCUMENTS = tuple(ROUTE), ("connection",), tuple(DOCUMENTS)

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

    def prices(self, e164s: Collection[str]) -> dict[str, CarrierOffer]:
        """One search for all numbers of an area; also because only what was searched for lately can be ordered."""
        areas: dict[tuple[str, str], list[str]] = {}
        for e164 in e164s:
            national = phonenumbers.national_significant_number(phonenumbers.parse(e164))
            areas.setdefault((region_of(e164), national[:3]), []).append(e164)
        found = self.beginnings([(region, some) for (region, _area), some in areas.items()])
        missing = [e164 for e164 in e164s if e164 not in found][:ONE_BY_ONE]
        found |= self.beginnings([(region_of(e164), [e164]) for e164 in missing])
        return {e164: found[e164] for e164 in e164s if e164 in found}

    def beginnings(self, groups: Collection[tuple[str, Collection[str]]]) -> dict[str, CarrierOffer]:
        """The same for several groups of numbers, each of one country, side by side; what there is no time for is left
        out."""
        until = time.monotonic() + PRICED_WITHIN

        def search(region: str, some: Collection[str]) -> dict[str, CarrierOffer]:
            return self.beginning(region, some) if time.monotonic() < until else {}

        found: dict[str, CarrierOffer] = {}
        with ThreadPoolExecutor(SEARCHED_AT_ONCE) as pool:
            for offers in pool.map(lambda group: search(*group), groups):
                found |= offers
        return found

    def beginning(self, region: str, e164s: Collection[str]) -> dict[str, CarrierOffer]:
        """The numbers for sale that begin as all of these do, by E.164."""
        nationals = [phonenumbers.national_significant_number(phonenumbers.parse(e164)) for e164 in e164s]
        query = {
            "filter[country_code]": region,
            "filter[phone_number][starts_with]": beginning_of(nationals),
            "filter[limit]": 1 if len(e164s) == 1 else PAGE,
            "filter[best_effort]": "false",
        }
        rows = data_of(self.ask("GET", "available_phone_numbers", query=query, seconds=PRICED_WITHIN), list)
        return {row["phone_number"]: offer_of(row) for row in rows if E164.fullmatch(str(row.get("phone_number", "")))}

    def hold(self, e164s: Collection[str]) -> None:
        fields = {"phone_numbers": [{"phone_number": e164} for e164 in e164s]}
        self.ask("POST", "number_reservations", fields=fields, seconds=WAITED_FOR)

    def order(self, key: str, lines: Collection[Line], route: Mapping[str, str]) -> Report:
        fields = {
            "phone_numbers": [
                {"phone_number": line.e164}
                | {DOCUMENTS[name]: value for name, value in line.documents.items()}
                for line in lines
            ],
            "customer_reference": key,
        } | {ROUTE[name]: value for name, value in route.items() if name in WITH_ORDER}  # fmt: skip
        return report_of(data_of(self.ask("POST", "number_orders", fields=fields), dict))

    def look(self, key: str, reference: str) -> Report | None:
        if reference:
            return report_of(data_of(self.ask("GET", f"number_orders/{reference}"), dict))
        found = data_of(self.ask("GET", "number_orders", query={"filter[customer_reference]": key}), list)
        same = [row for row in found if row.get("customer_reference") == key]
        # The list may leave out the numbers of an order; by itself it has them.
        return self.look(key, str(same[0]["id"])) if same else None

    def cancel(self, reference: str) -> None:
        order = data_of(self.ask("GET", f"number_orders/{quote(reference, safe='')}"), dict)
        for part in order.get("sub_number_orders_ids") or []:
            self.ask("PATCH", f"sub_number_orders/{quote(str(part), safe='')}/cancel")

    def held(self) -> Iterator[list[Held]]:
        yield from self.pages({})

    def pages(self, query: dict[str, str]) -> Iterator[list[Held]]:
        """The numbers of the account for which these filters hold."""
        for page in count(1):
            answer = self.ask("GET", "phone_numbers", query=query | {"page[number]": page, "page[size]": PAGE})
            yield [held_of(row) for row in data_of(answer, list)]
            if page >= int((answer.get("meta") or {}).get("total_pages") or 0):
                return

    def find(self, e164s: Collection[str], key: str = "") -> dict[str, Held]:
        found: dict[str, Held] = {}
        if key and len(e164s) > 1:
            found = named(e164s, [one for page in self.pages({"filter[customer_reference]": key}) for one in page])
        for e164 in [e164 for e164 in e164s if e164 not in found]:
            # Of the filter's text only digits count: with a plus sign the carrier finds nothing.
            query = {"filter[phone_number]": e164.lstrip("+"), "page[size]": PAGE}
            rows = data_of(self.ask("GET", "phone_numbers", query=query), list)
            found |= named([e164], map(held_of, rows))
        return found

    def connect(self, number: Held, route: Mapping[str, str]) -> Held:
        path = f"phone_numbers/{quote(number.reference, safe='')}"
        differing = {name: value for name, value in route.items() if number.route.get(name, "") != value}
        fields = {ROUTE[name]: differing[name] for name in ("connection", "billing_group") if name in differing}
        if fields:
            self.ask("PATCH", path, fields=fields)
        if profile := differing.get("messaging_profile"):
            self.ask("PATCH", f"{path}/messaging", fields={"messaging_profile_id": profile})
        if address := differing.get("emergency_address"):
            fields = {"emergency_enabled": True, "emergency_address_id": address}
            self.ask("POST", f"{path}/actions/enable_emergency", fields=fields)
        return held_of(data_of(self.ask("GET", path), dict))

    def release(self, reference: str) -> None:
        self.ask("DELETE", f"phone_numbers/{quote(reference, safe='')}")

    def told(self, body: bytes, headers: dict[str, str]) -> str:
        stamp = headers.get("telnyx-timestamp", "")
        signature = headers.get("telnyx-signature-ed25519", "")
        if not signatures.is_ed25519(self.setting.public_key, signature, f"{stamp}|".encode() + body):
            raise Refused(_("This message is not signed by the carrier."))
        if not signatures.is_fresh(stamp, time.time(), STALE):
            raise Refused(_("This message is too old."))
        try:
            event = of_json(body)["data"]
            return str(event["payload"].get("customer_reference") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            return ""


def beginning_of(texts: Collection[str]) -> str:
    """How all of these texts begin."""
    first, last = min(texts), max(texts)
    return next((first[:at] for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), first)


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


def held_of(row: dict) -> Held:
    status = str(row.get("status") or "active")
    return Held(
        e164=str(row.get("phone_number") or ""),
        reference=str(row.get("id") or ""),
        route={name: str(row[theirs]) for name, theirs in ROUTE.items() if row.get(theirs)},
        state="" if status in USABLE else status,
    )


def named(e164s: Collection[str], numbers: Iterable[Held]) -> dict[str, Held]:
    """Those numbers that are among ``e164s``, by E.164. A number that was given up and bought again is there twice:
    the one that can be used counts."""
    found: dict[str, Held] = {}
    for one in numbers:
        if one.reference and one.e164 in e164s and (one.e164 not in found or not one.state):
            found[one.e164] = one
    return found


def report_of(data: dict) -> Report:
    """How an order stands. Raises ``Unclear`` for one without a reference."""
    if not data.get("id"):
        raise Unclear(_("The carrier's answer cannot be read."))
    rows = data.get("phone_numbers") or []
    return Report(str(data["id"]), {str(row.get("phone_number")): standing_of(row) for row in rows})


def standing_of(row: dict) -> Standing:
    """How a number of an order stands; a state that the API did not have when this was written counts as pending."""
    status = str(row.get("status"))
    if status not in STATES:
        log.warning("Telnyx has a state of numbers that is not known: %s", status[:40])
    state = STATES.get(status, PENDING)
    if state == FAILED:
        return Standing(FAILED, _("The carrier has not delivered it. Choose another."), said(row) or status)
    if state == ACTIVE or row.get("requirements_met") is not False:
        return Standing(state)
    documents = str(row.get("requirements_status") or "")
    reason = DOCUMENT_STATES.get(documents, DOCUMENT_STATES["requirement-info-pending"])
    return Standing(PENDING, str(reason), documents, str(row.get("deadline") or ""))
