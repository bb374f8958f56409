"""Measure the portal against what would be used instead; exit status 1 when a goal is missed.

python -m tests.bench [GROUP ...]   NUMBERS=1000000 NUMBERS_LARGE=10000000 BENCH_DATABASE_URL=postgresql://...
"""

import os
import sys

from portal.embedded import CannotStart
from tests.bench import combinations, csv_export, data, pages, pdf, render, server, statements
from tests.bench.result import HEADER, Result

GROUPS = {
    "render": render.measure,
    "statements": statements.measure,
    "pages": pages.measure,
    "combinations": combinations.measure,
    "csv": csv_export.measure,
    "pdf": lambda ours, peers, numbers: pdf.measure(),
}


def main(wanted: list[str]) -> int:
    unknown = [name for name in wanted if name not in GROUPS]
    if unknown:
        sys.exit(f"There is no {', '.join(unknown)}; there is: {', '.join(GROUPS)}.")
    numbers = int(os.environ.get("NUMBERS") or 1_000_000)
    (data.ROOT / "var" / "static").mkdir(parents=True, exist_ok=True)
    missed = 0
    try:
        with server.running() as address:
            ours, peers = data.filled(address, numbers)
            sys.stdout.write(f"{HEADER}\n")
            for name in wanted or GROUPS:
                try:
                    for result in GROUPS[name](ours, peers, numbers):
                        missed += not result.ok
                        sys.stdout.write(f"{result}\n")
                        sys.stdout.flush()
                except (OSError, RuntimeError) as trouble:
                    missed += 1
                    sys.stdout.write(f"{Result(name, 'not measured', str(trouble), ok=False)}\n")
    except (server.NoServer, CannotStart) as error:
        sys.exit(str(error))
    sys.stdout.write(f"{missed} missed\n" if missed else "all goals met\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
