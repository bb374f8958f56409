"""The call-back service: rings the person's own telephone, then the other side, and connects the two (third-party call
control, RFC 3725, a variant of flows III and IV).

A process of its own with an interface on the loopback address. Calls are kept in memory: ended, it hangs up none, but
knows of none any more either; the portal then closes them as *unknown*.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread, Timer
from typing import Any

import urllib3

from portal.logs import described
from webphone.telephony import REF, stack
from webphone.telephony.media import PROMPT, RING_BACK, SILENCE, Sound, offer
from webphone.telephony.stack import (
    CCEventConnect,
    CCEventDisconnect,
    CCEventFail,
    CCEventRing,
    CCEventUpdate,
    body,
    code_of,
    sound_of,
)

log = logging.getLogger("webphone.call_back")

#: What the service signs in as at the SIP server.
SERVICE = "call-back"
#: Seconds that a code may be waited for.
TYPES = 60
#: The only things that are ever written into a SIP message: no line break gets through these.
CALLED = re.compile(r"\+[1-9][0-9]{3,14}|[A-Z0-9]{2,14}-[0-9]{1,10}")
CALLER_ID = re.compile(r"(\+[1-9][0-9]{3,14})?")
MOST_BYTES = 4096
#: Seconds until a portal that does not answer is told again; and for how long that is tried.
AGAIN, GIVES_UP = 1.0, 120.0


class Refused(ValueError):
    """What was asked for cannot be done; the text says why."""


class Portal:
    """Is told what happens to calls, in that order, and again while it is away."""

    def __init__(self, url: str, key: str):
        self.url, self.headers = url, {"Authorization": f"Bearer {key}"}
        self.queue: Queue[dict] = Queue()
        self.connections = urllib3.PoolManager(retries=False, timeout=5.0)
        Thread(target=self.work, daemon=True).start()

    def tell(self, **news: Any) -> None:
        self.queue.put(news | {"time": time.time()})

    def work(self) -> None:
        while True:
            news, began = self.queue.get(), time.monotonic()
            while not self.told(news) and time.monotonic() - began < GIVES_UP:
                time.sleep(AGAIN)

    def told(self, news: dict) -> bool:
        try:
            answer = self.connections.request("POST", self.url, json=news, headers=self.headers)
        except urllib3.exceptions.HTTPError as error:
            log.warning("The portal does not answer: %s", described(error))
            return False
        if answer.status >= 400:
            log.warning("The portal does not take %s: %d", news.get("event"), answer.status)
        return answer.status < 500


class TwoLegs:
    """One call: a leg to the person's own telephone, later one to the other side. In the loop's thread."""

    def __init__(self, service: Service, ref: str, asks: dict[str, Any]):
        self.service, self.ref, self.asks = service, ref, asks
        self.is_over = self.is_bridged = self.is_cancelled = False
        #: Whether our own re-INVITE to the person's telephone has not been answered yet.
        self.joins = False
        self.told: set[str] = set()
        self.keys = ""
        self.other: Any = None
        self.sound = Sound(service.host, SILENCE, lambda key: stack.Stack.soon(self.pressed, key))
        named = f"Call-back {asks['other']}" if asks["other"] else "Your code"
        self.you = self.invite(asks["you"], SERVICE, offer(service.host, self.sound.port), self.of_you, named)

    def invite(self, called: str, caller: str, description: str, on_event: Callable, name: str | None = None) -> Any:
        return self.service.stack.invite(
            called, caller, description, on_event, name=name, login=(SERVICE, self.service.password),
            ring_seconds=self.service.rings, most_seconds=self.asks["minutes"] * 60,
        )  # fmt: skip

    def tell(self, event: str, **more: Any) -> None:
        if event not in self.told:
            self.told.add(event)
            self.service.portal.tell(ref=self.ref, event=event, **more)

    def of_you(self, event: Any, leg: Any) -> None:
        """Something has happened on the person's own telephone."""
        if self.is_over:
            return
        if isinstance(event, CCEventRing) and code_of(event) > 100:
            self.tell("ringing_you")
        elif isinstance(event, CCEventConnect) and "answered_you" not in self.told:
            self.tell("answered_you")
            self.answered(sound_of(event))
        elif isinstance(event, CCEventConnect) and self.joins:
            self.joins = False
        elif isinstance(event, CCEventConnect | CCEventUpdate) and self.is_bridged:
            self.other.recvEvent(event)
        elif isinstance(event, CCEventFail):
            self.end(code_of(event), "you")
        elif isinstance(event, CCEventDisconnect):
            self.end(0 if "answered_you" in self.told else 480, "you")

    def answered(self, description: str) -> None:
        self.sound.send_to(description)
        if self.asks["other"]:
            self.other = self.invite(
                self.asks["other"], self.asks["caller_id"] or "anonymous", description, self.of_other
            )
        else:
            self.sound.play = PROMPT
            timer = Timer(TYPES, stack.Stack.soon, (self.end, 0, "you"))
            timer.daemon = True
            timer.start()

    def of_other(self, event: Any, leg: Any) -> None:
        """Something has happened on the other side."""
        if self.is_over:
            return
        if isinstance(event, CCEventRing) and code_of(event) > 100:
            self.tell("ringing")
            self.sound.play = RING_BACK
        elif isinstance(event, CCEventConnect) and not self.is_bridged:
            self.is_bridged = self.joins = True
            self.you.recvEvent(CCEventUpdate(body(sound_of(event))))
            self.sound.stop()
            self.tell("talking")
        elif isinstance(event, CCEventConnect | CCEventUpdate):
            self.you.recvEvent(event)
        elif isinstance(event, CCEventFail):
            self.end(code_of(event), "other")
        elif isinstance(event, CCEventDisconnect):
            self.end(0 if self.is_bridged else 480, "other")

    def pressed(self, key: str) -> None:
        """A key of the person's telephone, where a code is waited for."""
        if self.is_over or self.asks["other"]:
            return
        self.keys += key
        if len(self.keys) >= self.asks["digits"]:
            self.tell("digits", digits=self.keys)
            self.end(0, "")

    def end(self, code: int, side: str) -> None:
        """Nobody is left in the call."""
        if self.is_over:
            return
        self.is_over = True
        for leg in (self.you, self.other):
            if leg is not None:
                leg.recvEvent(CCEventDisconnect())
        self.sound.stop()
        self.service.calls.pop(self.ref, None)
        self.tell("ended", code=code, side=side, cancelled=self.is_cancelled)

    def cancel(self) -> None:
        self.is_cancelled = True
        self.end(0, "")


class Service:
    """All calls, and the interface to them."""

    def __init__(
        self,
        *,
        host: str,
        sip_port: int,
        proxy: tuple[str, int],
        domain: str,
        password: str,
        portal: Portal,
        rings: int,
    ):
        self.host, self.password, self.portal, self.rings = host, password, portal, rings
        self.stack = stack.Stack(host, sip_port, proxy, domain)
        self.calls: dict[str, TwoLegs] = {}

    def begin(self, asks: dict[str, Any]) -> None:
        """Begin a call, once for each ``ref``. Raises ``Refused``."""
        ref, you, other = (str(asks.get(name) or "") for name in ("ref", "you", "other"))
        caller_id, digits, minutes = str(asks.get("caller_id") or ""), asks.get("digits", 0), asks.get("minutes")
        if not re.fullmatch(REF, ref):
            raise Refused("ref is not what the portal calls its calls.")
        if not CALLED.fullmatch(you) or not (CALLED.fullmatch(other) or (not other and digits in range(1, 9))):
            raise Refused("you and other are numbers in E.164 form, or extensions with their accounts.")
        if not CALLER_ID.fullmatch(caller_id):
            raise Refused("caller_id is a number in E.164 form, or nothing.")
        if type(minutes) is not int or not 0 < minutes <= 1440:
            raise Refused("minutes is how long the call may last.")
        wanted = {"you": you, "other": other, "caller_id": caller_id, "digits": digits, "minutes": minutes}

        def begin() -> None:
            if ref not in self.calls:
                self.calls[ref] = TwoLegs(self, ref, wanted)

        self.stack.soon(begin)

    def cancel(self, ref: str) -> bool:
        """End a call; whether there is such a one."""
        call = self.calls.get(ref)
        if call is not None:
            self.stack.soon(call.cancel)
        return call is not None


def interface(service: Service, port: int, key: str) -> ThreadingHTTPServer:
    """What the portal asks the service by: ``POST /calls``, ``GET /calls``, ``DELETE /calls/<ref>``."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def answer(self, status: int, fields: dict | None = None) -> None:
            content = json.dumps(fields or {}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def is_the_portal(self) -> bool:
            given = self.headers.get("Authorization", "").encode()
            if hmac.compare_digest(given, f"Bearer {key}".encode()):
                return True
            self.answer(401, {"error": "The key is missing or wrong."})
            return False

        def do_GET(self) -> None:
            if self.is_the_portal():
                self.answer(200, {"refs": list(service.calls)})

        def do_POST(self) -> None:
            if not self.is_the_portal():
                return
            try:
                length = int(self.headers.get("Content-Length", "0"))
                asks = json.loads(self.rfile.read(min(length, MOST_BYTES)))
                if not isinstance(asks, dict):
                    raise Refused("This is not a JSON object.")
                service.begin(asks)
            except (ValueError, RecursionError) as refusal:
                self.answer(422, {"error": str(refusal)})
            else:
                self.answer(201)

        def do_DELETE(self) -> None:
            if self.is_the_portal():
                self.answer(204 if service.cancel(self.path.rpartition("/")[2]) else 404)

        def log_message(self, *arguments: Any) -> None:
            """Nothing: numbers would be in it."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            log.exception("A request of the portal failed.")

    return Server(("127.0.0.1", port), Handler)
