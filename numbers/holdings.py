"""The numbers that accounts hold, for the pages of accounts."""

from collections.abc import Collection

from django.core.cache import caches
from django.db import connection

from accounts.actor import Actor
from accounts.holdings import Held
from accounts.models import Account
from numbers.models import PhoneNumber
from portal import paging

KEPT_SECONDS = 60
# Each count reads one index and no row. A customer's numbers have its VAR by foreign key: they need no second look.
OF_VARS = """
SELECT a.id, (SELECT count(*) FROM numbers_phonenumber n WHERE n.var_id = a.id),
       (SELECT count(*) FROM numbers_phonenumber n WHERE n.var_id = a.id AND n.customer_id IS NULL)
FROM unnest(%s::bigint[]) a (id)
"""
OF_CUSTOMERS = """
SELECT a.id, (SELECT count(*) FROM numbers_phonenumber n WHERE n.customer_id = a.id), 0
FROM unnest(%s::bigint[]) a (id)
"""


class NumberHoldings:
    """Counted when asked; but that a VAR has very many is believed for a minute, or a page would read them all."""

    def counted(self, actor: Actor, kind: str, ids: Collection[int]) -> dict[int, Held]:
        kept = caches["process"].get_many([f"held:{pk}" for pk in ids])
        found = {pk: kept[f"held:{pk}"] for pk in ids if f"held:{pk}" in kept}
        with connection.cursor() as cursor:
            statement = OF_VARS if kind == Account.Kind.VAR else OF_CUSTOMERS
            cursor.execute(statement, [[pk for pk in ids if pk not in found]])
            counted = {pk: Held(total, available) for pk, total, available in cursor.fetchall()}
        many = {f"held:{pk}": held for pk, held in counted.items() if held.total > paging.BOUND}
        caches["process"].set_many(many, KEPT_SECONDS)
        return found | counted

    def first(self, actor: Actor, account: Account, most: int) -> tuple[list[str], int]:
        holder = "customer" if account.is_customer else "var"
        numbers = PhoneNumber.visible_to(actor).filter(**{holder: account})
        return list(numbers.order_by("digits").values_list("e164", flat=True)[:most]), numbers.count()
