"""Numbers are ordered: chosen and held in a basket, confirmed once, approved where that is asked for, delivered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from numbers.actions import delivery, endings
from numbers.actions.verbs import Hold, LetGo, Outcome, Take, outcomes_of, write
from numbers.carriers import CarrierOffer
from numbers.models import CarrierOrder, Order, OrderLine, PhoneNumber
from portal.pages import plain

#: So long what is chosen is kept for whoever chose it, and what waits for approval.
HOLD, HOLD_WAITING = timedelta(minutes=15), timedelta(days=7)
#: So many numbers fit into a basket.
MOST_NUMBERS = 100
State = Order.State


def basket_of(actor: Actor) -> Order | None:
    """What this person has chosen in the acting account and not ordered yet."""
    return Order.own(actor).filter(person=actor.person, state=State.BASKET).first()


def numbers_of_lines(actor: Actor, line_ids: Collection[int]) -> dict[int, str]:
    """The numbers of the stock in these lines of the person's basket: their ids, and how they are written in E.164."""
    basket = basket_of(actor)
    lines = OrderLine.in_order(basket).filter(pk__in=line_ids) if basket and line_ids else ()
    return {line.number_id: line.e164 for line in lines if line.number_id}


def refuse_unless_buyer(actor: Actor) -> None:
    if not actor.may("numbers.order") or actor.account.kind == Account.Kind.SYSTEM:
        raise PermissionDenied


def var_of(buyer: Account) -> Account:
    """The VAR whose stock and whose carriers a buyer orders from: it may be the buyer itself."""
    return buyer.parent if buyer.is_customer else buyer


def facts_of(buyer: Account) -> dict[str, Account | None]:
    """Whose an order is, and its lines are, that this account makes."""
    return {"var": var_of(buyer), "customer": buyer if buyer.is_customer else None}


@transaction.atomic
def choose(
    actor: Actor, number_ids: Collection[int], offers: Collection[tuple[int, CarrierOffer]] = ()
) -> list[Outcome]:
    """Put numbers of the VAR's stock into the basket and keep them for a while, or keep those in it for longer; and
    what carriers offer, each with the provider's id, as it was offered to this account. A VAR has its stock already.

    Returns an ``Outcome`` for each of the stock; one that somebody else was quicker to get is refused, and leaves the
    basket. Raises ``ValidationError`` for none, for too many, and where the account is not in service.
    """
    refuse_unless_buyer(actor)
    if not number_ids and not offers:
        raise ValidationError(_("Tick at least one number."))
    buyer = locked(actor)
    if not buyer.is_customer and number_ids:
        raise ValidationError(_("Numbers in your stock are already yours."))
    basket = basket_of(actor) or Order(**facts_of(buyer), person=actor.person, chain=[])
    lines = list(OrderLine.in_order(basket)) if basket.pk else []
    chosen, there = {line.number_id for line in lines if line.number_id}, {line.e164 for line in lines}
    offers = [(provider_id, offer) for provider_id, offer in offers if offer.e164 not in there]
    if len(lines) + len(set(number_ids) - chosen) + len(offers) > MOST_NUMBERS:
        raise ValidationError(_("%(most)d numbers fit into one order. Order these first.") % {"most": MOST_NUMBERS})
    until = timezone.now() + HOLD
    outcomes, ours = hold(actor, Hold(buyer, until, chosen), number_ids) if number_ids else ([], set())
    held = [outcome.number for outcome in outcomes if not outcome.refusal]
    if basket.pk is None or basket.held_until <= timezone.now():
        basket.held_until = until
    basket.save()
    gone = [outcome.number_id for outcome in outcomes if outcome.refusal]
    OrderLine.in_order(basket).filter(number_id__in=gone).delete()
    OrderLine.in_order(basket).filter(number_id__in=ours).update(held_until=until)
    OrderLine.in_order(basket).bulk_create(
        OrderLine(
            order=basket, **facts_of(buyer), e164=number.e164, digits=number.digits,
            provider=number.provider, number_id=number.pk, held_until=until if number.pk in ours else None,
        )
        for number in held if number.pk not in chosen
    )  # fmt: skip
    OrderLine.in_order(basket).bulk_create(
        OrderLine(
            order=basket, **facts_of(buyer), e164=offer.e164, digits=int(offer.e164[1:]),
            provider_id=provider_id, setup=offer.setup, monthly=offer.monthly, currency=offer.currency,
        )
        for provider_id, offer in offers
    )  # fmt: skip
    counted(basket)
    return outcomes


def hold(actor: Actor, verb: Hold, number_ids: Collection[int]) -> tuple[list[Outcome], set[int]]:
    """Keep numbers for a customer; what became of each, and the ids of those that are kept by this alone."""
    now = timezone.now()
    outcomes = outcomes_of(actor, verb, number_ids, None, locks=True)
    held = [outcome.number for outcome in outcomes if not outcome.refusal]
    ours = {number.pk for number in held if not verb.is_kept_anyway(number, now)}
    write(actor, verb, held, now)
    return outcomes, ours


def counted(basket: Order) -> None:
    """Write down how many numbers are in the basket; an empty one is forgotten."""
    basket.total = OrderLine.in_order(basket).count()
    if basket.total:
        basket.save(update_fields=["total"])
    else:
        basket.delete()


def locked(actor: Actor) -> Account:
    """The acting account, held until the transaction ends: who suspends it, or orders for it too, waits for us.

    Raises ``ValidationError`` where it is not in service.
    """
    accounts = Account.visible_to(actor).select_related("parent").select_for_update(no_key=True, of=("self",))
    buyer = accounts.get(pk=actor.account.pk)
    refuse_unless_open(buyer)
    return buyer


def refuse_unless_open(customer: Account) -> None:
    if not customer.is_open:
        raise ValidationError(_("%(account)s is not in service: it gets no numbers.") % {"account": customer.name})


def let_go(actor: Actor, customer: Account, lines: Collection[OrderLine]) -> None:
    """Keep the numbers of these lines no longer."""
    held = {line.number_id: line.held_until for line in lines if line.held_until}
    if not held:
        return
    verb = LetGo(customer, held)
    outcomes = outcomes_of(actor, verb, held, None, locks=True)
    write(actor, verb, [outcome.number for outcome in outcomes if not outcome.refusal], timezone.now())


@transaction.atomic
def put_back(actor: Actor, line_ids: Collection[int]) -> None:
    """Take numbers out of the basket; an empty one is forgotten."""
    refuse_unless_buyer(actor)
    buyer = locked(actor)
    basket = basket_of(actor)
    if basket is None:
        return
    lines = list(OrderLine.in_order(basket).filter(pk__in=line_ids))
    let_go(actor, buyer, lines)
    OrderLine.in_order(basket).filter(pk__in=[line.pk for line in lines]).delete()
    counted(basket)


@transaction.atomic
def confirm(actor: Actor, order_id: int, seen: Collection[int], *, informs: bool = False) -> Order:
    """Order what is in the basket. Confirmed twice, or by two people at once, it is ordered once.

    ``seen`` are the ids of the lines that somebody had before their eyes. A number that is gone by now fails, and does
    not keep the others from being delivered. Raises ``Order.DoesNotExist`` for a basket that is not this person's,
    ``ValidationError`` where nothing can be ordered.
    """
    refuse_unless_buyer(actor)
    buyer = locked(actor)
    order = Order.own(actor).select_for_update(of=("self",)).get(pk=order_id)
    if order.person_id != actor.person.pk:
        raise Order.DoesNotExist
    if not order.is_basket:
        return order
    lines = list(OrderLine.in_order(order))
    if {line.pk for line in lines} != set(seen):
        raise ValidationError(_("The basket has changed. Check what is in it now, and order again."))
    if not lines:
        raise ValidationError(_("There is nothing in the basket."))
    refuse_beyond_quota(buyer, len(lines))
    order.acted_by(actor)
    order.informs, order.confirmed_at = informs, timezone.now()
    above = order.var_id if buyer.is_customer else None
    audit.record(actor, "order.confirmed", order, after={"numbers": [line.e164 for line in lines]}, concerns=above)
    if not buyer.orders_need_approval:
        deliver(actor, buyer, order, lines)
        return order
    order.held_until = timezone.now() + HOLD_WAITING
    kept = Hold(buyer, order.held_until, is_ordered=True)
    ours = hold(actor, kept, [line.number_id for line in lines if line.number_id])[1]
    OrderLine.in_order(order).filter(number_id__in=ours).update(held_until=order.held_until)
    OrderLine.in_order(order).update(state=OrderLine.State.PENDING)
    order.state = State.WAITING
    order.save()
    endings.notify_of_waiting(order, buyer)
    return order


def refuse_beyond_quota(customer: Account, count: int) -> None:
    """Raise ``ValidationError`` where a customer may not have so many more numbers. The caller holds the customer."""
    if customer.number_quota is None:
        return
    held = PhoneNumber.with_customer(customer).count()
    under_way = OrderLine.under_way(customer).count() + Order.still_asked_by(customer)
    left = max(customer.number_quota - held - under_way, 0)
    if count > left:
        said = {"quota": plain(customer.number_quota), "held": plain(held), "under_way": plain(under_way)}
        raise ValidationError(
            _("The account may have %(quota)s numbers; it has %(held)s, and %(under_way)s are ordered.") % said
            + " "
            + _("%(left)s more can be ordered.") % {"left": plain(left)}
            + " "
            + _("Take some out of the basket, or ask your operator for more.")
        )


def deliver(actor: Actor, buyer: Account, order: Order, lines: list[OrderLine], ordered_by: str = "") -> None:
    """Give the numbers of the stock to the customer, those that somebody else has by now excepted, and have carriers
    deliver the others. ``ordered_by`` names who ordered, where that is not the actor. The caller holds buyer and
    order."""
    now = timezone.now()
    verb = Take(buyer, ordered_by)
    if ids := [line.number_id for line in lines if line.number_id]:
        outcomes = outcomes_of(actor, verb, ids, None, locks=True)
        write(actor, verb, [outcome.number for outcome in outcomes if not outcome.refusal], now)
        for refusal in {outcome.refusal for outcome in outcomes}:
            state = OrderLine.State.FAILED if refusal else OrderLine.State.ACTIVE
            some = [outcome.number_id for outcome in outcomes if outcome.refusal == refusal]
            ended = {"state": state, "reason": refusal, "ended_at": now}
            OrderLine.in_order(order).filter(number_id__in=some).update(**ended)
    order.state = State.RUNNING  # written with what has become of it already
    delivery.hand_over(order, [line for line in lines if not line.number_id])
    endings.end_if_over(order, buyer)


# While an order waits


@transaction.atomic
def approve(actor: Actor, order_id: int) -> Order:
    """Let an order of a customer of the VAR's be delivered; approved twice, it is delivered once. Raises
    ``Order.DoesNotExist`` and ``ValidationError``."""
    customer, order = waiting(actor, order_id)
    if not order.is_waiting:
        if order.state in (State.REFUSED, State.CANCELLED):
            raise decided(order)
        return order
    refuse_unless_open(customer)
    audit.record(actor, "order.approved", order, concerns=customer.pk)
    deliver(actor, customer, order, list(OrderLine.in_order(order)), ordered_by=order.person.name)
    return order


@transaction.atomic
def refuse(actor: Actor, order_id: int, reason: str) -> Order:
    """Do not deliver an order of one of the VAR's customers, or the rest of it, and say why. Raises
    ``Order.DoesNotExist`` and ``ValidationError``."""
    customer, order = waiting(actor, order_id)
    if not order.is_undecided:
        if order.state != State.REFUSED:
            raise decided(order)
        return order
    if not reason.strip():
        raise ValidationError({"reason": _("Enter a reason; the customer can read it.")})
    audit.record(actor, "order.refused", order, after={"reason": reason}, concerns=customer.pk)
    order.reason = reason
    end_undelivered(actor, customer, order, State.REFUSED, reason)
    return order


def decided(order: Order) -> ValidationError:
    """The refusal of a decision about an order that was decided meanwhile, in another window or by somebody else."""
    said = {"state": order.state_in_words}
    return ValidationError(
        _("Nothing was changed: the order has already been decided. Its state is: %(state)s.") % said
    )


def waiting(actor: Actor, order_id: int) -> tuple[Account, Order]:
    """An order of one of the VAR's customers and that customer, both held."""
    if not actor.may("orders.approve") or actor.account.kind != Account.Kind.VAR:
        raise PermissionDenied
    customer_id = Order.visible_to(actor).values_list("customer", flat=True).get(pk=order_id)
    accounts = Account.below(actor).select_related("parent").select_for_update(no_key=True, of=("self",))
    customer = accounts.get(pk=customer_id)
    return customer, Order.in_var(actor.account).select_for_update().get(pk=order_id)


@transaction.atomic
def cancel(actor: Actor, order_id: int) -> Order:
    """Take back an order that nobody has decided about yet. Raises ``Order.DoesNotExist`` and ``ValidationError``."""
    refuse_unless_buyer(actor)
    buyer = locked(actor)
    order = Order.own(actor).select_for_update(of=("self",)).get(pk=order_id)
    if not order.is_undecided:
        raise ValidationError(_("It is too late: the order has already been decided."))
    audit.record(actor, "order.cancelled", order, concerns=order.var_id)
    end_undelivered(actor, buyer, order, State.CANCELLED, _("The order was cancelled."))
    return order


def end_undelivered(actor: Actor, buyer: Account, order: Order, state: Order.State, reason: str) -> None:
    """Deliver no more of an order; one of which something is delivered is done."""
    lines = OrderLine.in_order(order).exclude(state__in=OrderLine.DELIVERED)
    let_go(actor, buyer, list(lines))
    lines.update(state=OrderLine.State.FAILED, reason=reason, ended_at=timezone.now())
    order.failed = order.total - order.active
    endings.end(order, buyer, State.DONE if order.active else state)


# While carriers deliver


@transaction.atomic
def give_up(actor: Actor, order_id: int) -> Order:
    """Have carriers deliver no more of an order: the account's own, or a VAR one of its customers'. What a carrier has
    not heard of ends at once; of the rest the carrier is asked to give it up, which it may refuse.

    Raises ``Order.DoesNotExist`` and ``ValidationError``.
    """
    if not actor.may("orders.give_up"):
        raise PermissionDenied
    order = Order.visible_to(actor).select_for_update(of=("self",)).get(pk=order_id)
    under_way = list(CarrierOrder.open_in(order).select_related("var").filter(given_up=False))
    if not order.is_running or not under_way:
        raise ValidationError(_("There is nothing left to cancel in this order."))
    CarrierOrder.open_in(order).update(given_up=True, next_at=timezone.now())
    for one in under_way:
        delivery.queue(one, 0)
    other = order.var_id if actor.account.is_customer else order.customer_id
    audit.record(actor, "order.given_up", order, concerns=other)
    return order
