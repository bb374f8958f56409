"""A carrier on this computer, for the demo and for tests: it speaks the APIs that the portal speaks, and has the habits
of a real one.

Numbers arrive one after the other; some are taken by others meanwhile; what was ordered is told of in signed messages.
It can be told to misbehave: each of its ``faults``, in order, befalls one order.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from urllib.request import Request, urlopen
from uuid import uuid4

import phonenumbers
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal import plans

KEY, ACCOUNT = "simulated", "AC" + "0123456789abcdef" * 2
BASIC = base64.b64encode(f"{ACCOUNT}:{KEY}".encode()).decode()
TWILIO = f"/2010-04-01/Accounts/{ACCOUNT}"
# From a fixed seed: a message proves that this program sent it, and nothing else hangs on it.
SIGNER = Ed25519PrivateKey.from_private_bytes(b"a carrier that does not exist...")
PUBLIC_KEY = base64.b64encode(
    SIGNER.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
).decode()
TYPES = {
    "local": phonenumbers.PhoneNumberType.FIXED_LINE,
    "mobile": phonenumbers.PhoneNumberType.MOBILE,
    "toll_free": phonenumbers.PhoneNumberType.TOLL_FREE,
}
TELNYX_ROUTE = ("connection_id", "messaging_profile_id", "billing_group_id", "emergency_address_id")
TWILIO_ROUTE = {
    "TrunkSid": "trunk_sid", "VoiceUrl": "voice_url", "VoiceApplicationSid": "voice_application_sid",
    "SmsUrl": "sms_url", "SmsApplicationSid": "sms_application_sid", "EmergencyAddressSid": "emergency_address_sid",
}  # fmt: skip
#: filter of a list of numbers -> the column that it is about
LISTED_BY = {
    "PhoneNumber": "phone_number", "filter[phone_number]": "phone_number", "FriendlyName": "friendly_name",
    "filter[customer_reference]": "customer_reference", "filter[status]": "status",
}  # fmt: skip
#: Where the carrier leads what is ordered from it in the demo and in tests, by API.
CONNECTIONS = {"telnyx": {"connection": "1293384261075731499"}, "twilio": {"trunk": "TK" + "0123456789abcdef" * 2}}
#: Of so many numbers one is taken by somebody else before it is delivered.
ONE_IS_TAKEN_OF = 13


def is_found(name: str, wanted: str, value: str) -> bool:
    """Whether a row is found by a filter. In Telnyx's filter of numbers signs other than digits find nothing."""
    if name == "filter[phone_number]":
        return wanted.isdecimal() and len(wanted) >= 3 and wanted in value
    return value == wanted


class SimulatedCarrier:
    """What the carrier knows. ``seconds`` pass from one number's arrival to the next."""

    def __init__(self, seconds: float = 2.0):
        self.seconds = seconds
        self.orders: dict[str, dict] = {}
        self.bought: list[dict] = []
        self.sold: set[str] = set()
        self.faults: list[str] = []
        # What some numbers cost each month, other than all others; and whether it can say what is for sale at all.
        self.dear: dict[str, str] = {}
        self.is_searched = True
        # Where it leads numbers, by what it calls them: in its own words. Whether it takes that with an order, and
        # whether it does as it is told afterwards.
        self.routes: dict[str, dict[str, str]] = {}
        self.connects, self.obeys = True, True
        # Numbers that it lists and that cannot be used, with their states.
        self.unusable: dict[str, str] = {}
        # Countries whose numbers need documents, with how the documents of new orders stand.
        self.documents: dict[str, str] = {}
        # What it holds besides what was ordered here, and how many numbers are on a page of its list.
        self.ported: set[str] = set()
        self.page = 250
        # What was given up: the references by which it was asked to; and what befalls those who ask, in order.
        self.given_up: list[str] = []
        self.release_faults: list[str] = []
        # What numbers cost a month in any country, as its second API says it.
        self.prices = {"local": "1.20", "mobile": "2.00", "toll free": "2.00"}
        # What it keeps for the portal before it is ordered.
        self.kept: set[str] = set()
        # How often it was called, and how many seconds pass before something is answered or an order taken.
        self.asked, self.slow = 0, 0.0
        self.listener = ""
        self.lock = threading.RLock()

    # For sale

    def for_sale(self, query: dict[str, list[str]]) -> list[dict]:
        def asked(name: str) -> str:
            return query.get(f"filter[{name}]", [""])[0]

        region = asked("country_code") or "US"
        code = str(plans.calling_code(region))
        features = ("voice", "sms") if region in ("US", "CA", "GB") else ("voice",)
        if code == "0" or not set(query.get("filter[features][]", [])) <= set(features):
            return []
        kind = asked("phone_number_type") or "local"
        begins, piece = asked("phone_number][starts_with"), asked("phone_number][contains")
        example = phonenumbers.example_number_for_type(region, TYPES.get(kind, TYPES["local"]))
        if example is None:
            return []
        national = phonenumbers.national_significant_number(example)
        room = len(national) - len(begins)
        if room < 0:
            return []
        found, most = [], int(asked("limit") or 20)
        # Every seventh number of an area is for sale; of a small one, each.
        first, step = int(begins + national[len(begins) :]), 7 if room > 2 else 1
        for at in range(20_000):
            digits = str(first + at * step)
            e164 = f"+{code}{digits}"
            if len(found) == most or len(digits) != len(national) or not digits.startswith(begins):
                break
            is_kept = e164 in self.kept and asked("exclude_held_numbers") == "true"
            if piece in e164 and e164 not in self.sold and not is_kept:
                found.append(e164)
        cost = {"upfront_cost": "0.50", "monthly_cost": "1.20" if kind == "local" else "2.00", "currency": "USD"}
        return [
            {
                "record_type": "available_phone_number",
                "phone_number": e164,
                "features": [{"name": name} for name in features],
                "cost_information": cost | ({"monthly_cost": self.dear[e164]} if e164 in self.dear else {}),
            }
            for e164 in found
        ]

    # Numbers bought one by one, as with Twilio

    def lead(self, reference: str, route: dict[str, str], *, later: bool = False) -> None:
        """Have a number lead somewhere: with its order, or ``later``."""
        if self.obeys if later else self.connects:
            self.routes[reference] = self.routes.get(reference, {}) | {n: v for n, v in route.items() if v}

    def buy(self, form: dict[str, str]) -> dict | None:
        """One number, at once; None when somebody else was quicker."""
        e164 = form["PhoneNumber"]
        with self.lock:
            is_taken = e164 in self.sold or int(e164[1:]) % ONE_IS_TAKEN_OF == 0
            self.sold.add(e164)
            if is_taken:
                return None
            row = {"sid": f"PN{uuid4().hex}", "phone_number": e164, "friendly_name": form.get("FriendlyName", "")}
            self.bought.append(row)
            self.lead(row["sid"], {TWILIO_ROUTE[name]: value for name, value in form.items() if name in TWILIO_ROUTE})
        return row

    # Orders

    def keep(self, fields: dict) -> dict:
        e164s = [row["phone_number"] for row in fields["phone_numbers"]]
        with self.lock:
            self.kept |= {e164 for e164 in e164s if e164 not in self.sold}
        rows = [{"phone_number": e164, "status": "success" if e164 in self.kept else "failure"} for e164 in e164s]
        return {"id": str(uuid4()), "record_type": "number_reservation", "status": "success", "phone_numbers": rows}

    def order(self, fields: dict) -> dict:
        numbers = [row["phone_number"] for row in fields["phone_numbers"]]
        with self.lock:
            one = {
                "id": str(uuid4()),
                "customer_reference": fields.get("customer_reference", ""),
                "at": time.time(),
                "documents": {row["phone_number"]: row.get("requirement_group_id") for row in fields["phone_numbers"]},
                "numbers": [(e164, e164 in self.sold or int(e164[1:]) % ONE_IS_TAKEN_OF == 0) for e164 in numbers],
            }
            self.orders[one["id"]] = one
            self.sold.update(numbers)
            route = {name: fields[name] for name in TELNYX_ROUTE if fields.get(name)}
            for at in range(len(numbers)):
                self.lead(f"{one['id']}-{at}", route)
        if self.listener:
            threading.Thread(target=self.tell, args=(one,), daemon=True).start()
        return self.shown(one)

    def held(self) -> dict[str, str]:
        """What it holds for the portal, in order, each with what the carrier calls it."""
        delivered = {
            row["phone_number"]: row["id"]
            for one in list(self.orders.values())
            for row in self.shown(one)["phone_numbers"]
            if row["status"] == "success"
        }
        bought = {row["phone_number"]: row["sid"] for row in list(self.bought)}
        found = {e164: f"PN{e164[1:]}" for e164 in self.ported} | delivered | bought
        return {e164: found[e164] for e164 in sorted(found) if found[e164] not in self.given_up}

    def give_up(self, reference: str) -> bool:
        """Hold this number no longer; whether it was held."""
        with self.lock:
            was_held = reference in self.held().values()
            self.given_up.append(reference)
        return was_held

    def listed(self, query: dict[str, list[str]]) -> list[dict]:
        """What it lists, as both APIs write it, for the filters of either."""
        keys = {row["phone_number"]: row["friendly_name"] for row in list(self.bought)} | {
            e164: one["customer_reference"] for one in list(self.orders.values()) for e164, _taken in one["numbers"]
        }
        rows = [self.row_of(e164, reference, keys.get(e164, "")) for e164, reference in self.held().items()]
        rows += [{**self.row_of(e164, f"PN{e164[1:]}", ""), "status": state} for e164, state in self.unusable.items()]
        for name, column in LISTED_BY.items():
            if wanted := query.get(name, [""])[0]:
                rows = [row for row in rows if is_found(name, wanted, row[column])]
        return rows

    def named(self, path: str) -> dict | None:
        """The number of the account that a path is about."""
        reference = path.removesuffix(".json").rpartition("/")[2]
        return next((row for row in self.listed({}) if row["sid"] == reference), None)

    def row_of(self, e164: str, reference: str, key: str) -> dict:
        """A number as both APIs write it."""
        return {
            "phone_number": e164, "sid": reference, "id": reference, "status": "active", "friendly_name": key,
            "customer_reference": key, **self.routes.get(reference, {}),
        }  # fmt: skip

    def shown(self, one: dict) -> dict:
        arrived = int((time.time() - one["at"]) / self.seconds) if self.seconds else len(one["numbers"])
        rows = []
        for at, (e164, is_taken) in enumerate(one["numbers"]):
            status = "pending" if at >= arrived else "failure" if is_taken else "success"
            standing = self.documents_of(one, e164)
            if standing and standing != "approved":
                status = "pending"
            if one.get("cancelled") and status == "pending":
                status = "cancelled"
            errors = [{"code": "85001", "title": "Taken", "detail": "Somebody else was quicker to get this number."}]
            rows.append({"id": f"{one['id']}-{at}", "phone_number": e164, "status": status,
                         "errors": errors if status == "failure" else [],
                         "requirements_met": standing in ("", "approved"), "requirements_status": standing,
                         "deadline": "2027-01-31T00:00:00Z" if standing else None})  # fmt: skip
        states = {row["status"] for row in rows}
        status = "pending" if "pending" in states else "success" if states == {"success"} else "failure"
        return {"id": one["id"], "record_type": "number_order", "status": status, "phone_numbers": rows,
                "sub_number_orders_ids": [f"{one['id']}-part"],
                "customer_reference": one["customer_reference"]}  # fmt: skip

    def documents_of(self, one: dict, e164: str) -> str:
        """How the documents of a number stand, in the words of the API; empty where it needs none."""
        region = phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or ""
        if region not in self.documents:
            return ""
        return "approved" if one["documents"].get(e164) else self.documents[region]

    def tell(self, one: dict) -> None:
        """Send a signed message when all of it has arrived, and another, as real ones do."""
        time.sleep(self.seconds * len(one["numbers"]) + 0.1)
        for _turn in range(2):
            self.send(one)

    def send(self, one: dict, stamp: int | None = None) -> int:
        body = json.dumps({"data": {"event_type": "number_order.complete", "payload": self.shown(one)}}).encode()
        stamp = int(time.time()) if stamp is None else stamp
        headers = {
            "Content-Type": "application/json",
            "telnyx-timestamp": str(stamp),
            "telnyx-signature-ed25519": base64.b64encode(SIGNER.sign(f"{stamp}|".encode() + body)).decode(),
        }
        try:
            with urlopen(Request(self.listener, body, headers), timeout=5) as answer:  # noqa: S310 - our own address
                return answer.status
        except OSError as error:
            return getattr(error, "code", 0)
