"""People's own telephones are verified by a call before they are rung."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent
from tests.factories import make_destination, make_person
from webphone.actions import calls, locations
from webphone.models import Call, Location
from webphone.telephony import News

pytestmark = pytest.mark.django_db


def type_on_it(call, digits, at=None):
    calls.heard(call.ref, News("digits", at or timezone.now(), digits=digits))


def test_the_code_that_the_page_shows_verifies_the_telephone_that_was_rung(uma, mobile):
    call = locations.verify(uma, mobile.pk)
    mobile.refresh_from_db()
    assert (call.mode, call.own_number, len(mobile.code)) == ("code", mobile.number, 4)
    type_on_it(call, mobile.code)
    mobile.refresh_from_db()
    assert mobile.is_verified
    assert mobile.code == ""
    event = AuditEvent.unscoped.get()
    # The company's administrators read this: of a private number they see what it takes to tell it from another.
    assert (event.verb, event.target) == ("location.verified", "Mobile …0170")


def test_another_code_verifies_nothing_and_is_not_asked_for_twice(uma, mobile):
    call = locations.verify(uma, mobile.pk)
    mobile.refresh_from_db()
    right = mobile.code
    type_on_it(call, f"{(int(right) + 1) % 10_000:04}")
    type_on_it(call, right)
    mobile.refresh_from_db()
    assert not mobile.is_verified


def test_a_code_is_good_for_two_minutes_and_for_its_own_call(uma, mobile):
    first = locations.verify(uma, mobile.pk)
    mobile.refresh_from_db()
    type_on_it(first, mobile.code, at=timezone.now() + timedelta(minutes=3))
    mobile.refresh_from_db()
    assert not mobile.is_verified
    calls.heard(first.ref, News("ended", timezone.now()))
    second = locations.verify(uma, mobile.pk)
    mobile.refresh_from_db()
    type_on_it(first, mobile.code)
    mobile.refresh_from_db()
    assert not mobile.is_verified
    type_on_it(second, mobile.code)
    mobile.refresh_from_db()
    assert mobile.is_verified


def test_calls_with_a_code_count_like_others(uma, mobile, settings):
    settings.CALLS_AN_HOUR = (1, 600)
    calls.heard(locations.verify(uma, mobile.pk).ref, News("ended", timezone.now()))
    with pytest.raises(ValidationError, match="within an hour"):
        locations.verify(uma, mobile.pk)


def test_a_verified_telephone_is_not_rung_again_for_that(uma, telephone):
    with pytest.raises(ValidationError, match="known to be yours"):
        locations.verify(uma, telephone.pk)
    assert not Call.unscoped.exists()


def test_an_extension_is_one_of_a_user_of_the_account(uma, desk, acme, zenith):
    make_destination(acme, "Front desk", kind="group", extension="100")
    make_destination(zenith, extension="555")
    assert locations.add_location(uma, kind="extension", typed="301").destination == desk
    for extension in ("100", "555", "+15145550123", "x"):
        with pytest.raises(ValidationError, match="No user here has this extension"):
            locations.add_location(uma, kind="extension", typed=extension)


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        ("mobile", "911", "emergency"), ("home", "+19005551234", "premium-rate"), ("other", "301", r"Begin with \+"),
        ("other", "+1514\r\n5550123", "country code and digits"), ("car", "+15145550123", "what kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_telephone_is_refused(uma, kind, typed, why):
    with pytest.raises(ValidationError, match=why):
        locations.add_location(uma, kind=kind, typed=typed)
    assert not Location.unscoped.exists()


def test_a_telephone_is_there_once_and_ten_are_enough(uma):
    locations.add_location(uma, kind="mobile", typed="+1 514 555 0100")
    with pytest.raises(ValidationError, match="You have this telephone already"):
        locations.add_location(uma, kind="home", typed="0015145550100")
    for turn in range(1, 10):
        locations.add_location(uma, kind="other", typed=f"+1514555010{turn}")
    with pytest.raises(ValidationError, match="You have 10 telephones"):
        locations.add_location(uma, kind="other", typed="+15145550111")


def test_nobody_touches_the_telephones_of_others(uma, mobile, acme):
    boss = Actor.at_home(make_person(acme, role="administrator"))
    for act in (locations.verify, locations.remove_location):
        with pytest.raises(Location.DoesNotExist):
            act(boss, mobile.pk)
    locations.remove_location(uma, mobile.pk)
    assert not Location.unscoped.exists()


def test_a_telephone_goes_with_its_extension(uma, telephone, desk):
    desk.delete()
    assert not Location.unscoped.exists()


def test_what_a_colleague_has_can_be_ones_own_as_well(uma, mobile, acme):
    colleague = Actor.at_home(make_person(acme, role="user"))
    added = locations.add_location(colleague, kind="home", typed=mobile.number)
    assert (added.number, added.kind) == (mobile.number, "home")


def test_an_extension_brings_its_numbers_to_whom_it_was_shown_to_be(uma, desk, own, acme):
    colleague = Actor.at_home(make_person(acme, role="user"))
    facts = {"account": acme, "person": colleague.person, "verified_at": timezone.now()}
    Location.unscoped.create(kind="extension", number="301", destination=desk, **facts)
    assert calls.own_numbers(colleague) == [own]
    assert calls.own_numbers(uma) == []
