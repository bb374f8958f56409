"""The stock at a glance: how many numbers are used, available, reserved, cooling, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import phonenumbers
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Account
from numbers.models import held_by
from portal.plans import country_code

KEPT_SECONDS = 60
MOST_BARS = 12


@dataclass(frozen=True)
class Bar:
    """One line of the chart: ``name`` is a VAR's name, or a country calling code such as ``+44``."""

    name: str
    used: int
    total: int

    @property
    def available(self) -> int:
        return self.total - self.used


@dataclass(frozen=True)
class Stock:
    """What an account has, counted at ``as_of``. ``bars`` are the largest parts, by VAR or by country."""

    total: int
    used: int
    reserved: int
    cooling: int
    bars: list[Bar]
    as_of: datetime

    @property
    def available(self) -> int:
        return self.total - self.used

    def kept(self) -> dict[str, Any]:
        """The stock as the cache keeps it."""
        return asdict(self) | {"as_of": self.as_of.isoformat()}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Stock:
        """The stock that ``kept`` was made of."""
        bars = [Bar(**bar) for bar in kept["bars"]]
        return cls(**kept | {"bars": bars, "as_of": datetime.fromisoformat(kept["as_of"])})


def stock_of(actor: Actor) -> Stock:
    """The stock that the actor sees, counted at most once a minute for each account: it reads every number of it."""
    key = f"stock:{actor.account.pk}"
    if (kept := cache.get(key)) is not None:
        return Stock.of(kept)
    stock = count_stock(actor)
    cache.set(key, stock.kept(), KEPT_SECONDS)
    return stock


def count_stock(actor: Actor) -> Stock:
    scope = held_by(actor)
    by_var = actor.account.kind == Account.Kind.SYSTEM
    holder = "destination_id" if actor.account.is_customer else "customer_id"
    where = " AND ".join(f"n.{column} = %({column})s" for column in scope) or "true"
    part = "n.var_id" if by_var else "left(n.e164, 4)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {part}, count(*), count({holder}),
                   count(*) FILTER (WHERE n.reserved_until > now()), count(*) FILTER (WHERE n.cooling_until > now())
            FROM numbers_phonenumber n WHERE {where} GROUP BY 1
            """,
            scope,
        )
        parts = cursor.fetchall()
    names = {}
    if by_var:
        names = dict(Account.visible_to(actor).filter(kind=Account.Kind.VAR).values_list("pk", "name"))
    bars: dict[str, list[int]] = {}
    for part, total, used, _reserved, _cooling in parts:
        bar = bars.setdefault(names[part] if by_var else f"+{country_code(part)}", [0, 0])
        bar[0] += total
        bar[1] += used
    largest = sorted((Bar(name, used, total) for name, (total, used) in bars.items()), key=lambda b: (-b.total, b.name))
    return Stock(
        *(sum(row[column] for row in parts) for column in (1, 2, 3, 4)), largest[:MOST_BARS], as_of=timezone.now()
    )


def regions(calling_code: str) -> str:
    """The ISO codes of the countries that share a calling code, the largest first: ``US, CA …``."""
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code.lstrip("+")), ())
    if "CA" in codes:  # the library sorts all but the first by name
        codes = ("US", "CA", *codes)
    return ", ".join(codes[:2]) + (" …" if len(codes) > 2 else "")
