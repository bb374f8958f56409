"""Pages with row-level security beside the same pages without: what the walls in the database cost."""

import statistics
from collections.abc import Iterator

import psycopg

from tests.bench import data, web
from tests.bench.result import Result, at_most, attempt

#: So often the walls go down and up again, and so many pages are asked for each time.
TURNS, PAGES = 8, 40
MOST = 1.15


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    code, _key, has = data.largest_var(ours)
    with web.portal(ours) as site, psycopg.connect(ours, autocommit=True) as owner:
        tables = [name for (name,) in owner.execute("SELECT relname FROM pg_class WHERE relrowsecurity").fetchall()]
        seen = site.seen_by(web.administrator(ours, code))
        for who, where, path in (
            ("system", site, "/SYS/numbers/"),
            ("system", site, "/SYS/numbers/?sort=company"),
            (f"VAR of {has:,}", seen, f"/{code}/numbers/"),
            (f"VAR of {has:,}", seen, f"/{code}/numbers/?sort=used_by"),
            (f"VAR of {has:,}", seen, f"/{code}/numbers/?number=514"),
        ):
            work = f"walls up beside down: {who}, {path.partition('?')[2] or 'first page'}"
            yield attempt(work, lambda where=where, path=path, work=work: beside(work, owner, tables, where, path))


def beside(work: str, owner: psycopg.Connection, tables: list[str], site: web.Site, path: str) -> Result:
    """The page with and without, in turns; the walls stand in the end."""
    taken: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    site.understood(path)
    try:
        for _turn in range(TURNS):
            for state, times in taken.items():
                for table in tables:
                    owner.execute(f"ALTER TABLE {table} {state} ROW LEVEL SECURITY")
                # The first plan anew.
                times += [site.get(path) for _page in range(PAGES)][PAGES // 4 :]
    finally:
        for table in tables:
            owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    return at_most(work, statistics.median(taken["ENABLE"]), statistics.median(taken["DISABLE"]), MOST)
