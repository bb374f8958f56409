"""A VAR orders into its own stock, a professional's number rings at once, a company assigns what it ordered in one go,
and what carriers have not delivered can be given up."""

import pytest
from django.core.exceptions import ValidationError

from accounts.actor import Actor
from accounts.models import Account, AuditEvent
from accounts.scope import scope
from numbers.actions import orders, verbs
from numbers.carriers import Refused
from numbers.carriers.telnyx import Telnyx
from numbers.models import CarrierOrder, Destination, Order, OrderLine, PhoneNumber
from tests.factories import make_destination, make_number, make_person
from tests.numbers.carrier import GOOD, TAKEN, asked, fresh, go_on, healed, of, offer, ordered, states, time_passes
from webphone.actions import incoming
from webphone.telephony import sip_user

pytestmark = pytest.mark.django_db(transaction=True)


# Into the VAR's own stock


def test_a_var_orders_into_its_own_stock(carrier, provider, actor_in, alpha, acme):
    order = ordered(actor_in(alpha), provider, [*GOOD, TAKEN])
    assert (order.customer, order.var, order.buyer) == (None, alpha, alpha)
    go_on(order)
    assert states(order) == dict.fromkeys(GOOD, "active") | {TAKEN: "failed"}
    assert (fresh(order).state, fresh(order).active, fresh(order).failed) == ("done", 3, 1)
    numbers = PhoneNumber.unscoped.filter(e164__in=GOOD)
    assert {(number.var, number.customer) for number in numbers} == {(alpha, None)}
    event = AuditEvent.unscoped.filter(verb="number.ordered").first()
    assert (event.account, event.concerns) == (alpha, None)


def test_from_search_to_order_on_the_pages_of_a_var(carrier, provider, signed_in, alpha):
    client, path = signed_in(alpha), f"/{alpha.code}/numbers/order/"
    assert "go into your stock" in client.get(path).text
    page = client.get(path, {"country": "US", "area": "201", "count": 2})
    assert ("Ask " in page.text, "From Simulated" in page.text) == (False, True)
    offers = [offer["value"] for offer in page.context["carriers"][0]["offers"] if offer["ticked"]]
    client.post(f"{path}basket/", {"offer": offers})
    basket = client.get(f"{path}review/").context["basket"]
    sent = {"order": basket["order"].pk, "line": [line["pk"] for line in basket["lines"]]}
    there = client.post(f"{path}review/", sent)["Location"]
    go_on(Order.unscoped.get())
    assert "Own stock" in client.get(there).text
    assert "Own stock" in client.get(f"/{alpha.code}/orders/").text
    assert PhoneNumber.unscoped.filter(var=alpha, customer=None).count() == 2


def test_the_basket_of_a_var_and_those_in_its_customers_accounts_are_apart(
    carrier, provider, actor_in, administrator_of, alpha, acme
):
    own, person = actor_in(alpha), administrator_of(alpha)
    inside = Actor(person=person, account=acme, chain=(alpha, acme), access=None)
    for actor, e164 in ((own, GOOD[0]), (inside, GOOD[1])):
        with scope(actor.account):
            orders.choose(actor, [], [(provider.pk, offer(e164))])
    with scope(alpha):
        basket = orders.basket_of(own)
        assert [line.e164 for line in OrderLine.in_order(basket)] == [GOOD[0]]
        theirs = Order.unscoped.get(customer=acme)
        with pytest.raises(Order.DoesNotExist):
            orders.confirm(own, theirs.pk, [])
        with pytest.raises(Order.DoesNotExist):
            orders.cancel(own, theirs.pk)


def test_a_var_is_offered_what_its_carriers_have_and_takes_nothing_of_its_own_stock(
    carrier, provider, actor_in, alpha, stock
):
    (answer,) = asked(alpha, country="US", area="201")
    assert answer.offers
    with scope(alpha), pytest.raises(ValidationError, match="already yours"):
        orders.choose(actor_in(alpha), [stock[0].pk])


def test_nobody_else_sees_the_order_of_a_var(carrier, provider, actor_in, alpha, bravo, acme, signed_in):
    order = ordered(actor_in(alpha), provider, GOOD)
    for account in (bravo, acme):
        assert signed_in(account).get(f"/{account.code}/orders/{order.pk}/").status_code == 404
        with scope(account):
            assert not Order.unscoped.filter(pk=order.pk).exists()
            assert not OrderLine.unscoped.filter(order=order).exists()


# A professional's number


def test_what_a_professional_orders_rings_the_own_line(carrier, provider, actor_in, jane, alpha):
    order = ordered(actor_in(jane), provider, GOOD[:2], [make_number(alpha, e164="+15145550100")])
    go_on(order)
    assert fresh(order).active == 3
    numbers = PhoneNumber.unscoped.filter(customer=jane)
    (line,) = {number.destination for number in numbers}
    assert (line.kind, line.name, line.customer) == ("user", "Jane Doe", jane)
    assert Destination.unscoped.filter(customer=jane).count() == 1
    event = AuditEvent.unscoped.get(verb="number.connected")
    assert (event.target, event.account) == ("+15145550100", jane)


def test_what_a_var_assigns_to_a_professional_rings_the_line_that_is_there(actor_in, jane, acme, alpha):
    line = make_destination(jane, kind="user", name="Home", extension="1")
    number = make_number(alpha)
    with scope(alpha):
        verbs.perform(actor_in(alpha), verbs.AssignToCustomer(jane.pk), [number.pk])
        assert fresh_number(number).destination == line
        verbs.perform(actor_in(alpha), verbs.UnassignFromCustomer(), [number.pk])
        verbs.perform(actor_in(alpha), verbs.EndCooling(), [number.pk])
        verbs.perform(actor_in(alpha), verbs.AssignToCustomer(acme.pk), [number.pk])
    assert (fresh_number(number).customer, fresh_number(number).destination) == (acme, None)


def fresh_number(number):
    return PhoneNumber.unscoped.get(pk=number.pk)


def test_an_approved_order_of_a_professional_rings_too(carrier, provider, actor_in, jane, alpha):
    Account.unscoped.filter(pk=jane.pk).update(orders_need_approval=True)
    order = ordered(actor_in(Account.unscoped.get(pk=jane.pk)), provider, GOOD[:1], [make_number(alpha)])
    with scope(alpha):
        orders.approve(actor_in(alpha), order.pk)
    go_on(order)
    assert not PhoneNumber.unscoped.filter(customer=jane, destination=None).exists()


def test_a_professional_gives_the_number_to_another_destination(signed_in, jane):
    own = Destination.own_line(jane)
    fax = make_destination(jane, kind="service", service_type="fax", name="Fax to e-mail")
    number = make_number(customer=jane, destination=own)
    client, url = signed_in(jane), f"/{jane.code}/numbers/{number.digits}/"
    assert "Assign" in client.get(url).text
    client.post(f"{url}assign/", {"destination": fax.name})
    assert fresh_number(number).destination == fax


def test_a_call_to_a_professionals_number_rings_the_webphone_without_any_setting_up(jane, system):
    number = make_number(customer=jane, destination=Destination.own_line(jane))
    person = make_person(jane, role="administrator", password="correct horse battery")
    ref, names = incoming.route(number.e164, "+15145550177")
    assert (bool(ref), names) == (True, [sip_user(person)])


# Assign these


@pytest.fixture
def delivered(carrier, provider, buyer):
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    return fresh(order)


@pytest.fixture
def people(acme):
    return [make_destination(acme, kind="user", name=name, extension=extension)
            for name, extension in (("Ann", "101"), ("Bob", "102"), ("Cid", "103"))]  # fmt: skip


def assigned(client, order, **typed):
    return client.post(f"/{order.customer.code}/orders/{order.pk}/assign/", typed, follow=True)


def rings(order):
    numbers = PhoneNumber.unscoped.filter(customer=order.customer).order_by("digits")
    return [number.destination.name if number.destination else "" for number in numbers]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"everything": "Ann"}, ["Ann"] * 3),
        ({"names": "Ann\n102\nCid (103)"}, ["Ann", "Bob", "Cid"]),
        ({"names": "Ann\n\nCid"}, ["Ann", "", "Cid"]),
        ({"names": "+1 201-555-0016\tAnn\n12015550002;Bob"}, ["Bob", "", "Ann"]),
        ({"names": "Ann\nBob", "everything": "Cid"}, ["Ann", "Bob", "Cid"]),
    ],
    ids=["all to one", "in order", "some in order", "as a spreadsheet", "the rest to one"],
)
def test_what_an_order_delivered_is_assigned_in_one_go(delivered, people, of_acme, acme, typed, expected):
    url = f"/{acme.code}/orders/{delivered.pk}/"
    assert f"{url}assign/" in of_acme.get(url).text
    answer = assigned(of_acme, delivered, **typed)
    assert f"{len([name for name in expected if name])} numbers are assigned." in answer.text
    assert rings(delivered) == expected
    assert "0 numbers are assigned." in assigned(of_acme, delivered, **typed).text  # again: it is so already


def test_a_field_of_its_own_comes_before_the_list(delivered, people, of_acme):
    first = PhoneNumber.unscoped.order_by("digits").first()
    assigned(of_acme, delivered, **{f"number-{first.pk}": "Cid", "names": "Ann\nBob"})
    assert rings(delivered) == ["Cid", "Bob", ""]


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ({}, "Say what at least one"),
        ({"names": "Ann\nNobody\nBob"}, "Line 2: no user, group or service here is called “Nobody”."),
        ({"names": "Ann\nBob\nCid\nAnn"}, "Line 4: there are no more numbers."),
        ({"names": "+1 999 555 0100, Ann"}, "Line 1: this number is not in the order."),
        ({"everything": "Nobody"}, "There is no user, group or service with this name."),
    ],
)
def test_what_cannot_be_understood_assigns_nothing_and_stays_typed(delivered, people, of_acme, typed, refusal):
    answer = assigned(of_acme, delivered, **typed)
    assert (answer.status_code, refusal in answer.text) == (422, True)
    assert all(text in answer.text for text in typed.values())
    assert rings(delivered) == ["", "", ""]


def test_nobody_assigns_the_numbers_of_another_accounts_order(delivered, people, signed_in, jane, zenith, alpha):
    for account, status in ((jane, 404), (zenith, 404), (alpha, 403)):
        answer = signed_in(account).post(f"/{account.code}/orders/{delivered.pk}/assign/", {"everything": "Ann"})
        assert answer.status_code == status
    assert rings(delivered) == ["", "", ""]


# Given up


def test_what_the_carrier_has_not_heard_of_ends_when_it_is_given_up(carrier, provider, buyer, of_acme, acme):
    order = ordered(buyer, provider, GOOD)
    answer = of_acme.post(f"/{acme.code}/orders/{order.pk}/give-up/", follow=True)
    assert "are being cancelled" in answer.text
    go_on(order)
    assert (fresh(order).state, fresh(order).failed, carrier.orders) == ("done", 3, {})
    assert OrderLine.unscoped.first().reason == "The order was cancelled before it was delivered."
    assert AuditEvent.unscoped.get(verb="order.given_up").account == acme
    answer = of_acme.post(f"/{acme.code}/orders/{order.pk}/give-up/", follow=True)
    assert "There is nothing left to cancel" in answer.text


def test_a_pending_order_is_given_up_at_the_carrier(carrier, provider, buyer, actor_in, alpha):
    carrier.seconds = 3600
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    (one,) = carrier.orders.values()
    one["at"] -= 3600 + 1
    with scope(alpha):
        orders.give_up(actor_in(alpha), order.pk)
    go_on(order)
    assert one["cancelled"]
    assert sorted(states(order).values()) == ["active", "failed", "failed"]
    assert fresh(order).state == "done"


def test_what_a_carrier_does_not_give_up_goes_on_and_says_so(carrier, provider, buyer, actor_in, alpha, monkeypatch):
    carrier.seconds = 3600
    order = ordered(buyer, provider, GOOD)
    go_on(order)

    def refuse(self, reference):
        raise Refused("No.", detail="too late")

    monkeypatch.setattr(Telnyx, "cancel", refuse)
    with scope(alpha):
        orders.give_up(actor_in(alpha), order.pk)
    go_on(order)
    assert of(order).problem == "The carrier does not cancel it: No. (too late)"
    carrier.seconds = 0
    healed(order)
    assert fresh(order).active == 3


# Documents


def test_a_number_that_waits_for_documents_says_so_and_until_when(carrier, provider, buyer, signed_in, alpha, acme):
    carrier.documents = {"DE": "requirement-info-pending"}
    order = ordered(buyer, provider, ["+493012345601"])
    go_on(order)
    line = OrderLine.unscoped.get()
    assert (line.state, line.reason) == ("pending", "The carrier waits for documents.")
    assert "2027-01-31" in signed_in(alpha).get(f"/{alpha.code}/orders/{order.pk}/").text
    page = signed_in(acme).get(f"/{acme.code}/orders/{order.pk}/").text
    assert ("The carrier waits for documents." in page, "Cancel the rest" in page) == (True, True)
    for state, reason in (
        ("requirement-info-under-review", "The carrier is checking the documents."),
        ("requirement-info-exception", "The carrier does not accept the documents. New ones are needed."),
    ):
        carrier.documents["DE"] = state
        time_passes(order, minutes=10)
        go_on(order)
        assert OrderLine.unscoped.get().reason == reason
    with scope(acme):
        orders.give_up(buyer, order.pk)
    go_on(order)
    assert (fresh(order).state, fresh(order).failed) == ("done", 1)
    assert OrderLine.under_way(acme).count() == 0


def test_documents_in_the_setting_go_with_the_order(carrier, provider, buyer, settings):
    settings.CARRIERS += "&requirement_group.DE=group-1"
    carrier.documents = {"DE": "requirement-info-pending"}
    order = ordered(buyer, provider, ["+493012345601"])
    go_on(order)
    assert states(order) == {"+493012345601": "active"}
    (one,) = carrier.orders.values()
    assert one["documents"] == {"+493012345601": "group-1"}
    assert not CarrierOrder.unscoped.exclude(state="ended").exists()
