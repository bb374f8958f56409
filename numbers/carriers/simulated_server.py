"""The web server of the simulated carrier: the APIs that the portal speaks, and the ways in which they can fail."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from numbers.carriers.simulated import (
    ACCOUNT,
    BASIC,
    CONNECTIONS,
    KEY,
    PUBLIC_KEY,
    TELNYX_ROUTE,
    TWILIO,
    TWILIO_ROUTE,
    SimulatedCarrier,
)


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
        elif path.startswith(f"{TWILIO}/AvailablePhoneNumbers/") and path.count("/") == 5:
            # As the real one writes it: the account's id stands in what it says.
            region = path.rpartition("/")[2].removesuffix(".json")
            kinds = ("Local", "TollFree") if region in ("US", "CA") else ("Local", "Mobile")
            uris = {kind: f"{TWILIO}/AvailablePhoneNumbers/{region}/{kind}.json" for kind in kinds}
            self.answer(HTTPStatus.OK, {"country_code": region, "subresource_uris": uris})
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
        elif path == f"{TWILIO}/IncomingPhoneNumbers.json":
            rows, at = carrier.listed(query), int(query.get("Page", ["0"])[0])
            more = (at + 1) * carrier.page < len(rows)
            following = f"{TWILIO}/IncomingPhoneNumbers.json?Page={at + 1}" if more else None
            rows = rows[at * carrier.page : (at + 1) * carrier.page]
            self.answer(HTTPStatus.OK, {"incoming_phone_numbers": rows, "next_page_uri": following})
        elif path == "/phone_numbers":
            rows, at = carrier.listed(query), int(query.get("page[number]", ["1"])[0])
            meta = {"page_number": at, "total_pages": -(-len(rows) // carrier.page)}
            rows = rows[(at - 1) * carrier.page : at * carrier.page]
            self.answer(HTTPStatus.OK, {"data": rows, "meta": meta})
        elif row := carrier.named(path):
            self.answer(HTTPStatus.OK, row if path.startswith(TWILIO) else {"data": row})
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
        if "json" in self.headers.get("Content-Type", ""):
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
        elif path.startswith(f"{TWILIO}/IncomingPhoneNumbers/") and (row := carrier.named(path)):
            route = {TWILIO_ROUTE[name]: value for name, value in fields.items() if name in TWILIO_ROUTE}
            carrier.lead(row["sid"], route, later=True)
            self.answer(HTTPStatus.OK, carrier.named(path))
        elif path.endswith("/actions/enable_emergency"):
            self.route(path.removesuffix("/actions/enable_emergency"), fields)
        elif path in ("/number_orders", f"{TWILIO}/IncomingPhoneNumbers.json"):
            with carrier.lock:
                fault = carrier.faults.pop(0) if carrier.faults else ""
            FAULTS[fault](self, fields)
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "Resource not found")

    def do_PATCH(self):
        fields = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        carrier, path = self.carrier, urlsplit(self.path).path.removeprefix("/v2")
        carrier.asked += 1
        time.sleep(carrier.slow)
        if not self.is_known():
            self.refuse(HTTPStatus.UNAUTHORIZED, "Authentication failed")
        elif path.startswith("/sub_number_orders/") and path.endswith("-part/cancel"):
            one = carrier.orders[path.removeprefix("/sub_number_orders/").removesuffix("-part/cancel")]
            one["cancelled"] = True
            self.answer(HTTPStatus.OK, {"data": {"id": f"{one['id']}-part", "status": "cancelled"}})
        else:
            self.route(path.removesuffix("/messaging"), fields)

    def route(self, path: str, fields: dict) -> None:
        """Have a number lead where the fields say."""
        row = self.carrier.named(path)
        if row is None:
            self.refuse(HTTPStatus.NOT_FOUND, "Resource not found")
            return
        self.carrier.lead(row["id"], {name: fields[name] for name in TELNYX_ROUTE if name in fields}, later=True)
        self.answer(HTTPStatus.OK, {"data": self.carrier.named(path)})

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
    query |= CONNECTIONS[api]
    return f"{api}+{base}{'/v2' if api == 'telnyx' else ''}?{urlencode(query)}"
