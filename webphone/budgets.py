"""What people and accounts may call within 24 hours, in minutes and in money.

A call is granted its longest duration before it begins, and the telephony ends it then. What open calls were granted
counts as used: a budget is never exceeded, whatever number of calls is open. A call gets at most half of what is left,
so that there is something left for the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Case, DecimalField, F, Q, Sum, Value, When
from django.db.models.functions import Ceil, Coalesce
from django.utils.translation import gettext as _

from accounts import limits
from accounts.limits import DAY, Limit
from portal import security
from webphone.call_rules import call_rules
from webphone.models import Call

#: A call that is granted less is not worth its beginning.
LEAST_SECONDS = 60
PERIOD = timedelta(hours=24)
OPEN = ~Q(state=Call.State.ENDED)
#: Of a call that is open, what it was granted; otherwise, what it took.
COUNTED = Case(When(OPEN, then=F("most_seconds")), default=F("billed_seconds"))
NOTHING = Value(Decimal(), output_field=DecimalField(max_digits=16, decimal_places=4))


@dataclass(frozen=True)
class Granted:
    """How long a call may last, and what a minute of its legs costs together."""

    seconds: int
    legs: int
    rate: Decimal
    #: A sentence for the person, where half of a budget is used.
    notice: str = ""


def legs_of(*numbers: str) -> list[str]:
    """Those that leave to a trunk: numbers, not extensions."""
    return [number for number in numbers if number.startswith("+")]


def used(calls) -> tuple[int, Decimal]:
    """The seconds and the money of calls, legs counted one by one."""
    facts = calls.order_by().aggregate(
        seconds=Coalesce(Sum(COUNTED * F("trunk_legs")), 0),
        cost=Coalesce(Sum(Ceil(COUNTED / 60.0) * F("rate"), output_field=NOTHING.output_field), NOTHING),
    )
    return facts["seconds"], facts["cost"]


def grant(calls, person, numbers: list[str], now: datetime) -> Granted:
    """What a call of ``person`` over these trunk legs may take; ``calls`` are those of the account, which is locked.

    Raises ``ValidationError`` where a budget is used up.
    """
    longest = settings.CALL_MINUTES * 60
    legs, rules = len(numbers), call_rules()
    rate = sum((rules.price(number) for number in numbers), Decimal())
    if not legs:
        return Granted(longest, 0, rate)
    recent = calls.filter(placed_at__gt=now - PERIOD).exclude(mode=Call.Mode.INCOMING)
    seconds, notice = longest, ""
    for index, (name, some) in enumerate(
        ((f"person {person.pk}", recent.filter(person=person)), (f"account {person.account_id}", recent))
    ):
        used_seconds, used_cost = used(some)
        most = settings.CALL_MINUTES_A_DAY[index] * 60
        if most:
            left = (most - used_seconds) // legs
            refuse_if_used_up(left, "minutes a day")
            seconds = min(seconds, max(left // 2, LEAST_SECONDS))
            if 2 * used_seconds >= most:
                notice = warn(name, "minutes a day") or notice
        most_cost = settings.CALL_COST_A_DAY[index]
        if most_cost and rate:
            left = int((most_cost - used_cost) / rate) * 60  # whole minutes: as they are billed
            refuse_if_used_up(left, "cost a day")
            seconds = min(seconds, max(left // 120 * 60, LEAST_SECONDS))
            if 2 * used_cost >= most_cost:
                notice = warn(name, "cost a day") or notice
    return Granted(seconds, legs, rate, notice)


def refuse_if_used_up(left: int, limit: str) -> None:
    if left < LEAST_SECONDS:
        security.log("limit.reached", limit=limit)
        raise ValidationError(_("Today's budget for calls is used up. Try again tomorrow, or ask your operator."))


def warn(name: str, limit: str) -> str:
    """Log once a day that half of a budget is used; the sentence that says so."""
    try:
        limits.take({f"half:{limits.hashed(f'{limit} {name}')}": (Limit(1, DAY),)})
    except limits.Reached:
        pass
    else:
        security.log("limit.half", limit=limit)
    return _("More than half of today's budget for calls is used.")
