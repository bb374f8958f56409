"""What accounts hold. Numbers are an app above this one; which module counts them is the setting ACCOUNT_HOLDINGS."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from accounts.actor import Actor
    from accounts.models import Account


@dataclass(frozen=True)
class Held:
    """How many numbers an account has; of a VAR's, the used ones are with its customers."""

    total: int = 0
    available: int = 0

    @property
    def used(self) -> int:
        return self.total - self.available


class Holdings(Protocol):
    """What has to be known about the numbers of accounts that the actor sees."""

    def counted(self, actor: Actor, kind: str, ids: Collection[int]) -> dict[int, Held]:
        """The numbers of each of these accounts, which are of one kind."""

    def first(self, actor: Actor, account: Account, most: int) -> tuple[list[str], int]:
        """The first numbers of an account, ``most`` of them at most, and how many there are."""


@cache
def holdings() -> Holdings:
    return import_string(settings.ACCOUNT_HOLDINGS)()
