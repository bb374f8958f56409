"""What may be called: kinds, the operator's own rules, and budgets in minutes and in money."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.actor import Actor
from tests.factories import make_person
from webphone import call_rules
from webphone.actions import calls, locations
from webphone.models import Call
from webphone.rules import refuse_unless_allowed, understood
from webphone.telephony import News

NUMBER, OTHER = "+15145550123", "+442079460018"


@pytest.fixture
def rules(tmp_path, settings):
    """The operator's file, written anew."""
    path = tmp_path / "rules"
    settings.CALL_RULES, settings.CALL_COUNTRIES = str(path), "*"
    return path.write_text


@pytest.mark.parametrize(
    "number",
    ["+447012345678", "+15002345678", "+8821612345678", "+881612345678", "+87077312345", "+8835100123456", "+441234567",
     "+15149765551", "+19765551234", "+80012345678", "+445612345678", "+97912345678", "+88812345678901"],
)  # fmt: skip
def test_numbers_that_fraud_uses_are_refused_even_where_every_country_may_be_called(settings, number):
    settings.CALL_COUNTRIES = "*"
    with pytest.raises(ValidationError):
        refuse_unless_allowed(number)


def test_other_kinds_may_be_called_where_the_operator_says_so(settings):
    settings.CALL_COUNTRIES, settings.CALL_KINDS = "GB", ["fixed", "voip"]
    refuse_unless_allowed("+445612345678")
    with pytest.raises(ValidationError, match="of this kind"):
        refuse_unless_allowed("+447400123456")


def test_the_operators_list_counts_from_the_moment_it_is_changed(rules):
    rules("")
    refuse_unless_allowed(NUMBER)
    rules("block +1514  # fraud of tonight\nallow +15145550\nallow +88216\n")
    refuse_unless_allowed(NUMBER)
    refuse_unless_allowed("+8821612345678")
    with pytest.raises(ValidationError, match="Your operator has blocked this number"):
        refuse_unless_allowed("+15145560123")


@pytest.mark.parametrize(
    "text", ["block 1514", "block +1514 +1515", "allow", "price +1", "price +1 a lot", "deny +1", "\x00"]
)
def test_while_the_list_has_an_error_nobody_is_called(rules, text, caplog):
    rules(f"# mine\n{text}\n")
    with pytest.raises(ValidationError, match="list of prefixes has an error"):
        refuse_unless_allowed(NUMBER)
    assert "line 2" in caplog.text


def test_without_the_file_nobody_is_called(settings, tmp_path):
    settings.CALL_RULES = str(tmp_path / "none")
    with pytest.raises(ValidationError, match="list of prefixes has an error"):
        refuse_unless_allowed(NUMBER)


def test_the_price_with_the_longest_prefix_counts():
    rules = call_rules.read("price + 0.5\nprice +1 0.01\nprice +1514 0.0025\n")
    found = [rules.price(number) for number in (NUMBER, "+12125550123", OTHER)]
    assert found == [Decimal("0.0025"), Decimal("0.01"), Decimal("0.5")]


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("5145550123", "CA", NUMBER), ("(514) 555-0123", "US", NUMBER), ("1 514 555 0123", "US", NUMBER),
        ("011 44 20 7946 0018", "US", OTHER), ("00 44 20 7946 0018", "FR", OTHER), ("020 7946 0018", "GB", OTHER),
        ("+44 20 7946 0018", "US", OTHER), ("0011 44 20 7946 0018", "AU", OTHER),
    ],
)  # fmt: skip
def test_numbers_are_dialled_as_at_home(typed, region, number):
    assert understood(typed, region) == number


@pytest.mark.django_db
def test_home_is_the_country_of_the_number_that_is_shown(uma, own, telephone, settings):
    settings.CALL_HOME_COUNTRY = "GB"
    assert own.e164.startswith("+1")
    assert calls.place(uma, "514 555 0123", location_id=None, caller_id="").number == NUMBER
    assert calls.place(uma, "5145550124", location_id=None, caller_id=own.e164).number == "+15145550124"


@pytest.mark.django_db
def test_without_a_number_home_is_the_account_and_then_the_setting(uma, settings):
    settings.CALL_HOME_COUNTRY = "GB"
    uma.account.phone = ""
    assert calls.place(uma, "020 7946 0018", location_id=None, caller_id="").number == OTHER
    uma.account.phone = NUMBER
    assert calls.place(uma, "5145550124", location_id=None, caller_id="").number == "+15145550124"


# Budgets

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits(settings):
    settings.CALLS_AT_ONCE, settings.CALLS_AN_HOUR, settings.CALL_MINUTES = (99, 99), (999, 999), 60
    settings.CALL_MINUTES_A_DAY, settings.CALL_COST_A_DAY = (0, 0), (0, 0)
    cache.clear()


def place(actor, turn=0, **more):
    return calls.place(actor, f"+1514555{1000 + turn}", **{"location_id": None, "caller_id": ""} | more)


def granted_until_refused(actor, first=0):
    """What one call after the other is granted, in seconds, until the budget is used up."""
    granted = []
    for turn in range(first, 99):
        try:
            granted.append(place(actor, turn).most_seconds)
        except ValidationError:
            return granted
    return pytest.fail("nothing was refused")


def last(call, minutes):
    """Have a call answered, and take so long."""
    began = timezone.now()
    calls.heard(call.ref, News("talking", began))
    calls.heard(call.ref, News("ended", began + timedelta(minutes=minutes)))
    call.refresh_from_db()
    return call


@pytest.mark.parametrize("minutes", [5, 7, 60, 100])
def test_whatever_is_called_no_more_is_granted_than_the_budget(uma, settings, minutes):
    """A script that places calls and never ends one: the sum of what they may take is the limit."""
    settings.CALL_MINUTES_A_DAY = (minutes, 0)
    granted = granted_until_refused(uma)
    assert minutes * 60 - 60 < sum(granted) <= minutes * 60
    assert max(granted) <= 3600


def test_what_a_call_did_not_take_is_left_for_others(uma, settings):
    settings.CALL_MINUTES_A_DAY = (20, 0)
    call = last(place(uma), 3)
    assert (call.billed_seconds, call.most_seconds) == (180, 600)
    assert place(uma, 1).most_seconds == (20 - 3) * 60 // 2


def test_the_budget_of_an_account_is_for_all_its_people(uma, acme, settings):
    settings.CALL_MINUTES_A_DAY = (0, 4)
    boss = Actor.at_home(make_person(acme, role="administrator"))
    assert [place(uma, 1).most_seconds, place(boss, 2).most_seconds, place(uma, 3).most_seconds] == [120, 60, 60]
    for actor in (boss, uma):
        with pytest.raises(ValidationError, match="used up"):
            place(actor, 4)


def test_both_legs_of_a_call_back_count(uma, mobile, settings):
    mobile.verified_at = timezone.now()
    mobile.save()
    settings.CALL_MINUTES_A_DAY = (20, 0)
    call = place(uma, location_id=mobile.pk)
    assert (call.trunk_legs, call.most_seconds) == (2, 300)
    began = timezone.now()
    # The own phone costs from its own answer on, whether the other side answers or not.
    calls.heard(call.ref, News("answered_you", began))
    calls.heard(call.ref, News("ended", began + timedelta(seconds=90), code=480, side="other"))
    call.refresh_from_db()
    assert (call.seconds, call.billed_seconds) == (0, 90)
    assert place(uma, 1).most_seconds == (20 * 60 - 180) // 2


def test_a_call_that_verifies_a_phone_counts_too(uma, mobile, settings):
    settings.CALL_MINUTES_A_DAY = (1, 0)
    call = locations.verify(uma, mobile.pk)
    assert (call.trunk_legs, call.most_seconds) == (1, 60)
    with pytest.raises(ValidationError, match="used up"):
        place(uma)


def test_extensions_cost_nothing(uma, desk, settings):
    settings.CALL_MINUTES_A_DAY = (1, 1)
    place(uma)
    assert calls.place(uma, "301", location_id=None, caller_id="").most_seconds == 3600


def test_money_is_counted_in_whole_minutes_at_the_operators_prices(uma, settings, rules):
    rules("price +1 0.5\n")
    settings.CALL_COST_A_DAY = (5, 0)
    call = last(place(uma), 2.1)
    assert (call.most_seconds, call.rate) == (300, Decimal("0.5"))
    # 3 minutes were billed: 1.5 of 5; 3.5 are 7 minutes.
    assert place(uma, 1).most_seconds == 180
    assert sum(granted_until_refused(uma, 2)) == 240


def test_half_of_a_budget_is_said_to_the_person_and_logged_once(uma, settings, caplog):
    settings.CALL_MINUTES_A_DAY = (20, 0)
    assert place(uma).notice == ""
    notices = [place(uma, turn).notice for turn in (1, 2)]
    assert notices == ["More than half of today's budget for calls is used."] * 2
    assert caplog.messages.count("Half of a day's budget for calls was used.") == 1


def test_yesterdays_calls_are_forgotten(uma, settings):
    settings.CALL_MINUTES_A_DAY = (1, 0)
    call = place(uma)
    with pytest.raises(ValidationError, match="used up"):
        place(uma, 1)
    Call.unscoped.filter(pk=call.pk).update(placed_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert place(uma, 1).most_seconds == 60


def test_an_end_that_nobody_saw_counts_as_long_as_it_may_have_been(uma, settings):
    settings.CALL_MINUTES_A_DAY = (20, 0)
    call = place(uma)
    calls.close(call.ref, timezone.now() + timedelta(hours=3))
    call.refresh_from_db()
    assert call.billed_seconds == call.most_seconds == 600


def test_a_call_that_goes_on_after_it_was_closed_is_open_again(uma):
    call = place(uma)
    calls.heard(call.ref, News("ended", timezone.now(), cancelled=True))
    calls.heard(call.ref, News("talking", timezone.now() + timedelta(seconds=1)))
    call.refresh_from_db()
    assert (call.state, call.outcome, call.ended_at) == ("talking", "", None)
    calls.heard(call.ref, News("ended", timezone.now() + timedelta(seconds=61)))
    call.refresh_from_db()
    assert (call.state, call.outcome, call.seconds) == ("ended", "answered", 60)


# The own phone


def test_a_phone_is_not_rung_any_more_where_its_country_is_not_allowed_any_more(uma, mobile, settings):
    mobile.verified_at = timezone.now()
    mobile.save()
    settings.CALL_COUNTRIES = "GB"
    with pytest.raises(ValidationError, match="in this country cannot be called"):
        calls.place(uma, OTHER, location_id=mobile.pk, caller_id="")
    mobile.verified_at = None
    mobile.save()
    with pytest.raises(ValidationError, match="in this country cannot be called"):
        locations.verify(uma, mobile.pk)
    assert not Call.unscoped.exists()


def test_a_phone_is_rung_three_times_a_day_for_its_verification_whoever_asks(uma, mobile, jane):
    def added(actor):
        return locations.add_location(actor, kind="mobile", typed=mobile.number)

    stranger = Actor.at_home(make_person(jane, role="administrator"))
    for _turn in range(2):
        calls.heard(locations.verify(uma, mobile.pk).ref, News("ended", timezone.now()))
        locations.remove_location(uma, mobile.pk)
        mobile = added(uma)
    theirs = added(stranger)
    calls.heard(locations.verify(stranger, theirs.pk).ref, News("ended", timezone.now()))
    for actor, phone in ((uma, mobile), (stranger, theirs)):
        with pytest.raises(ValidationError, match="called three times today to verify it"):
            locations.verify(actor, phone.pk)
