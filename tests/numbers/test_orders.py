"""Ordering numbers: searched, held, confirmed once, approved, delivered, told of."""

import re
from datetime import timedelta

import phonenumbers
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent
from accounts.scope import scope
from numbers.actions import orders
from numbers.forms.orders import SearchForm, in_words
from numbers.listing.offers import in_stock
from numbers.models import Order, OrderLine, PhoneNumber
from portal import phones
from tests.factories import make_number, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(actor_in, acme):
    return actor_in(acme)


@pytest.fixture
def stock(alpha):
    """Five numbers that follow one another, in Alpha's stock."""
    return [make_number(alpha, e164=f"+1514555010{last}") for last in range(5)]


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


# Searching


def wanted(**typed):
    form = SearchForm(typed)
    assert form.is_valid(), form.errors
    return form.wanted


def found(acme, **typed):
    with scope(acme):
        return [offer.e164 for offer in in_stock(acme, wanted(**typed))]


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"area": "+1 514"},
        {"area": "001514555"},
        {"country": "CA"},
        {"country": "CA", "area": "514"},
        {"country": "CA", "area": "1 (514) 555"},
        {"digits": "5 0-1"},
        {"country": "CA", "kind": "local"},
        {"country": "CA", "kind": "local", "count": "5", "in_a_row": "on"},
    ],
)
def test_numbers_of_the_stock_are_found_in_any_spelling(acme, stock, typed):
    make_number(acme.parent, e164="+442079460018")
    assert [e164 for e164 in found(acme, **typed) if e164.startswith("+1")] == [number.e164 for number in stock]


@pytest.mark.parametrize(
    "typed",
    [
        {"country": "US"},
        {"country": "GB"},
        {"country": "CA", "area": "416"},
        {"country": "CA", "kind": "toll_free"},
        {"digits": "999"},
        {"sms": "on"},
        {"count": "6", "in_a_row": "on"},
    ],
)
def test_what_was_not_asked_for_is_not_offered(acme, stock, typed):
    assert found(acme, **typed) == []


def test_what_others_have_or_keep_is_not_offered(alpha, bravo, acme, jane, stock):
    soon, past = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)
    make_number(bravo)
    make_number(customer=jane)
    make_number(alpha, reserved_for=jane, reserved_until=soon)
    make_number(alpha, cooling_until=soon, last_holder=jane)
    mine = [
        make_number(alpha, reserved_for=acme, reserved_until=soon),
        make_number(alpha, cooling_until=soon, last_holder=acme),
        make_number(alpha, reserved_for=jane, reserved_until=past),
        make_number(alpha, cooling_until=past, last_holder=jane),
    ]
    assert found(acme) == sorted(number.e164 for number in [*stock, *mine])


def test_numbers_in_a_row_are_offered_as_whole_runs(acme, alpha, stock):
    make_number(alpha, e164="+15145550106")
    make_number(alpha, e164="+15145550107")
    with scope(acme):
        offers = in_stock(acme, wanted(count="2", in_a_row="on"))
    assert [(offer.e164, offer.run) for offer in offers] == [
        ("+15145550100", "+15145550100"), ("+15145550101", "+15145550100"),
        ("+15145550106", "+15145550106"), ("+15145550107", "+15145550106"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"area": "514"}, "Choose a country, or begin with +"),
        ({"area": "+999"}, "No country's numbers begin like that"),
        ({"area": "+44", "country": "CA"}, "code of another country"),
        ({"area": "+1 514 555 0100 0000 0000"}, "longer than any phone number"),
        ({"area": "Montréal"}, "Type digits"),
        ({"digits": "12*4"}, "Type digits"),
        ({"kind": "mobile"}, "Choose a country"),
        ({"kind": "mobile", "area": "+1"}, "Choose a country"),
        ({"count": "0"}, "greater than or equal to 1"),
        ({"count": "101"}, "less than or equal to 100"),
        ({"country": "XX"}, "XX"),
        ({"digits": "\x00"}, ""),
    ],
)
def test_a_search_that_cannot_be_understood_says_so_and_keeps_what_was_typed(acme, stock, signed_in, typed, says):
    page = signed_in(acme).get(f"/{acme.code}/numbers/order/", typed)
    assert page.status_code == 422
    assert says in page.text.replace("&#x27;", "'")
    assert "555-0100" not in page.text
    form = page.context["form"]
    assert {name: form[name].value() for name in typed} == typed


def test_it_says_how_it_was_understood_and_is_never_silent(acme, stock, signed_in):
    client = signed_in(acme)
    page = client.get(f"/{acme.code}/numbers/order/", {"country": "CA", "area": "514", "count": 3, "in_a_row": "on"})
    assert "3 numbers in a row, of CA, beginning with +1 514" in page.text
    assert re.findall(r'name="number" value="(\d+)" checked', page.text) == [str(number.pk) for number in stock[:3]]
    nothing = client.get(f"/{acme.code}/numbers/order/", {"country": "FR", "kind": "mobile", "sms": "on"})
    assert "Nothing found" in nothing.text
    assert "1 number, Mobile, of FR, beginning with +33, with SMS" in nothing.text
    assert "Search with less" in nothing.text
    assert [(one["area"], one["count"]) for one in nothing.context["elsewhere"]] == [("+1", "5")]
    near = client.get(f"/{acme.code}/numbers/order/", {"area": "+1 416", "count": 2})
    assert [one["url"] for one in near.context["elsewhere"]] == [f"/{acme.code}/numbers/order/?area=%2B1514&count=2"]
    assert "555-0101" in client.get(near.context["elsewhere"][0]["url"]).text


def test_what_is_understood_reads_well():
    assert in_words(wanted()) == "1 number"
    assert in_words(wanted(area="+49 30", digits="77", fax="on")) == (
        "1 number, of DE, beginning with +49 30, containing 77, with fax"
    )


def test_the_type_of_a_number_is_what_the_library_says_in_every_country():
    names = phonenumbers.PhoneNumberType
    kinds = {
        "local": {names.FIXED_LINE, names.FIXED_LINE_OR_MOBILE},
        "mobile": {names.MOBILE, names.FIXED_LINE_OR_MOBILE},
        "toll_free": {names.TOLL_FREE},
    }
    seen = 0
    with connection.cursor() as cursor:
        for region in sorted(phonenumbers.SUPPORTED_REGIONS):
            for kind, types in kinds.items():
                for of_type in sorted(types):
                    example = phonenumbers.example_number_for_type(region, of_type)
                    if example is None or phonenumbers.number_type(example) not in types:
                        continue
                    national = phonenumbers.national_significant_number(example)
                    pattern = phones.national_pattern(region, kind)
                    cursor.execute("SELECT %s ~ %s", [national, pattern])
                    assert cursor.fetchone() == (True,), (region, kind, national)
                    assert re.match(pattern, national)
                    seen += 1
    assert seen > 600


def test_a_search_costs_the_same_queries_whatever_it_finds(acme, stock, signed_in, django_assert_num_queries):
    client = signed_in(acme)
    client.get(f"/{acme.code}/numbers/order/?count=1")
    with django_assert_num_queries(13):
        assert "555-0104" in client.get(f"/{acme.code}/numbers/order/?count=5").text
    with django_assert_num_queries(18):
        client.get(f"/{acme.code}/numbers/order/?digits=99999")


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


def test_numbers_of_another_var_are_not_to_be_had(buyer, bravo):
    number = make_number(bravo)
    (outcome,) = orders.choose(buyer, [number.pk])
    assert outcome.refusal == "It is not here any more."
    assert outcome.number is None
    assert fresh(number).reserved_for is None


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
    assert "has changed since" in said_by(orders.confirm, buyer, basket.pk, lines)
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
    ordered(buyer, stock[:1], informs=informs)
    sent = [job.args for job in ProcrastinateJob.objects.filter(task_name="accounts.send_message")]
    to = [address for message in sent for address in message["to"]]
    assert sorted(to) == sorted([buyer.person.email, *(["office@acme.example"] if informs else [])])
    assert "+1 514-555-0100  Active" in sent[0]["body"]


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


def test_the_vars_administrators_are_asked(administrator_of, alpha, buyer, acme, stock):
    asked = administrator_of(alpha)
    limit(acme, orders_need_approval=True)
    ordered(buyer, stock[:2])
    (message,) = ProcrastinateJob.objects.filter(task_name="accounts.send_message")
    assert message.args["to"] == [asked.email]
    assert "+1 514-555-0101" in message.args["body"]


def test_a_refused_order_says_why_and_lets_the_numbers_go(waiting, actor_in, alpha, stock):
    assert "Say why" in said_by(orders.refuse, actor_in(alpha), waiting.pk, " ")
    order = orders.refuse(actor_in(alpha), waiting.pk, "Not this month")
    assert (order.state, order.failed) == ("refused", 2)
    assert {line.reason for line in OrderLine.in_order(order)} == {"Not this month"}
    assert fresh(stock[0]).reserved_for is None


def test_an_order_that_waits_can_be_cancelled_and_one_that_is_done_cannot(waiting, buyer, actor_in, alpha, stock):
    order = orders.cancel(buyer, waiting.pk)
    assert (order.state, order.failed) == ("cancelled", 2)
    assert fresh(stock[0]).reserved_for is None
    assert "too late" in said_by(orders.cancel, buyer, waiting.pk)
    assert orders.approve(actor_in(alpha), waiting.pk).state == "cancelled"


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
def test_only_customers_order(actor_in, alpha, system, stock, act):
    arguments = {"choose": ([stock[0].pk],), "put_back": ([1],), "confirm": (1, [1]), "cancel": (1,)}[act]
    for account in (alpha, system):
        with pytest.raises(PermissionDenied):
            getattr(orders, act)(actor_in(account), *arguments)


def test_what_waits_counts_against_the_quota(waiting, buyer, acme, stock):
    limit(acme, number_quota=3)
    basket, lines = chosen(buyer, stock[2:4])
    assert "it has 0, and 2 are ordered. 1 more" in said_by(orders.confirm, buyer, basket.pk, lines)


# Pages


def test_from_search_to_order(acme, stock, signed_in):
    client, path = signed_in(acme), f"/{acme.code}/numbers/order/"
    there = client.post(f"{path}basket/", {"number": [n.pk for n in stock[:2]], "query": "area=%2B1+514&count=2"})
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
    assert page.context["order"].state == "done"
