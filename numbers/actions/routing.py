"""Numbers are connected: their carriers are asked where calls to them lead, and told where they are to lead.

A number that a carrier has delivered is not connected for certain: the carrier may not take a connection with the
order, or somebody may have changed it since. So it is read back, set where it differs, and read once more. All of that
may be done again at any time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from accounts.scope import scope
from numbers import carriers
from numbers.actions.endings import end_if_over, held_buyer, notify_of_carrier
from numbers.actions.retries import MOST_ATTEMPTS, later
from numbers.carriers import CarrierError, Configured, Held, NotReached, Refused
from numbers.models import Order, OrderLine, PhoneNumber, Routing

log = logging.getLogger(__name__)
#: The worker's task that connects numbers, ``numbers.tasks.route``.
TASK = "numbers.route"
#: So many numbers are looked at in one step, which takes up nothing more after so many seconds.
AT_ONCE, STEP_SECONDS = 100, 30.0
#: Longer than a step takes: who began one so long ago does not come back from it.
LEASE = timedelta(seconds=120)
State = Routing.State


def want(var: Account, numbers: Iterable[PhoneNumber], key: UUID | None = None) -> None:
    """Have the worker connect these numbers of a VAR, or look whether they are: written here, done by the worker once
    this transaction is there. The caller is in the scope of the VAR."""
    rows = [
        Routing(account=var, number_id=one.pk, e164=one.e164, provider_id=one.provider_id, key=key) for one in numbers
    ]
    fresh = ("provider", "key", "state", "reason", "attempts", "next_at")
    Routing.in_stock_of(var).bulk_create(
        rows, update_conflicts=True, unique_fields=["number_id"], update_fields=list(fresh)
    )
    for provider_id in sorted({row.provider_id for row in rows}):
        queue(var.code, provider_id)


@transaction.atomic
def of_order(actor: Actor, order_id: int) -> None:
    """Have the numbers of an order connected that are not. Raises ``Order.DoesNotExist`` and ``ValidationError``."""
    if not actor.may("numbers.route"):
        raise PermissionDenied
    order = Order.visible_to(actor).get(pk=order_id)
    unrouted = OrderLine.in_order(order).filter(state=OrderLine.State.UNROUTED).values("number_id")
    numbers = PhoneNumber.visible_to(actor).filter(pk__in=unrouted)
    if not numbers:
        raise ValidationError(_("All numbers of this order are connected."))
    want(actor.account, numbers)
    events = [audit.event(actor, "number.routing_asked", number, concerns=number.customer_id) for number in numbers]
    audit.record_all(actor, events)


def forget(var: Account, numbers: Collection[PhoneNumber]) -> None:
    """Keep nothing of numbers that are removed; the caller is in the scope of the VAR."""
    Routing.in_stock_of(var).filter(number_id__in=[number.pk for number in numbers]).delete()


def queue(code: str, provider_id: int, seconds: float = 0, **options) -> None:
    """Have the worker go on with a carrier's numbers, in this transaction; one worker at a time."""
    lock = f"route:{code}:{provider_id}"
    configured = app.configure_task(TASK, queue="numbers", lock=lock, schedule_in={"seconds": int(seconds)}, **options)
    configured.defer(account=code, provider=provider_id)


def queue_once(code: str, provider_id: int) -> None:
    """The same, unless it is queued already."""
    try:
        queue(code, provider_id, queueing_lock=f"heal-route:{code}:{provider_id}")
    except AlreadyEnqueued:
        log.debug("Routing %s %s is queued already.", code, provider_id)


def go_on(var: Account, provider_id: int) -> None:
    """Connect the numbers of a carrier whose time has come, as many as fit into a step; then queue the next step."""
    began = time.monotonic()
    with scope(var):
        rows = take_up(var, provider_id)
    by_key: dict[UUID | None, list[Routing]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    outcomes: dict[int, CarrierError | None] = {}
    setting = carriers.configured().get(rows[0].provider.name) if rows else None
    for key, some in by_key.items():
        outcomes |= connected(var, setting, str(key or ""), some, began + STEP_SECONDS)
    if rows:
        with scope(var):
            settle(var, provider_id, rows, outcomes)


@transaction.atomic
def take_up(var: Account, provider_id: int) -> list[Routing]:
    """Write down that these numbers are looked at, and return with them."""
    due = Routing.in_stock_of(var).filter(provider_id=provider_id, state=State.WANTED, next_at__lte=timezone.now())
    locked = due.select_related("provider").select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    rows = list(locked[:AT_ONCE])
    next_at = timezone.now() + LEASE
    Routing.in_stock_of(var).filter(pk__in=[row.pk for row in rows]).update(next_at=next_at)
    return rows


def connected(
    var: Account, setting: Configured | None, key: str, rows: Collection[Routing], until: float
) -> dict[int, CarrierError | None]:
    """Have the carrier lead these numbers of one order, or of none, to where they belong. By the row's id: None where
    calls arrive, otherwise why they do not. What there was no time for is left out."""
    try:
        if setting is None:
            raise Refused(_("The carrier is no longer set up. Ask your operator."))
        carrier, route = setting.carrier, setting.route(var.code)
        found = carrier.find([row.e164 for row in rows], key)
    except CarrierError as error:
        log.warning("Carrier %s, routing: %s", rows[0].provider.name, type(error).__name__)
        return {row.pk: error for row in rows}
    outcomes: dict[int, CarrierError | None] = {}
    for row in rows:
        if time.monotonic() > until:
            break
        try:
            connect(setting, carrier, found.get(row.e164), route)
        except CarrierError as error:
            outcomes[row.pk] = error
            if isinstance(error, NotReached) and error.after:  # the others would be turned away too
                return {one.pk: error for one in rows} | outcomes
        else:
            outcomes[row.pk] = None
    return outcomes


def connect(setting: Configured, carrier: carriers.Carrier, number: Held | None, route: Mapping[str, str]) -> None:
    """Have one number lead where ``route`` says. Raises ``CarrierError`` where calls do not arrive."""
    if number is None:
        raise NotReached(_("The carrier does not list this number."))
    if number.state:
        raise NotReached(_("The carrier cannot use this number: %(state)s.") % {"state": number.state})
    missing = carriers.leads_nowhere(number, route, setting.kind)
    if not missing:
        return
    if not any(name in route for name in missing):
        names = {"carrier": setting.name, "names": " / ".join(missing)}
        raise Refused(
            _("The carrier does not route its calls, and %(carrier)s has no %(names)s in the portal's settings.")
            % names
        )
    number = carrier.connect(number, route)
    if missing := carriers.leads_nowhere(number, route, setting.kind):
        found = ", ".join(f"{name}: {number.route.get(name) or '–'}" for name in missing)
        raise NotReached(_("The carrier has not applied the change: %(found)s.") % {"found": found})


@transaction.atomic
def settle(
    var: Account, provider_id: int, asked: Collection[Routing], outcomes: Mapping[int, CarrierError | None]
) -> None:
    """Write down what came of a step, on the numbers and on the orders that they are of."""
    orders = held_orders(var, [row.number_id for row in asked])
    here = set(
        PhoneNumber.in_stock_of(var).filter(pk__in=[row.number_id for row in asked]).values_list("pk", flat=True)
    )
    now, waits, failed = timezone.now(), [], []
    rows = Routing.in_stock_of(var).select_for_update(of=("self",)).filter(pk__in=[row.pk for row in asked])
    for row in rows.filter(state=State.WANTED).order_by("pk"):
        if row.number_id not in here:
            row.delete()
            continue
        if row.pk not in outcomes:
            row.next_at = now
            waits.append(0.0)
            row.save(update_fields=["next_at"])
            continue
        error = outcomes[row.pk]
        row.attempts, row.checked_at = row.attempts + 1, now
        row.reason = error.for_operators[:500] if error else ""
        if error is None:
            row.state = State.ROUTED
        elif isinstance(error, Refused) or row.attempts >= MOST_ATTEMPTS:
            row.state = State.FAILED
            failed.append(row.reason)
        else:
            wait = max(later(row.attempts), error.after)
            row.next_at = now + timedelta(seconds=wait)
            waits.append(wait)
            row.attempts -= bool(error.after)  # too much to do is no failure
        row.save()
        note_on_lines(var, row)
    if waits:
        queue(var.code, provider_id, min(waits) + bool(min(waits)))
    if failed:
        notify_of_carrier(var, asked[0].provider, "routing", len(failed), failed[-1])
    for order, buyer in orders:
        end_if_over(order, buyer)


def held_orders(var: Account, number_ids: Collection[int]) -> list[tuple[Order, Account]]:
    """The orders that wait for these numbers to be connected, held, each with its buyer: accounts before orders, as
    everywhere."""
    lines = OrderLine.delivered_to(var).filter(number_id__in=number_ids, state=OrderLine.State.UNROUTED)
    pairs = sorted(set(lines.values_list("customer_id", "order_id")), key=lambda pair: (pair[0] or 0, pair[1]))
    buyers = {pk: held_buyer(var, pk) for pk in dict.fromkeys(customer_id for customer_id, _order in pairs)}
    orders = Order.in_var(var).select_for_update(of=("self",)).select_related("person")
    return [(orders.get(pk=order_id), buyers[customer_id]) for customer_id, order_id in pairs]


def note_on_lines(var: Account, row: Routing) -> None:
    """Tell the line of an order that its number is connected, or for operators why it is not."""
    lines = OrderLine.delivered_to(var).filter(number_id=row.number_id, state=OrderLine.State.UNROUTED)
    if row.state == State.ROUTED:
        lines.update(state=OrderLine.State.ACTIVE, detail="")
    else:
        lines.update(detail=row.reason)
