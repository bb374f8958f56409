"""Rate limits, counted in the cache that all processes share.

A limit of ten an hour has ten slots. Each event takes a free slot in one statement, and the slot is free again an hour
later. So no hour has more than ten events, with any number of processes, and the slots tell how long to wait.
"""

import hashlib
import time
from dataclasses import dataclass
from math import ceil

from django.core.cache import cache
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Limit:
    """At most ``times`` events in ``seconds``."""

    times: int
    seconds: int

    def slots(self, name: str) -> list[str]:
        return [f"limit:{name}:{self.seconds}:{slot}" for slot in range(self.times)]


class Reached(Exception):
    """The limit on ``name`` is reached; there is room again in ``seconds``."""

    def __init__(self, name: str, seconds: float):
        self.name, self.seconds = name, seconds


def take(counted: dict[str, tuple[Limit, ...]]) -> list[str]:
    """Take a slot of each limit of each name; returns the slots, for ``give_back``.

    Raises ``Reached``, and keeps no slot, when one of the limits is reached. Callers inside a transaction hold their
    slots until it ends: all of them count in the same order, the client first.
    """
    now = time.time()
    wanted = [(name, limit, limit.slots(name)) for name, limits in counted.items() for limit in limits]
    used = cache.get_many([slot for _name, _limit, slots in wanted for slot in slots])
    taken: list[str] = []
    # Not in one transaction: two that each hold a slot and want the other's would deadlock.
    for name, limit, slots in wanted:
        free = [slot for slot in slots if slot not in used]
        slot = next((slot for slot in free if cache.add(slot, now + limit.seconds, limit.seconds)), None)
        if slot is None:
            give_back(taken)
            ends = [used[slot] for slot in slots if slot in used] or [now + limit.seconds]
            raise Reached(name, max(min(ends) - now, 1))
        taken.append(slot)
    return taken


def give_back(taken: list[str]) -> None:
    """Free the slots that ``take`` returned."""
    cache.delete_many(taken)


def hashed(text: str) -> str:
    """A key of fixed length that does not show ``text``, which may be an e-mail address."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def duration(seconds: float) -> str:
    """A waiting time for people: whole minutes or hours, rounded up."""
    minutes = ceil(seconds / MINUTE)
    if minutes < 60:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = ceil(minutes / 60)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
