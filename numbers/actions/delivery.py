"""What carriers are to deliver: each is called once for an order, asked until it has told, and believed.

A step is taken in two transactions with the call between them. What is written before the call says what to do when
nobody comes back from it: the carrier is asked how the order stands, and never ordered from again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from procrastinate.contrib.django import app

from accounts import audit
from accounts.models import Account
from accounts.scope import scope
from numbers import carriers
from numbers.actions import routing
from numbers.actions.endings import end_if_over, held_buyer, notify_of_carrier
from numbers.actions.retries import LATEST, LEASE, MOST_ATTEMPTS, SOONEST, later
from numbers.carriers import (
    ACTIVE,
    FAILED,
    Carrier,
    CarrierError,
    CarrierOffer,
    Configured,
    Line,
    NotReached,
    Refused,
    Report,
    Standing,
    Unclear,
)
from numbers.models import CarrierOrder, Destination, Order, OrderLine, PhoneNumber, Provider
from numbers.prices import price

log = logging.getLogger(__name__)
#: The worker's task that goes on with an order, ``numbers.tasks.deliver``.
TASK = "numbers.deliver"
#: A carrier that has not heard of an order so long after it was sent will not hear of it any more.
GRACE = timedelta(seconds=120)
#: Whoever was held up for longer than this does not call any more: somebody may be asking already.
HELD_UP_SECONDS = 20.0
#: Within so many seconds a carrier is asked again whose answer is missing.
CYCLE = 60
NOT_TAKEN = gettext_lazy("The carrier has not accepted the order and charges nothing. Order again.")
GIVEN_UP = gettext_lazy("The order was cancelled before it was delivered.")
State = CarrierOrder.State


def hand_over(order: Order, lines: Iterable[OrderLine]) -> None:
    """Have carriers deliver these lines: written here, done by the worker once this transaction is there."""
    of_carriers: dict[int, list[OrderLine]] = {}
    for line in lines:
        of_carriers.setdefault(line.provider_id, []).append(line)
    for provider_id, some in of_carriers.items():
        facts = {"order": order, "var": order.var, "customer": order.customer, "provider_id": provider_id}
        late = []
        with transaction.atomic():
            one = CarrierOrder.in_order(order).create(key=uuid4(), **facts)
            for line in some:
                try:
                    with transaction.atomic():
                        OrderLine.in_order(order).filter(pk=line.pk).update(
                            state=OrderLine.State.PENDING, carrier_order=one
                        )
                except IntegrityError:
                    late.append(line.pk)
            if len(late) < len(some):
                queue(one, 0)
            else:
                transaction.set_rollback(True)
        reason = _("Somebody else is ordering it at this moment. Choose another.")
        ended = {"state": OrderLine.State.FAILED, "reason": reason, "ended_at": timezone.now()}
        OrderLine.in_order(order).filter(pk__in=late).update(**ended)


def queue(one: CarrierOrder, seconds: int) -> None:
    """Have the worker go on with it, in this transaction."""
    app.configure_task(TASK, queue="numbers", schedule_in={"seconds": seconds}).defer(
        carrier_order=one.pk, account=one.var.code
    )


def go_on(var: Account, pk: int) -> None:
    """Take the next step of what a carrier is to deliver; nothing where it is not time, or somebody else is at it."""
    with scope(var):
        taken = take_up(var, pk)
    if taken is None:
        return
    one, lines, began = taken
    setting = carriers.configured().get(one.provider.name)
    report: Report | CarrierError | None
    try:
        if one.state == State.READY:
            raise Refused(str(GIVEN_UP))
        if setting is None:
            raise NotReached(_("The carrier is no longer set up. Ask your operator."))
        refuse_if_held_up(began)
        if one.state == State.SENDING:
            report = order_from(var, setting, one, lines)
        else:
            problem = cancelled(setting.carrier, one) if one.given_up and one.reference else ""
            report = setting.carrier.look(str(one.key), one.reference)
            report = replace(report, problem=problem) if report else None
    except Superseded:
        return
    except CarrierError as error:
        # Why is with the order: numbers may be in a carrier's words.
        log.warning("Carrier %s, order %s, %s: %s", one.provider.name, one.key, one.state, type(error).__name__)
        report = error
    with scope(var):
        settle(var, pk, one, report)


class Superseded(Exception):
    """Whoever was held up for longer than the lease is not the one who goes on any more."""


def refuse_if_held_up(began: float) -> None:
    if time.monotonic() - began > HELD_UP_SECONDS:
        raise NotReached(_("The portal was delayed."))


def cancelled(carrier: Carrier, one: CarrierOrder) -> str:
    """Give up what the carrier has not delivered yet; why not, where it refuses. The order goes on then."""
    try:
        carrier.cancel(one.reference)
    except Refused as refusal:
        return _("The carrier does not cancel it: %(reason)s") % {"reason": refusal.for_operators}
    return ""


def order_from(var: Account, setting: Configured, one: CarrierOrder, lines: list[OrderLine]) -> Report:
    """Order what costs no more than was said when it was chosen, and is not in the system yet; all else has failed.
    Raises ``CarrierError``."""
    carrier = setting.carrier
    priced = [line for line in lines if line.monthly is not None or line.setup is not None]
    try:
        offers = carrier.prices([line.e164 for line in priced]) if priced else {}
    except Unclear as error:
        raise NotReached(str(error)) from error  # nothing is ordered yet
    dear = {
        line.e164: Standing(FAILED, sentence)
        for line in priced
        if line.e164 in offers and (sentence := costs_more(line, offers[line.e164]))
    }
    here = dict.fromkeys(
        on_the_system([line.e164 for line in lines]),
        Standing(FAILED, _("The number is already in the system: it was not ordered. Choose another one.")),
    )
    failed = dear | here
    wanted = [line.e164 for line in lines if line.e164 not in failed]
    with scope(var):
        renew(var, one)
    if not wanted:
        return Report("", failed)
    sent = [Line(e164, setting.documents(var.code, e164)) for e164 in wanted]
    report = carrier.order(str(one.key), sent, setting.route(var.code))
    return replace(report, numbers=report.numbers | failed)


def on_the_system(e164s: Collection[str]) -> set[str]:
    """Those of these numbers that the system has, whoever holds them: a carrier that offers one does not know that it
    is here already."""
    if not e164s:
        return set()
    with scope(Account.called("SYS")):
        return PhoneNumber.anywhere(e164s)


def renew(var: Account, one: CarrierOrder) -> None:
    """Begin the lease anew before the carrier is called. Raises ``Superseded`` where somebody else goes on by now."""
    next_at = timezone.now() + LEASE
    rows = CarrierOrder.in_work(var).filter(pk=one.pk, state=State.SENDING, next_at=one.next_at)
    if not rows.update(next_at=next_at, sent_at=timezone.now()):
        raise Superseded
    one.next_at = next_at


def costs_more(line: OrderLine, offer: CarrierOffer) -> str:
    """That a number costs more than was said when it was chosen, or in other money; empty where it does not."""
    said, now = (line.setup, line.monthly), (offer.setup, offer.monthly)
    is_dearer = any((new or 0) > (old or 0) for old, new in zip(said, now, strict=True))
    if not is_dearer and offer.currency in ("", line.currency):
        return ""
    prices = {"now": price(*now, offer.currency), "before": price(*said, line.currency)}
    return _("Its price is now %(now)s; it was %(before)s when you chose it. Choose it again.") % prices


@transaction.atomic
def take_up(var: Account, pk: int) -> tuple[CarrierOrder, list[OrderLine], float] | None:
    """Write down that the next step is taken, and return with what and when; None where there is none to take now.
    What was given up before it was sent stays unsent."""
    rows = CarrierOrder.in_work(var).select_related("provider", "var").select_for_update(skip_locked=True, of=("self",))
    now = timezone.now()
    one = rows.filter(pk=pk, next_at__lte=now).first()
    if one is None:
        return None
    one.attempts += 1
    if one.state == State.READY and not one.given_up:
        one.state, one.sent_at = State.SENDING, now
    elif one.state == State.SENDING:  # who sent it did not come back
        one.state = State.UNKNOWN
    one.next_at = now + LEASE
    one.save()
    return one, list(lines_of(one)), time.monotonic()


def lines_of(one: CarrierOrder):
    return OrderLine.in_order(one.order).filter(carrier_order=one, state=OrderLine.State.PENDING)


@transaction.atomic
def settle(var: Account, pk: int, asked: CarrierOrder, report: Report | CarrierError | None) -> None:
    """Write down what came of a step. The customer is held before its order, as everywhere."""
    buyer = held_buyer(var, asked.customer_id)
    order = Order.in_var(var).select_for_update(of=("self",)).select_related("person").get(pk=asked.order_id)
    rows = CarrierOrder.in_work(var).select_related("provider", "var").select_for_update(of=("self",))
    one = rows.filter(pk=pk).first()
    # What the carrier says is true whoever asked; that it said nothing concerns the last one who asked.
    if one is None or (one.next_at != asked.next_at and not isinstance(report, Report)):
        return
    one.order = order
    now = timezone.now()
    was_sent = one.state == State.SENDING
    one.problem = (report.for_operators if isinstance(report, CarrierError) else report.problem if report else "")[:500]
    if isinstance(report, Report):
        one.reference, one.state = report.reference[:100], State.PLACED
        deliver(buyer, order, one, report.numbers)
        if was_sent and report.left:
            go_on_later(one, report)
        if one.sent_at + GRACE < now:
            fail(one, NOT_TAKEN, besides={*report.numbers, *report.left})
    elif was_sent and isinstance(report, NotReached) and (one.attempts < MOST_ATTEMPTS or report.after):
        one.state = State.READY
        one.attempts -= bool(report.after)  # too much to do is no failure
    elif was_sent and isinstance(report, (Refused, NotReached)):
        fail(one, report, report.detail)
    elif was_sent:
        one.state = State.UNKNOWN
    elif report is None and one.sent_at + GRACE < now:
        fail(one, NOT_TAKEN)
    if one.given_up and one.state == State.READY:
        fail(one, GIVEN_UP)
    if lines_of(one).exists():
        wait = max(pause(one, now), getattr(report, "after", 0))
        one.next_at = now + timedelta(seconds=wait)
        queue(one, int(wait) + 1)
    else:
        one.state = State.ENDED
    one.save()
    end_if_over(order, buyer)


def go_on_later(one: CarrierOrder, report: Report) -> None:
    """Order under a key of their own the numbers that the carrier was not asked for, in as many seconds as it wants."""
    rest = CarrierOrder.in_order(one.order).create(
        order=one.order, var=one.var, customer_id=one.customer_id, provider_id=one.provider_id, key=uuid4(),
        next_at=timezone.now() + timedelta(seconds=report.after), problem=one.problem,
    )  # fmt: skip
    lines_of(one).filter(e164__in=report.left).update(carrier_order=rest)
    queue(rest, int(report.after))


def pause(one: CarrierOrder, now: datetime) -> float:
    """Seconds until the next step: twice as many after each call that came to nothing; what the carrier has is asked
    about after a quarter of the time that it has had it."""
    if one.state == State.READY:
        return later(one.attempts)
    latest = LATEST if one.state == State.PLACED else CYCLE
    return min(max((now - one.sent_at).total_seconds() / 4, SOONEST), latest)


def fail(one: CarrierOrder, reason: object, detail: str = "", besides: Collection[str] = ()) -> None:
    """Nothing comes of what is open, ``besides`` these numbers."""
    rows = lines_of(one).exclude(e164__in=besides)
    ended = {"reason": str(reason)[:500], "detail": detail[:500], "ended_at": timezone.now()}
    failed = rows.update(state=OrderLine.State.FAILED, **ended)
    if not one.given_up:
        notify_of_carrier(one.var, one.provider, "order", failed, detail or str(reason))


def deliver(buyer: Account, order: Order, one: CarrierOrder, numbers: dict[str, Standing]) -> None:
    """Take over what the carrier has delivered, and what it says has failed, or waits for."""
    now, events, fresh, failed = timezone.now(), [], [], []
    # Paid for: where the customer is no more, it is the VAR's.
    holder = buyer if buyer.is_customer and buyer.status != Account.Status.CLOSED else None
    for line in lines_of(one).select_for_update(of=("self",)).order_by("e164"):
        standing = numbers.get(line.e164)
        if standing is None:
            continue
        line.reason, line.detail = standing.reason[:500], standing.for_operators[:500]
        if standing.state in (ACTIVE, FAILED):
            line.state, line.ended_at = OrderLine.State.FAILED, now
        if standing.state == FAILED and not one.given_up:
            failed.append(standing.for_operators)
        if standing.state == ACTIVE:
            number = added(one.var, holder, one.provider, line.e164)
            if number is None:
                line.reason = _(
                    "The carrier has delivered it, but the number is already in the system. Ask your operator."
                )
            else:
                line.number_id, line.state = number.pk, OrderLine.State.UNROUTED
                is_orphan = buyer.is_customer and holder is None
                line.reason = _("The account has been closed since. The number is in the stock.") if is_orphan else ""
                after = {"provider": one.provider.name, "customer": holder.written if holder else None}
                events.append((number, after))
                fresh.append(number)
        line.save(update_fields=["state", "reason", "detail", "ended_at", "number_id"])
    actor = order.actor_in(buyer)
    other = one.var_id if buyer.is_customer else None
    told = [audit.event(actor, "number.ordered", number, after=after, concerns=other) for number, after in events]
    audit.record_all(actor, told)
    if fresh:
        routing.want(one.var, fresh, one.key)
    if failed:
        notify_of_carrier(one.var, one.provider, "order", len(failed), failed[-1])


def added(var: Account, holder: Account | None, provider: Provider, e164: str) -> PhoneNumber | None:
    """A number of a carrier's, new, with the customer or in the VAR's stock; a professional's rings the own line. None
    where the system has it already."""
    is_professional = holder is not None and holder.kind == Account.Kind.PROFESSIONAL
    try:
        with transaction.atomic():
            return PhoneNumber.in_stock_of(var).create(
                e164=e164, var=var, customer=holder, assigned_at=timezone.now() if holder else None,
                destination=Destination.own_line(holder) if is_professional else None,
                provider=provider, voice=provider.supports_voice,
            )  # fmt: skip
    except IntegrityError:
        return None


@transaction.atomic
def nudge(var: Account, pk: int) -> None:
    """Ask the carrier at once how an order stands, because it says that something has happened."""
    one = CarrierOrder.in_work(var).select_related("var").select_for_update(of=("self",)).filter(pk=pk).first()
    if one is not None and one.state in (State.PLACED, State.UNKNOWN):
        one.next_at = timezone.now()
        one.save(update_fields=["next_at"])
        queue(one, 0)
