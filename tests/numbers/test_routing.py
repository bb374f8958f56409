"""Numbers that carriers deliver, and those that are here: calls to them arrive, or the portal says why they do not."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditEvent
from accounts.scope import scope
from numbers import carriers
from numbers.actions import retries, routing, verbs
from numbers.carriers import simulated
from numbers.models import OrderLine, PhoneNumber, Routing
from tests.factories import make_number
from tests.numbers.carrier import GOOD, fresh, go_on, of, on_this_computer, ordered, states
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)
WANTED = {
    "telnyx": ("connection_id", simulated.CONNECTIONS["telnyx"]["connection"]),
    "twilio": ("trunk_sid", simulated.CONNECTIONS["twilio"]["trunk"]),
}


@pytest.fixture(params=["telnyx", "twilio"])
def api(request):
    return request.param


@pytest.fixture
def carrier(api, settings):
    with on_this_computer(api=api) as (carrier, setting):
        settings.CARRIERS = setting
        yield carrier


def leads(carrier, e164, name):
    """Where the carrier leads the calls to a number."""
    return carrier.routes.get(carrier.held()[e164], {}).get(name)


def later(alpha, provider, times=1):
    """What the worker does, so many times; in between, time passes."""
    for _turn in range(times):
        Routing.unscoped.update(next_at=timezone.now() - timedelta(seconds=1))
        routing.go_on(alpha, provider.pk)
    return {row.e164: (row.state, row.reason) for row in Routing.unscoped.all()}


# Ordered


def test_an_order_says_where_its_numbers_lead_and_reads_it_back(carrier, api, provider, buyer):
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert {leads(carrier, e164, WANTED[api][0]) for e164 in GOOD} == {WANTED[api][1]}
    assert (fresh(order).state, fresh(order).active) == ("done", 3)
    assert set(Routing.unscoped.values_list("state", flat=True)) == {"routed"}


def test_what_a_carrier_does_not_take_with_the_order_is_set_afterwards(carrier, api, provider, buyer):
    carrier.connects = False
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert {leads(carrier, e164, WANTED[api][0]) for e164 in GOOD} == {WANTED[api][1]}
    assert states(order) == dict.fromkeys(GOOD, "active")


def test_a_number_that_leads_nowhere_is_not_delivered_and_says_what_is_missing(
    carrier, api, provider, buyer, alpha, signed_in
):
    carrier.connects = carrier.obeys = False
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert states(order) == dict.fromkeys(GOOD, "unrouted")
    assert (fresh(order).state, of(order).state) == ("running", "ended")
    later(alpha, provider, retries.MOST_ATTEMPTS)
    done = fresh(order)
    assert (done.state, done.active, done.failed) == ("done", 0, 0)
    assert PhoneNumber.unscoped.filter(customer=buyer.account).count() == 3  # they are paid for
    said = "does not route its calls yet"
    missing = {"telnyx": "connection: –", "twilio": "trunk: –"}[api]
    page = signed_in(buyer.account).get(f"/{buyer.account.code}/orders/{order.pk}/").text
    assert (said in page, missing in page, "Route it" in page) == (True, False, False)
    client = signed_in(alpha)
    page = client.get(f"/{alpha.code}/orders/{order.pk}/").text
    assert (said in page, missing in page, "Route it" in page) == (True, True, True)
    number = PhoneNumber.unscoped.get(e164=GOOD[0])
    assert missing in client.get(f"/{alpha.code}/numbers/{number.digits}/").text
    # Repaired
    carrier.obeys = True
    empty_queue()
    answer = client.post(f"/{alpha.code}/orders/{order.pk}/route/", follow=True)
    assert "The carriers are being asked" in answer.text
    assert ProcrastinateJob.objects.get().task_name == "numbers.route"
    routing.go_on(alpha, provider.pk)
    assert (fresh(order).active, states(order)) == (3, dict.fromkeys(GOOD, "active"))
    assert AuditEvent.unscoped.filter(verb="number.routing_asked", account=alpha).count() == 3
    assert "All numbers of this order are connected" in client.post(
        f"/{alpha.code}/orders/{order.pk}/route/", follow=True
    ).text  # fmt: skip
    # The message that the order has ended is sent once.
    assert fresh(order).ended_at == done.ended_at


def test_without_a_connection_in_the_setting_the_carriers_own_counts(carrier, api, provider, buyer, settings, alpha):
    name = {"telnyx": "connection", "twilio": "trunk"}[api]
    settings.CARRIERS = settings.CARRIERS.partition(f"&{name}=")[0]
    order = ordered(buyer, provider, GOOD[:2])
    go_on(order)
    assert states(order) == dict.fromkeys(GOOD[:2], "unrouted")
    assert (fresh(order).state, OrderLine.unscoped.first().detail) == (
        "done",
        "The carrier does not route its calls, and Simulated has no "
        + {"telnyx": "connection", "twilio": "trunk / voice_application / voice_url"}[api]
        + " in the portal's settings.",
    )
    carrier.lead(carrier.held()[GOOD[0]], {WANTED[api][0]: "somewhere"})
    with scope(alpha):
        routing.want(alpha, PhoneNumber.unscoped.all())
    found = later(alpha, provider)
    assert (found[GOOD[0]], found[GOOD[1]][0]) == (("routed", ""), "failed")


def test_each_var_has_its_own_connection(carrier, api, provider, buyer, alpha, settings, zenith, actor_in):
    name = {"telnyx": "connection", "twilio": "trunk"}[api]
    settings.CARRIERS += f"&{name}.{alpha.code}=of-alpha"
    for actor, e164 in ((buyer, GOOD[0]), (actor_in(zenith), GOOD[1])):
        go_on(ordered(actor, provider, [e164]))
    assert leads(carrier, GOOD[0], WANTED[api][0]) == "of-alpha"
    assert leads(carrier, GOOD[1], WANTED[api][0]) == WANTED[api][1]


def test_a_number_that_the_carrier_lists_later_is_connected_then(carrier, provider, buyer, alpha, monkeypatch):
    listed = carrier.listed
    monkeypatch.setattr(carrier, "listed", lambda query: [])
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    assert (fresh(order).state, states(order)) == ("running", dict.fromkeys(GOOD, "unrouted"))
    monkeypatch.setattr(carrier, "listed", listed)
    later(alpha, provider)
    assert (fresh(order).state, fresh(order).active) == ("done", 3)


def test_the_numbers_of_a_large_order_are_read_back_with_few_calls(carrier, api, provider, buyer):
    numbers = [f"+1201555{n:04d}" for n in range(23, 83) if (12015550000 + n) % simulated.ONE_IS_TAKEN_OF]
    order = ordered(buyer, provider, numbers)
    go_on(order)
    assert fresh(order).active == len(numbers)
    # Telnyx: one search, one order, one list. Twilio: prices, a purchase for each, one list.
    assert carrier.asked == {"telnyx": 3, "twilio": 2 + len(numbers)}[api]


def test_a_worker_that_is_killed_leaves_what_the_next_one_connects(carrier, provider, buyer, alpha):
    order = ordered(buyer, provider, GOOD)
    go_on(order)
    Routing.unscoped.update(state="wanted", next_at=timezone.now())
    OrderLine.unscoped.update(state="unrouted")
    with scope(alpha):
        assert len(routing.take_up(alpha, provider.pk)) == 3
        assert routing.take_up(alpha, provider.pk) == []  # somebody may be at it
    later(alpha, provider)
    assert states(order) == dict.fromkeys(GOOD, "active")


def test_of_a_number_that_is_gone_nothing_is_kept(carrier, provider, buyer, alpha):
    go_on(ordered(buyer, provider, GOOD))
    Routing.unscoped.update(state="wanted")
    PhoneNumber.unscoped.filter(e164=GOOD[0]).delete()
    assert set(later(alpha, provider)) == set(GOOD[1:])


# Here already


@pytest.fixture
def alone(settings, alpha, carrier):
    settings.CARRIERS += f"&vars={alpha.code}"


def test_a_number_that_was_imported_is_routed_from_its_page(carrier, api, provider, alone, alpha, signed_in):
    number = make_number(alpha, e164="+15145550100", provider=provider)
    carrier.ported = {number.e164}
    client, url = signed_in(alpha), f"/{alpha.code}/numbers/{number.digits}/"
    assert "Route it" in client.get(url).text
    answer = client.post(f"{url}route/", follow=True)
    assert "Being checked" in answer.text
    routing.go_on(alpha, provider.pk)
    assert leads(carrier, number.e164, WANTED[api][0]) == WANTED[api][1]
    assert "Calls arrive" in client.get(url).text
    assert "had the carrier route the number" in client.get(url).text


def test_of_what_may_be_somebody_elses_at_the_carrier_nothing_is_routed(carrier, provider, alpha, actor_in):
    number = make_number(alpha, e164="+15145550100", provider=provider)
    with scope(alpha):
        (outcome,) = verbs.perform(actor_in(alpha), verbs.Route(), [number.pk])
    assert "cannot ask Simulated about this number" in outcome.refusal
    assert not Routing.unscoped.exists()


def test_too_much_to_do_is_no_failure(carrier, provider, alone, alpha, monkeypatch):
    number = make_number(alpha, e164="+15145550100", provider=provider)
    with scope(alpha):
        routing.want(alpha, [number])

    def turned_away(*_arguments):
        raise carriers.NotReached("The carrier is busy and asks to be tried later.", 10)

    monkeypatch.setattr(routing, "connect", turned_away)
    carrier.ported = {number.e164}
    for _turn in range(2 * retries.MOST_ATTEMPTS):
        assert later(alpha, provider)[number.e164] == ("wanted", "The carrier is busy and asks to be tried later.")


# The setting


def test_the_most_specific_identifier_counts():
    text = (
        "twilio+https://a?name=b&trunk=all&trunk.V1=first&bundle.DE=land&bundle.DE.mobile=mobile&bundle.DE.V1=own"
        "&address=any"
    )
    one = carriers.read(text)["b"]
    assert (one.route("V1"), one.route("V2")) == ({"trunk": "first"}, {"trunk": "all"})
    assert one.documents("V2", "+4930123456") == {"bundle": "land", "address": "any"}
    assert one.documents("V2", "+4915112345678") == {"bundle": "mobile", "address": "any"}
    assert one.documents("V1", "+4930123456") == {"bundle": "own", "address": "any"}
    assert one.documents("V1", "+12015550002") == {"address": "any"}


def test_an_identifier_that_the_carrier_does_not_know_is_refused_without_its_value():
    with pytest.raises(ImproperlyConfigured) as refusal:
        carriers.read("telnyx+https://a?name=b&trunk=SECRET")
    assert "trunk=…, which telnyx does not know" in str(refusal.value)
    assert "SECRET" not in str(refusal.value)
