"""How a number stands, and the sentences that say why something cannot be done to it.

Holds end by themselves: a reservation or a cooling whose time is over is none, though the row still tells of it. Times
are said in the current time zone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from numbers.models import PhoneNumber
from portal.times import moment


def in_words(when: datetime) -> str:
    return moment(when, timezone.get_current_timezone())


def is_reserved(number: PhoneNumber, now: datetime) -> bool:
    """Whether the number is kept for somebody at ``now``."""
    return number.reserved_until is not None and number.reserved_until > now


def is_cooling(number: PhoneNumber, now: datetime) -> bool:
    """Whether the number came back too short a time ago to go to somebody else."""
    return number.cooling_until is not None and number.cooling_until > now


def cools_until(holder: Account, now: datetime) -> datetime | None:
    """Until when a number cools that ``holder`` gives up now; None where that account's numbers do not cool."""
    return now + timedelta(days=holder.cooling_days) if holder.cooling_days else None


def with_somebody(number: PhoneNumber) -> str:
    """Says whose the number is; nothing when it is in the VAR's stock."""
    if number.customer_id is None:
        return ""
    return _("It is with %(customer)s. Unassign it first.") % {"customer": number.customer.name}


def kept_for_somebody(number: PhoneNumber, now: datetime, besides: int | None = None) -> str:
    """Says for whom the number is reserved; nothing when it is not, or for the account with the id ``besides``."""
    if not is_reserved(number, now) or number.reserved_for_id == besides:
        return ""
    return _("It is reserved for %(customer)s until %(time)s. Cancel the reservation first.") % {
        "customer": number.reserved_for.name,
        "time": in_words(number.reserved_until),
    }


def still_cooling(number: PhoneNumber, now: datetime, instead: str) -> str:
    """Says until when the number cools and what to do ``instead``; nothing when it does not."""
    if not is_cooling(number, now):
        return ""
    said = {"time": in_words(number.cooling_until), "instead": instead}
    if number.last_holder is None:
        return _("It is cooling until %(time)s. %(instead)s") % said
    said["holder"] = number.last_holder.name
    return _("It was with %(holder)s and is cooling until %(time)s. %(instead)s") % said
