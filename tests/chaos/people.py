"""Honest load: people and a switch that work all the time, and write down what the portal has promised them.

Somebody who is told to try again, or gets no answer, waits as long as they are told to and sends the same again.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from itertools import count, islice
from urllib.parse import urlencode
from uuid import uuid4

from tests.chaos.seed import CALLED, JOB_PREFIXES

#: As long as a person waits where nothing says for how long.
PAUSE_SECONDS = 5
ANSWER_SECONDS = 30
#: So often somebody tries before they give up.
MOST_TRIES = 30
IMPORT_LINES = 3000
CALLS_AT_ONCE = 20
CSRF = "c" * 32


@dataclass
class Ledger:
    """What the portal has promised, by what it answered; and who had to try again, and when."""

    imports: dict[str, list[str]] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    calls: dict[str, tuple[str, int]] = field(default_factory=dict)
    #: Who, when their request began, what came of it.
    tries: list[tuple[str, float, str]] = field(default_factory=list)
    #: Who was served, and when.
    served: list[tuple[str, float]] = field(default_factory=list)
    #: What nobody should ever see.
    surprises: list[str] = field(default_factory=list)


class Surprise(Exception):
    """An answer that is neither what was asked for nor a request to try again."""


class Worker:
    """Somebody who works until they are told to stop, in a thread of their own."""

    def __init__(self, name: str, port: int, ledger: Ledger, stops: threading.Event):
        self.name, self.port, self.ledger, self.stops = name, port, ledger, stops
        self.headers = {"Host": "localhost"}
        self.thread = threading.Thread(target=self.work, daemon=True)

    def turn(self) -> None:
        """One piece of work."""
        raise NotImplementedError

    def work(self) -> None:
        while not self.stops.is_set():
            try:
                self.turn()
            except Surprise as surprise:
                self.ledger.surprises.append(f"{self.name}: {surprise}")
                self.stops.wait(1)

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> tuple[int, Message, str]:
        """An answer that is one, after as many tries as it takes. Raises ``Surprise``."""
        for _try in range(MOST_TRIES):
            began, pause = time.monotonic(), PAUSE_SECONDS
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
            try:
                connection.request(method, path, body, self.headers | headers)
                answer = connection.getresponse()
                status, said, text = answer.status, answer.headers, answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                outcome = type(error).__name__
            else:
                if status not in (429, 503, 507):
                    self.ledger.served.append((self.name, time.monotonic()))
                    if status >= 400:
                        raise Surprise(f"{method} {path} {status} {words_of(text)}")
                    return status, said, text
                outcome, pause = str(status), int(said.get("Retry-After", PAUSE_SECONDS))
            finally:
                connection.close()
            self.ledger.tries.append((self.name, began, outcome))
            time.sleep(pause)
        raise Surprise(f"{method} {path} was never answered")


class Person(Worker):
    """Somebody with a browser."""

    def __init__(self, *facts, cookie: str):
        super().__init__(*facts)
        self.headers |= {"Cookie": f"csrftoken={CSRF}; sessionid={cookie}", "Accept": "text/html"}

    def get(self, path: str) -> str:
        return self.ask("GET", path)[2]

    def post(self, path: str, *fields: tuple[str, str]) -> str:
        """Send a form; where it leads."""
        body = urlencode([("csrfmiddlewaretoken", CSRF), *fields])
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.led("POST", path, body, **kind)

    def send_file(self, path: str, content: str, **fields: str) -> str:
        """Send a form with a file; where it leads."""
        fields["csrfmiddlewaretoken"] = CSRF
        parts = [f'--XX\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
        head = '--XX\r\nContent-Disposition: form-data; name="file"; filename="numbers.csv"\r\n\r\n'
        body = "".join(parts) + f"{head}{content}\r\n--XX--\r\n"
        return self.led("POST", path, body, **{"Content-Type": "multipart/form-data; boundary=XX"})

    def led(self, *request: str, **headers: str) -> str:
        status, said, text = self.ask(*request, **headers)
        if status != 302:
            raise Surprise(f"{request[1]} was not taken: {status} {words_of(text)}")
        return said["Location"]

    def wait_for(self, path: str, is_so: Callable[[str], bool]) -> str:
        """Look at a page until it is as wanted, or the run ends."""
        while not is_so(page := self.get(path)) and not self.stops.wait(1):
            pass
        return page


class Reader(Person):
    """Somebody who looks at a page every second."""

    def __init__(self, *facts, cookie: str, path: str):
        super().__init__(*facts, cookie=cookie)
        self.path = path

    def turn(self) -> None:
        self.get(self.path)
        self.stops.wait(1)


class Importer(Person):
    """Somebody who imports files and assigns numbers in bulk, one after the other."""

    def __init__(self, *facts, cookie: str, facts_of: dict):
        super().__init__(*facts, cookie=cookie)
        self.home, self.customer = f"/{facts_of['var']}/numbers", facts_of["customer"]
        self.lines, self.prefixes = count(), iter(JOB_PREFIXES)

    def turn(self) -> None:
        self.assign()
        self.add()

    def add(self) -> None:
        numbers = [f"+1514{5550000 + next(self.lines)}" for _line in range(IMPORT_LINES)]
        content = "Number,Provider\n" + "".join(f"{e164},Northline\n" for e164 in numbers)
        path = self.send_file(f"{self.home}/import/", content, key=str(uuid4()), empty="merge")
        page = self.wait_for(path, lambda page: 'name="mode"' in page)
        if 'name="mode"' not in page:
            return
        self.post(path, ("mode", "some"))
        self.ledger.imports[path.split("/")[-2]] = numbers
        self.wait_for(path, has_ended)

    def assign(self) -> None:
        prefix = next(self.prefixes, None)
        if prefix is None:
            return
        path = self.post(f"{self.home}/bulk/assign/", ("number", prefix), ("filter", "available"), ("all", "1"))
        self.post(path, ("customer", self.customer), ("mode", "some"))
        self.ledger.jobs[path.split("/")[-2]] = prefix
        self.wait_for(path, has_ended)


class Buyer(Person):
    """Somebody who orders two numbers of a carrier's, again and again."""

    def __init__(self, *facts, cookie: str, customer: str):
        super().__init__(*facts, cookie=cookie)
        self.home = f"/{customer}/numbers/order/"

    def turn(self) -> None:
        page = self.get(f"{self.home}?country=US&area=201&count=2")
        offers = re.findall(r'name="offer" value="([^"]+)"', page)[:2]
        if not offers:  # the carrier does not answer; people look again later
            self.stops.wait(2)
            return
        self.post(f"{self.home}basket/", *(("offer", offer) for offer in offers))
        page = self.get(f"{self.home}review/")
        order = re.search(r'name="order" value="(\d+)"', page)
        if order is None:
            return
        lines = [("line", pk) for pk in re.findall(r'name="line" value="(\d+)"', page)]
        path = self.post(f"{self.home}review/", ("order", order[1]), *lines)
        if "/orders/" not in path:
            raise Surprise(f"an order was not taken: {path}")
        self.ledger.orders.append(path.split("/")[-2])
        self.stops.wait(2)


class Switch(Worker):
    """A phone system that tells of calls four times a second, and again until it is told that they were taken."""

    def __init__(self, *facts, token: str):
        super().__init__(*facts)
        self.headers |= {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.ids = count()

    def turn(self) -> None:
        now = int(time.time())
        calls = [(f"call-{at}", CALLED[at % len(CALLED)], now) for at in islice(self.ids, CALLS_AT_ONCE)]
        body = json.dumps([{"id": i, "number": n, "time": datetime.fromtimestamp(t, UTC).isoformat()}
                           for i, n, t in calls])  # fmt: skip
        self.ask("POST", "/calls/", body)
        self.ledger.calls |= {call: (number, at) for call, number, at in calls}
        self.stops.wait(0.25)


def has_ended(page: str) -> bool:
    """Whether a job or an import is over, by its page."""
    return "<progress" not in page and 'name="mode"' not in page


def words_of(page: str) -> str:
    """The heading of a page, and what it says is wrong."""
    said = re.findall(r'<h1[^>]*>(.*?)</h1>|class="invalid-feedback[^"]*"[^>]*>(.*?)<|role="alert"[^>]*>(.*?)</div>',
                      page, re.DOTALL)  # fmt: skip
    return " / ".join(re.sub(r"<[^>]*>|\s+", " ", "".join(one)).strip() for one in said)[:300] or page[:200]
