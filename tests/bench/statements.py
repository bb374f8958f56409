"""How many statements a page takes, and what its counts cost beside a full count.

python -m tests.bench.statements prints, as JSON, the number of statements of each page.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator

import psycopg

from tests.bench import data
from tests.bench.result import Result, times

SMALL = 100
MOST = 8
PAGES = [
    "", "sort=company", "sort=-used_by", "number=514", "used_by=tremblay", "filter=used", "filter=available",
    "filter=reserved", "filter=cooling", "page=2", "size=100",
]  # fmt: skip
FULL = (
    "SELECT count(*) FROM peers_number n JOIN peers_var v ON v.id = n.var_id"
    " JOIN peers_provider p ON p.id = n.provider_id LEFT JOIN peers_customer c ON c.id = n.customer_id"
    " LEFT JOIN peers_assignee a ON a.id = n.assignee_id"
)
ROUNDS = 7


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    counted = {
        size: json.loads(data.run(["-m", "tests.bench.statements"], data.portal_of(ours, size)))
        for size in (SMALL, numbers)
    }
    del os.environ["DJANGO_SETTINGS_MODULE"]
    for page in PAGES:
        few, many = counted[SMALL][page], counted[numbers][page]
        yield Result(
            f"statements of ?{page}", str(many), f"{few} as at {SMALL}", many == few <= MOST, str(many), str(few)
        )
    yield times("the list's counts, a full count", *counts(ours, peers), 5)


def counts(ours: str, peers: str) -> tuple[float, float]:
    """Milliseconds of counting all that are in each state up to the bound, and of the peers' exact count."""
    states = ("true", "customer_id IS NOT NULL", "customer_id IS NULL",
              "reserved_for_id IS NOT NULL AND reserved_until > now()", "cooling_until > now()")  # fmt: skip
    parts = [f"(SELECT count(*) FROM (SELECT FROM numbers_phonenumber WHERE {s} LIMIT 10001) x)" for s in states]
    return timed(ours, "SELECT " + ", ".join(parts)), timed(peers, FULL)


def timed(address: str, statement: str) -> float:
    taken = []
    with psycopg.connect(address) as connection:
        for _ in range(ROUNDS):
            start = time.perf_counter()
            connection.execute(statement).fetchall()
            taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def main() -> None:
    import django  # noqa: PLC0415 - settings come from the environment of this process

    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from accounts.models import Person  # noqa: PLC0415

    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(Person.objects.get(email="system@demo.example"))
    found = {}
    for page in PAGES:
        client.get(f"/SYS/numbers/?{page}")
        with CaptureQueriesContext(connection) as captured:
            client.get(f"/SYS/numbers/?{page}")
        found[page] = len(captured)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
