"""Whole pages of the portal beside the same pages of its peers, over HTTP, in turns."""

import re
import statistics
from collections.abc import Callable, Iterator

from tests.bench import data, web
from tests.bench.result import Result, at_most, times

SYS, ADMIN, PLAIN = "/SYS/numbers/", "/admin/peers/number/", "/plain/"
#: Our sort -> the admin's, by the place of the column in its list.
SORTS = {"number": 1, "used_by": 2, "company": 3, "var": 4, "use": 5, "provider": 6, "status": 7}
ROUNDS = 7
#: A peer that needs longer than this for all rounds is believed after fewer.
ENOUGH_MS = 8_000


def in_turns(ours: Callable[[], float], peer: Callable[[], float]) -> tuple[float, float]:
    """The medians of both after one round that does not count."""
    mine, other = [], []
    for turn in range(ROUNDS + 1):
        mine += [taken] if (taken := ours()) and turn else []
        if turn < 2 or sum(other) < ENOUGH_MS:
            other += [taken] if (taken := peer()) and turn else []
    return statistics.median(mine), statistics.median(other)


def last_page(site: web.Site, path: str) -> str:
    """The address behind the link to the last page."""
    found = re.search(r'id="page-last" href="([^"]+)"', site.open(path).read().decode())
    if found is None:
        raise RuntimeError(f"{path} has one page.")
    return found[1].replace("&amp;", "&")


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    with web.portal(ours) as us, web.peers(peers) as them:

        def beside(work: str, path: str, peer_path: str, goal: float) -> Result:
            return times(work, *in_turns(lambda: us.get(path), lambda: them.get(peer_path)), goal)

        pages = max(1, -(-numbers // 50))
        yield beside("first page, admin", SYS, ADMIN, 15)
        yield beside("first page, tables2", SYS, PLAIN, 9)
        yield beside("last page, admin", last_page(us, SYS), f"{ADMIN}?p={pages}", 200)
        middle = pages // 2
        yield beside("a page by number, the middle, admin", f"{SYS}?page={middle}", f"{ADMIN}?p={middle}", 20)
        for column, place in SORTS.items():
            for sign, way in (("", ""), ("-", " down")):
                if (column, sign) != ("number", ""):
                    mine, theirs = f"{SYS}?sort={sign}{column}", f"{ADMIN}?o={sign}{place}"
                    goal = 15 if column == "number" else 80
                    yield beside(f"sort by {column}{way}, admin", mine, theirs, goal)
        for text, name, admin_goal, plain_goal in (("5142345", "7 digits", 100, 20), ("tremblay", "a name", 20, 5)):
            mine, theirs = ("number", "e164") if text.isdigit() else ("used_by", "used_by")
            yield beside(f"search {name}, admin", f"{SYS}?{mine}={text}", f"{ADMIN}?q={text}", admin_goal)
            yield beside(f"search {name}, tables2", f"{SYS}?{mine}={text}", f"{PLAIN}?{theirs}={text}", plain_goal)
        two = "used_by=tremblay&company=dental"
        yield beside("search two names, tables2", f"{SYS}?{two}", f"{PLAIN}?{two}", 5)
        mine, theirs = "used_by=tremblay&number=514", "used_by=tremblay&e164=514"
        yield beside("search a name and digits, tables2", f"{SYS}?{mine}", f"{PLAIN}?{theirs}", 2.5)
        for size, goal in ((90_000, 25), (500, 15)):
            yield from measure_tenant(ours, them, size, goal)
    if large := data.large():
        with web.portal(ours) as us, web.portal(data.portal_of(ours, large)) as larger:
            pair = in_turns(lambda: larger.get(SYS), lambda: us.get(SYS))
            yield at_most(f"first page at {large:,} numbers against {numbers:,}", *pair, 1.3)


def measure_tenant(ours: str, them: web.Site, size: int, goal: float) -> Iterator[Result]:
    """The lists of one VAR, beside the admin's narrowed to the same rows."""
    code, pk, has = data.var_of_about(ours, size)
    with web.portal(ours, code) as us:
        for sign, way in (("", ""), ("-", " down")):
            mine, theirs = f"/{code}/numbers/?sort={sign}company", f"{ADMIN}?var__id__exact={pk}&o={sign}3"
            pair = in_turns(lambda: us.get(mine), lambda: them.get(theirs))  # noqa: B023 - used within the turn
            yield times(f"sort by company{way} in a VAR of {has:,}, admin", *pair, goal)
