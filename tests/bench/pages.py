"""Whole pages of the portal and of its peers, over HTTP, in turns."""

import re
from collections.abc import Iterator

from tests.bench import data, web
from tests.bench.result import Result, at_most, attempt, below, times

SYS, ADMIN, PLAIN = "/SYS/numbers/", "/admin/peers/number/", "/plain/"
#: Our columns, and the place that each has in the admin's list.
PLACES = {"number": 1, "used_by": 2, "company": 3, "var": 4, "use": 5, "provider": 6, "status": 7}
#: name, our query, the peer's path, least ratio
SEARCHES = [
    ("7 digits, admin", "number=5142345", ADMIN + "?q=5142345", 100),
    ("7 digits, tables2", "number=5142345", PLAIN + "?e164=5142345", 20),
    ("a name, admin", "used_by=tremblay", ADMIN + "?q=tremblay", 20),
    ("a name, tables2", "used_by=tremblay", PLAIN + "?used_by=tremblay", 5),
    ("two names, tables2", "used_by=tremblay&company=dental", PLAIN + "?used_by=tremblay&company=dental", 5),
    ("name and digits, tables2", "used_by=tremblay&number=514", PLAIN + "?used_by=tremblay&e164=514", 2.5),
]
FIRST_PAGE = 15
#: What a customer of the largest VAR looks for in its stock.
ORDERS = {
    "order: five of a country": "area=%2B1&count=5",
    "order: by type and digits": "country=US&kind=local&digits=77&count=5",
    "order: twenty in a row": "area=%2B1&count=20&in_a_row=on",
    "order: nothing found": "digits=99999999&count=5",
}
CUSTOMER = """
SELECT code FROM accounts_account WHERE parent_id = %s AND kind = 'company' AND status = 'production'
ORDER BY id LIMIT 1
"""
#: How many numbers a tenant has of whom sorts are measured, and the least ratio there; 0 is the largest VAR.
TENANTS = [(0, 25), (500, 15)]


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    with web.portal(ours) as us, web.peers(peers) as them:
        yield beside("first page, admin", us, SYS, them, ADMIN, FIRST_PAGE)
        yield beside("first page, tables2", us, SYS, them, PLAIN, 9)
        last = max(1, -(-numbers // 50))
        middle = max(1, last // 2)
        yield attempt(
            "last page, admin", lambda: beside("last page, admin", us, last_page(us), them, f"{ADMIN}?p={last}", 200)
        )
        yield beside("page by number, admin", us, f"{SYS}?page={middle}", them, f"{ADMIN}?p={middle}", 20)
        yield from sorts("sort", us, SYS, them, ADMIN + "?", 80)
        for name, query, path, goal in SEARCHES:
            yield beside(f"search: {name}", us, f"{SYS}?{query}", them, path, goal)
        for size, goal in TENANTS:
            code, key, has = data.largest_var(ours) if not size else data.var_of_about(ours, size)
            seen = us.seen_by(web.administrator(ours, code))
            yield from sorts(
                f"VAR of {has:,}", seen, f"/{code}/numbers/", them, f"{ADMIN}?var__id__exact={key}&", goal, but="var"
            )


def measure_life(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    """What peers have not: numbers in a row, to be found in a second; the list as of a time, which may take twice as
    long as the admin's first page of today; and what can be ordered, in half a second."""
    code, key, has = data.largest_var(ours)
    (buyer,) = data.first(ours, CUSTOMER, key)
    with web.portal(ours) as us, web.peers(peers) as them:
        seen = us.seen_by(web.administrator(ours, code))
        buys = us.seen_by(web.administrator(ours, buyer))
        for what, query in ORDERS.items():
            path = f"/{buyer}/numbers/order/?{query}"
            yield attempt(
                what,
                lambda what=what, path=path: below(
                    f"{what}, of {has:,}", sorted(buys.get(path) for _turn in range(5))[2], 500, "ms"
                ),
            )
        for whose, site, path in (("all", us, SYS), (f"a VAR of {has:,}", seen, f"/{code}/numbers/")):
            query = f"{path}in-a-row/?length=20"
            site.understood(query)
            yield below(f"20 in a row, of {whose}", sorted(site.get(query) for _turn in range(5))[2], 1_000, "ms")
            yield attempt(
                f"as of now, {whose}",
                lambda site=site, path=path, whose=whose: at_most(
                    f"as of now, {whose}, admin's first page",
                    *web.in_turns(lambda: site.get(f"{path}as-of/"), lambda: them.get(ADMIN)),
                    2,
                ),
            )


def beside(work: str, us: web.Site, path: str, them: web.Site, peer_path: str, goal: float) -> Result:
    """One page of ours and the same of a peer's."""

    def both() -> Result:
        us.understood(path)
        return times(work, *web.in_turns(lambda: us.get(path), lambda: them.get(peer_path)), goal)

    return attempt(work, both)


def sorts(
    where: str, us: web.Site, path: str, them: web.Site, peer_path: str, goal: float, but: str = ""
) -> Iterator[Result]:
    """The sort by each column that our list has there, both ways, beside the admin's.

    Sorted by number, the whole list comes out of an index for the admin as well: there it is a first page.
    """
    for column, place in PLACES.items():
        least = min(goal, FIRST_PAGE) if column == "number" else goal
        for sign in ("", "-") if column != but else ():
            work = f"{where}: {column}{' descending' if sign else ''}, admin"
            yield beside(work, us, f"{path}?sort={sign}{column}", them, f"{peer_path}o={sign}{place}", least)


def last_page(us: web.Site) -> str:
    """Where our own first page's link to the last page leads. Raises ``RuntimeError`` when it has none."""
    found = re.search(r'id="page-last" href="([^"]+)"', us.text(SYS))
    if not found:
        raise RuntimeError("the first page has no link to a last one")
    return found[1].replace("&amp;", "&")


def measure_growth(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    """The first page at ``NUMBERS_LARGE`` beside that at ``NUMBERS``."""
    large = data.large()
    work = f"first page at {large:,} beside {numbers:,}"

    def both() -> Result:
        with web.portal(ours) as us, web.portal(data.portal_of(ours, large)) as larger:
            return at_most(work, *web.in_turns(lambda: larger.get(SYS), lambda: us.get(SYS)), 1.3)

    if large:
        yield attempt(work, both)
