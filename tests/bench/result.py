"""One line of the benchmark's table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What was measured of ``work``, beside its peer where it has one, and whether the goal is met."""

    work: str
    measured: str
    goal: str
    ok: bool
    ours: str = ""
    peer: str = ""

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "MISS"
        return f"{self.work:52} {self.ours:>11} {self.peer:>11} {self.measured:>12} {self.goal:>10} {verdict}"


HEADER = f"{'work':52} {'ours':>11} {'peer':>11} {'measured':>12} {'goal':>10}"


def times(work: str, ours: float, peer: float, goal: float) -> Result:
    """How many times as fast as the peer; both in milliseconds."""
    ratio = peer / ours
    return Result(work, f"{ratio:.1f} x", f">= {goal:g} x", ratio >= goal, f"{ours:.1f} ms", f"{peer:.1f} ms")


def at_most(work: str, ours: float, peer: float, goal: float, unit: str = "ms") -> Result:
    """Not more than so many times the peer."""
    ratio = ours / peer
    return Result(work, f"{ratio:.2f} x", f"<= {goal:g} x", ratio <= goal, f"{ours:.1f} {unit}", f"{peer:.1f} {unit}")
