"""Filters, searches, sorts and scopes combined: none may be slower than a peer, nor far slower than our first page."""

import itertools
import statistics
from collections.abc import Iterator
from urllib.parse import urlencode

from tests.bench import data, web
from tests.bench.pages import PLAIN, SYS
from tests.bench.result import Result

SEARCHES = [
    {},
    {"number": "514"},
    {"used_by": "tremblay"},
    {"used_by": "re"},
    {"company": "dental"},
    {"provider": "north"},
    {"use": "service"},
    {"status": "pending"},
    {"used_by": "smith", "number": "44"},
    {"company": "law", "used_by": "garcia"},
]
SORTS = ["", "-number", "company", "-used_by", "use", "-provider"]
FILTERS = ["", "available", "reserved"]
#: What the plain list calls ours, where it has the like.
PLAIN_NAMES = {"number": "e164", "used_by": "used_by", "company": "company"}
PLAIN_SORTS = {"": "", "-number": "-e164", "company": "company", "-used_by": "-used_by"}
ROUNDS = 3
MOST = 15
WORST = 3


def median(site: web.Site, path: str) -> float:
    site.get(path)
    return statistics.median(site.get(path) for _ in range(ROUNDS))


def combined(*, var: bool) -> Iterator[dict[str, str]]:
    """Each search with some of the sorts and filters in turn, so that every pair of the three comes up."""
    for i, (search, sort) in enumerate(itertools.product(SEARCHES, SORTS)):
        state = FILTERS[(i + i // len(SORTS)) % len(FILTERS)]
        if not (var and sort == "var"):
            yield search | {name: value for name, value in (("sort", sort), ("filter", state)) if value}


def beside(query: dict[str, str]) -> str | None:
    """The plain list's address for the same rows; None where it has no such thing."""
    words = {name: value for name, value in query.items() if name not in ("sort", "filter")}
    sort, state = query.get("sort", ""), query.get("filter", "")
    if not words.keys() <= PLAIN_NAMES.keys() or sort not in PLAIN_SORTS or state not in ("", "available"):
        return None
    same = {PLAIN_NAMES[name]: value for name, value in words.items()}
    same |= {"sort": PLAIN_SORTS[sort]} if sort else {}
    same |= {"used": "false"} if state else {}
    return f"{PLAIN}?{urlencode(same)}"


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    code = data.var_of_about(ours, 90_000)[0]
    with web.portal(ours) as system, web.portal(ours, code) as var, web.peers(peers) as them:
        first = median(system, SYS)
        slow, behind = [], []
        for site, path in ((system, SYS), (var, f"/{code}/numbers/")):
            for query in combined(var=site is var):
                address = f"{path}?{urlencode(query)}"
                mine = median(site, address)
                slow.append((mine / first, mine, address))
                peer = beside(query) if site is system else None
                if peer:
                    other = median(them, peer)
                    behind.append((mine / other, mine, other, address))
        for times, mine, address in sorted(slow, reverse=True)[:WORST]:
            yield Result(
                f"worst of {len(slow)}: {address}"[:52], f"{times:.1f} x", f"<= {MOST} x", times <= MOST,
                f"{mine:.1f} ms", f"{first:.1f} ms",
            )  # fmt: skip
        for times, mine, other, address in sorted(behind, reverse=True)[:WORST]:
            yield Result(
                f"nearest to tables2 of {len(behind)}: {address}"[:52], f"{1 / times:.1f} x", ">= 1 x", times <= 1,
                f"{mine:.1f} ms", f"{other:.1f} ms",
            )  # fmt: skip
