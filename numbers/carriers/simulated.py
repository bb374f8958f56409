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
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import phonenumbers
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal import phones

KEY, ACCOUNT = "simulated", "AC0123"
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
#: Of so many numbers one is taken by somebody else before it is delivered.
ONE_IS_TAKEN_OF = 13


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
        code = str(phones.calling_code(region))
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
                "numbers": [(e164, e164 in self.sold or int(e164[1:]) % ONE_IS_TAKEN_OF == 0) for e164 in numbers],
            }
            self.orders[one["id"]] = one
            self.sold.update(numbers)
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

    def page_of(self, at: int) -> tuple[list[tuple[str, str]], int]:
        """A page of what it holds, from 0, and how many pages there are."""
        held = list(self.held().items())
        return held[at * self.page : (at + 1) * self.page], -(-len(held) // self.page)

    def shown(self, one: dict) -> dict:
        arrived = int((time.time() - one["at"]) / self.seconds) if self.seconds else len(one["numbers"])
        rows = []
        for at, (e164, is_taken) in enumerate(one["numbers"]):
            status = "pending" if at >= arrived else "failure" if is_taken else "success"
            errors = [{"code": "85001", "title": "Taken", "detail": "Somebody else was quicker to get this number."}]
            rows.append({"id": f"{one['id']}-{at}", "phone_number": e164, "status": status,
                         "errors": errors if status == "failure" else []})  # fmt: skip
        states = {row["status"] for row in rows}
        status = "pending" if "pending" in states else "success" if states == {"success"} else "failure"
        return {"id": one["id"], "record_type": "number_order", "status": status, "phone_numbers": rows,
                "customer_reference": one["customer_reference"]}  # fmt: skip

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


class Handler(BaseHTTPRequestHandler):
    """One request to the carrier."""

    carrier: SimulatedCarrier
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        """Says nothing."""

    def do_GET(self):
        parts = urlsplit(self.path)
        query, path = parse_qs(parts.query), parts.path.removeprefix("/v2")
        carrier = self.carrier
        carrier.asked += 1
        time.sleep(carrier.slow)
        if not self.is_known():
            self.refuse(HTTPStatus.UNAUTHORIZED, "Authentication failed")
        elif path == "/available_phone_numbers" and not carrier.is_searched:
            self.refuse(HTTPStatus.BAD_GATEWAY, "Bad gateway")
        elif path == "/available_phone_numbers":
            self.answer(HTTPStatus.OK, {"data": carrier.for_sale(query)})
        elif path.startswith("/v1/PhoneNumbers/Countries/"):
            rows = [{"number_type": kind, "current_price": price} for kind, price in carrier.prices.items()]
            self.answer(HTTPStatus.OK, {"phone_number_prices": rows, "price_unit": "usd"})
        elif path.startswith(f"{TWILIO}/AvailablePhoneNumbers/"):
            region, kind = path.removesuffix(".json").split("/")[-2:]
            asked = {
                "filter[country_code]": [region],
                "filter[phone_number_type]": [{"TollFree": "toll_free"}.get(kind, kind.lower())],
                "filter[phone_number][starts_with]": query.get("AreaCode", []) or [""],
                "filter[limit]": query.get("PageSize", ["20"]),
            }
            rows = [
                {"phone_number": row["phone_number"], "capabilities": {
                    "voice": True, "SMS": {"name": "sms"} in row["features"], "fax": False}}
                for row in carrier.for_sale(asked)
            ]  # fmt: skip
            self.answer(HTTPStatus.OK, {"available_phone_numbers": rows})
        elif e164 := (query.get("PhoneNumber") or query.get("filter[phone_number]") or [""])[0]:
            found = carrier.held().get(e164)
            rows = [{"phone_number": e164, "sid": found, "id": found}] if found else []
            self.answer(HTTPStatus.OK, {"data": rows, "incoming_phone_numbers": rows})
        elif path == f"{TWILIO}/IncomingPhoneNumbers.json" and "FriendlyName" not in query:
            at = int(query.get("Page", ["0"])[0])
            page, pages = carrier.page_of(at)
            more = f"{TWILIO}/IncomingPhoneNumbers.json?Page={at + 1}" if at + 1 < pages else None
            rows = [{"phone_number": e164, "sid": sid} for e164, sid in page]
            self.answer(HTTPStatus.OK, {"incoming_phone_numbers": rows, "next_page_uri": more})
        elif path == f"{TWILIO}/IncomingPhoneNumbers.json":
            name = query.get("FriendlyName", [""])[0]
            rows = [row for row in list(carrier.bought) if row["friendly_name"] == name]
            self.answer(HTTPStatus.OK, {"incoming_phone_numbers": rows})
        elif path == "/phone_numbers":
            at = int(query.get("page[number]", ["1"])[0])
            page, pages = carrier.page_of(at - 1)
            meta = {"page_number": at, "total_pages": pages}
            self.answer(
                HTTPStatus.OK, {"data": [{"phone_number": e164, "id": one} for e164, one in page], "meta": meta}
            )
        elif path == "/number_orders":
            key = query.get("filter[customer_reference]", [""])[0]
            found = [carrier.shown(one) for one in list(carrier.orders.values()) if one["customer_reference"] == key]
            self.answer(HTTPStatus.OK, {"data": [{**one, "phone_numbers": []} for one in found]})
        elif path.startswith("/number_orders/") and (one := carrier.orders.get(path.rpartition("/")[2])):
            self.answer(HTTPStatus.OK, {"data": carrier.shown(one)})
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "Resource not found")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Type") == "application/json":
            fields = json.loads(body or b"{}")
        else:
            fields = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
        path = urlsplit(self.path).path.removeprefix("/v2")
        carrier = self.carrier
        carrier.asked += 1
        if not self.is_known():
            self.refuse(HTTPStatus.UNAUTHORIZED, "Authentication failed")
        elif path == "/number_reservations" and not carrier.is_searched:
            self.refuse(HTTPStatus.BAD_GATEWAY, "Bad gateway")
        elif path == "/number_reservations":
            self.answer(HTTPStatus.OK, {"data": carrier.keep(fields)})
        elif path in ("/number_orders", f"{TWILIO}/IncomingPhoneNumbers.json"):
            with carrier.lock:
                fault = carrier.faults.pop(0) if carrier.faults else ""
            FAULTS[fault](self, fields)
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "Resource not found")

    def do_DELETE(self):
        carrier, path = self.carrier, urlsplit(self.path).path.removeprefix("/v2").removesuffix(".json")
        carrier.asked += 1
        reference = path.removeprefix(f"{TWILIO}/IncomingPhoneNumbers/").removeprefix("/phone_numbers/")
        with carrier.lock:
            fault = carrier.release_faults.pop(0) if carrier.release_faults else ""
        if not self.is_known():
            self.refuse(HTTPStatus.UNAUTHORIZED, "Authentication failed")
        elif "/" in reference:
            self.refuse(HTTPStatus.NOT_FOUND, "Resource not found")
        elif fault in ("", "taken without an answer"):
            was_held = carrier.give_up(reference)
            if fault:
                self.hang_up()
            elif not was_held:
                self.refuse(HTTPStatus.NOT_FOUND, "Resource not found")
            elif path.startswith(TWILIO):
                self.answer(HTTPStatus.NO_CONTENT, None)
            else:
                self.answer(HTTPStatus.OK, {"data": {"id": reference, "status": "deleted"}})
        else:
            FAULTS[fault](self, {})

    def is_known(self) -> bool:
        return self.headers.get("Authorization") in (f"Bearer {KEY}", f"Basic {BASIC}")

    def answer(self, status: HTTPStatus, content: dict | None, **headers: str) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        with suppress(ConnectionError):  # whoever asked may be gone
            self.end_headers()
            self.wfile.write(body)

    def refuse(self, status: HTTPStatus, why: str, **headers: str) -> None:
        self.answer(status, {"errors": [{"code": "10000", "title": why, "detail": why}]}, **headers)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()


def done(handler: Handler, fields: dict) -> tuple[HTTPStatus, dict]:
    """Do what is asked for; the answer."""
    if "PhoneNumber" not in fields:
        return HTTPStatus.OK, {"data": handler.carrier.order(fields)}
    if row := handler.carrier.buy(fields):
        return HTTPStatus.CREATED, row
    return HTTPStatus.BAD_REQUEST, {"code": 21422, "status": 400, "message": "PhoneNumber is not available."}


def taken(handler: Handler, fields: dict) -> None:
    time.sleep(handler.carrier.slow)
    answer = done(handler, fields)
    time.sleep(handler.carrier.slow)
    handler.answer(*answer)


def taken_without_an_answer(handler: Handler, fields: dict) -> None:
    done(handler, fields)
    handler.hang_up()


def taken_with_an_error(handler: Handler, fields: dict) -> None:
    done(handler, fields)
    handler.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error")


def taken_with_nonsense(handler: Handler, fields: dict) -> None:
    done(handler, fields)
    handler.answer(HTTPStatus.OK, {"data": "ok"})


def not_taken_without_an_answer(handler: Handler, fields: dict) -> None:
    handler.hang_up()


def not_taken_with_an_error(handler: Handler, fields: dict) -> None:
    handler.refuse(HTTPStatus.BAD_GATEWAY, "Bad gateway")


def too_much_to_do(handler: Handler, fields: dict) -> None:
    handler.refuse(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", Retry_After="1")


def refused(handler: Handler, fields: dict) -> None:
    handler.refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "These numbers need a document.")


#: What can befall an order.
FAULTS: dict[str, Callable[[Handler, dict], None]] = {
    "": taken,
    "taken without an answer": taken_without_an_answer,
    "taken with an error": taken_with_an_error,
    "taken with nonsense": taken_with_nonsense,
    "not taken without an answer": not_taken_without_an_answer,
    "not taken with an error": not_taken_with_an_error,
    "too much to do": too_much_to_do,
    "refused": refused,
}


class Server(ThreadingHTTPServer):
    """So many who call at once have to wait, and are not turned away."""

    request_queue_size = 128


def serve(port: int, *, seconds: float = 2.0, listener: str = "") -> ThreadingHTTPServer:
    """A server with a carrier behind it on a port of this computer, 0 for any that is free; not started yet."""
    carrier = SimulatedCarrier(seconds)
    carrier.listener = listener
    server = Server(("127.0.0.1", port), type("OfCarrier", (Handler,), {"carrier": carrier}))
    server.carrier = carrier
    return server


def address_of(port: int, name: str, api: str = "telnyx") -> str:
    """Such a carrier as ``CARRIERS`` has it."""
    base = f"http://127.0.0.1:{port}"
    query = {"name": name, "account": ACCOUNT, "key": KEY, "public_key": PUBLIC_KEY, "prices": base}
    return f"{api}+{base}{'/v2' if api == 'telnyx' else ''}?{urlencode(query)}"
