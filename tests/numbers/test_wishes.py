"""Numbers that nobody offers: asked for once, typed in by the VAR, and the customer's at once."""

import csv
import io
from uuid import uuid4

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, AuditEvent, Notice
from numbers.actions import orders, wishes
from numbers.models import Order, OrderLine, PhoneNumber
from tests.accounts.post import deliver
from tests.factories import join, make_number, make_provider

pytestmark = pytest.mark.django_db
SEARCH = "country=US&area=201&count=3&in_a_row=on"
WISH = "3 numbers, consecutive, of United States of America, beginning with +1 201"
DELIVERED = ["+12015550101", "+12015550102", "+12015550103"]


@pytest.fixture
def seller(actor_in, alpha):
    return actor_in(alpha)


@pytest.fixture
def by_hand():
    return make_provider("Harbour")


@pytest.fixture
def asked(buyer, administrator_of, alpha):
    administrator_of(alpha)
    return wishes.ask(buyer, uuid4(), WISH, 3, "Before Monday")


def fresh(order):
    return Order.unscoped.get(pk=order.pk)


def lines(order):
    return sorted(OrderLine.unscoped.filter(order=order).values_list("e164", "state", "reason"))


def said_by(call, *arguments):
    with pytest.raises(ValidationError) as refusal:
        call(*arguments)
    return refusal.value.messages


# Asking


def test_a_search_leads_to_a_wish_in_its_words(of_acme, acme, alpha, administrator_of):
    boss = administrator_of(alpha)
    join(boss)
    found = of_acme.get(f"/{acme.code}/numbers/order/?{SEARCH}")
    ask_url = found.context["ask_url"]
    assert f"Ask {alpha.name} for these numbers" in found.text
    page = of_acme.get(ask_url)
    assert WISH in page.text
    sent = {"key": page.context["form"]["key"].value(), "note": "Before Monday"}
    answers = [of_acme.post(ask_url, sent) for _turn in range(2)]
    (order,) = Order.unscoped.all()
    assert {answer.url for answer in answers} == {f"/{acme.code}/orders/{order.pk}/"}
    assert (order.state, order.wish, order.note, order.total) == ("asked", WISH, "Before Monday", 3)
    deliver()
    (message,) = mail.outbox
    assert message.to == [boss.email]
    assert WISH in message.body
    assert "Their note: “Before Monday”" in message.body
    assert AuditEvent.unscoped.get(verb="order.asked").concerns == alpha
    page = of_acme.get(answers[0].url).text
    assert "To be delivered" in page
    assert "Nothing is delivered yet" in page


@pytest.mark.parametrize("query", ["", "country=US&area=letters", "count=0"])
def test_nothing_is_asked_for_without_a_search_that_is_understood(of_acme, acme, query):
    answer = of_acme.post(f"/{acme.code}/numbers/order/ask/?{query}", {"key": uuid4()})
    assert answer.url.startswith(f"/{acme.code}/numbers/order/?")
    assert not Order.unscoped.exists()


def test_what_is_asked_for_counts_towards_the_quota(of_acme, buyer, acme, asked):
    Account.unscoped.filter(pk=acme.pk).update(number_quota=5)
    answer = of_acme.post(f"/{acme.code}/numbers/order/ask/?{SEARCH}", {"key": uuid4(), "note": "More"})
    assert answer.status_code == 422
    assert "it has 0, and 3 are ordered. 2 more can be ordered." in answer.text
    assert 'value="More"' in answer.text
    wishes.ask(buyer, uuid4(), "2 numbers", 2)


def test_a_form_of_one_account_is_none_of_anothers(buyer, actor_in, jane):
    key = uuid4()
    orders_made = [wishes.ask(actor, key, "1 number", 1) for actor in (buyer, actor_in(jane), buyer)]
    assert [order.customer for order in orders_made] == [buyer.account, jane, buyer.account]
    assert Order.unscoped.count() == 2


def test_others_ask_for_nothing(actor_in, alpha, seller, acme):
    with pytest.raises(PermissionDenied):
        wishes.ask(seller, uuid4(), WISH, 3)
    Account.unscoped.filter(pk=acme.pk).update(status="suspended")
    assert "is not in service" in said_by(wishes.ask, actor_in(acme), uuid4(), WISH, 3)[0]


# Delivering


def test_what_the_var_types_in_is_the_customers(of_alpha, alpha, acme, asked, by_hand, seller):
    join(asked.person)
    page = of_alpha.get(f"/{alpha.code}/orders/{asked.pk}/")
    assert "Deliver" in page.text
    url = page.context["deliver_url"]
    assert "Before Monday" in of_alpha.get(url).text
    answer = of_alpha.post(
        url, {"numbers": "(201) 555-0101\n201 555 0102 - 0103", "provider": by_hand.pk, "region": "US"}
    )
    assert answer.url == f"/{alpha.code}/orders/{asked.pk}/"
    assert lines(asked) == [(e164, "active", "") for e164 in DELIVERED]
    assert (fresh(asked).state, fresh(asked).active) == ("done", 3)
    for number in PhoneNumber.unscoped.filter(e164__in=DELIVERED):
        assert (number.customer, number.var, number.provider) == (acme, alpha, by_hand)
        verbs = AuditEvent.unscoped.filter(target_id=number.pk, target_type="number").order_by("pk")
        assert [event.verb for event in verbs] == ["number.added", "number.assigned"]
    event = AuditEvent.unscoped.get(verb="order.delivered")
    assert (event.account, event.concerns, event.after) == (alpha, acme, {"numbers": DELIVERED})
    told = [(notice.kind, notice.person) for notice in Notice.unscoped.order_by("pk")]
    assert told == [("order_ended", asked.person)]


def test_it_may_be_delivered_in_parts_from_the_stock_too(seller, alpha, acme, asked, by_hand):
    ours = make_number(alpha, e164=DELIVERED[0])
    wishes.fulfil(seller, asked.pk, DELIVERED[:1], by_hand.pk)
    assert PhoneNumber.unscoped.get(pk=ours.pk).customer == acme
    assert PhoneNumber.unscoped.get(pk=ours.pk).provider == ours.provider
    assert (fresh(asked).state, fresh(asked).active) == ("asked", 1)
    wishes.fulfil(seller, asked.pk, DELIVERED[1:], by_hand.pk)
    assert (fresh(asked).state, fresh(asked).active) == ("done", 3)
    assert said_by(wishes.fulfil, seller, asked.pk, ["+12015550109"], by_hand.pk) == [
        "This order is over: nothing more can be delivered."
    ]


def test_what_cannot_be_given_is_named_and_nothing_is_done(of_alpha, seller, alpha, bravo, jane, asked, by_hand):
    make_number(bravo, e164=DELIVERED[0])
    make_number(customer=jane, e164=DELIVERED[1])
    typed = {"numbers": "\n".join(DELIVERED), "provider": by_hand.pk}
    answer = of_alpha.post(f"/{alpha.code}/orders/{asked.pk}/deliver/", typed)
    assert answer.status_code == 422
    assert "+1 201-555-0101: It is already on the system." in answer.text
    assert "+1 201-555-0102: It is with Jane Doe." in answer.text
    assert DELIVERED[2] in answer.text  # still typed
    assert not PhoneNumber.unscoped.filter(e164=DELIVERED[2]).exists()
    assert (lines(asked), fresh(asked).state) == ([], "asked")


def test_more_than_is_asked_for_is_not_given(seller, asked, by_hand):
    four = [*DELIVERED, "+12015550104"]
    assert said_by(wishes.fulfil, seller, asked.pk, four, by_hand.pk) == [
        "3 requested numbers are still open. These are 4."
    ]
    wishes.fulfil(seller, asked.pk, DELIVERED[:2], by_hand.pk)
    assert said_by(wishes.fulfil, seller, asked.pk, four[2:], by_hand.pk) == [
        "1 requested number is still open. These are 2."
    ]


def test_delivered_twice_it_is_delivered_once(of_alpha, alpha, asked, by_hand):
    typed = {"numbers": DELIVERED[0], "provider": by_hand.pk}
    answers = [of_alpha.post(f"/{alpha.code}/orders/{asked.pk}/deliver/", typed) for _turn in range(2)]
    assert [answer.status_code for answer in answers] == [302, 422]
    assert "It is already assigned to Acme Corp." in answers[1].text
    assert (fresh(asked).active, len(lines(asked))) == (1, 1)


def test_nobody_else_delivers(actor_in, buyer, bravo, asked, by_hand):
    with pytest.raises(PermissionDenied):
        wishes.fulfil(buyer, asked.pk, DELIVERED, by_hand.pk)
    with pytest.raises(Order.DoesNotExist):
        wishes.fulfil(actor_in(bravo), asked.pk, DELIVERED, by_hand.pk)


# The end without


def test_the_var_refuses_a_wish_and_the_rest_of_one(seller, buyer, asked, by_hand):
    orders.refuse(seller, asked.pk, "There are none.")
    assert (fresh(asked).state, fresh(asked).failed, fresh(asked).reason) == ("refused", 3, "There are none.")
    another = wishes.ask(buyer, uuid4(), WISH, 3)
    wishes.fulfil(seller, another.pk, DELIVERED[:1], by_hand.pk)
    orders.refuse(seller, another.pk, "There are no more.")
    assert (fresh(another).state, fresh(another).active, fresh(another).failed) == ("done", 1, 2)
    assert lines(another) == [(DELIVERED[0], "active", "")]


def test_an_order_of_which_a_part_was_delivered_says_so_and_is_found(of_acme, acme, seller, buyer, asked, by_hand):
    wishes.fulfil(seller, asked.pk, DELIVERED[:1], by_hand.pk)
    orders.cancel(buyer, asked.pk)
    complete = wishes.ask(buyer, uuid4(), WISH, 1)
    wishes.fulfil(seller, complete.pk, DELIVERED[1:2], by_hand.pk)
    Order.unscoped.create(
        var=acme.parent, customer=acme, person=buyer.person, chain=[], state="done", total=2, failed=2,
        held_until=asked.held_until, confirmed_at=asked.confirmed_at, ended_at=asked.confirmed_at,
    )  # fmt: skip
    assert "<strong>Partly delivered</strong>" in of_acme.get(f"/{acme.code}/orders/{asked.pk}/").text
    rows = of_acme.get(f"/{acme.code}/orders/export.csv?sort=state").getvalue().decode()
    assert [row["State"] for row in csv.DictReader(io.StringIO(rows))] == ["Done", "Partly delivered", "Failed"]
    rows = of_acme.get(f"/{acme.code}/orders/export.csv?sort=state&filter=failed").getvalue().decode()
    assert [row["State"] for row in csv.DictReader(io.StringIO(rows))] == ["Partly delivered", "Failed"]


def test_the_customer_takes_it_back(of_acme, acme, seller, asked, by_hand):
    assert "Cancel the order" in of_acme.get(f"/{acme.code}/orders/{asked.pk}/").text
    of_acme.post(f"/{acme.code}/orders/{asked.pk}/cancel/")
    assert (fresh(asked).state, mail.outbox) == ("cancelled", [])
    assert said_by(wishes.fulfil, seller, asked.pk, DELIVERED, by_hand.pk) == [
        "This order is over: nothing more can be delivered."
    ]


def test_no_approval_delivers_a_wish(seller, asked):
    orders.approve(seller, asked.pk)
    assert fresh(asked).state == "asked"
