"""The CSV of everything over HTTP, beside COPY of the same query without our formula guard."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.bench import web
from tests.bench.result import Result, at_most

QUERY = """
SELECT n.e164, d.name, c.name, v.name,
       CASE d.kind WHEN 'user' THEN 'User' WHEN 'group' THEN 'Group' WHEN 'service' THEN 'Service' END,
       p.name, CASE WHEN n.first_call_at IS NULL THEN 'Pending' ELSE 'Active' END
FROM numbers_phonenumber n JOIN accounts_account v ON v.id = n.var_id JOIN numbers_provider p ON p.id = n.provider_id
LEFT JOIN accounts_account c ON c.id = n.customer_id LEFT JOIN numbers_destination d ON d.id = n.destination_id
ORDER BY n.digits
"""
ROUNDS = 3
PIECE = 1 << 16
MOST_MEGABYTES = 20
MOST_FIRST_MS = 50


def memory(process: int) -> float:
    """Megabytes that a process and all below it have resident."""
    children: dict[int, list[int]] = {}
    resident: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        children.setdefault(int(fields[1]), []).append(pid)
        resident[pid] = int(fields[21]) * 4096 / 1e6
    todo, total = [process], 0.0
    while todo:
        pid = todo.pop()
        total += resident.get(pid, 0.0)
        todo += children.get(pid, [])
    return total


def download(site: web.Site) -> tuple[float, float, float]:
    """Milliseconds of the whole and until its first byte; the megabytes by which the server grew at most."""
    before, grown = memory(site.process), 0.0
    start = time.perf_counter()
    response = site.open("/SYS/numbers/export.csv")
    response.read(1)
    first = time.perf_counter() - start
    looked = first
    while response.read(PIECE):
        if time.perf_counter() - looked > 0.2:
            grown, looked = max(grown, memory(site.process) - before), time.perf_counter()
    return (time.perf_counter() - start) * 1000, first * 1000, grown


def copied(address: str) -> float:
    start = time.perf_counter()
    with (
        psycopg.connect(address) as connection,
        connection.cursor().copy(f"COPY ({QUERY}) TO STDOUT (FORMAT csv)") as rows,
    ):
        for _piece in rows:
            pass
    return (time.perf_counter() - start) * 1000


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    with web.portal(ours) as us:
        us.get("/SYS/numbers/")
        download(us)
        runs = [(download(us), copied(ours)) for _ in range(ROUNDS)]
    whole = statistics.median(run[0] for run, _copy in runs)
    first = statistics.median(run[1] for run, _copy in runs)
    grown = max(run[2] for run, _copy in runs)
    yield at_most("CSV of everything, COPY", whole, statistics.median(copy for _run, copy in runs), 1.4)
    yield Result("first byte of the CSV", f"{first:.0f} ms", f"<= {MOST_FIRST_MS} ms", first <= MOST_FIRST_MS)
    yield Result(
        "memory of the server during the CSV", f"+{grown:.0f} MB", f"<= +{MOST_MEGABYTES} MB", grown <= MOST_MEGABYTES
    )
