"""Stock levels: a VAR sets the minimum stock of a country or area, and is notified when there is less."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, notices
from accounts.actor import Actor
from accounts.models import Account
from numbers.models import StockLevel

#: Reservations and cooling that end this soon are in the daily notice.
SOON = timedelta(days=2)
#: Each is counted every 15 minutes.
MOST_LEVELS = 100
ENDING = """
SELECT var_id, count(*) FILTER (WHERE reserved_until BETWEEN %(now)s AND %(soon)s),
       count(*) FILTER (WHERE cooling_until BETWEEN %(now)s AND %(soon)s)
FROM numbers_phonenumber
WHERE (reserved_for_id IS NOT NULL AND reserved_until BETWEEN %(now)s AND %(soon)s)
   OR (cooling_until IS NOT NULL AND cooling_until BETWEEN %(now)s AND %(soon)s)
GROUP BY 1
"""


@transaction.atomic
def set_level(actor: Actor, prefix: str, least: int) -> StockLevel:
    """Notify the account when fewer than ``least`` available numbers begin with ``prefix``. Raises ``ValidationError``
    if it already has a level for them, or ``MOST_LEVELS``."""
    if not actor.may("stock.watch"):
        raise PermissionDenied
    Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)
    if StockLevel.visible_to(actor).count() >= MOST_LEVELS:
        said = {"most": MOST_LEVELS}
        raise ValidationError(_("An account can have %(most)d stock levels. Remove one first.") % said)
    try:
        with transaction.atomic():
            level = StockLevel.visible_to(actor).create(account=actor.account, prefix=prefix, least=least)
    except IntegrityError:
        raise ValidationError({"prefix": _("There is a level for these numbers. Remove it first.")}) from None
    audit.record(actor, "level.added", level, after={"minimum": least})
    check(level)
    return level


@transaction.atomic
def remove_level(actor: Actor, level_id: int) -> StockLevel:
    """Remove a stock level. Raises ``StockLevel.DoesNotExist``."""
    if not actor.may("stock.watch"):
        raise PermissionDenied
    level = StockLevel.visible_to(actor).select_for_update(of=("self",)).get(pk=level_id)
    audit.record(actor, "level.removed", level, before={"minimum": level.least})
    level.delete()
    return level


@transaction.atomic
def watch_levels(account: Account) -> None:
    """Check all stock levels of a VAR. For the worker, in the scope of the VAR."""
    for level in StockLevel.of(account).select_related("account").select_for_update(of=("self",)).order_by("pk"):
        check(level)


def check(level: StockLevel) -> None:
    """Notify the VAR if the stock has fallen below a level since the last check."""
    left = level.available(level.least)
    if left < level.least and level.notified_at is None:
        level.notified_at = timezone.now()
        level.save(update_fields=["notified_at"])
        facts = {"prefix": level.written, "left": left, "least": level.least}
        notices.notify("stock", level.account, facts, key=f"stock:{level.pk}:{level.notified_at:%Y%m%d%H%M%S%f}")
    elif left >= level.least and level.notified_at is not None:
        level.notified_at = None
        level.save(update_fields=["notified_at"])


@transaction.atomic
def notify_of_holds(now: datetime) -> None:
    """Notify each VAR, once a day, of reservations and cooling that end soon. For the worker, in the system's scope."""
    with connection.cursor() as cursor:
        cursor.execute(ENDING, {"now": now, "soon": now + SOON})
        counted = cursor.fetchall()
    accounts = {account.pk: account for account in Account.with_ids([var_id for var_id, *_counts in counted])}
    for var_id, reserved, cooling in counted:
        facts = {"reserved": reserved, "cooling": cooling}
        notices.notify("holds", accounts[var_id], facts, key=f"holds:{var_id}:{now:%Y-%m-%d}")
