"""How long carriers are waited for, and how often they are tried."""

from datetime import timedelta

#: Longer than any call takes: who began one so long ago does not come back from it.
LEASE = timedelta(seconds=60)
#: Seconds until the next step, at least and at most; and how often a carrier is tried to be reached.
SOONEST, LATEST, MOST_ATTEMPTS = 1, 300, 9


def later(attempts: int) -> float:
    """Seconds until a carrier is tried again that could not be reached so often."""
    return min(SOONEST * 2**attempts, LATEST)
