"""Offers: numbers of a VAR's stock that one of its customers could order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Account
from accounts.scope import scope
from accounts.walls import takeable
from numbers.listing.runs import within
from portal import plans

#: So many offers are shown, so many runs of numbers, so many areas.
MOST_OFFERS, MOST_RUNS, MOST_AREAS = 100, 10, 12
FEATURES = ("voice", "sms", "fax")
#: What is in the stock for a customer, as its own scope shows it too.
OFFERED = f"n.var_id = %(var)s AND {takeable('%(customer)s', 'n.')}"


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: numbers of a country (ISO 3166, two letters) or at least with a country code, that begin
    with the digits ``area`` after that, are of a kind (``plans.KINDS``), contain the digits ``piece``, and are on
    providers with all ``features``; ``count`` of them, ``in_a_row`` or not. What is empty may be anything."""

    region: str = ""
    code: str = ""
    area: str = ""
    kind: str = ""
    piece: str = ""
    features: tuple[str, ...] = ()
    count: int = 1
    in_a_row: bool = False


@dataclass(frozen=True)
class Offer:
    """A number that can be had: ``pk`` is its id in the stock, ``run`` the first number of the run that it is in."""

    pk: int
    e164: str
    provider: str
    features: tuple[str, ...]
    run: str = ""


def in_stock(customer: Account, wanted: Wanted) -> list[Offer]:
    """What the VAR's stock has for one of its customers, by number; whole runs where numbers are wanted in a row.

    A customer does not see that stock, only what is offered here.
    """
    conditions, params = [OFFERED], {"count": wanted.count}
    if wanted.code:
        conditions.append(f"({within(wanted.code + wanted.area)})")
    if wanted.region and (pattern := plans.national_pattern(wanted.region, wanted.kind)):
        conditions.append("substr(n.e164, %(national)s) ~ %(pattern)s")
        params |= {"national": len(wanted.code) + 2, "pattern": pattern}
    if wanted.piece:
        conditions.append("n.e164 LIKE %(piece)s")
        params["piece"] = f"%{wanted.piece}%"
    conditions += [f"p.supports_{feature}" for feature in wanted.features]
    found = "FROM numbers_phonenumber n JOIN numbers_provider p ON p.id = n.provider_id"
    columns = "n.id, n.e164, n.digits, p.name, p.supports_voice, p.supports_sms, p.supports_fax"
    if wanted.in_a_row:
        statement = f"""
            WITH free AS (
                SELECT {columns}, n.digits - row_number() OVER (ORDER BY n.digits) AS run
                {found} WHERE {" AND ".join(conditions)}
            ), runs AS (
                SELECT run, min(digits) AS first FROM free GROUP BY run HAVING count(*) >= %(count)s
                ORDER BY first LIMIT {MOST_RUNS}
            )
            SELECT free.id, free.e164, free.name, supports_voice, supports_sms, supports_fax, '+' || runs.first
            FROM free JOIN runs USING (run) WHERE free.digits < runs.first + %(count)s
            ORDER BY free.digits LIMIT {MOST_OFFERS}
        """
    else:
        statement = f"""
            SELECT n.id, n.e164, p.name, p.supports_voice, p.supports_sms, p.supports_fax, ''
            {found} WHERE {" AND ".join(conditions)} ORDER BY n.digits LIMIT {MOST_OFFERS}
        """
    return [
        Offer(pk, e164, provider, tuple(f for f, has in zip(FEATURES, supports, strict=True) if has), run)
        for pk, e164, provider, *supports, run in rows_of(customer, statement, params)
    ]


def areas(customer: Account, code: str = "") -> list[tuple[str, int]]:
    """Where the VAR's stock has numbers for one of its customers, and how many, most first: the countries, as ``+44``,
    or in the one with a country ``code`` how numbers begin, as ``+44207``."""
    conditions = [OFFERED, *([f"({within(code)})"] if code else [])]
    statement = (
        f"SELECT left(n.e164, %(length)s), count(*) FROM numbers_phonenumber n WHERE {' AND '.join(conditions)}"
        " GROUP BY 1"
    )
    found = Counter()
    for beginning, count in rows_of(customer, statement, {"length": 1 + len(code) + 3}):
        found[beginning if code else f"+{plans.country_code(beginning)}"] += count
    return found.most_common(MOST_AREAS)


def rows_of(customer: Account, statement: str, params: dict[str, Any]) -> list[tuple]:
    """What a statement about the stock finds for a customer, in its buyer's scope."""
    with scope(customer, buys=True), connection.cursor() as cursor:
        cursor.execute(statement, params | {"var": customer.parent_id, "customer": customer.pk})
        return cursor.fetchall()
