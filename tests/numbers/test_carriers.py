"""Orders with carriers, against a carrier on this computer that speaks a real one's API and misbehaves like one."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Account, AuditEvent, Notice
from accounts.scope import scope
from numbers import carriers
from numbers.actions import delivery, orders, retries, routing
from numbers.carriers import simulated_server
from numbers.models import CarrierOrder, OrderLine, PhoneNumber
from numbers.tasks import heal_orders, heal_routing, route
from tests.factories import join, make_number
from tests.numbers.carrier import (
    GOOD,
    TAKEN,
    fresh,
    go_on,
    healed,
    of,
    ordered,
    states,
    time_passes,
)  # fmt: skip
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)


# Delivered


def test_what_a_carrier_delivers_is_the_customers(carrier, provider, buyer, acme):
    order = ordered(buyer, provider, [*GOOD, TAKEN])
    assert (order.state, of(order).state) == ("running", "ready")
    assert ProcrastinateJob.objects.filter(task_name="numbers.deliver").count() == 1
    assert not carrier.orders
    go_on(order)
    assert states(order) == dict.fromkeys(GOOD, "active") | {TAKEN: "failed"}
    taken = OrderLine.unscoped.get(e164=TAKEN)
    assert (taken.reason, taken.detail) == (
        "The carrier has not delivered it. Choose another.",
        "Somebody else was quicker to get this number.",
    )
    done = fresh(order)
    assert (done.state, done.active, done.failed) == ("done", 3, 1)
    number = PhoneNumber.unscoped.get(e164=GOOD[0])
    assert (number.customer, number.var, number.provider) == (acme, acme.parent, provider)
    event = AuditEvent.unscoped.filter(verb="number.ordered", target_id=number.pk).get()
    assert (event.person, event.account, event.concerns) == (buyer.person, acme, acme.parent)
    (one,) = carrier.orders.values()
    assert one["customer_reference"] == str(of(order).key)
    go_on(order)
    assert len(carrier.orders) == 1


def test_stock_and_carrier_in_one_order(carrier, provider, buyer, alpha):
    join(buyer.person)
    order = ordered(buyer, provider, GOOD[:1], [make_number(alpha, e164="+15145550100")])
    assert states(order) == {"+15145550100": "active", GOOD[0]: "pending"}
    assert (order.state, order.active) == ("running", 1)
    go_on(order)
    assert fresh(order).state == "done"
    assert [notice.kind for notice in Notice.unscoped.all()] == ["order_ended"]


def test_numbers_arrive_one_by_one(carrier, provider, buyer):
    carrier.seconds = 3600
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert set(states(order).values()) == {"pending"}
    assert of(order).state == "placed"
    (one,) = carrier.orders.values()
    one["at"] -= 2 * 3600 + 1
    go_on(order)  # too early: it was asked a moment ago
    assert fresh(order).active == 0
    time_passes(order, minutes=1)
    go_on(order)
    assert (fresh(order).active, fresh(order).state) == (2, "running")
    one["at"] -= 3600
    time_passes(order, minutes=1)
    go_on(order)
    assert (fresh(order).active, fresh(order).state) == (3, "done")


# Everything that can go wrong


@pytest.mark.parametrize("fault", ["taken without an answer", "taken with an error", "taken with nonsense"])
def test_an_order_whose_outcome_is_unknown_is_asked_about_and_never_ordered_again(carrier, provider, buyer, fault):
    carrier.faults = [fault]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert of(order).state == "unknown"
    assert set(states(order).values()) == {"pending"}
    healed(order)
    assert len(carrier.orders) == 1
    assert (fresh(order).state, fresh(order).active) == ("done", 3)


@pytest.mark.parametrize("fault", ["not taken without an answer", "not taken with an error"])
def test_what_the_carrier_never_heard_of_fails_once_that_is_sure(carrier, provider, buyer, fault):
    carrier.faults = [fault]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert of(order).state == "unknown"
    time_passes(order, seconds=30)
    go_on(order)
    assert of(order).state == "unknown"  # it may still be on its way
    healed(order)
    assert (fresh(order).state, fresh(order).failed) == ("done", 3)
    assert "has not accepted the order and charges nothing" in OrderLine.unscoped.first().reason
    assert not carrier.orders


def test_a_carrier_with_too_much_to_do_is_asked_later(carrier, provider, buyer):
    carrier.faults = ["too much to do", "too much to do"]
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert (of(order).state, of(order).problem) == ("ready", "The carrier is busy and asks to be tried later.")
    healed(order)
    assert (fresh(order).active, len(carrier.orders)) == (3, 1)


def test_what_costs_more_by_now_is_not_ordered(carrier, provider, buyer):
    carrier.dear = {GOOD[0]: "9.90", GOOD[1]: "0.90"}
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert states(order) == {GOOD[0]: "failed", GOOD[1]: "active", GOOD[2]: "active"}
    assert OrderLine.unscoped.get(e164=GOOD[0]).reason == (
        "Its price is now 9.90 USD/month + 0.50 once; it was 1.20 USD/month + 0.50 once when you chose it."
        " Choose it again."
    )
    (one,) = carrier.orders.values()
    assert [e164 for e164, _taken in one["numbers"]] == sorted(GOOD[1:])


def test_where_all_costs_more_the_carrier_hears_of_no_order(carrier, provider, buyer):
    carrier.dear = dict.fromkeys(GOOD, "9.90")
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert (fresh(order).state, fresh(order).failed, of(order).state) == ("done", 3, "ended")
    assert not carrier.orders


def test_where_prices_cannot_be_asked_for_it_is_tried_later(carrier, provider, buyer):
    carrier.is_searched = False
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert (of(order).state, of(order).problem) == ("ready", "The carrier has failed to answer (502).")
    carrier.is_searched = True
    time_passes(order, minutes=1)
    go_on(order)
    assert (fresh(order).active, len(carrier.orders)) == (3, 1)


def test_what_a_carrier_refuses_fails_in_its_words(carrier, provider, buyer):
    carrier.faults = ["refused"]
    order = ordered(buyer, provider, GOOD[:1])
    go_on(order)
    assert fresh(order).state == "done"
    line = OrderLine.unscoped.get()
    assert line.reason == "The carrier does not deliver this. Your operator can see why."
    assert line.detail == "These numbers need a document."


def test_a_carrier_that_cannot_be_reached_is_tried_for_some_time(settings, carrier, provider, buyer):
    settings.CARRIERS = simulated_server.address_of(1, "Simulated")
    order = ordered(buyer, provider, GOOD[:1])
    for _turn in range(retries.MOST_ATTEMPTS):
        assert fresh(order).state == "running"
        time_passes(order, minutes=10)
        go_on(order)
    assert fresh(order).state == "done"
    assert OrderLine.unscoped.get().reason == "The carrier cannot be reached."


def ordered_by_hand(key, lines):
    """What the carrier says of an order under this key, whoever is told of it."""
    setting = carriers.configured()["Simulated"]
    return setting.carrier.order(str(key), [carriers.Line(line.e164) for line in lines], setting.route(""))


@pytest.mark.parametrize("called", [True, False], ids=["after the call", "before the call"])
def test_whoever_is_killed_while_sending_leaves_what_can_be_healed(carrier, provider, buyer, called):
    order = ordered(buyer, provider, GOOD)
    one = CarrierOrder.unscoped.select_related("var").get()
    with scope(one.var):
        sending, lines, _began = delivery.take_up(one.var, one.pk)
    if called:
        ordered_by_hand(sending.key, lines)
    go_on(order)  # somebody may be at it
    assert of(order).state == "sending"
    healed(order)
    assert fresh(order).state == "done"
    assert fresh(order).active == (3 if called else 0)
    assert len(carrier.orders) == called


def test_who_was_held_up_does_not_call_any_more(carrier, provider, buyer, monkeypatch):
    monkeypatch.setattr(delivery, "HELD_UP_SECONDS", -1.0)
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert not carrier.orders
    assert of(order).state == "ready"


def test_a_late_answer_is_believed(carrier, provider, buyer):
    order = ordered(buyer, provider, GOOD)
    one = CarrierOrder.unscoped.select_related("var").get()
    with scope(one.var):
        slow, lines, _began = delivery.take_up(one.var, one.pk)
    report = ordered_by_hand(slow.key, lines)
    CarrierOrder.unscoped.update(state="unknown", next_at=timezone.now() + timedelta(minutes=5))
    with scope(one.var):
        delivery.settle(one.var, one.pk, slow, report)
    assert states(order) == dict.fromkeys(GOOD, "unrouted")
    routing.go_on(one.var, provider.pk)
    assert fresh(order).active == 3


def test_a_number_that_the_system_has_is_not_lost_and_not_taken_from_anybody(carrier, provider, buyer, bravo):
    theirs = make_number(bravo, e164=GOOD[0])
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert (fresh(order).active, fresh(order).failed) == (2, 1)
    assert "already in the system" in OrderLine.unscoped.get(e164=GOOD[0]).reason
    assert PhoneNumber.unscoped.get(e164=GOOD[0]) == theirs


def test_two_who_order_the_same_number_of_a_carrier_do_not_both_pay(carrier, provider, buyer, actor_in, jane):
    first = ordered(buyer, provider, GOOD)
    second = ordered(actor_in(jane), provider, GOOD[:1])
    assert (second.state, second.failed) == ("done", 1)
    assert "Somebody else is ordering it" in OrderLine.unscoped.get(order=second).reason
    assert not CarrierOrder.unscoped.filter(order=second).exists()
    go_on(first)
    assert fresh(first).active == 3


def test_what_arrives_for_a_closed_account_is_in_the_stock(carrier, provider, buyer, acme):
    order = ordered(buyer, provider, GOOD[:1])
    Account.unscoped.filter(pk=acme.pk).update(status="closed")
    go_on(order)
    number = PhoneNumber.unscoped.get(e164=GOOD[0])
    assert (number.var, number.customer) == (acme.parent, None)
    assert "The number is in the stock" in OrderLine.unscoped.get().reason


def test_two_orders_of_the_same_number_may_wait_and_one_is_delivered(carrier, provider, buyer, actor_in, alpha, jane):
    Account.unscoped.filter(parent=alpha).update(orders_need_approval=True)
    waiting = [ordered(actor, provider, GOOD[:1]) for actor in (buyer, actor_in(jane))]
    assert [order.state for order in waiting] == ["waiting", "waiting"]
    with scope(alpha):
        first, second = (orders.approve(actor_in(alpha), order.pk) for order in waiting)
    assert (first.state, second.state) == ("running", "done")
    go_on(first)
    assert (fresh(first).active, fresh(second).failed) == (1, 1)


def test_healing_waits_until_somebody_has_set_the_portal_up(db):
    assert not Account.unscoped.exists()
    heal_orders(0)


def test_healing_finds_every_order_that_was_left(carrier, provider, buyer, system):
    order = ordered(buyer, provider, GOOD)
    empty_queue()
    heal_orders(0)
    heal_routing(0)
    route(account=order.var.code, provider=provider.pk)
    assert fresh(order).active == 3


def test_an_order_that_waits_for_approval_reaches_no_carrier_before(carrier, provider, buyer, actor_in, alpha, acme):
    Account.unscoped.filter(pk=acme.pk).update(orders_need_approval=True)
    order = ordered(buyer, provider, GOOD)
    assert (order.state, CarrierOrder.unscoped.count()) == ("waiting", 0)
    with scope(alpha):
        orders.approve(actor_in(alpha), order.pk)
    go_on(order)
    assert fresh(order).active == 3


# Messages


def message(carrier, order, live_server, provider, **options):
    carrier.listener = f"{live_server.url}/carriers/{provider.pk}/"
    return carrier.send(next(iter(carrier.orders.values())), **options)


@pytest.fixture
def placed(carrier, provider, buyer):
    carrier.seconds = 3600
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    empty_queue()
    return order


def test_a_signed_message_has_the_carrier_asked_and_says_nothing_by_itself(carrier, provider, placed, live_server):
    CarrierOrder.unscoped.update(next_at=timezone.now() + timedelta(hours=1))
    for _turn in range(3):
        assert message(carrier, placed, live_server, provider) == 204
    assert of(placed).next_at <= timezone.now()
    assert fresh(placed).active == 0
    carrier.seconds = 0
    go_on(placed)
    assert fresh(placed).state == "done"
    assert message(carrier, placed, live_server, provider) == 204  # about what has ended
    assert fresh(placed).active == 3


def test_an_unsigned_an_old_and_a_strange_message_are_refused(carrier, provider, placed, live_server, client):
    before = of(placed).next_at
    assert message(carrier, placed, live_server, provider, stamp=int(timezone.now().timestamp()) - 600) == 401
    path = f"/carriers/{provider.pk}/"
    body = json.dumps({"data": {"payload": {"customer_reference": str(of(placed).key)}}}).encode()
    for headers in ({}, {"telnyx-timestamp": "x"}, {"telnyx-signature-ed25519": "AAAA", "telnyx-timestamp": "1"}):
        assert client.post(path, body, "application/json", headers=headers).status_code == 401
    assert client.post(f"/carriers/{provider.pk + 1}/", body, "application/json").status_code == 401
    assert of(placed).next_at == before


# The setting


@pytest.mark.parametrize(
    "text", ["x", "telnyx+ftp://a/?name=b", "telnyx+https://a/v2?key=SECRET", "voice+https://a?name=b"]
)
def test_a_setting_that_is_not_understood_is_refused_without_its_secrets(text):
    with pytest.raises(ImproperlyConfigured) as refusal:
        carriers.read(text)
    assert "Carrier 1 of CARRIERS" in str(refusal.value)
    assert "SECRET" not in str(refusal.value)


def test_providers_are_added_listed_and_asked(carrier, settings):
    out = StringIO()
    call_command("providers", "Harbour Voice", fax=True, stdout=out)
    assert out.getvalue().splitlines() == ["Harbour Voice  fax", "Simulated  sms  orders go to it, and it answers"]
    settings.CARRIERS = simulated_server.address_of(1, "Simulated")
    with pytest.raises(CommandError, match="No good answer from Simulated"):
        call_command("providers", stdout=StringIO())
    with pytest.raises(CommandError, match="no name"):
        call_command("providers", "a\nb", stdout=StringIO())
