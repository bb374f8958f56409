"""What is left of finished imports and jobs is removed: their lines and items, some thousands in a transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import Account
from numbers.models import Import, Job, Work

#: Rows that are removed in one transaction.
AT_ONCE = 5_000
#: Imports and jobs of which something is removed in one turn, of each kind.
MOST = 200
#: Of each kind, how long what was never confirmed is kept.
DRAFTS_KEPT = {Import: timedelta(days=7), Job: timedelta(days=1)}


def due(kind: type[Work], now: datetime) -> list[tuple[int, str]]:
    """Imports or jobs of which something is to be removed: their ids, and the codes of their accounts. In the system's
    scope."""
    drafts = kind.unconfirmed(now - DRAFTS_KEPT[kind])
    found = list(drafts.order_by("as_of").values_list("pk", "account__code")[:MOST])
    if settings.WORK_DAYS:
        ended = kind.ended_with_parts(now - timedelta(days=settings.WORK_DAYS))
        found += ended.order_by("ended_at").values_list("pk", "account__code")[:MOST]
    return found


def forget(kind: type[Work], account: Account, pk: int, now: datetime) -> bool:
    """Remove some of the rows of an import or a job that ended long ago, or all of one that was never confirmed;
    whether there may be more. In the account's scope. One that somebody is at is left alone."""
    work = kind.in_account(account).select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
    if work is None:
        return False
    if work.is_draft:
        if work.as_of < now - DRAFTS_KEPT[kind]:
            work.delete()
        return False
    if not work.is_forgotten(now):
        return False
    parts = getattr(work, work.PARTS)
    some = list(parts.values_list("pk", flat=True)[:AT_ONCE])
    return parts.filter(pk__in=some).delete()[0] == AT_ONCE
