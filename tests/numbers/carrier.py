"""A carrier on this computer, for as long as a test needs it."""

import threading
from contextlib import contextmanager
from decimal import Decimal

from accounts.scope import scope
from numbers.actions import orders
from numbers.carriers import CarrierOffer, simulated
from numbers.models import OrderLine

NAME = "Simulated"


@contextmanager
def on_this_computer(seconds: float = 0, api: str = "telnyx"):
    """The carrier, which takes so many ``seconds`` for each number, and the setting that makes it known."""
    server = simulated.serve(0, seconds=seconds)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.carrier, simulated.address_of(server.server_port, NAME, api)
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
