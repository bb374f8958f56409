"""How many statements a page takes at any size, and what its bounded counts cost beside a full one.

python -m tests.bench.statements prints as JSON, for each page, how many it takes with nothing known of the list and
when it is shown again, and the milliseconds of the first page's counts.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator

import psycopg

from tests.bench import data, web
from tests.bench.result import Result, times

FEW = 100
MOST = 8
ROUNDS = 7
PATH = "/SYS/numbers/"
PAGES = {
    "first page": "",
    "search": "used_by=tremblay",
    "sort": "sort=company",
    "filter used": "filter=used",
    "filter available": "filter=available",
    "filter reserved": "filter=reserved",
    "filter cooling": "filter=cooling",
}


def counted(address: str) -> dict:
    more = {"DJANGO_SETTINGS_MODULE": web.SETTINGS, "BENCH_COOKIE": web.administrator(address, "SYS")}
    return json.loads(data.run(["-m", "tests.bench.statements"], address, more))


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    """Statements: the same number at both sizes, and never more than ``MOST``.

    Where nothing is known of a list yet, once a minute in each process, that it is beyond the bound has to be found out
    first: that takes one or two more, which are shown as *new*.
    """
    few, many = counted(data.portal_of(ours, FEW))["pages"], counted(ours)["pages"]
    for name in PAGES:
        (few_new, few_again), (new, again) = few[name], many[name]
        ok = few_again == again and max(few_new, new) <= MOST
        work = f"statements again/new, {name}, at {FEW} numbers"
        yield Result(work, f"{again}/{new}", f"=, <= {MOST}", ok, f"{again}/{new}", f"{few_again}/{few_new}")


def measure_counts(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    """All bounded counts of the first page beside one exact count of the same numbers."""
    taken = []
    with psycopg.connect(ours) as connection:
        for _round in range(ROUNDS):
            start = time.perf_counter()
            connection.execute("SELECT count(*) FROM numbers_phonenumber").fetchone()
            taken.append((time.perf_counter() - start) * 1000)
    yield times("first page's counts, a full count", counted(ours)["counts"], statistics.median(taken), 5)


def main() -> None:
    import django  # noqa: PLC0415 - only where the portal's settings are

    django.setup()
    from django.core.cache import caches  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    client = Client(headers={"Host": "127.0.0.1"})
    client.cookies["sessionid"] = os.environ["BENCH_COOKIE"]

    def statements(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            response = client.get(f"{PATH}?{query}")
        if response.status_code != 200:
            raise RuntimeError(f"?{query} answered {response.status_code}")
        return len(captured)

    def counting() -> float:
        taken = [0.0]

        def timed(execute, sql, params, many, context):
            start = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                if "count(" in sql:
                    taken[0] += (time.perf_counter() - start) * 1000

        caches["process"].clear()
        with connection.execute_wrapper(timed):
            client.get(PATH)
        return taken[0]

    pages = {}
    client.get(PATH)
    for name, query in PAGES.items():
        caches["process"].clear()
        pages[name] = [statements(query), statements(query)]
    counts = statistics.median(counting() for _round in range(ROUNDS))
    sys.stdout.write(json.dumps({"pages": pages, "counts": counts}))


if __name__ == "__main__":
    main()
