"""Many people at once, over several real server processes: one holder for each number at every instant."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Account, AuditEvent
from accounts.scope import scope
from numbers.actions import calls
from numbers.models import CallEvent, Destination, Order, OrderLine, PastNumber, PhoneNumber
from tests import factories
from tests.processes import ask, servers

PROCESSES, CLIENTS, NUMBERS, TURNS = 4, 50, 100, 12
TOKEN = "t" * 32

pytestmark = pytest.mark.django_db(transaction=True)


class Somebody:
    """Somebody who is signed in, at one of the servers."""

    def __init__(self, port, account, role="administrator"):
        client = Client()
        self.person = factories.make_person(account, role)
        client.force_login(self.person)
        self.port, self.account = port, account
        self.cookie = f"csrftoken={TOKEN}; sessionid={client.cookies['sessionid'].value}"

    def post(self, path, **fields):
        return self.ask("POST", path, fields | {"csrfmiddlewaretoken": TOKEN})[0]

    def ask(self, method, path, fields=None):
        where = f"/{self.account.code}/{path}"
        return ask(self.port, method, where, fields, Cookie=self.cookie, Host="localhost", Origin="http://localhost")

    def order(self, basket, lines):
        return self.post("numbers/order/review/", order=basket.pk, line=lines)


@pytest.fixture(scope="module")
def ports(django_db_setup):
    """Where the servers are that all tests here ask."""
    with servers(PROCESSES) as ports:
        yield ports


@pytest.fixture
def alpha():
    return factories.make_account("var", name="Alpha")


def test_fifty_people_and_a_hundred_numbers(ports, alpha):
    companies = [factories.make_account("company", alpha, name=f"Company {i}") for i in range(3)]
    # Freed numbers go to anybody at once, so that there is something to fight for.
    Account.unscoped.filter(parent=alpha).update(cooling_days=0)
    numbers = [factories.make_number(alpha, e164=f"+1514555{i:04}") for i in range(NUMBERS)]
    people = [Somebody(ports[i % PROCESSES], alpha if i % 2 else companies[i % 3]) for i in range(CLIENTS)]

    def act(turn):
        dice = random.Random(turn)
        somebody, number = people[turn % CLIENTS], numbers[int(NUMBERS * dice.random() ** 2)]
        at = f"numbers/{number.digits}"
        if somebody.account == alpha:
            customer = dice.choice(companies).code
            verb, fields = dice.choice([
                ("assign", {"customer": customer}), ("assign", {"customer": customer}), ("unassign", {}),
                ("reserve", {"customer": customer, "until": f"{2030 + turn}-01-01"}), ("cancel-reservation", {}),
            ])  # fmt: skip
        else:
            verb, fields = "release", {"confirmed": "on"}
        return somebody.post(f"{at}/{verb}/", **fields)

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = Counter(pool.map(act, range(CLIENTS * TURNS)))
    # Done, refused with a sentence, or not (any more) one's own.
    assert set(answers) <= {302, 422, 404}, answers
    assert answers[302] > CLIENTS
    assert AuditEvent.unscoped.filter(target_type="number").count() == answers[302]
    for number in PhoneNumber.unscoped.all():
        pasts = list(PastNumber.unscoped.filter(number_id=number.pk).order_by("since"))
        starts = [past.since for past in pasts[1:]] + [number.since]
        assert [past.until for past in pasts] == (starts if pasts else [])
        events = AuditEvent.unscoped.filter(target_type="number", target_id=number.pk).order_by("pk")
        assert len(pasts) == events.count()
        # Each change began where the one before had ended.
        held = None
        for event in events:
            if "customer" in event.before or "customer" in event.after:
                assert event.before.get("customer") == held, number
                held = event.after.get("customer")
        assert held == (f"{number.customer.name} ({number.customer.code})" if number.customer else None)


def test_an_account_that_is_closed_has_no_number_whoever_was_first(ports, alpha, administrator_of):
    companies = [factories.make_account("company", alpha, name=f"Company {i}") for i in range(10)]
    numbers = [factories.make_number(alpha, e164=f"+1514555{i:04}") for i in range(10)]
    one, other = (Somebody(port, alpha) for port in ports[:2])

    def assign(turn):
        return one.post(f"numbers/{numbers[turn].digits}/assign/", customer=companies[turn].code)

    def close(turn):
        return other.post(f"accounts/{companies[turn].code}/close/")

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(what, turn) for turn in range(10) for what in (assign, close)]
        answers = Counter(done.result() for done in waiting)
    assert set(answers) <= {302, 422}
    assert answers == {302: 10, 422: 10}
    assert not PhoneNumber.unscoped.filter(customer__status="closed").exists()


def test_two_who_add_the_same_numbers_at_once_add_each_once(ports, alpha):
    bravo, provider = factories.make_account("var"), factories.make_provider()
    people = [Somebody(port, account) for port, account in zip(ports[:2], (alpha, bravo), strict=True)]

    def add(turn):
        order = (range(300), range(299, -1, -1))[turn % 2]
        typed = "\n".join(f"+1514555{i:04}" for i in order)
        return people[turn % 2].post("numbers/add/", numbers=typed, provider=provider.pk)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(add, range(4))) == {302}
    assert PhoneNumber.unscoped.count() == 300
    assert AuditEvent.unscoped.filter(verb="number.added").count() == 300


def test_a_destination_that_is_deleted_rings_for_no_number_whoever_was_first(ports, alpha):
    acme = factories.make_account("company", alpha, name="Acme")
    rings = [factories.make_destination(acme, f"Desk {i}") for i in range(10)]
    numbers = [factories.make_number(customer=acme, e164=f"+1514555{i:04}") for i in range(10)]
    one, other = (Somebody(port, acme) for port in ports[:2])

    def assign(turn):
        return one.post(f"numbers/{numbers[turn].digits}/assign/", destination=f"Desk {turn}")

    def delete(turn):
        return other.post(f"destinations/{rings[turn].pk}/delete/")

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(what, turn) for turn in range(10) for what in (assign, delete)]
        answers = Counter(done.result() for done in waiting)
    # Either the number rings it and it stays, or it is gone and the number rings nothing.
    assert answers == {302: 10, 422: 10}
    assert PhoneNumber.unscoped.exclude(destination=None).count() == Destination.unscoped.count()


def test_calls_that_are_told_of_while_numbers_change_hands(ports, alpha, administrator_of):
    """Two phone systems in opposite orders, and somebody who takes numbers away and gives them again."""
    acme = factories.make_account("company", alpha, name="Acme")
    Account.unscoped.filter(parent=alpha).update(cooling_days=0)
    numbers = [factories.make_number(customer=acme, e164=f"+1514555{i:04}") for i in range(40)]
    tokens = []
    for account in (alpha.parent, alpha):
        with scope(account):
            tokens.append(calls.add_system(Actor.at_home(administrator_of(account)), name="Switch")[1])
    boss = Somebody(ports[2], alpha)

    def tell(turn):
        now = timezone.now().isoformat()
        told = [{"id": f"{turn}-{n.pk}", "number": n.e164, "time": now} for n in numbers[:: 1 - 2 * (turn % 2)]]
        headers = {"Authorization": f"Bearer {tokens[turn % 2]}", "Host": "localhost"}
        return ask(ports[turn % 2], "POST", "/calls/", json.dumps(told), **headers)[0]

    def move(turn):
        at = f"numbers/{numbers[turn % 40].digits}"
        return [boss.post(f"{at}/unassign/"), boss.post(f"{at}/assign/", customer=acme.code)]

    with ThreadPoolExecutor(6) as pool:
        told, moved = [pool.submit(tell, i) for i in range(20)], [pool.submit(move, i) for i in range(40)]
        assert {done.result() for done in told} == {200}
        assert {status for done in moved for status in done.result()} == {302}
    assert tell(20) == 200
    assert CallEvent.unscoped.count() == 21 * 40
    for number in PhoneNumber.unscoped.all():
        of_tenure = CallEvent.unscoped.filter(number_id=number.pk, at__gte=number.assigned_at)
        times = set(of_tenure.values_list("at", flat=True))
        assert {number.first_call_at, number.last_call_at} <= times, "something of an earlier tenure is left"
        assert number.last_call_at == max(times)


def test_fifty_buyers_of_forty_numbers(ports, alpha):
    numbers = [factories.make_number(alpha, e164=f"+1514555{i:04}") for i in range(40)]
    companies = [factories.make_account("company", alpha, name=f"Company {i}") for i in range(7)]
    people = [Somebody(ports[i % PROCESSES], companies[i % 7]) for i in range(50)]

    with ThreadPoolExecutor(50) as pool:

        def choose(turn):
            somebody = people[turn]
            ticked = factories.offered(somebody.account, numbers[turn % 40])
            fields = {"number": ticked, "csrfmiddlewaretoken": TOKEN}
            return somebody.ask("POST", "numbers/order/basket/", fields)

        answers = list(pool.map(choose, range(50)))
        assert {status for status, _headers, _content in answers} == {302}
        baskets = {order.person_id: order for order in Order.unscoped.all()}
        buyers = [one for one in people if one.person.pk in baskets]
        told = []
        for somebody, (_status, headers, _content) in zip(people, answers, strict=True):
            # What is said on the next page is in a cookie until then.
            somebody.cookie += "".join(f"; {cookie.split(';')[0]}" for cookie in headers.get_all("Set-Cookie", ()))
            told.append(b"It is not available any more" in somebody.ask("GET", "numbers/order/")[2])
        assert told == [one not in buyers for one in people]
        assert len(buyers) == 40
        lines = dict(OrderLine.unscoped.values_list("order__person", "pk"))
        orders = [pool.submit(one.order, baskets[one.person.pk], lines[one.person.pk]) for one in buyers * 2]
        assert [done.result() for done in orders] == [302] * 80
    lines = OrderLine.unscoped.filter(state="active")
    sold = {line.number_id: line.customer_id for line in lines}
    assert (lines.count(), len(sold)) == (40, 40)
    assert sold == dict(PhoneNumber.unscoped.values_list("pk", "customer"))
    assert AuditEvent.unscoped.filter(verb="number.ordered").count() == 40


def test_one_order_however_often_and_wherever_confirm_is_pressed(ports, alpha):
    acme = factories.make_account("company", alpha, name="Acme")
    numbers = [factories.make_number(alpha, e164=f"+1514555{i:04}") for i in range(5)]
    buyer = Somebody(ports[0], acme)
    buyer.post("numbers/order/basket/", number=factories.offered(acme, *numbers))
    basket = Order.unscoped.get()
    lines = list(basket.lines(manager="unscoped").values_list("pk", flat=True))

    def confirm(turn):
        buyer.port = ports[turn % PROCESSES]
        return buyer.order(basket, lines)

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(confirm, range(12))) == {302}
    order = Order.unscoped.get()
    assert (order.state, order.active) == ("done", 5)
    assert AuditEvent.unscoped.filter(verb="order.confirmed").count() == 1
    assert AuditEvent.unscoped.filter(verb="number.ordered").count() == 5
