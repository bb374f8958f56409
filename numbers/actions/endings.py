"""Orders end: their numbers are counted by outcome, and people are notified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils import timezone

from accounts import notices
from accounts.models import Account
from accounts.tasks import send_message
from numbers.models import Order, OrderLine, Provider, Routing
from portal.phones import international


def held_buyer(var: Account, customer_id: int | None) -> Account:
    """The account that an order is of, held until the transaction ends: a customer of the VAR, or the VAR itself."""
    if customer_id is not None:
        return Account.held_below(var, customer_id)
    return Account.held(var)


def end_if_over(order: Order, buyer: Account) -> None:
    """Count what has become of an order's numbers; when nothing is open any more, it has ended."""
    states = Counter(OrderLine.in_order(order).values_list("state", flat=True))
    order.active, order.failed = states[OrderLine.State.ACTIVE], states[OrderLine.State.FAILED]
    unrouted = states[OrderLine.State.UNROUTED]
    is_over = order.active + order.failed + unrouted == order.total
    if order.is_under_way and is_over and not (unrouted and Routing.goes_on_for(order)):
        end(order, buyer, Order.State.DONE)
    else:
        order.save()


def end(order: Order, buyer: Account, state: Order.State) -> None:
    """Record that an order has ended, and notify who ordered it and, if requested, the account's contact address."""
    order.state, order.ended_at = state, timezone.now()
    order.save()
    facts = facts_of(order, buyer)
    notices.notify("order_ended", buyer, facts, key=f"order:{order.pk}:ended", by=order.person)
    if order.informs and buyer.email and buyer.email != order.person.email:
        mail_contact(order, buyer, facts)


def notify_of_waiting(order: Order, customer: Account) -> None:
    """Notify the VAR of an order that waits for its approval or delivery."""
    notices.notify("order_waiting", customer.parent, facts_of(order, customer), key=f"order:{order.pk}:waiting")


def facts_of(order: Order, buyer: Account) -> dict:
    """The facts of an order for a notice."""
    lines = OrderLine.in_order(order)[: notices.MOST_LINES]
    return {
        "order": order.pk,
        "customer": buyer.name,
        "person": order.person.name,
        "wish": order.wish,
        "note": order.note,
        "state": order.state,
        "reason": order.reason,
        "total": order.total,
        "active": order.active,
        "failed": order.failed,
        "lines": [(line.e164, str(line.get_state_display()), line.reason) for line in lines],
    }


def mail_contact(order: Order, buyer: Account, facts: Mapping) -> None:
    """Queue a message to the address of an account, which is nobody's sign-in and has chosen nothing."""
    said = {
        "order": order,
        "customer": buyer,
        "lines": [(international(e164), state, reason) for e164, state, reason in facts["lines"]],
    }
    subject = render_to_string("numbers/email/order_ended_subject.txt", said).strip()
    send_message.defer(subject=subject, body=render_to_string("numbers/email/order_ended.txt", said), to=[buyer.email])


def notify_of_carrier(var: Account, provider: Provider, part: str, count: int, reason: str) -> None:
    """Notify a VAR that a carrier has refused or failed at something for ``count`` numbers: one notice of each kind a
    day, which counts them. ``part`` is *order*, *release* or *routing*."""
    if count:
        facts = {"part": part, "provider": provider.name, "reason": reason[:300]}
        key = f"carrier:{provider.pk}:{part}:{timezone.now():%Y-%m-%d}"
        notices.notify("carrier", var, facts, key=key, counts=count)
