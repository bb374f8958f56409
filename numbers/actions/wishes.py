"""Numbers that nobody offers: a customer asks its VAR for them, which types in what its carrier has delivered."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.actor import Actor
from numbers.actions import endings
from numbers.actions.orders import locked, refuse_beyond_quota, refuse_unless_open, waiting
from numbers.actions.stock import add_numbers
from numbers.actions.verbs import AssignToCustomer, perform
from numbers.models import Order, OrderLine, PhoneNumber
from portal.pages import first_of
from portal.phones import international

#: So many sentences of refusal are shown at once.
NAMED = 10


@transaction.atomic
def ask(actor: Actor, key: UUID, wish: str, count: int, note: str = "") -> Order:
    """Ask the VAR for so many numbers, ``wish`` says in words which. Of a form that was sent before, the order that it
    made then. Raises ``ValidationError`` beyond the quota, and where the account is not in service."""
    if not actor.may("numbers.wish"):
        raise PermissionDenied
    customer = locked(actor)
    if made := Order.visible_to(actor).filter(key=key).first():
        return made
    refuse_beyond_quota(customer, count)
    now = timezone.now()
    order = Order.visible_to(actor).create(
        var=customer.parent,
        customer=customer,
        **Order.by(actor),
        state=Order.State.ASKED,
        key=key,
        wish=wish[:300],
        note=note,
        held_until=now,
        confirmed_at=now,
        total=count,
    )
    audit.record(actor, "order.asked", order, after={"wish": order.wish}, concerns=order.var_id)
    endings.notify_of_waiting(order, customer)
    return order


@transaction.atomic
def fulfil(actor: Actor, order_id: int, e164s: Collection[str], provider_id: int) -> Order:
    """Give a customer of the VAR's numbers that it has asked for: those that are new here come from this provider, and
    those in the stock as they are. All of them or, with the reasons, none. The order is done with the last.

    Raises ``Order.DoesNotExist`` and ``ValidationError``.
    """
    customer, order = waiting(actor, order_id)
    if not order.is_asked:
        raise ValidationError(_("This order is over: nothing more can be delivered."))
    refuse_unless_open(customer)
    wanted, left = set(e164s), order.total - order.active
    if len(wanted) > left:
        said = ngettext(
            "%(count)d requested number is still open.", "%(count)d requested numbers are still open.", left
        )
        raise ValidationError({"numbers": said % {"count": left} + " " + _("These are %d.") % len(wanted)})
    add_numbers(actor, wanted, provider_id)
    here = dict(PhoneNumber.visible_to(actor).filter(e164__in=wanted).values_list("pk", "e164"))
    outcomes = perform(actor, AssignToCustomer(customer.pk), here)
    refused = {e164: _("It is already on the system.") for e164 in wanted.difference(here.values())}
    refused |= {here[outcome.number_id]: outcome.refusal for outcome in outcomes if outcome.refusal}
    if refused:
        said = [f"{international(e164)}: {refused[e164]}" for e164 in sorted(refused)]
        raise ValidationError({"numbers": first_of(said, NAMED)})
    OrderLine.in_order(order).bulk_create(
        OrderLine(
            order=order, var=order.var, customer=customer, e164=number.e164, digits=number.digits,
            provider=number.provider, number_id=number.pk, state=OrderLine.State.ACTIVE, ended_at=timezone.now(),
        )
        for number in (outcome.number for outcome in outcomes)
    )  # fmt: skip
    audit.record(actor, "order.delivered", order, after={"numbers": sorted(wanted)}, concerns=customer.pk)
    endings.end_if_over(order, customer)
    return order
