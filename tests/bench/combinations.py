"""Searches, sorts and filters combined in several scopes: none far slower than our first page, none than a peer."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.bench import data, web
from tests.bench.pages import PLAIN, SYS
from tests.bench.result import TROUBLES, Result, at_most, times, unmeasured

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
#: A page that takes so long is believed after one round.
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


def in_turns(*pages: tuple[web.Site, str]) -> list[list[float]]:
    """Milliseconds of each page, round by round, after a round that does not count."""
    taken: list[list[float]] = [[] for _page in pages]
    slow = [site.get(path) > SLOW_MS for site, path in pages]
    for turn in range(ROUNDS):
        for (site, path), is_slow, page in zip(pages, slow, taken, strict=True):
            if not (turn and is_slow):
                page.append(site.get(path))
    return taken


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
    slow, behind, firsts = [], [], []
    with web.portal(ours) as us, web.peers(peers) as them:
        for scope in scopes(ours, us):
            for query in combined(scope.lacks):
                address = f"{scope.path}?{urlencode(query)}"
                peer_path = same_in_tables2(query, scope.narrowed)
                try:
                    beside = [(them, peer_path)] if peer_path else []
                    # Our first page comes along in each round: a baseline of one moment has that moment's noise.
                    first, mine, *peer = in_turns((us, SYS), (scope.site, scope.site.understood(address)), *beside)
                except TROUBLES as trouble:
                    yield unmeasured(address, trouble)
                    continue
                firsts += first
                slow.append((statistics.median(mine), address))
                if peer:
                    behind.append((statistics.median(mine), statistics.median(peer[0]), address))
    if not slow or not behind:
        yield unmeasured("combinations", "none could be measured")
        return
    yield from beside_first(slow, statistics.median(firsts))
    yield from beside_peer(behind)


def beside_first(slow: list[tuple[float, str]], first: float) -> Iterator[Result]:
    """How many pages take too many times our first page, and the slowest."""
    over = sum(mine > MOST * first for mine, _address in slow)
    yield Result(f"of {len(slow)} combinations over {MOST} x our first page", str(over), "0", not over)
    for mine, address in sorted(slow, reverse=True)[:WORST]:
        yield at_most(address, mine, first, MOST)


def beside_peer(behind: list[tuple[float, float, str]]) -> Iterator[Result]:
    """How many pages are slower than the peer's, and those farthest behind."""
    over = sum(mine > other for mine, other, _address in behind)
    yield Result(f"of {len(behind)} combinations slower than tables2", str(over), "0", not over)
    for mine, other, address in sorted(behind, key=lambda page: page[1] / page[0])[:WORST]:
        yield times(address, mine, other, 1)
