"""Numbers that a VAR gives up: their carriers are told, once and for certain, and never of what is not the VAR's."""

from contextlib import closing
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import AuditEvent
from accounts.scope import scope
from numbers import carriers
from numbers.actions import releases, retries, verbs
from numbers.carriers import simulated, simulated_server
from numbers.models import OrderLine, PhoneNumber, Release
from numbers.tasks import heal_releases
from numbers.tasks import release as task
from tests.factories import make_number, make_provider
from tests.numbers.carrier import GOOD, NAME, go_on, on_this_computer, ordered
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)
HELD = "+15145550100"


@pytest.fixture(params=["telnyx", "twilio"])
def carrier(request, settings):
    """A carrier that serves all VARs, and holds a number that was not ordered here."""
    with on_this_computer(api=request.param) as (carrier, setting):
        carrier.ported = {HELD}
        settings.CARRIERS = setting
        yield carrier


@pytest.fixture
def alone(carrier, settings, alpha):
    """The carrier is Alpha's alone."""
    settings.CARRIERS += f"&vars={alpha.code}"


@pytest.fixture
def given_up(actor_in, alpha):
    """Alpha gives up numbers; the rows that say so."""

    def give_up(*numbers, **how):
        with scope(alpha):
            outcomes = verbs.perform(actor_in(alpha), verbs.GiveUp(confirmed=True, **how), [n.pk for n in numbers])
        assert [outcome.refusal for outcome in outcomes] == [""] * len(numbers)
        return {row.e164: row for row in Release.unscoped.all()}

    return give_up


@pytest.fixture
def tell(alpha, system, provider):
    """What the worker does, so many times; in between, time passes."""

    def tell(times=1):
        for _turn in range(times):
            Release.unscoped.update(next_at=timezone.now())
            releases.go_on(alpha, system, provider.pk)
        return {row.e164: (row.state, row.reason) for row in Release.unscoped.all()}

    return tell


def held(alpha, provider, e164=HELD, **facts):
    return make_number(alpha, e164=e164, provider=provider, **facts)


# Who is told of what


def test_what_a_carrier_has_delivered_it_is_told_to_let_go(carrier, provider, actor_in, acme, given_up, tell):
    order = ordered(actor_in(acme), provider, GOOD)
    go_on(order)
    assert set(GOOD) <= set(carrier.held())
    given_up(*PhoneNumber.unscoped.filter(e164__in=GOOD[:2]))
    jobs = ProcrastinateJob.objects.filter(task_name="numbers.release")
    assert [job.lock for job in jobs] == [f"release:{acme.parent.code}:{provider.pk}"]
    assert tell() == dict.fromkeys(GOOD[:2], ("done", ""))
    assert set(carrier.held()) == {GOOD[2], HELD}
    event = AuditEvent.unscoped.get(verb="number.given_up", target=GOOD[0])
    assert (event.account, event.person) == (acme.parent, actor_in(acme.parent).person)
    assert event.after == {"provider": NAME}


def test_of_a_carrier_of_several_vars_no_number_is_given_up_that_somebody_added_by_hand(
    carrier, provider, alpha, given_up
):
    assert states(given_up(held(alpha, provider))) == {HELD: "manual"}
    assert HELD in carrier.held()


def test_a_number_that_is_added_again_by_hand_is_not_the_one_that_was_delivered(
    carrier, provider, actor_in, alpha, acme, given_up
):
    go_on(ordered(actor_in(acme), provider, GOOD[:1]))
    PhoneNumber.unscoped.all().delete()
    assert states(given_up(held(alpha, provider, GOOD[0]))) == {GOOD[0]: "manual"}


def test_of_a_carrier_of_one_var_every_number_is_given_up(carrier, provider, alone, alpha, given_up, tell):
    by_hand = held(alpha, make_provider("By hand"), "+15145550198")
    given_up(held(alpha, provider), by_hand)
    assert tell() == {HELD: ("done", ""), by_hand.e164: ("manual", "")}
    assert carrier.held() == {}


def test_a_carrier_that_serves_others_alone_is_not_told(carrier, provider, settings, alpha, bravo, given_up):
    settings.CARRIERS += f"&vars={bravo.code}"
    assert states(given_up(held(alpha, provider))) == {HELD: "manual"}


def test_what_the_carrier_itself_says_it_has_not_it_is_not_told_of(provider, alone, alpha, given_up):
    (one,) = given_up(held(alpha, provider), said_by_carrier=True).values()
    assert (one.state, one.reason) == ("done", "The carrier's own list does not have it.")
    assert not ProcrastinateJob.objects.exists()


def test_a_number_that_is_deleted_was_never_there(provider, alone, actor_in, alpha):
    number = held(alpha, provider)
    with scope(alpha):
        verbs.perform(actor_in(alpha), verbs.Delete(), [number.pk])
    assert not Release.unscoped.exists()


def test_who_asks_is_told_whether_the_carrier_is(of_alpha, provider, alone, alpha):
    for e164, of, sentence in (
        (HELD, provider, "The portal releases it at Simulated. You may not get it back."),
        ("+15145550101", make_provider("Harbour"), "Notify Harbour yourself: the portal cannot."),
    ):
        page = of_alpha.get(f"/{alpha.code}/numbers/{held(alpha, of, e164).digits}/release/")
        assert sentence in page.text


def states(rows):
    return {e164: row.state for e164, row in rows.items()}


# What can go wrong


def test_a_number_that_the_carrier_does_not_list_is_a_failure_for_a_person_to_look_at(
    carrier, provider, alone, alpha, given_up, tell
):
    carrier.ported = set()
    given_up(held(alpha, provider))
    for _turn in range(retries.MOST_ATTEMPTS - 1):
        assert tell()[HELD][0] == "ready"  # a carrier lists a number some time after it was bought
    state, reason = tell()[HELD]
    assert (state, "does not list this number" in reason, carrier.given_up) == ("failed", True, [])
    assert AuditEvent.unscoped.filter(verb="number.not_given_up").count() == 1


def test_a_number_that_is_not_listed_does_not_keep_others_from_being_released(
    carrier, provider, alone, alpha, given_up, tell
):
    given_up(held(alpha, provider, "+15145550199"), held(alpha, provider))
    assert tell()[HELD] == ("done", "")


def test_telnyx_is_asked_for_digits_alone(provider, alone, alpha, given_up, tell, carrier):
    """Its filter finds nothing where the text has other signs: then nothing would be released."""
    assert simulated.is_found("filter[phone_number]", HELD[1:], HELD)
    assert not simulated.is_found("filter[phone_number]", HELD, HELD)
    given_up(held(alpha, provider))
    assert tell()[HELD] == ("done", "")
    assert carrier.given_up


# Twilio lists no numbers that it has lost.
@pytest.mark.parametrize("carrier", ["telnyx"], indirect=True)
def test_what_the_carrier_has_lost_before_it_is_told_is_released_in_its_words(
    carrier, provider, alone, alpha, given_up, tell
):
    carrier.ported, carrier.unusable = set(), {HELD: "ported-out"}
    given_up(held(alpha, provider))
    assert tell()[HELD] == ("done", "The carrier says that it no longer has it.")
    assert carrier.given_up == []


def test_a_carrier_that_lists_a_number_and_does_not_find_it_has_not_released_it(
    carrier, provider, alone, alpha, given_up, tell, monkeypatch
):
    monkeypatch.setattr(carrier, "give_up", lambda reference: False)
    given_up(held(alpha, provider))
    assert tell()[HELD][0] == "failed"
    assert HELD in carrier.held()


def test_a_carrier_that_does_not_answer_is_told_again_by_the_same_name(carrier, provider, alone, alpha, given_up, tell):
    carrier.release_faults = ["taken without an answer"]
    given_up(held(alpha, provider))
    assert tell() == {HELD: ("ready", "The carrier has not answered.")}
    assert tell() == {HELD: ("done", "")}
    assert carrier.given_up == [f"PN{HELD[1:]}"] * 2


def test_what_the_carrier_got_again_meanwhile_is_another_number(carrier, provider, alone, alpha, given_up, tell):
    carrier.release_faults = ["taken without an answer"]
    given_up(held(alpha, provider))
    tell()
    carrier.bought.append({"sid": "PN-new", "phone_number": HELD, "friendly_name": "somebody"})
    assert tell()[HELD][0] == "done"
    assert carrier.held() == {HELD: "PN-new"}


def test_too_much_to_do_is_no_failure_however_often(carrier, provider, alone, alpha, given_up, tell):
    often = 2 * retries.MOST_ATTEMPTS
    carrier.release_faults = ["too much to do"] * often
    given_up(held(alpha, provider))
    assert tell(often) == {HELD: ("ready", "The carrier is busy and asks to be tried later.")}
    assert tell()[HELD][0] == "done"


def test_who_is_turned_away_lets_the_carrier_be(carrier, provider, alone, alpha, given_up, system):
    carrier.release_faults = ["too much to do"]
    given_up(held(alpha, provider), held(alpha, provider, "+15145550101"))
    empty_queue()
    asked = carrier.asked
    releases.go_on(alpha, system, provider.pk)
    assert carrier.asked == asked + 2  # looked for, and told, of one number
    assert ProcrastinateJob.objects.get().scheduled_at > timezone.now()


def test_a_carrier_that_cannot_be_reached_is_told_for_some_time(settings, provider, alone, alpha, given_up, tell):
    settings.CARRIERS = f"{simulated_server.address_of(1, NAME)}&vars={alpha.code}"
    given_up(held(alpha, provider))
    assert tell(retries.MOST_ATTEMPTS - 1)[HELD] == ("ready", "The carrier cannot be reached.")
    assert tell() == {HELD: ("failed", "The carrier cannot be reached.")}
    event = AuditEvent.unscoped.get(verb="number.not_given_up")
    assert event.after == {"provider": NAME, "reason": "The carrier cannot be reached."}


def test_a_carrier_that_was_taken_out_of_the_setting_is_told_of_nothing(
    settings, provider, alone, alpha, given_up, tell
):
    given_up(held(alpha, provider))
    settings.CARRIERS = ""
    assert tell() == {HELD: ("failed", "The carrier is no longer set up. Ask your operator.")}


def test_what_a_carrier_refuses_fails_in_its_words_and_keeps_nothing_else(
    carrier, provider, alone, alpha, given_up, tell
):
    carrier.ported |= {"+15145550101"}
    carrier.release_faults = ["refused"]
    given_up(held(alpha, provider), held(alpha, provider, "+15145550101"))
    refusal = "The carrier does not deliver this. Your operator can see why. (These numbers need a document.)"
    assert tell() == {HELD: ("failed", refusal), "+15145550101": ("done", "")}


# It is here again


def test_what_is_added_again_before_the_carrier_is_told_is_kept(carrier, provider, alone, alpha, given_up, tell):
    given_up(held(alpha, provider))
    held(alpha, provider)
    assert tell() == {HELD: ("kept", "It was added again, so the carrier was not notified.")}
    assert HELD in carrier.held()
    assert AuditEvent.unscoped.filter(verb="number.kept", account=alpha).count() == 1


def test_what_is_somebody_elses_meanwhile_is_kept(carrier, provider, alone, alpha, bravo, given_up, tell):
    given_up(held(alpha, provider))
    held(bravo, provider)
    assert tell()[HELD][0] == "kept"


def test_what_somebody_has_ordered_meanwhile_is_kept(
    carrier, provider, alone, alpha, zenith, actor_in, given_up, tell, settings
):
    given_up(held(alpha, provider))
    ordered(actor_in(zenith), provider, [HELD])
    assert OrderLine.unscoped.get().state == "pending"
    assert tell()[HELD][0] == "kept"


def test_what_is_added_while_the_carrier_is_told_is_said(carrier, provider, alone, alpha, given_up, tell):
    give_up = carrier.give_up

    def add_meanwhile(reference):
        with closing(connection):
            held(alpha, provider)
        return give_up(reference)

    given_up(held(alpha, provider))
    carrier.give_up = add_meanwhile
    assert tell() == {HELD: ("done", "It was added again, but the carrier no longer has it.")}


# Workers


def test_whoever_is_killed_leaves_what_can_be_healed(carrier, provider, alone, alpha, system, given_up):
    given_up(held(alpha, provider))
    with scope(alpha):
        releases.take_up(alpha, provider.pk)
    empty_queue()
    releases.go_on(alpha, system, provider.pk)  # somebody may be at it
    heal_releases(0)
    assert (HELD in carrier.held(), ProcrastinateJob.objects.count()) == (True, 0)
    Release.unscoped.update(next_at=timezone.now() - timedelta(seconds=1))
    for _turn in range(2):
        heal_releases(0)
    assert ProcrastinateJob.objects.count() == 1
    task(account=alpha.code, provider=provider.pk)
    assert HELD not in carrier.held()


def test_healing_waits_until_somebody_has_set_the_portal_up(db):
    heal_releases(0)
    assert not ProcrastinateJob.objects.exists()


def test_an_answer_that_comes_late_is_believed(carrier, provider, alone, alpha, given_up):
    given_up(held(alpha, provider))
    with scope(alpha):
        slow = releases.take_up(alpha, provider.pk)
    Release.unscoped.update(next_at=timezone.now() + timedelta(minutes=5))
    with scope(alpha):
        releases.settle(alpha, slow, carriers.Unclear("Nobody knows."), came_back=False)
        assert Release.unscoped.get().reason == ""
        releases.settle(alpha, slow, Release.State.DONE, came_back=False)
    assert Release.unscoped.get().state == "done"


# The page


@pytest.fixture
def failed(carrier, provider, alone, alpha, given_up, tell):
    carrier.release_faults = ["refused"]
    given_up(held(alpha, provider))
    tell()
    empty_queue()


def test_what_failed_can_be_tried_again(carrier, failed, of_alpha, alpha, tell):
    page = of_alpha.get(f"/{alpha.code}/numbers/released/?filter=failed").text
    assert "+1 514-555-0100" in page
    assert "These numbers need a document." in page
    answer = of_alpha.post(f"/{alpha.code}/numbers/released/again/", follow=True)
    assert "The release of 1 number is sent to the carrier again." in answer.text
    assert "Retry failed releases" not in answer.text
    assert ProcrastinateJob.objects.get().task_name == "numbers.release"
    assert tell()[HELD] == ("done", "")
    answer = of_alpha.post(f"/{alpha.code}/numbers/released/again/", follow=True)
    assert "Nothing has failed." in answer.text


def test_the_list_of_another_var_stays_as_it_is(failed, client, bravo, administrator_of):
    client.force_login(administrator_of(bravo))
    client.post(f"/{bravo.code}/numbers/released/again/")
    assert Release.unscoped.get().state == "failed"
    page = client.get(f"/{bravo.code}/numbers/released/").text
    assert "No number was released yet" in page
    assert "555-0100" not in page
    assert "Retry failed releases" not in page


def test_a_customer_tries_nothing_again(failed, actor_in, acme):
    with pytest.raises(PermissionDenied):
        releases.try_again(actor_in(acme))


def test_a_person_marks_as_released_what_the_portal_could_not_release(failed, of_alpha, alpha, provider, given_up):
    given_up_by_hand = held(alpha, make_provider("Harbour"), "+15145550102")
    given_up(given_up_by_hand)
    for one in Release.unscoped.order_by("pk"):
        url = f"/{alpha.code}/numbers/released/{one.pk}/done/"
        assert url in of_alpha.get(f"/{alpha.code}/numbers/released/").text
        assert "no longer charges" in of_alpha.get(url).text
        assert "is marked as released" in of_alpha.post(url, follow=True).text
        assert "There is nothing left to do" in of_alpha.post(url, follow=True).text
    assert set(Release.unscoped.values_list("state", flat=True)) == {"done"}
    assert AuditEvent.unscoped.filter(verb="number.given_up").count() == 2


def test_another_var_marks_nothing(failed, signed_in, bravo):
    one = Release.unscoped.get()
    assert signed_in(bravo).post(f"/{bravo.code}/numbers/released/{one.pk}/done/").status_code == 404
    assert Release.unscoped.get().state == "failed"
