"""Calls are placed within limits, and go as the telephony tells."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Access, AuditEvent
from tests.factories import make_destination, make_number, make_person
from webphone import tasks
from webphone.actions import calls, locations
from webphone.models import Call
from webphone.telephony import News

pytestmark = pytest.mark.django_db
NUMBER = "+15145550123"


def place(actor, typed=NUMBER, *, location_id=None, caller_id=""):
    return calls.place(actor, typed, location_id=location_id, caller_id=caller_id)


def tell(call, event, **more):
    calls.heard(call.ref, News(event, more.pop("at", timezone.now()), **more))
    call.refresh_from_db()
    return call


def test_a_call_is_written_down_for_whoever_makes_it_and_nobody_else_sees_it(uma, acme):
    call = place(uma)
    assert (call.number, call.mode, call.state, call.account) == (NUMBER, "computer", "placed", acme)
    boss = Actor.at_home(make_person(acme, role="administrator"))
    assert not Call.visible_to(boss).exists()
    with pytest.raises(Call.DoesNotExist):
        calls.current(boss, call.ref)
    with pytest.raises(Call.DoesNotExist):
        calls.hang_up(boss, call.ref)
    # Histories are read by administrators: whom people call is not in there.
    assert not AuditEvent.unscoped.exists()


def test_two_people_who_call_the_same_number_at_once_make_two_calls(uma, acme):
    boss = Actor.at_home(make_person(acme, role="administrator"))
    first, second, again = place(uma), place(boss), place(uma)
    assert (first.person, second.person) == (uma.person, boss.person)
    assert again == first


def test_an_extension_of_the_account_is_called_and_no_other(uma, desk, zenith):
    make_destination(zenith, extension="777")
    assert place(uma, "301").number == "301"
    with pytest.raises(ValidationError, match="There is no extension 777 here"):
        place(uma, "777")


def test_who_is_called_sees_one_of_the_persons_own_numbers(uma, own, telephone, acme, zenith):
    other = make_number(destination=make_destination(acme, "Front desk", extension="100"))
    foreign = make_number(destination=make_destination(zenith))
    assert [number.e164 for number in calls.own_numbers(uma)] == [own.e164]
    assert place(uma, caller_id=own.e164).caller_id == own.e164
    for number in (other, foreign):
        with pytest.raises(ValidationError, match="which of your own numbers"):
            place(uma, caller_id=number.e164)


def test_an_extension_that_has_become_somebody_elses_is_nobodys_telephone(uma, own, telephone, desk):
    desk.extension = "999"
    desk.save()
    assert calls.own_numbers(uma) == []
    with pytest.raises(ValidationError, match="Choose a telephone of yours"):
        place(uma, location_id=telephone.pk)


def test_all_numbers_of_a_professional_are_their_own(jane):
    number = make_number(customer=jane)
    actor = Actor.at_home(make_person(jane, role="administrator"))
    assert calls.own_numbers(actor) == [number]


def test_staff_of_the_operator_have_no_numbers_to_show(alpha, system, own):
    for account in (alpha, system):
        assert calls.own_numbers(Actor.at_home(make_person(account, role="administrator"))) == []


def test_only_a_telephone_that_was_verified_is_rung(uma, mobile, telephone, acme):
    call = place(uma, location_id=telephone.pk)
    assert (call.mode, call.own_number) == ("call_back", "301")
    colleague = Actor.at_home(make_person(acme, role="user"))
    for actor, location in ((uma, mobile), (colleague, telephone)):
        with pytest.raises(ValidationError, match="Choose a telephone of yours"):
            place(actor, location_id=location.pk)
    with pytest.raises(ValidationError, match="This is the telephone that you want to talk with"):
        place(uma, "301", location_id=telephone.pk)


def test_nobody_calls_from_an_account_that_is_not_their_own(alpha, acme):
    boss = make_person(alpha, role="administrator")
    inside = Actor(boss, acme, (alpha, acme), Access(person=boss, account=acme, manages=True))
    for act in (lambda: place(inside), lambda: calls.hang_up(inside, "x")):
        with pytest.raises(PermissionDenied):
            act()


@pytest.mark.parametrize(("mine", "everybodys", "whose"), [(1, 30, "mine"), (30, 1, "everybodys")])
def test_so_many_calls_at_once_and_no_more(settings, uma, acme, mine, everybodys, whose):
    settings.CALLS_AT_ONCE = (mine, everybodys)
    colleague = Actor.at_home(make_person(acme, role="user"))
    call = place(uma if whose == "mine" else colleague)
    Call.unscoped.update(placed_at=timezone.now() - timedelta(hours=2))  # it takes long
    with pytest.raises(ValidationError, match="You have 1 calls, which is the limit"):
        place(uma)
    tell(call, "ended", code=486)
    place(uma)


@pytest.mark.parametrize("limits", [(2, 600), (60, 2)])
def test_so_many_calls_in_an_hour_and_no_more(settings, uma, limits):
    settings.CALLS_AN_HOUR = limits
    for _turn in range(2):
        tell(place(uma), "ended", code=486)
    with pytest.raises(ValidationError, match="You have made 2 calls within an hour"):
        place(uma)
    Call.unscoped.update(placed_at=timezone.now() - timedelta(minutes=61))
    place(uma)


def test_a_double_click_is_one_call(uma, telephone, mobile, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as to_be_rung:
        first, second = (place(uma, location_id=telephone.pk) for _turn in range(2))
        verified, again = (locations.verify(uma, mobile.pk) for _turn in range(2))
    assert (first, verified) == (second, again)
    assert len(to_be_rung) == 2
    tell(first, "ended", code=486)
    assert place(uma, location_id=telephone.pk) != first


def test_without_telephony_nothing_is_placed(settings, uma):
    settings.TELEPHONY = "none"
    with pytest.raises(ValidationError, match="Telephony is not set up here"):
        place(uma)
    assert not Call.unscoped.exists()


# What the telephony tells


@pytest.mark.parametrize("order", list(permutations(["ringing", "talking", "ringing"])))
def test_news_may_come_in_any_order_and_twice(uma, order):
    call = place(uma)
    for event in order:
        tell(call, event)
    assert call.state == "talking"
    tell(call, "ended")
    assert (call.state, call.outcome) == ("ended", "answered")
    ended_at = call.ended_at
    for event in ("talking", "ended", "ringing"):
        tell(call, event, code=486)
    assert (call.state, call.outcome, call.ended_at) == ("ended", "answered", ended_at)


def test_how_long_it_took_is_counted_from_the_answer(uma):
    call, now = place(uma), timezone.now()
    tell(call, "talking", at=now)
    assert tell(call, "ended", at=now + timedelta(seconds=65)).seconds == 65


@pytest.mark.parametrize(
    ("news", "outcome"),
    [
        ({"code": 486}, "busy"), ({"code": 600}, "busy"), ({"code": 480}, "no_answer"), ({"code": 408}, "no_answer"),
        ({"code": 487}, "cancelled"), ({"code": 404}, "unreachable"), ({"code": 503}, "failed"), ({}, "cancelled"),
        ({"cancelled": True}, "cancelled"), ({"code": 480, "side": "you"}, "not_you"),
        ({"code": 486, "side": "you"}, "your_busy"), ({"code": 480, "side": "other"}, "no_answer"),
    ],
)  # fmt: skip
def test_endings_are_told_apart(uma, news, outcome):
    assert tell(place(uma), "ended", **news).outcome == outcome


def test_news_of_a_call_that_is_not_there_change_nothing(uma):
    assert calls.heard("C1-x", News("talking", timezone.now())) is False


def test_a_call_in_the_demo_goes_through_its_states_by_the_clock(uma, telephone):
    call = place(uma, location_id=telephone.pk)
    seen = []
    for seconds in (0, 1, 2.1, 2.7, 4.6):
        Call.unscoped.update(placed_at=timezone.now() - timedelta(seconds=seconds))
        seen.append(calls.current(uma, call.ref).state)
    assert seen == ["placed", "ringing_you", "answered_you", "ringing", "talking"]
    assert calls.hang_up(uma, call.ref).outcome == "answered"


def test_a_call_in_the_demo_that_nobody_ends_is_over_after_ten_minutes(uma, system):
    call = place(uma)
    long_ago = timezone.now() - timedelta(minutes=11)
    Call.unscoped.update(heard_at=long_ago, placed_at=long_ago)
    tasks.close_lost_calls(timestamp=0)
    call.refresh_from_db()
    assert (call.state, call.outcome) == ("ended", "answered")


def test_a_busy_number_in_the_demo_is_busy(uma):
    call = place(uma, "+15145550186")
    Call.unscoped.update(placed_at=timezone.now() - timedelta(seconds=3))
    assert calls.current(uma, call.ref).outcome == "busy"


# What nobody told


def test_calls_that_nobody_knows_any_more_are_closed_as_unknown(uma, system, settings):
    call = place(uma)
    tell(call, "talking")
    settings.TELEPHONY = "none"
    tasks.close_lost_calls(timestamp=0)
    call.refresh_from_db()
    assert call.state == "talking"
    Call.unscoped.update(heard_at=timezone.now() - timedelta(minutes=3))
    tasks.close_lost_calls(timestamp=0)
    call.refresh_from_db()
    assert (call.state, call.outcome, call.seconds) == ("ended", "unknown", 0)


def test_while_no_server_answers_a_call_is_over_when_it_must_be(uma, system, settings):
    settings.TELEPHONY, settings.CALL_MINUTES = "sip", 10
    settings.TELEPHONY_CALLBACK_URL = settings.TELEPHONY_RPC_URL = "http://127.0.0.1:9"
    call = tell(place(uma), "talking")
    for minutes, outcome in ((5, ""), (16, "unknown")):
        long_ago = timezone.now() - timedelta(minutes=minutes)
        Call.unscoped.update(heard_at=long_ago, placed_at=long_ago)
        tasks.close_lost_calls(timestamp=0)
        call.refresh_from_db()
        assert call.outcome == outcome
