"""A carrier on this computer, for as long as a test needs it."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from accounts.scope import scope
from numbers.actions import delivery, orders, routing
from numbers.carriers import CarrierOffer, simulated_server
from numbers.carriers.asking import offered
from numbers.forms.orders import SearchForm
from numbers.models import CarrierOrder, Order, OrderLine

NAME = "Simulated"
#: Numbers that the simulated carrier delivers, and one that somebody else is quicker to get.
GOOD, TAKEN = ("+12015550002", "+12015550009", "+12015550016"), "+12015550027"


@contextmanager
def on_this_computer(seconds: float = 0, api: str = "telnyx"):
    """The carrier, which takes so many ``seconds`` for each number, and the setting that makes it known."""
    server = simulated_server.serve(0, seconds=seconds)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.carrier, simulated_server.address_of(server.server_port, NAME, api)
    finally:
        server.shutdown()
        server.server_close()


def offer(e164):
    return CarrierOffer(e164, setup=Decimal("0.50"), monthly=Decimal("1.20"), currency="USD")


def ordered(buyer, provider, numbers, stock=()):
    """An order of what a carrier offers, and of numbers of the stock."""
    with scope(buyer.account):
        orders.choose(buyer, [number.pk for number in stock], [(provider.pk, offer(e164)) for e164 in numbers])
        basket = orders.basket_of(buyer)
        return orders.confirm(buyer, basket.pk, [line.pk for line in OrderLine.in_order(basket)])


def asked(customer, **typed):
    form = SearchForm(typed)
    assert form.is_valid(), form.errors
    with scope(customer):
        return list(offered(customer, form.wanted))


# How an order with it goes on


def of(order):
    return CarrierOrder.unscoped.filter(order=order).latest("pk")


def go_on(order):
    """What the worker does: the next step of what the carrier is to deliver, and of connecting what it has."""
    for one in CarrierOrder.unscoped.filter(order=order).select_related("var").order_by("pk"):
        delivery.go_on(one.var, one.pk)
        routing.go_on(one.var, one.provider_id)


def time_passes(order, **by):
    """Let so much time have passed since the last step."""
    one, by = of(order), timedelta(**by)
    CarrierOrder.unscoped.filter(pk=one.pk).update(
        next_at=one.next_at - by, sent_at=one.sent_at - by if one.sent_at else None
    )


def healed(order):
    """What becomes of it within one cycle of healing, however it stands."""
    for _turn in range(3):
        time_passes(order, minutes=10)
        go_on(order)


def states(order):
    return dict(OrderLine.unscoped.filter(order=order).values_list("e164", "state"))


def fresh(order):
    return Order.unscoped.get(pk=order.pk)
