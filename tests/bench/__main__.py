"""Measure the portal beside what would be used instead; exit status 1 when a goal is missed.

python -m tests.bench [GROUP ...] runs all groups, or those that are named. Sizes come from NUMBERS and NUMBERS_LARGE,
another server than the distribution's from BENCH_DATABASE_URL.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator

from portal.embedded import CannotStart
from tests.bench import calls, combinations, data, exports, felt, imports, pages, pdf, render, server, statements, walls
from tests.bench.result import HEADER, TROUBLES, Result, unmeasured

#: Each takes the address of our database and of the peers', and how many numbers these have.
GROUPS = {
    "pages": pages.measure,
    "life": pages.measure_life,
    "walls": walls.measure,
    "combinations": combinations.measure,
    "render": render.measure,
    "queries": statements.measure,
    "counts": statements.measure_counts,
    "csv": exports.measure_csv,
    "pdf": exports.measure_pdf,
    "pdf-writer": lambda _ours, _peers, _numbers: pdf.measure(),
    "import": imports.measure,
    "calls": calls.measure,
    "felt": felt.measure,
    "growth": pages.measure_growth,
}


def main(wanted: list[str]) -> int:
    if unknown := [name for name in wanted if name not in GROUPS]:
        sys.exit(f"There is no group {', '.join(unknown)}; there are {', '.join(GROUPS)}.")
    numbers = int(os.environ.get("NUMBERS") or 1_000_000)
    # A checkout that has built nothing lacks it, and each process would warn of that.
    (data.ROOT / "var" / "static").mkdir(parents=True, exist_ok=True)
    # Ended from outside, it still stops the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("The benchmark was ended."))
    start, shown, missed = time.monotonic(), 0, 0
    try:
        with server.running() as address:
            ours, peers = data.filled(address, numbers)
            say(f"{numbers:,} numbers", HEADER)
            for name in wanted or GROUPS:
                for result in measured(name, ours, peers, numbers):
                    say(str(result))
                    shown, missed = shown + 1, missed + (not result.ok)
                if name == "growth" and not data.large():
                    say("growth: not asked for, NUMBERS_LARGE is not set")
    except (server.NoServer, CannotStart) as error:
        sys.exit(str(error))
    say(f"{missed} of {shown} goals missed, {time.monotonic() - start:.0f} s")
    return 1 if missed else 0


def measured(name: str, ours: str, peers: str, numbers: int) -> Iterator[Result]:
    """The lines of a group as they come; a group that breaks off is missed."""
    try:
        yield from GROUPS[name](ours, peers, numbers)
    except TROUBLES as trouble:
        yield unmeasured(name, trouble)


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{text}\n" for text in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
