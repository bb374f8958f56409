"""CSV and PDF of everything, over HTTP; the CSV beside COPY of the same query without our formula guard."""

import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench import web
from tests.bench.pages import SYS
from tests.bench.result import Result, at_most, below, unmeasured

# The CSV's columns and order. Uses are told in a CASE of the same length as the portal's.
QUERY = """
SELECT n.e164, d.name, c.name, v.name,
       CASE WHEN d.kind = 'group' THEN 'Group'
            WHEN d.kind = 'service' AND d.service_type = 'virtual_receptionist' THEN 'Service (Virtual receptionist)'
            WHEN d.kind = 'service' AND d.service_type = 'virtual_assistant' THEN 'Service (Virtual assistant)'
            WHEN d.kind = 'service' AND d.service_type = 'duty_agent' THEN 'Service (Duty agent)'
            WHEN d.kind = 'service' THEN 'Service (' || d.service_type || ')'
            WHEN d.kind = 'user' THEN 'User' END,
       p.name, CASE WHEN n.first_call_at IS NULL THEN 'Pending' ELSE 'Active' END
FROM numbers_phonenumber n
LEFT JOIN numbers_destination d ON d.id = n.destination_id
LEFT JOIN accounts_account c ON c.id = n.customer_id
JOIN accounts_account v ON v.id = n.var_id
JOIN numbers_provider p ON p.id = n.provider_id
ORDER BY n.digits
"""
COPY = f"COPY ({QUERY.strip()}) TO STDOUT (FORMAT csv)"
ROUNDS = 3
PIECE = 1 << 16
LOOKS_EVERY_S = 0.05


def resident(process: int) -> float:
    """Megabytes that a process and all below it have in memory."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        pages[int(stat.parent.name)] = int(fields[21])
    todo, total = [process], 0
    while todo:
        process = todo.pop()
        total += pages.get(process, 0)
        todo += children.get(process, [])
    return total * 4096 / 1e6


@contextmanager
def watched(process: int) -> Iterator[list[float]]:
    """The most memory that a process tree had in the meantime, in a list of one."""
    most, over = [resident(process)], threading.Event()

    def look() -> None:
        while not over.wait(LOOKS_EVERY_S):
            most[0] = max(most[0], resident(process))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


@dataclass(frozen=True)
class Download:
    """Milliseconds until the first byte and of the whole; how many lines came."""

    first_byte: float
    whole: float
    line_ends: int


def download(us: web.Site, path: str) -> Download:
    start = time.perf_counter()
    with us.open(path) as response:
        piece = response.read1(PIECE)
        first_byte, ends = time.perf_counter() - start, piece.count(b"\n")
        while piece := response.read(PIECE):
            ends += piece.count(b"\n")
    return Download(first_byte * 1000, (time.perf_counter() - start) * 1000, ends)


def copied(address: str) -> float:
    """Milliseconds that psycopg takes to read the same rows."""
    start = time.perf_counter()
    with psycopg.connect(address) as connection, connection.cursor().copy(COPY) as rows:
        for _piece in rows:
            pass
    return (time.perf_counter() - start) * 1000


def copied_by_psql(address: str) -> float:
    start = time.perf_counter()
    command = ["psql", "--no-psqlrc", "--quiet", "--dbname", address, "--command", COPY]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return (time.perf_counter() - start) * 1000


def measure_csv(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    peers_of_copy = {"psycopg": copied}
    if shutil.which("psql"):
        peers_of_copy["psql"] = copied_by_psql
    with web.portal(ours) as us:
        us.get(SYS)
        before = resident(us.process)
        with watched(us.process) as most:
            download(us, f"{SYS}export.csv")
            for copy in peers_of_copy.values():
                copy(ours)
            runs, copies = [], {name: [] for name in peers_of_copy}
            for _round in range(ROUNDS):
                runs.append(download(us, f"{SYS}export.csv"))
                for name, copy in peers_of_copy.items():
                    copies[name].append(copy(ours))
    lines = {run.line_ends for run in runs}
    if lines != {numbers + 1}:
        yield unmeasured("CSV of everything", f"it has {lines} lines for {numbers:,} numbers")
        return
    whole = statistics.median(run.whole for run in runs)
    for name, taken in copies.items():
        yield at_most(f"CSV of everything, COPY by {name}", whole, statistics.median(taken), 1.4)
    if "psql" not in copies:
        yield unmeasured("CSV of everything, COPY by psql", "there is no psql")
    yield below("CSV: first byte", statistics.median(run.first_byte for run in runs), 50, "ms")
    yield below("CSV: memory of the server", most[0] - before, 20, "MB", sign="+")


def measure_pdf(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    """The PDF of everything from the database; ``pdf.py`` has the writer alone beside its peers."""
    with web.portal(ours) as us:
        us.get(SYS)
        before = resident(us.process)
        with watched(us.process) as most:
            run = download(us, f"{SYS}export.pdf")
    yield below(f"PDF of {numbers:,} from the database: first bytes", run.first_byte, 500, "ms")
    yield below(f"PDF of {numbers:,} from the database: memory", most[0] - before, 60, "MB", sign="+")
