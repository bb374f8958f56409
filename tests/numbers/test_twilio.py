"""Orders with a carrier that sells number by number, at once."""

from decimal import Decimal

import pytest
from django.core.cache import cache

from numbers.models import OrderLine
from tests.numbers.carrier import (
    GOOD,
    TAKEN,
    asked,
    fresh,
    go_on,
    healed,
    of,
    on_this_computer,
    ordered,
    states,
    time_passes,
)  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def carrier(settings):
    cache.clear()
    with on_this_computer(api="twilio") as (carrier, setting):
        settings.CARRIERS = setting
        yield carrier


def bought(carrier):
    return [(row["phone_number"], row["friendly_name"]) for row in carrier.bought]


def test_number_by_number_some_are_had_at_once_and_some_are_not(carrier, provider, buyer):
    order = ordered(buyer, provider, [*GOOD, TAKEN])
    go_on(order)
    assert states(order) == dict.fromkeys(GOOD, "active") | {TAKEN: "failed"}
    assert OrderLine.unscoped.get(e164=TAKEN).reason == "PhoneNumber is not available."
    assert bought(carrier) == [(e164, str(of(order).key)) for e164 in GOOD]


@pytest.mark.parametrize("fault", ["taken without an answer", "taken with an error", "not taken without an answer"])
@pytest.mark.parametrize("before", [0, 1])
def test_when_an_answer_is_missing_what_was_bought_is_found_and_nothing_bought_again(
    carrier, provider, buyer, fault, before
):
    carrier.faults = [*[""] * before, fault]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert of(order).state == "unknown"
    healed(order)
    assert fresh(order).state == "done"
    got = before + (not fault.startswith("not"))
    assert fresh(order).active == len(carrier.bought) == got
    assert states(order) == {e164: "active" if at < got else "failed" for at, e164 in enumerate(GOOD)}
    assert len(set(bought(carrier))) == got


def test_too_much_to_do_before_the_first_number_is_tried_again_and_later_not(carrier, provider, buyer):
    carrier.faults = ["too much to do", "", "too much to do"]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert of(order).state == "ready"
    time_passes(order, minutes=1)
    go_on(order)
    assert (fresh(order).active, fresh(order).failed) == (2, 1)
    assert OrderLine.unscoped.get(state="failed").reason == "The carrier has too much to do."


def test_its_numbers_are_found_and_it_tells_of_nothing(carrier, provider, acme, client):
    (answer,) = asked(acme, country="US", area="201", sms="on")
    assert len(answer.offers) == 20
    assert {offer.features for offer in answer.offers} == {("voice", "sms")}
    assert {(offer.monthly, offer.currency) for offer in answer.offers} == {(Decimal("1.20"), "USD")}
    assert client.post(f"/carriers/{provider.pk}/", b"{}", "application/json").status_code == 401


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1"], ids=["not said where", "not reached"])
def test_where_prices_are_not_to_be_had_numbers_are_offered_without(carrier, provider, acme, settings, address):
    settings.CARRIERS = (
        f"{settings.CARRIERS}&prices={address}" if address else settings.CARRIERS.partition("&prices=")[0]
    )
    (answer,) = asked(acme, country="US", area="201")
    assert len(answer.offers) == 20
    assert {(offer.monthly, offer.currency) for offer in answer.offers} == {(None, "")}


def test_what_costs_more_by_now_is_not_bought(carrier, provider, buyer):
    carrier.prices["local"] = "1.30"
    order = ordered(buyer, provider, GOOD)
    asked_before = carrier.asked
    go_on(order)
    assert states(order) == dict.fromkeys(GOOD, "failed")
    assert "It costs 1.30 USD/month by now" in OrderLine.unscoped.first().reason
    assert carrier.bought == []
    assert carrier.asked - asked_before <= len(GOOD)
