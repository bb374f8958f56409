"""Searches, sorts and filters combined in several scopes: none far slower than our first page, none than a peer."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.bench import data, web
from tests.bench.pages import PLAIN, SYS
from tests.bench.result import TROUBLES, Result, unmeasured

SEARCHES = [
    {},
    {"number": "514"},
    {"number": "5142345"},
    {"used_by": "tremblay"},
    {"used_by": "re"},
    {"use": "service"},
    {"provider": "north"},
    {"status": "pending"},
    {"used_by": "tremblay", "number": "514"},
    {"company": "dental"},
    {"company": "dental", "used_by": "tremblay"},
    {"var": "telecom", "number": "44"},
]
SORTS = ["number", "used_by", "company", "var", "use", "provider", "status"]
STATES = ["all", "used", "available", "reserved", "cooling"]
#: What the plain list calls our columns when it searches them.
SAME_SEARCH = {"number": "e164", "used_by": "used_by", "company": "company", "var": "var"}
SAME_SORT = {"number": "e164", "used_by": "used_by", "company": "company", "var": "var", "use": "user",
             "provider": "provider", "status": "status"}  # fmt: skip
SAME_STATE = {"all": {}, "used": {"used": "true"}, "available": {"used": "false"}}
ROUNDS = 3
MOST = 15
WORST = 3
#: A page that has taken so long is believed after one round.
SLOW_MS = 2_000


@dataclass(frozen=True)
class Scope:
    """A list that somebody sees: its columns lack some, and the plain list says ``narrowed`` for it, if it can."""

    site: web.Site
    path: str
    lacks: tuple[str, ...] = ()
    narrowed: dict[str, str] | None = None


def combined(lacks: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Each search with each sort both ways, and a filter in turn, so that each pair of them comes up."""
    ways = [f"{sign}{sort}" for sort in SORTS for sign in ("", "-") if sort not in lacks]
    for i, search in enumerate(search for search in SEARCHES if not search.keys() & set(lacks)):
        for j, way in enumerate(ways):
            state = STATES[(i + j) % len(STATES)]
            # An account's own numbers are never held back for somebody else.
            if "company" in lacks and state in ("reserved", "cooling"):
                state = "used"
            yield search | {"sort": way, "filter": state}


def same_in_tables2(query: dict[str, str], narrowed: dict[str, str] | None) -> str | None:
    """The plain list's address of the same rows in the same order; None where it cannot say so."""
    search = {name: text for name, text in query.items() if name not in ("sort", "filter")}
    state = SAME_STATE.get(query["filter"])
    if narrowed is None or state is None or not search.keys() <= SAME_SEARCH.keys():
        return None
    sign, sort = ("-", query["sort"][1:]) if query["sort"].startswith("-") else ("", query["sort"])
    asked = narrowed | {SAME_SEARCH[name]: text for name, text in search.items()}
    return f"{PLAIN}?{urlencode(asked | state | {'sort': sign + SAME_SORT[sort]})}"


def median(site: web.Site, path: str) -> float:
    """Milliseconds of a page, after one that does not count."""
    warm = site.get(path)
    return warm if warm > SLOW_MS else statistics.median(site.get(path) for _round in range(ROUNDS))


def scopes(ours: str, us: web.Site) -> list[Scope]:
    var, _key, _has = data.largest_var(ours)
    name, alone = data.var_name(ours, var)
    company = data.largest_company(ours)
    return [
        Scope(us, SYS, narrowed={}),
        Scope(us.seen_by(web.administrator(ours, var)), f"/{var}/numbers/", ("var",), {"var": name} if alone else None),
        Scope(us.seen_by(web.administrator(ours, company)), f"/{company}/numbers/", ("var", "company")),
    ]


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    slow, behind = [], []
    with web.portal(ours) as us, web.peers(peers) as them:
        first = median(us, SYS)
        for scope in scopes(ours, us):
            for query in combined(scope.lacks):
                address = f"{scope.path}?{urlencode(query)}"
                try:
                    mine = median(scope.site, scope.site.understood(address))
                    slow.append((mine / first, mine, address))
                    if peer_path := same_in_tables2(query, scope.narrowed):
                        other = median(them, peer_path)
                        behind.append((mine / other, mine, other, address))
                except TROUBLES as trouble:
                    yield unmeasured(address, trouble)
    yield from lines(f"of {len(slow)} combinations, our first page", MOST, slow, first)
    yield from lines_of_peer(f"of {len(behind)} combinations, tables2", behind)


def lines(work: str, most: float, slow: list[tuple], first: float) -> Iterator[Result]:
    """How many are too slow, and the worst."""
    over = sum(ratio > most for ratio, *_rest in slow)
    yield Result(f"too slow {work}", str(over), "0", bool(slow) and not over, peer=f"{first:.1f} ms")
    for ratio, mine, address in sorted(slow, reverse=True)[:WORST]:
        yield Result(address, f"{ratio:.1f} x", f"<= {most} x", ratio <= most, f"{mine:.1f} ms", f"{first:.1f} ms")


def lines_of_peer(work: str, behind: list[tuple]) -> Iterator[Result]:
    over = sum(ratio > 1 for ratio, *_rest in behind)
    yield Result(f"slower {work}", str(over), "0", bool(behind) and not over)
    for ratio, mine, other, address in sorted(behind, reverse=True)[:WORST]:
        yield Result(address, f"{1 / ratio:.1f} x", ">= 1 x", ratio <= 1, f"{mine:.1f} ms", f"{other:.1f} ms")
