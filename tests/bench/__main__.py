"""Measure the portal against what would be used instead; exit status 1 when a goal is missed."""

import os
import sys

from tests.bench import data, pages


def main() -> int:
    numbers = int(os.environ.get("NUMBERS") or 1_000_000)
    try:
        ours, peers = data.filled(data.server(), numbers)
    except data.NoServer as error:
        sys.exit(str(error))
    missed = 0
    sys.stdout.write(f"{'case':32}{'ours ms':>10}{'peer ms':>10}{'ratio':>9}{'goal':>7}\n")
    for name, mine, other, goal in pages.measure(ours, peers, numbers):
        ok = other / mine >= goal
        missed += not ok
        verdict = "ok" if ok else "MISS"
        sys.stdout.write(f"{name:32}{mine:10.1f}{other:10.1f}{other / mine:9.1f}{goal:7} {verdict}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
