"""What carriers have for sale: searched, chosen, kept, and ordered on the pages."""

from decimal import Decimal
from threading import Barrier, BoundedSemaphore

import pytest
from django.core.cache import cache

from accounts.actor import Actor
from numbers.actions import orders
from numbers.carriers import asking, simulated_server, telnyx
from numbers.models import Order, OrderLine
from tests.factories import make_account, make_provider
from tests.numbers.carrier import (
    asked,
    go_on,
    on_this_computer,
    states,
)  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_carriers_numbers_are_found_with_their_price(carrier, provider, acme):
    (answer,) = asked(acme, country="US", area="201", sms="on")
    assert answer.name == "Simulated"
    assert len(answer.offers) == 20
    first = answer.offers[0]
    assert first.e164.startswith("+1201")
    assert (first.setup, first.monthly, first.currency) == (Decimal("0.50"), Decimal("1.20"), "USD")
    (answer,) = asked(acme, country="US", area="20155501", count="5", in_a_row="on")
    assert [int(offer.e164[1:]) for offer in answer.offers] == list(range(12015550123, 12015550128))
    assert asked(acme, country="FR", sms="on")[0].offers == ()


def test_without_a_country_a_carrier_is_not_asked_and_says_why(carrier, provider, acme):
    (answer,) = asked(acme, area="+1 201")
    assert (answer.offers, answer.problem) == ((), "Choose a country to search this carrier too.")


def test_a_carrier_that_fails_to_answer_is_left_alone_for_a_while(settings, carrier, provider, acme):
    working = settings.CARRIERS
    settings.CARRIERS = simulated_server.address_of(1, "Simulated")
    for _turn in range(3):
        assert asked(acme, country="US")[0].problem == "The carrier cannot be reached."
    settings.CARRIERS = working
    assert "left out" in asked(acme, country="US")[0].problem
    cache.clear()
    assert asked(acme, country="US")[0].offers


def test_a_slow_carrier_is_not_waited_for(carrier, provider, acme, monkeypatch):
    monkeypatch.setattr(telnyx, "WAITED_FOR", 0.2)
    carrier.slow = 1
    assert asked(acme, country="US")[0].problem == "The carrier has not answered."


def test_whoever_finds_no_place_is_asked_to_search_again_and_counts_as_no_failure(carrier, provider, acme, monkeypatch):
    monkeypatch.setattr(asking, "ROOM", BoundedSemaphore(1))
    monkeypatch.setattr(asking, "QUEUED_SECONDS", 0.01)
    asking.ROOM.acquire()
    for _turn in range(asking.FAILURES + 1):
        assert "Other searches are using" in asked(acme, country="US")[0].problem
    asking.ROOM.release()
    assert asked(acme, country="US")[0].offers


def test_carriers_are_asked_side_by_side(settings, acme, monkeypatch):
    """Each waits until the other has been asked, too."""
    both = Barrier(2, timeout=20)
    with on_this_computer() as (first, one), on_this_computer() as (second, another):
        settings.CARRIERS = f"{one} {another.replace('name=Simulated', 'name=Second')}"
        make_provider("Simulated")
        make_provider("Second")
        for carrier in (first, second):
            sale = carrier.for_sale
            monkeypatch.setattr(carrier, "for_sale", lambda query, sale=sale: (both.wait(), sale(query))[1])
        answers = asked(acme, country="US")
    assert [(answer.name, bool(answer.offers)) for answer in answers] == [("Second", True), ("Simulated", True)]


def test_the_same_search_within_a_minute_asks_the_carrier_once(carrier, provider, acme, jane):
    for customer in (acme, jane, acme):
        assert asked(customer, country="US", area="201")[0].offers
    assert carrier.asked == 1
    assert asked(acme, country="US", area="202")[0].offers
    assert carrier.asked == 2
    asking.hold([(provider.pk, asked(acme, country="US", area="201")[0].offers[0])])
    kept = next(iter(carrier.kept))
    assert kept not in [offer.e164 for offer in asked(jane, country="US", area="201")[0].offers]


def test_a_carrier_serves_those_it_is_set_up_for(settings, carrier, provider, acme, bravo):
    settings.CARRIERS += f"&vars={bravo.code}"
    assert asked(acme, country="US") == []
    assert asked(make_account("company", bravo), country="US")[0].offers


def test_no_offer_is_made_up_old_or_another_accounts(carrier, provider, acme, zenith, client, administrator_of):
    client.force_login(administrator_of(zenith))
    page = client.get(f"/{zenith.code}/numbers/order/", {"country": "US", "area": "201", "count": 2})
    theirs = page.context["carriers"][0]["offers"][0]["value"]
    client.force_login(administrator_of(acme))
    for value in (theirs, f"{theirs}x", "made up", ""):
        answer = client.post(f"/{acme.code}/numbers/order/basket/", {"offer": value}, follow=True)
        assert "has expired" in answer.text
    assert not Order.unscoped.exists()


def choice(client, account):
    """The first offer of a search, put into the basket."""
    path = f"/{account.code}/numbers/order/"
    page = client.get(path, {"country": "US", "area": "201", "count": 1})
    offer = page.context["carriers"][0]["offers"][0]
    client.post(f"{path}basket/", {"offer": offer["value"]})
    return offer["e164"]


def test_what_somebody_has_chosen_is_kept_by_the_carrier_and_offered_to_nobody_else(
    carrier, provider, acme, zenith, signed_in
):
    chosen = choice(signed_in(acme), acme)
    assert carrier.kept == {chosen}
    assert choice(signed_in(zenith), zenith) != chosen
    order = Order.unscoped.get(customer=acme)
    orders.confirm(
        Actor.at_home(order.person), order.pk, OrderLine.unscoped.filter(order=order).values_list("pk", flat=True)
    )
    go_on(order)
    assert states(order) == {chosen: "active"}


@pytest.mark.parametrize("trouble", ["it keeps none", "there are others", "it is not set up"])
def test_where_a_carrier_keeps_nothing_the_basket_is_as_full(
    carrier, provider, acme, signed_in, settings, monkeypatch, trouble
):
    client, path = signed_in(acme), f"/{acme.code}/numbers/order/"
    page = client.get(path, {"country": "US", "area": "201", "count": 1})
    carrier.is_searched = trouble != "it keeps none"
    settings.CARRIERS = "" if trouble == "it is not set up" else settings.CARRIERS
    if trouble == "there are others":
        monkeypatch.setattr(asking, "ROOM", BoundedSemaphore(1))
        asking.ROOM.acquire()
    client.post(f"{path}basket/", {"offer": page.context["carriers"][0]["offers"][0]["value"]})
    assert (Order.unscoped.get().total, carrier.kept) == (1, set())


def test_from_a_carriers_offer_to_an_order_on_the_pages(carrier, provider, acme, signed_in):
    client, path = signed_in(acme), f"/{acme.code}/numbers/order/"
    page = client.get(path, {"country": "US", "area": "201", "count": 2})
    assert "From Simulated" in page.text
    assert "1.20 USD/month + 0.50 once" in page.text
    ticked = [offer["value"] for offer in page.context["carriers"][0]["offers"] if offer["ticked"]]
    assert len(ticked) == 2
    client.post(f"{path}basket/", {"offer": ticked})
    review = client.get(f"{path}review/")
    assert "2.40 USD/month + 1.00 once" in review.text
    basket = review.context["basket"]
    lines = [line["pk"] for line in basket["lines"]]
    there = client.post(f"{path}review/", {"order": basket["order"].pk, "line": lines})["Location"]
    assert "To be sent" in client.get(there).text
    go_on(basket["order"])
    assert "Done" in client.get(there).text
