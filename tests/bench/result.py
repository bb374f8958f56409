"""A line of the benchmark's table."""

from collections.abc import Callable
from dataclasses import dataclass
from subprocess import CalledProcessError

import psycopg

#: What keeps a line from being measured. The line is then missed, and says why.
TROUBLES = (OSError, RuntimeError, ValueError, psycopg.Error, CalledProcessError)


@dataclass(frozen=True)
class Result:
    """What was measured of ``work``, beside a peer where it has one, and whether the goal is met."""

    work: str
    measured: str
    goal: str
    ok: bool
    ours: str = ""
    peer: str = ""

    def __str__(self) -> str:
        return line(self.work, self.ours, self.peer, self.measured, self.goal, "ok" if self.ok else "MISS")


def line(work: str, ours: str, peer: str, measured: str, goal: str, verdict: str) -> str:
    return f"{work:74} {ours:>11} {peer:>11} {measured:>13} {goal:>10} {verdict}"


HEADER = line("work", "ours", "peer", "measured", "goal", "").rstrip()


def times(work: str, ours: float, peer: float, goal: float) -> Result:
    """We are to be ``goal`` times as fast as the peer; both in milliseconds."""
    ratio = peer / ours
    return Result(work, f"{ratio:.1f} x", f">= {goal:g} x", ratio >= goal, f"{ours:.1f} ms", f"{peer:.1f} ms")


def at_most(work: str, ours: float, peer: float, goal: float) -> Result:
    """We are to take no more than ``goal`` times what the peer takes; both in milliseconds."""
    ratio = ours / peer
    return Result(work, f"{ratio:.2f} x", f"<= {goal:g} x", ratio <= goal, f"{ours:.1f} ms", f"{peer:.1f} ms")


def below(work: str, measured: float, limit: float, unit: str, *, sign: str = "") -> Result:
    """A figure of ours that has a limit and no peer."""
    return Result(work, f"{sign}{measured:.0f} {unit}", f"<= {sign}{limit:g} {unit}", measured <= limit)


def unmeasured(work: str, reason: object) -> Result:
    return Result(work, f"not measured: {reason}", "", ok=False)


def attempt(work: str, measure: Callable[[], Result]) -> Result:
    """The line, or that it could not be measured: one line's trouble is not the next one's."""
    try:
        return measure()
    except TROUBLES as trouble:
        return unmeasured(work, trouble)
