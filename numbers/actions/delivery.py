"""What carriers are to deliver: each is called once for an order, asked until it has told, and believed.

A step is taken in two transactions with the call between them. What is written before the call says what to do when
nobody comes back from it: the carrier is asked how the order stands, and never ordered from again.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from procrastinate.contrib.django import app

from accounts import audit
from accounts.models import Account, Person
from accounts.scope import scope
from accounts.tasks import send_message
from numbers import carriers
from numbers.carriers import (
    ACTIVE,
    FAILED,
    Carrier,
    CarrierError,
    CarrierOffer,
    NotReached,
    Refused,
    Report,
    Standing,
    Unclear,
)
from numbers.models import CarrierOrder, Order, OrderLine, PhoneNumber, Provider
from numbers.prices import price
from portal.phones import international

log = logging.getLogger(__name__)
#: The worker's task that goes on with an order, ``numbers.tasks.deliver``.
TASK = "numbers.deliver"
#: Longer than any call takes: who began one so long ago does not come back from it.
LEASE = timedelta(seconds=60)
#: A carrier that has not heard of an order so long after it was sent will not hear of it any more.
GRACE = timedelta(seconds=120)
#: Whoever was held up for longer than this does not call any more: somebody may be asking already.
HELD_UP_SECONDS = 20.0
#: Seconds until the next step, at least and at most; and how often a carrier is tried to be reached.
SOONEST, LATEST, MOST_ATTEMPTS = 1, 300, 9
#: So many numbers' prices are asked for at the same time.
PRICES_AT_ONCE = 8
#: Within so many seconds a carrier is asked again whose answer is missing.
CYCLE = 60
NOT_TAKEN = gettext_lazy("The carrier has not taken the order, and charges nothing. Order again.")
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
        if setting is None:
            raise NotReached(_("The carrier is not set up any more. Your operator has to look."), LATEST)
        refuse_if_held_up(began)
        if one.state == State.SENDING:
            report = order_from(setting.carrier, str(one.key), lines, began)
        else:
            report = setting.carrier.look(str(one.key), one.reference)
    except CarrierError as error:
        log.warning("Carrier %s, order %s, %s: %r", one.provider.name, one.key, one.state, error)
        report = error
    with scope(var):
        settle(var, pk, one, report)


def refuse_if_held_up(began: float) -> None:
    if time.monotonic() - began > HELD_UP_SECONDS:
        raise NotReached(_("The portal was held up."))


def order_from(carrier: Carrier, key: str, lines: list[OrderLine], began: float) -> Report:
    """Order what costs no more than was said when it was chosen; what does has failed. Raises ``CarrierError``."""
    priced = [line for line in lines if line.monthly is not None or line.setup is not None]
    try:
        with ThreadPoolExecutor(PRICES_AT_ONCE) as pool:
            offers = list(pool.map(carrier.price, [line.e164 for line in priced]))
    except Unclear as error:
        raise NotReached(str(error)) from error  # nothing is ordered yet
    dear = {
        line.e164: Standing(FAILED, sentence)
        for line, offer in zip(priced, offers, strict=True)
        if offer is not None and (sentence := costs_more(line, offer))
    }
    wanted = [line.e164 for line in lines if line.e164 not in dear]
    refuse_if_held_up(began)
    report = carrier.order(key, wanted) if wanted else Report("", {})
    return Report(report.reference, report.numbers | dear)


def costs_more(line: OrderLine, offer: CarrierOffer) -> str:
    """That a number costs more than was said when it was chosen, or in other money; empty where it does not."""
    said, now = (line.setup, line.monthly), (offer.setup, offer.monthly)
    is_dearer = any((new or 0) > (old or 0) for old, new in zip(said, now, strict=True))
    if not is_dearer and offer.currency in ("", line.currency):
        return ""
    prices = {"now": price(*now, offer.currency), "before": price(*said, line.currency)}
    return _("It costs %(now)s by now, and %(before)s when it was chosen. Choose it again.") % prices


@transaction.atomic
def take_up(var: Account, pk: int) -> tuple[CarrierOrder, list[OrderLine], float] | None:
    """Write down that the next step is taken, and return with what and when; None where there is none to take now."""
    rows = CarrierOrder.in_work(var).select_related("provider", "var").select_for_update(skip_locked=True, of=("self",))
    now = timezone.now()
    one = rows.filter(pk=pk, next_at__lte=now).first()
    if one is None:
        return None
    one.attempts += 1
    if one.state == State.READY:
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
    customer = Account.held_below(var, asked.customer_id)
    order = Order.in_var(var).select_for_update(of=("self",)).select_related("person").get(pk=asked.order_id)
    rows = CarrierOrder.in_work(var).select_related("provider", "var").select_for_update(of=("self",))
    one = rows.filter(pk=pk).first()
    # What the carrier says is true whoever asked; that it said nothing concerns the last one who asked.
    if one is None or (one.next_at != asked.next_at and not isinstance(report, Report)):
        return
    one.order = order
    now = timezone.now()
    was_sent = one.state == State.SENDING
    one.problem = str(report) if isinstance(report, CarrierError) else ""
    if isinstance(report, Report):
        one.reference, one.state = report.reference[:100], State.PLACED
        deliver(customer, order, one, report.numbers)
        if one.sent_at + GRACE < now:
            fail(one, NOT_TAKEN, besides=report.numbers)
    elif was_sent and isinstance(report, NotReached) and one.attempts < MOST_ATTEMPTS:
        one.state = State.READY
    elif was_sent and isinstance(report, (Refused, NotReached)):
        fail(one, report)
    elif was_sent:
        one.state = State.UNKNOWN
    elif report is None and one.sent_at + GRACE < now:
        fail(one, NOT_TAKEN)
    if lines_of(one).exists():
        wait = max(pause(one, now), getattr(report, "after", 0))
        one.next_at = now + timedelta(seconds=wait)
        queue(one, int(wait) + 1)
    else:
        one.state = State.ENDED
    one.save()
    end_if_over(order, customer)


def pause(one: CarrierOrder, now: datetime) -> float:
    """Seconds until the next step: twice as many after each call that came to nothing; what the carrier has is asked
    about after a quarter of the time that it has had it."""
    if one.state == State.READY:
        return later(one.attempts)
    latest = LATEST if one.state == State.PLACED else CYCLE
    return min(max((now - one.sent_at).total_seconds() / 4, SOONEST), latest)


def later(attempts: int) -> float:
    """Seconds until a carrier is tried again that could not be reached so often."""
    return min(SOONEST * 2**attempts, LATEST)


def fail(one: CarrierOrder, reason: object, besides: Collection[str] = ()) -> None:
    """Nothing comes of what is open, ``besides`` these numbers."""
    rows = lines_of(one).exclude(e164__in=besides)
    rows.update(state=OrderLine.State.FAILED, reason=str(reason)[:500], ended_at=timezone.now())


def deliver(customer: Account, order: Order, one: CarrierOrder, numbers: dict[str, Standing]) -> None:
    """Take over what the carrier has delivered, and what it says has failed."""
    now, events = timezone.now(), []
    for line in lines_of(one).select_for_update(of=("self",)).order_by("e164"):
        standing = numbers.get(line.e164)
        if standing is None or standing.state not in (ACTIVE, FAILED):
            continue
        line.state, line.reason, line.ended_at = standing.state, standing.reason[:500], now
        if standing.state == ACTIVE:
            # Paid for: where the customer is no more, it is the VAR's.
            holder = None if customer.status == Account.Status.CLOSED else customer
            number = added(customer.parent, holder, one.provider, line.e164)
            if number is None:
                line.state = OrderLine.State.FAILED
                line.reason = _(
                    "The carrier has delivered it, but the system has this number. Your operator has to look."
                )
            else:
                line.number_id = number.pk
                line.reason = "" if holder else _("The account was closed meanwhile: it is in the stock.")
                after = {"provider": one.provider.name, "customer": holder.written if holder else None}
                events.append((number, after))
        line.save(update_fields=["state", "reason", "ended_at", "number_id"])
    actor = order.actor_in(customer)
    told = [
        audit.event(actor, "number.ordered", number, after=after, concerns=customer.parent_id)
        for number, after in events
    ]
    audit.record_all(actor, told)


def added(var: Account, holder: Account | None, provider: Provider, e164: str) -> PhoneNumber | None:
    """A number of a carrier's, new, with the customer or in the VAR's stock; None where the system has it already."""
    try:
        with transaction.atomic():
            return PhoneNumber.in_stock_of(var).create(
                e164=e164, var=var, customer=holder, assigned_at=timezone.now() if holder else None,
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


# The end


def end_if_over(order: Order, customer: Account) -> None:
    """Count what has become of an order's numbers; when nothing is open any more, it has ended."""
    states = Counter(OrderLine.in_order(order).values_list("state", flat=True))
    order.active, order.failed = states[OrderLine.State.ACTIVE], states[OrderLine.State.FAILED]
    if order.active + order.failed == order.total:
        end(order, customer, Order.State.DONE)
    else:
        order.save()


def end(order: Order, customer: Account, state: Order.State) -> None:
    """Write down that an order is over, and tell those who are to know."""
    order.state, order.ended_at = state, timezone.now()
    order.save()
    mail("ended", order, customer, [order.person.email, *([customer.email] if order.informs else [])])


def administrators_of(account: Account) -> list[str]:
    """The addresses of those who look after an account."""
    people = Person.objects.filter(account=account, role="administrator", is_active=True)
    return list(people.order_by("pk").values_list("email", flat=True)[:20])


def mail(what: str, order: Order, customer: Account, to: list[str]) -> None:
    """Queue a message for each of these addresses, in this transaction."""
    said = {
        "order": order,
        "customer": customer,
        "lines": [
            (international(line.e164), line.get_state_display(), line.reason) for line in OrderLine.in_order(order)
        ],
    }
    subject = render_to_string(f"numbers/email/order_{what}_subject.txt", said).strip()
    body = render_to_string(f"numbers/email/order_{what}.txt", said)
    for address in dict.fromkeys(filter(None, to)):
        send_message.defer(subject=subject, body=body, to=[address])
