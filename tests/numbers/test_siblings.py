"""Customers of one VAR: what one of them has, keeps or has chosen, no other learns by ordering."""

from datetime import timedelta

import pytest
from django.core import signing
from django.utils import timezone

from accounts.models import AuditEvent
from numbers.actions import orders
from numbers.models import Order, PhoneNumber
from numbers.views import ordering
from numbers.views.ordering import OF_CARRIER, OF_STOCK
from tests.factories import make_account, make_number, offered

pytestmark = pytest.mark.django_db
GONE = "It is not available any more. Choose another."


@pytest.fixture
def sibling(alpha):
    return make_account("company", alpha, name="Sibling Inc")


@pytest.fixture
def theirs(alpha, jane, sibling, bravo):
    """Numbers that Acme is not offered, each for another reason."""
    soon = timezone.now() + timedelta(days=2)
    return [
        make_number(customer=jane),
        make_number(customer=sibling),
        make_number(alpha, reserved_for=sibling, reserved_until=soon),
        make_number(alpha, last_holder=sibling, cooling_until=soon),
        make_number(alpha, cooling_until=soon),
        make_number(bravo),
    ]


@pytest.fixture
def send(acme, signed_in):
    """Send something to Acme's basket; what the next page says of it."""
    client = signed_in(acme)

    def post(**fields):
        client.post(f"/{acme.code}/numbers/order/basket/", fields)
        page = client.get(f"/{acme.code}/numbers/order/")
        return [str(message) for message in page.context["messages"]]

    return post


def test_no_id_of_a_row_names_a_number(send, stock, theirs):
    """What a page never offered is not looked for, were it free."""
    everything = [*stock, *theirs, PhoneNumber(pk=999_999_999)]
    said = {tuple(send(number=[number.pk])) for number in everything}
    said |= {tuple(send(number=[number.e164])) for number in everything}
    said |= {tuple(send(number=[number.pk for number in everything]))}
    assert said == {("This offer has expired. Search again.",)}
    assert not Order.unscoped.exists()
    assert not AuditEvent.unscoped.exists()


def test_an_offer_is_this_customers_of_this_kind_and_young(send, acme, sibling, stock, monkeypatch):
    (mine,), (others,) = offered(acme, stock[0]), offered(sibling, stock[0])
    forged = signing.dumps([stock[0].pk, stock[0].e164], key="somebody's", salt=f"{OF_STOCK}.{acme.pk}")
    as_a_carriers = ordering.seal(acme, OF_CARRIER, stock[0].pk, stock[0].e164)
    for value in (others, forged, as_a_carriers, f"{mine}x", ""):
        assert send(number=[value]) == ["This offer has expired. Search again."]
    assert not Order.unscoped.exists()
    monkeypatch.setattr(ordering, "OFFERED_SECONDS", -1)
    assert send(number=[mine]) == ["This offer has expired. Search again."]
    monkeypatch.undo()
    assert send(number=[mine]) == []
    assert Order.unscoped.get().total == 1


@pytest.mark.parametrize("by", range(7))
def test_whoever_was_quicker_the_refusal_is_the_same(send, acme, alpha, theirs, by):
    """The offer itself says which number is meant: nothing of the row is told."""
    number = make_number(alpha, e164="+15145550199")
    ticked = offered(acme, number)
    if by == len(theirs):
        number.delete()
    else:
        held = ("var", "customer", "assigned_at", "reserved_for", "reserved_until", "last_holder", "cooling_until")
        became = {name: getattr(theirs[by], name) for name in held}
        PhoneNumber.unscoped.filter(pk=number.pk).update(**became)
    assert send(number=ticked) == [f"+1 514-555-0199: {GONE}"]
    assert not Order.unscoped.exists()


def test_what_leaves_the_basket_is_named_as_it_stood_there(send, buyer, stock, sibling):
    orders.choose(buyer, [number.pk for number in stock[:2]])
    basket = orders.basket_of(buyer)
    lines = list(basket.lines(manager="unscoped").order_by("digits").values_list("pk", flat=True))
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(
        customer=sibling, assigned_at=timezone.now(), reserved_for=None, reserved_until=None
    )
    assert send(line=lines) == [f"+1 514-555-0100: {GONE}"]
    basket.refresh_from_db()
    assert basket.total == 1


def test_lines_of_others_baskets_are_absent(send, actor_in, buyer, sibling, jane, stock):
    lines = []
    for other, number in ((sibling, stock[0]), (jane, stock[1])):
        orders.choose(actor_in(other), [number.pk])
        lines += orders.basket_of(actor_in(other)).lines(manager="unscoped").values_list("pk", flat=True)
    before = list(PhoneNumber.unscoped.order_by("pk").values_list("pk", "reserved_until"))
    assert send(line=lines) == send(line=[999_999_999]) == ["Tick at least one number."]
    orders.put_back(buyer, lines)
    assert list(PhoneNumber.unscoped.order_by("pk").values_list("pk", "reserved_until")) == before


def test_a_search_finds_and_counts_what_is_offered_alone(acme, stock, theirs, signed_in):
    client, path = signed_in(acme), f"/{acme.code}/numbers/order/"
    for number in theirs:
        page = client.get(path, {"digits": number.e164[-7:], "area": "+1"})
        assert page.context["found"] == "0"
        assert [(one["area"], one["count"]) for one in page.context["elsewhere"]] == [("+1514", "5")]
