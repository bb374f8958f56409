"""What a browser feels: our list page and the Django admin's in Chromium, in turns, from the request to the load event.

The server's share is in it; what the browser does after its answer is most of it. Slowed, the processor stands for an
office laptop.
"""

import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Error, sync_playwright

from tests.bench import web
from tests.bench.pages import ADMIN, SYS
from tests.bench.result import Result, at_most, below, unmeasured

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ROUNDS = 9
#: How many times slower the processor of an office laptop is.
SLOWED = 4
#: After the load event scripts may still be at work; what they do is part of the page.
SETTLED_MS = 400


@dataclass(frozen=True)
class Felt:
    """One visit: milliseconds to the load event and on the main thread, and how often the page was laid out."""

    load: float
    thread: float
    layouts: int


class Browser:
    """Chromium as somebody has it who is signed in to a site, and has been there before. Each visit is a window of its
    own, because Chromium counts from the opening of a window."""

    def __init__(self, context: BrowserContext, site: web.Site, path: str):
        self.context, self.url, self.slowed = context, f"http://127.0.0.1:{site.port}{path}", 1
        pairs = (pair.partition("=") for pair in web.cookies(site.cookie).split("; "))
        context.add_cookies([{"name": name, "value": value, "url": self.url} for name, _is, value in pairs])
        self.visit()
        #: Bytes over the wire of the first visit, with all its files.
        self.cold = self.received
        for _turn in range(2):
            self.visit()

    def count(self, event: dict) -> None:
        self.received += int(event["encodedDataLength"])

    def visit(self) -> Felt:
        self.received = 0
        page = self.context.new_page()
        protocol = self.context.new_cdp_session(page)
        protocol.on("Network.loadingFinished", self.count)
        for command in ("Performance.enable", "Network.enable"):
            protocol.send(command)
        protocol.send("Emulation.setCPUThrottlingRate", {"rate": self.slowed})
        if page.goto(self.url).status != 200:
            raise RuntimeError(f"{self.url} is not answered")
        page.wait_for_timeout(SETTLED_MS)
        spent = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
        load = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        page.close()
        return Felt(load, spent["TaskDuration"] * 1000, int(spent["LayoutCount"]))


@contextmanager
def browsers(us: web.Site, them: web.Site) -> Iterator[tuple[Browser, Browser]]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield tuple(
                Browser(chromium.new_context(viewport={"width": 1440, "height": 900}), site, path)
                for site, path in ((us, SYS), (them, ADMIN))
            )
        finally:
            chromium.close()


def medians(ours: Browser, peers: Browser) -> tuple[Felt, Felt]:
    """The middle of what both felt, visited in turns."""
    visits = [(ours.visit(), peers.visit()) for _turn in range(ROUNDS)]
    return tuple(
        Felt(*(statistics.median(getattr(one, name) for one in of_one) for name in ("load", "thread", "layouts")))
        for of_one in zip(*visits, strict=True)
    )


def measure(ours: str, peers: str, _numbers: int) -> Iterator[Result]:
    try:
        with web.portal(ours) as us, web.peers(peers) as them, browsers(us, them) as (mine, other):
            quick = medians(mine, other)
            yield at_most("felt: list page to the load event, admin", quick[0].load, quick[1].load, 0.5)
            yield at_most("felt: main thread, admin", quick[0].thread, quick[1].thread, 1)
            yield below("felt: layouts", quick[0].layouts, 2, "layouts")
            yield below("felt: page with all its files, cold", mine.cold / 1000, 100, "kB")
            for browser in (mine, other):
                browser.slowed = SLOWED
            slow = medians(mine, other)
            yield at_most(f"felt: the same, {SLOWED} times slower, admin", slow[0].load, slow[1].load, 0.7)
            yield at_most(f"felt: main thread, {SLOWED} times slower, admin", slow[0].thread, slow[1].thread, 1)
    except Error as trouble:
        yield unmeasured("felt", trouble)
