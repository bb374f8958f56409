"""What ends with a person's sessions in the apps above this one: their phone is signed out too."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from accounts.models import Person

End = Callable[["Collection[Person]"], None]
REGISTERED: list[End] = []


def register(end: End) -> None:
    """Have ``end`` called with people whose sessions have ended, once that is committed."""
    REGISTERED.append(end)


def end_for(people: Collection[Person]) -> None:
    """Tell all that is registered, after the transaction; one that fails does not keep others from it."""
    for end in REGISTERED:
        transaction.on_commit(partial(end, people), robust=True)
