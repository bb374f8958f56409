"""Orders with a carrier that sells number by number, at once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache

from numbers.carriers import twilio
from numbers.models import CarrierOrder, OrderLine
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
    assert OrderLine.unscoped.get(e164=TAKEN).detail == "PhoneNumber is not available."
    assert bought(carrier) == [(e164, str(of(order).key)) for e164 in GOOD]


@pytest.mark.parametrize("fault", ["taken without an answer", "taken with an error", "not taken without an answer"])
def test_when_the_first_answer_is_missing_what_was_bought_is_found_and_nothing_bought_again(
    carrier, provider, buyer, fault
):
    carrier.faults = [fault]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert of(order).state == "unknown"
    healed(order)
    got = int(not fault.startswith("not"))
    assert (fresh(order).state, fresh(order).active, len(carrier.bought)) == ("done", got, got)
    assert states(order) == {e164: "active" if at < got else "failed" for at, e164 in enumerate(GOOD)}


@pytest.mark.parametrize("fault", ["taken without an answer", "taken with an error", "not taken without an answer"])
def test_when_a_later_answer_is_missing_the_order_goes_on_with_what_is_left(carrier, provider, buyer, fault):
    carrier.faults = ["", fault]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert states(order) == {GOOD[0]: "active", GOOD[1]: "pending", GOOD[2]: "pending"}
    for one in (CarrierOrder.unscoped.filter(order=order).earliest("pk"), of(order)):
        assert one.order == order
    all_pass(order)
    got = [e164 for e164 in GOOD if e164 != GOOD[1] or not fault.startswith("not")]
    assert states(order) == {e164: "active" if e164 in got else "failed" for e164 in GOOD}
    assert sorted(e164 for e164, _key in bought(carrier)) == got
    assert fresh(order).state == "done"


def all_pass(order):
    """Let time pass for all that the carriers are to deliver, however often it is asked about."""
    for _turn in range(4):
        for one in CarrierOrder.unscoped.filter(order=order).exclude(state="ended"):
            ago = timedelta(minutes=10)
            sent = one.sent_at - ago if one.sent_at else None
            CarrierOrder.unscoped.filter(pk=one.pk).update(next_at=one.next_at - ago, sent_at=sent)
        go_on(order)


def test_too_much_to_do_in_the_middle_of_an_order_is_no_failure(carrier, provider, buyer):
    carrier.faults = ["too much to do", "", "too much to do"]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert of(order).state == "ready"
    time_passes(order, minutes=1)
    go_on(order)
    assert states(order) == {GOOD[0]: "active", GOOD[1]: "pending", GOOD[2]: "pending"}
    all_pass(order)
    assert (fresh(order).state, fresh(order).active, len(carrier.bought)) == ("done", 3, 3)
    assert CarrierOrder.unscoped.filter(order=order).count() == 2


def test_an_order_that_takes_longer_than_a_step_goes_on_in_the_next(carrier, provider, buyer, monkeypatch):
    monkeypatch.setattr(twilio, "WHOLE", -1)
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert states(order) == {GOOD[0]: "active", GOOD[1]: "pending", GOOD[2]: "pending"}
    all_pass(order)
    assert (fresh(order).state, fresh(order).active, len(carrier.bought)) == ("done", 3, 3)
    assert len({key for _e164, key in bought(carrier)}) == 3


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
    assert "Its price is now 1.30 USD/month" in OrderLine.unscoped.first().reason
    assert carrier.bought == []
    assert carrier.asked - asked_before <= len(GOOD)
