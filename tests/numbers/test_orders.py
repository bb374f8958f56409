"""Ordering numbers: searched, held, confirmed once, approved, delivered, told of."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent
from numbers.actions import orders
from numbers.models import Order, OrderLine, PhoneNumber
from tests.accounts.post import deliver
from tests.factories import join, make_number, make_person

pytestmark = pytest.mark.django_db


def fresh(row):
    return type(row).unscoped.get(pk=row.pk)


def chosen(buyer, numbers):
    """A basket with these numbers, and the ids of its lines."""
    orders.choose(buyer, [number.pk for number in numbers])
    basket = orders.basket_of(buyer)
    return basket, [line.pk for line in OrderLine.in_order(basket)]


def ordered(buyer, numbers, **options):
    basket, lines = chosen(buyer, numbers)
    return orders.confirm(buyer, basket.pk, lines, **options)


def said_by(call, *arguments, **options):
    with pytest.raises(ValidationError) as refusal:
        call(*arguments, **options)
    return " ".join(refusal.value.messages)


def limit(acme, **fields):
    Account.unscoped.filter(pk=acme.pk).update(**fields)


# The basket


def test_what_is_chosen_is_kept_for_its_customer_alone_for_a_quarter_of_an_hour(buyer, actor_in, acme, jane, stock):
    basket, _lines = chosen(buyer, stock[:2])
    number = fresh(stock[0])
    assert number.reserved_for == acme
    assert timedelta(minutes=14) < number.reserved_until - timezone.now() <= timedelta(minutes=15)
    assert basket.total == 2
    (outcome,) = orders.choose(actor_in(jane), [stock[0].pk])
    assert outcome.refusal == "It is not available any more. Choose another."
    assert orders.basket_of(actor_in(jane)) is None
    PhoneNumber.unscoped.filter(pk=number.pk).update(reserved_until=timezone.now() - timedelta(seconds=1))
    (outcome,) = orders.choose(actor_in(jane), [stock[0].pk])
    assert not outcome.refusal


def test_what_the_var_keeps_for_longer_stays_so(buyer, alpha, acme):
    until = timezone.now() + timedelta(days=3)
    number = make_number(alpha, reserved_for=acme, reserved_until=until)
    _basket, lines = chosen(buyer, [number])
    assert fresh(number).reserved_until == until
    orders.put_back(buyer, lines)
    assert fresh(number).reserved_until == until
    assert orders.basket_of(buyer) is None


def test_what_is_put_back_is_free_at_once(buyer, actor_in, jane, stock):
    basket, lines = chosen(buyer, stock[:3])
    orders.put_back(buyer, lines[:1])
    assert fresh(stock[0]).reserved_for is None
    assert fresh(stock[1]).reserved_for is not None
    assert fresh(basket).total == 2
    (outcome,) = orders.choose(actor_in(jane), [stock[0].pk])
    assert not outcome.refusal


@pytest.mark.parametrize("whose", ["bravo's", "jane's", "kept for jane", "cooling after jane", "nobody's any more"])
def test_of_what_cannot_be_had_nothing_is_said_whoever_has_it(buyer, alpha, bravo, jane, whose):
    soon = timezone.now() + timedelta(days=1)
    number = {
        "bravo's": lambda: make_number(bravo),
        "jane's": lambda: make_number(customer=jane),
        "kept for jane": lambda: make_number(alpha, reserved_for=jane, reserved_until=soon),
        "cooling after jane": lambda: make_number(alpha, last_holder=jane, cooling_until=soon),
        "nobody's any more": lambda: PhoneNumber(pk=999_999_999),
    }[whose]()
    (outcome,) = orders.choose(buyer, [number.pk])
    assert (outcome.number, outcome.refusal) == (None, "It is not available any more. Choose another.")
    assert orders.basket_of(buyer) is None
    assert not PhoneNumber.unscoped.filter(reserved_for=buyer.account).exists()


def test_ones_own_number_is_said_to_be_there_already(buyer, acme):
    (outcome,) = orders.choose(buyer, [make_number(customer=acme).pk])
    assert outcome.refusal == "You have it already."


def test_for_whom_a_number_cooled_before_is_forgotten_when_somebody_else_holds_it(buyer, alpha, jane):
    past = timezone.now() - timedelta(days=1)
    number = make_number(alpha, last_holder=jane, cooling_until=past)
    _basket, lines = chosen(buyer, [number])
    assert (fresh(number).last_holder, fresh(number).cooling_until) == (None, None)
    # Held by an earlier version, it still tells of that.
    PhoneNumber.unscoped.filter(pk=number.pk).update(last_holder=jane, cooling_until=past)
    orders.put_back(buyer, lines)
    assert (fresh(number).last_holder, fresh(number).reserved_for) == (None, None)


def test_a_number_that_cools_after_its_own_customer_goes_on_cooling_in_the_basket_and_out_of_it(buyer, alpha, acme):
    until = timezone.now() + timedelta(days=80)
    number = make_number(alpha, last_holder=acme, cooling_until=until)
    _basket, lines = chosen(buyer, [number])
    orders.put_back(buyer, lines)
    assert (fresh(number).last_holder, fresh(number).cooling_until) == (acme, until)


def test_a_basket_has_an_end(buyer, alpha, monkeypatch):
    monkeypatch.setattr(orders, "MOST_NUMBERS", 2)
    numbers = [make_number(alpha) for _turn in range(3)]
    chosen(buyer, numbers[:2])
    assert "2 numbers fit" in said_by(orders.choose, buyer, [numbers[2].pk])
    assert "Tick at least one" in said_by(orders.choose, buyer, [])


def test_two_people_of_an_account_have_a_basket_each(buyer, acme, stock):
    other = type(buyer).at_home(make_person(acme, role="administrator"))
    basket, lines = chosen(buyer, stock[:1])
    assert orders.basket_of(other) is None
    with pytest.raises(Order.DoesNotExist):
        orders.confirm(other, basket.pk, lines)


def test_what_somebody_has_chosen_in_one_account_is_not_theirs_in_another(actor_in, alpha, acme, jane, stock):
    boss, inside = actor_in(alpha).person, []
    for account in (acme, jane):
        way = {"person": boss, "account": account, "chain": [alpha.pk, account.pk]}
        access = Access.unscoped.create(sign_in="", manages=True, **way)
        inside.append(Actor(person=boss, account=account, chain=(alpha, account), access=access))
    in_acme, in_jane = inside
    basket, lines = chosen(in_acme, stock[:1])
    assert orders.basket_of(in_jane) is None
    with pytest.raises(Order.DoesNotExist):
        orders.confirm(in_jane, basket.pk, lines)
    assert orders.confirm(in_acme, basket.pk, lines).active == 1


# Ordering


def test_an_order_delivers_and_is_one_order_however_often_it_is_confirmed(buyer, acme, stock):
    basket, lines = chosen(buyer, stock[:3])
    order = orders.confirm(buyer, basket.pk, lines)
    again = orders.confirm(buyer, basket.pk, lines)
    assert order.pk == again.pk == basket.pk
    assert (order.state, order.total, order.active, order.failed) == ("done", 3, 3, 0)
    for number in stock[:3]:
        now = fresh(number)
        assert (now.customer, now.reserved_for, now.cooling_until) == (acme, None, None)
    assert PhoneNumber.unscoped.filter(customer=acme).count() == 3
    assert AuditEvent.unscoped.filter(verb="number.ordered", account=acme, concerns=acme.parent).count() == 3
    assert AuditEvent.unscoped.filter(verb="order.confirmed").count() == 1


def test_what_is_gone_by_now_fails_and_the_others_are_delivered(buyer, acme, jane, stock):
    basket, lines = chosen(buyer, stock[:2])
    past = timezone.now() - timedelta(hours=1)
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(
        customer=jane, assigned_at=past, reserved_for=None, reserved_until=None
    )
    order = orders.confirm(buyer, basket.pk, lines)
    assert (order.active, order.failed) == (1, 1)
    failed = OrderLine.unscoped.get(order=order, state="failed")
    assert (failed.e164, failed.reason) == (stock[0].e164, "It is not available any more. Choose another.")
    assert fresh(stock[0]).customer == jane


def test_the_basket_is_ordered_as_somebody_saw_it(buyer, stock):
    basket, lines = chosen(buyer, stock[:2])
    chosen(buyer, stock[2:3])
    assert "The basket has changed" in said_by(orders.confirm, buyer, basket.pk, lines)
    assert fresh(basket).is_basket


def test_a_hold_that_is_over_is_ordered_all_the_same_while_nobody_else_has_it(buyer, stock):
    basket, lines = chosen(buyer, stock[:1])
    past = timezone.now() - timedelta(hours=1)
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(reserved_until=past)
    assert orders.confirm(buyer, basket.pk, lines).active == 1


def test_no_order_goes_beyond_the_quota(buyer, acme, stock):
    make_number(customer=acme)
    limit(acme, number_quota=3)
    basket, lines = chosen(buyer, stock[:3])
    said = said_by(orders.confirm, buyer, basket.pk, lines)
    assert "may have 3 numbers; it has 1, and 0 are ordered. 2 more can be ordered." in said
    orders.put_back(buyer, lines[:1])
    assert orders.confirm(buyer, basket.pk, lines[1:]).active == 2


def test_an_account_out_of_service_gets_nothing(buyer, acme, stock):
    basket, lines = chosen(buyer, stock[:1])
    limit(acme, status="suspended")
    assert "not in service" in said_by(orders.confirm, buyer, basket.pk, lines)
    assert "not in service" in said_by(orders.choose, buyer, [stock[1].pk])


def test_for_whom_a_number_was_kept_before_is_not_told_to_who_orders_it(buyer, alpha, acme, jane):
    past = timezone.now() - timedelta(days=1)
    number = make_number(alpha, reserved_for=jane, reserved_until=past)
    ordered(buyer, [number])
    told = AuditEvent.unscoped.filter(target_type="number", target_id=number.pk).exclude(verb="number.added")
    assert told.count() == 2
    assert "Jane" not in str([(event.before, event.after) for event in told])


@pytest.mark.parametrize("informs", [True, False])
def test_who_ordered_is_told_how_it_ended_and_the_customer_if_they_are_to_be_informed(buyer, acme, stock, informs):
    limit(acme, email="office@acme.example")
    join(buyer.person)
    ordered(buyer, stock[:1], informs=informs)
    deliver()
    to = [address for message in mail.outbox for address in message.to]
    assert sorted(to) == sorted([buyer.person.email, *(["office@acme.example"] if informs else [])])
    assert all("+1 514-555-0100  Delivered" in message.body for message in mail.outbox)


# Approval


@pytest.fixture
def waiting(buyer, acme, stock):
    limit(acme, orders_need_approval=True)
    return ordered(buyer, stock[:2])


def test_an_order_waits_for_approval_and_its_numbers_are_kept(waiting, actor_in, administrator_of, alpha, acme, stock):
    assert (waiting.state, waiting.active) == ("waiting", 0)
    held = fresh(stock[0])
    assert (held.customer, held.reserved_for) == (None, acme)
    assert held.reserved_until - timezone.now() > timedelta(days=6)
    order = orders.approve(actor_in(alpha), waiting.pk)
    assert (order.state, order.active) == ("done", 2)
    assert fresh(stock[0]).customer == acme
    assert orders.approve(actor_in(alpha), waiting.pk).active == 2  # twice is once
    assert AuditEvent.unscoped.filter(verb="order.approved", account=alpha, concerns=acme).count() == 1


def told_of(number):
    """What history says of a number: who did what, in order."""
    events = AuditEvent.unscoped.filter(target_type="number", target_id=number.pk).order_by("pk")
    return list(events.values_list("person__account__code", "verb"))


def test_who_ordered_and_who_approved_are_told_apart(waiting, signed_in, actor_in, buyer, alpha, acme, stock):
    orders.approve(actor_in(alpha), waiting.pk)
    assert told_of(stock[0]) == [
        (acme.code, "number.held"), (acme.code, "number.order_requested"), (alpha.code, "number.order_approved"),
    ]  # fmt: skip
    page = signed_in(acme).get(f"/{acme.code}/numbers/{stock[0].digits}/").text
    assert "ordered the number; it waits for approval" in page
    assert "approved the order of the number" in page
    assert f"ordered by: {buyer.person.name}" in page


def test_a_number_is_put_into_the_basket_once(buyer, acme, stock):
    chosen(buyer, stock[:1])
    basket, lines = chosen(buyer, stock[:1])
    orders.confirm(buyer, basket.pk, lines)
    assert [verb for _account, verb in told_of(stock[0])] == [
        "number.held", "number.kept_in_basket", "number.ordered",
    ]  # fmt: skip


def test_the_vars_label_does_not_go_to_who_orders_the_number(buyer, signed_in, acme, stock):
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(label="Price doubtful")
    ordered(buyer, stock[:1])
    assert (fresh(stock[0]).customer, fresh(stock[0]).label) == (acme, "")
    client = signed_in(acme)
    for path in (f"numbers/{stock[0].digits}/", "history/"):
        assert "Price doubtful" not in client.get(f"/{acme.code}/{path}").text
    # Nor is it lost: the VAR reads what it was.
    told = "label: Price doubtful → –"
    assert told in signed_in(acme.parent).get(f"/{acme.parent.code}/numbers/{stock[0].digits}/").text


def test_the_vars_label_is_in_its_history_where_it_approves_the_order(buyer, actor_in, alpha, acme, stock, signed_in):
    limit(acme, orders_need_approval=True)
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(label="Price doubtful")
    basket = ordered(buyer, stock[:1])
    orders.approve(actor_in(alpha), basket.pk)
    assert fresh(stock[0]).label == ""
    assert "label: Price doubtful → –" in signed_in(alpha).get(f"/{alpha.code}/numbers/{stock[0].digits}/").text


def test_the_vars_administrators_are_asked(administrator_of, alpha, buyer, acme, stock):
    asked = administrator_of(alpha)
    join(asked)
    limit(acme, orders_need_approval=True)
    ordered(buyer, stock[:2])
    deliver()
    (message,) = mail.outbox
    assert message.to == [asked.email]
    assert "+1 514-555-0101" in message.body


def test_a_refused_order_says_why_and_lets_the_numbers_go(waiting, actor_in, alpha, stock):
    assert "Enter a reason" in said_by(orders.refuse, actor_in(alpha), waiting.pk, " ")
    order = orders.refuse(actor_in(alpha), waiting.pk, "Not this month")
    assert (order.state, order.failed) == ("refused", 2)
    assert {line.reason for line in OrderLine.in_order(order)} == {"Not this month"}
    assert fresh(stock[0]).reserved_for is None


def test_an_order_that_waits_can_be_cancelled_and_one_that_is_done_cannot(waiting, buyer, actor_in, alpha, stock):
    order = orders.cancel(buyer, waiting.pk)
    assert (order.state, order.failed) == ("cancelled", 2)
    assert fresh(stock[0]).reserved_for is None
    assert "too late" in said_by(orders.cancel, buyer, waiting.pk)
    for decide in (orders.approve, lambda actor, pk: orders.refuse(actor, pk, "No")):
        assert "already been decided. Its state is: Cancelled." in said_by(decide, actor_in(alpha), waiting.pk)


def test_who_decides_in_an_old_window_is_told_what_was_decided(waiting, signed_in, actor_in, alpha, stock):
    client, page = signed_in(alpha), f"/{alpha.code}/orders/{waiting.pk}/"
    orders.approve(actor_in(alpha), waiting.pk)
    for answer in (
        client.get(f"{page}refuse/", follow=True),
        client.post(f"{page}refuse/", {"reason": "Not this month"}, follow=True),
    ):
        assert "already been decided. Its state is: Done." in answer.text
        assert "The order is refused." not in answer.text
    assert said_by(orders.refuse, actor_in(alpha), waiting.pk, "Not this month")
    assert fresh(waiting).state == "done"


def test_only_the_var_approves(waiting, buyer, actor_in, bravo, system):
    with pytest.raises(Order.DoesNotExist):
        orders.approve(actor_in(bravo), waiting.pk)
    for actor in (buyer, actor_in(system)):
        with pytest.raises(PermissionDenied):
            orders.approve(actor, waiting.pk)
        with pytest.raises(PermissionDenied):
            orders.refuse(actor, waiting.pk, "No")
    assert fresh(waiting).state == "waiting"


@pytest.mark.parametrize("act", ["choose", "put_back", "confirm", "cancel"])
def test_the_system_orders_nothing(actor_in, system, stock, act):
    arguments = {"choose": ([stock[0].pk],), "put_back": ([1],), "confirm": (1, [1]), "cancel": (1,)}[act]
    with pytest.raises(PermissionDenied):
        getattr(orders, act)(actor_in(system), *arguments)


def test_what_waits_counts_against_the_quota(waiting, buyer, acme, stock):
    limit(acme, number_quota=3)
    basket, lines = chosen(buyer, stock[2:4])
    assert "it has 0, and 2 are ordered. 1 more" in said_by(orders.confirm, buyer, basket.pk, lines)


# Pages


def test_from_search_to_order(acme, stock, signed_in):
    client, path = signed_in(acme), f"/{acme.code}/numbers/order/"
    search = "area=%2B1+514&count=2"
    (offers,) = client.get(f"{path}?{search}").context["groups"]
    ticked = [offer["value"] for offer in offers["offers"] if offer["ticked"]]
    there = client.post(f"{path}basket/", {"number": ticked, "query": search})
    assert there["Location"] == f"{path}?area=%2B1+514&count=2"
    page = client.get(there["Location"])
    assert "Basket: 2 numbers" in page.text.replace("</svg> ", "")
    review = client.get(f"{path}review/")
    basket = review.context["basket"]
    form = {"order": basket["order"].pk, "line": [line["pk"] for line in basket["lines"]]}
    done = client.post(f"{path}review/", form)
    assert done["Location"] == f"/{acme.code}/orders/{basket['order'].pk}/"
    assert client.post(f"{path}review/", form)["Location"] == done["Location"]  # the back button, and Confirm again
    page = client.get(done["Location"])
    assert re.findall(r'href="/[^"]*/numbers/(\d+)/"[^>]*>([^<]+)</a>', page.text) == [
        ("15145550100", "+1 514-555-0100"), ("15145550101", "+1 514-555-0101"),
    ]  # fmt: skip
    listed = client.get(f"/{acme.code}/orders/")
    assert [row["total"] for row in listed.context["listing"]["rows"]] == ["2"]
    assert client.get(f"{path}review/").status_code == 302  # nothing is left in the basket


def test_nobody_opens_a_basket_or_an_order_of_others(acme, zenith, stock, buyer, signed_in):
    basket, lines = chosen(buyer, stock[:1])
    client = signed_in(zenith)
    assert client.get(f"/{zenith.code}/orders/{basket.pk}/").status_code == 404
    assert client.post(f"/{zenith.code}/numbers/order/review/", {"order": basket.pk, "line": lines}).status_code == 404
    order = orders.confirm(buyer, basket.pk, lines)
    assert client.get(f"/{zenith.code}/orders/{order.pk}/").status_code == 404
    assert client.post(f"/{zenith.code}/orders/{order.pk}/cancel/").status_code == 404


def test_a_var_sees_the_orders_of_its_customers_and_approves_on_the_page(waiting, alpha, acme, signed_in):
    client, path = signed_in(alpha), f"/{alpha.code}/orders/{waiting.pk}/"
    listed = client.get(f"/{alpha.code}/orders/?filter=waiting")
    assert [row["company"] for row in listed.context["listing"]["rows"]] == [acme.name]
    assert "Approve" in client.get(path).text
    assert client.post(f"{path}refuse/", {"reason": ""}).status_code == 422
    assert client.post(f"{path}approve/")["Location"] == path
    page = client.get(path)
    assert "Approve" not in page.text.replace("approve", "")
    assert page.context["work"].state == "done"
