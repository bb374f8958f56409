"""Consent to enter an account: the request, the answer, and what it covers."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import actions, audit, notices
from accounts.models import Access, Account, AuditEvent, Grant, Notice, Person
from tests.accounts.rows import live, verbs
from tests.factories import grant, join, make_person

pytestmark = pytest.mark.django_db


def test_consent_is_asked_for_and_given(client, operator, alpha, actor_in, enter):
    alpha.asks_consent = True
    alpha.save(update_fields=["asks_consent"])
    assert "has been asked" in enter(client, alpha, reason="ticket 1").text
    assert not live().exists()
    assert "has been asked" in enter(client, alpha).text
    asked = Access.unscoped.get()

    theirs = Client()
    theirs.force_login(actor_in(alpha).person)
    assert "ticket 1" in theirs.get(f"/{alpha.code}/access/").text
    theirs.post(f"/{alpha.code}/access/decide/", {"access": asked.pk, "allow": "1"})
    assert enter(client, alpha).url == f"/{alpha.code}/numbers/"
    assert live().exists()
    assert verbs() == ["access.asked", "access.allowed", "access.started"]


def test_a_refusal_lets_nobody_in(client, operator, alpha, actor_in, enter):
    alpha.asks_consent = True
    alpha.save(update_fields=["asks_consent"])
    enter(client, alpha)
    asked = Access.unscoped.get()
    theirs = Client()
    theirs.force_login(actor_in(alpha).person)
    theirs.post(f"/{alpha.code}/access/decide/", {"access": asked.pk, "refuse": "1"})
    assert "has been asked" in enter(client, alpha).text
    assert not live().exists()


def test_nobody_else_decides(client, operator, alpha, bravo, actor_in, enter):
    alpha.asks_consent = True
    alpha.save(update_fields=["asks_consent"])
    enter(client, alpha)
    theirs = Client()
    theirs.force_login(actor_in(bravo).person)
    asked = Access.unscoped.get().pk
    assert theirs.post(f"/{bravo.code}/access/decide/", {"access": asked, "allow": "1"}).status_code == 404
    assert theirs.post(f"/{bravo.code}/access/decide/", {"access": asked + 1, "allow": "1"}).status_code == 404
    assert Access.unscoped.get().consented_at is None


@pytest.fixture
def asking_alpha(alpha):
    """An account that wants to be asked."""
    alpha.asks_consent = True
    alpha.save(update_fields=["asks_consent"])
    return alpha


@pytest.fixture
def agent(system, alpha):
    """A support agent who may view Alpha."""
    agent = make_person(system, role="support")
    grant(agent, alpha)
    return agent


@pytest.fixture
def signed_in_as():
    """A browser of its own, in which somebody has signed in."""

    def browser(person):
        client = Client()
        client.force_login(person)
        return client

    return browser


@pytest.fixture
def answers(actor_in, signed_in_as):
    """Answer the question that waits, or the one that is named; returns the answer to that."""

    def answer(account, access=None, how="allow"):
        access = access or Access.unscoped.asking(timezone.now()).get(account=account)
        theirs = signed_in_as(actor_in(account).person)
        return theirs.post(f"/{account.code}/access/decide/", {"access": access.pk, how: "1"}, follow=True)

    return answer


def test_the_question_says_who_why_and_with_which_rights(
    asking_alpha, agent, operator, actor_in, signed_in_as, enter, client
):
    enter(signed_in_as(agent), asking_alpha, reason="ticket 1")
    enter(client, asking_alpha, reason="ticket 2")
    page = signed_in_as(actor_in(asking_alpha).person).get(f"/{asking_alpha.code}/access/").text
    first, second = re.findall(r"<li>\s*<p>(.*?)<form", page, re.DOTALL)
    assert agent.name in first
    assert "ticket 1" in first
    assert "Wants to view this account and change nothing." in first
    assert operator.name in second
    assert "ticket 2" in second
    assert "Wants to manage this account as its administrator." in second


def test_what_was_agreed_is_entered_with_no_more_rights_and_for_no_other_reason(
    asking_alpha, agent, signed_in_as, enter, answers
):
    browser = signed_in_as(agent)
    enter(browser, asking_alpha, reason="just looking")
    answers(asking_alpha)
    grant(agent, asking_alpha, "manage_account")
    assert "This account has agreed: you can enter and view it." in browser.get(f"/{asking_alpha.code}/").text
    assert "has been asked" in enter(browser, asking_alpha, reason="to change everything").text
    assert not live().exists()
    assert enter(browser, asking_alpha).status_code == 302
    access = live().get()
    assert (access.manages, access.reason) == (False, "just looking")
    assert browser.get(f"/{asking_alpha.code}/settings/").status_code == 403
    events = AuditEvent.unscoped.exclude(verb="grant.given").order_by("pk").values_list("verb", "after")
    looking = {"reason": "just looking", "may_change": False}
    assert list(events) == [
        ("access.asked", looking),
        ("access.allowed", looking),
        ("access.asked", {"reason": "to change everything", "may_change": True}),
        ("access.started", looking),
    ]


def test_what_was_agreed_is_entered_with_fewer_rights_where_they_have_become_fewer(
    asking_alpha, system, signed_in_as, enter, answers
):
    agent = make_person(system, role="support")
    grant(agent, asking_alpha, "manage_account")
    browser = signed_in_as(agent)
    enter(browser, asking_alpha)
    answers(asking_alpha)
    Grant.objects.filter(user=agent).delete()
    grant(agent, asking_alpha)
    assert enter(browser, asking_alpha).status_code == 302
    assert not live().get().manages


def test_what_was_agreed_once_is_entered_once(asking_alpha, operator, client, enter, answers):
    enter(client, asking_alpha)
    answers(asking_alpha)
    enter(client, asking_alpha)
    client.post(f"/{asking_alpha.code}/access/leave/")
    assert "has been asked" in enter(client, asking_alpha).text


def test_another_sign_in_of_the_same_person_asks_for_itself(
    asking_alpha, operator, client, signed_in_as, enter, answers
):
    enter(client, asking_alpha, reason="ticket 1")
    answers(asking_alpha)
    other = signed_in_as(operator)
    assert "has been asked" in enter(other, asking_alpha, reason="ticket 2").text
    assert "This account has agreed" not in other.get(f"/{asking_alpha.code}/").text
    assert enter(client, asking_alpha).status_code == 302
    assert live().get().reason == "ticket 1"


def test_the_later_question_of_a_person_takes_the_place_of_the_earlier(
    asking_alpha, operator, client, signed_in_as, enter, answers
):
    enter(client, asking_alpha, reason="ticket 1")
    first = Access.unscoped.get()
    enter(signed_in_as(operator), asking_alpha, reason="ticket 2")
    assert Access.unscoped.asking(timezone.now()).get().reason == "ticket 2"
    assert "has already been answered or has expired" in answers(asking_alpha, first).text
    first.refresh_from_db()
    assert first.consented_at is None
    assert "has been asked" in enter(client, asking_alpha, reason="ticket 1").text


def test_rights_that_become_more_before_the_answer_are_asked_for_with_the_same_reason(
    asking_alpha, agent, signed_in_as, enter
):
    browser = signed_in_as(agent)
    enter(browser, asking_alpha, reason="ticket 1")
    grant(agent, asking_alpha, "manage_account")
    enter(browser, asking_alpha)
    asked = Access.unscoped.asking(timezone.now()).get()
    assert (asked.manages, asked.reason) == (True, "ticket 1")


@pytest.mark.parametrize("first", ["allow", "refuse"])
def test_a_question_is_answered_once(asking_alpha, operator, client, enter, answers, first):
    enter(client, asking_alpha)
    asked = Access.unscoped.get()
    answers(asking_alpha, asked, first)
    page = answers(asking_alpha, asked, "refuse" if first == "allow" else "allow")
    assert page.status_code == 200
    assert "This request has already been answered or has expired." in page.text
    assert (enter(client, asking_alpha).status_code == 302) == (first == "allow")


def test_nobody_answers_for_an_account_below_their_own(asking_alpha, operator, client, system, enter):
    enter(client, asking_alpha)
    asked = Access.unscoped.get()
    answer = client.post(f"/{system.code}/access/decide/", {"access": asked.pk, "allow": "1"})
    assert answer.status_code == 404
    assert "has been asked" in enter(client, asking_alpha).text


@pytest.mark.parametrize("then", ["demoted", "deactivated"])
def test_what_somebody_agreed_to_who_may_not_any_more_is_asked_again(
    asking_alpha, operator, client, enter, answers, actor_in, then
):
    enter(client, asking_alpha)
    answers(asking_alpha)
    lost = {"demoted": {"role": "user"}, "deactivated": {"is_active": False}}[then]
    Person.objects.filter(pk=actor_in(asking_alpha).person.pk).update(**lost)
    assert "has been asked" in enter(client, asking_alpha).text


def test_a_question_and_what_was_agreed_hold_for_a_day(asking_alpha, operator, client, enter, answers):
    enter(client, asking_alpha)
    asked = Access.unscoped.get()
    yesterday = timezone.now() - timedelta(hours=24, seconds=1)
    Access.unscoped.update(asked_at=yesterday)
    assert "has already been answered or has expired" in answers(asking_alpha, asked).text
    enter(client, asking_alpha)
    answers(asking_alpha)
    Access.unscoped.update(asked_at=yesterday)
    assert "has been asked" in enter(client, asking_alpha).text


def test_another_way_to_the_account_asks_again(asking_alpha, bravo, operator, client, enter, answers):
    """The account has moved below another one: what was agreed was by the way before."""
    enter(client, asking_alpha)
    answers(asking_alpha)
    Access.unscoped.update(chain=[operator.account_id, bravo.pk, asking_alpha.pk])
    assert "has been asked" in enter(client, asking_alpha).text


def test_whoever_is_inside_without_consent_is_out_when_the_account_begins_to_ask(
    alpha, bravo, operator, client, enter, actor_in, signed_in_as
):
    for account in (alpha, bravo):
        enter(client, account)
    theirs = signed_in_as(actor_in(alpha).person)
    theirs.post(f"/{alpha.code}/access/consent/", {"asks_consent": "on"})
    assert [access.account for access in live()] == [bravo]
    assert Access.unscoped.get(account=alpha).ended_why == "not_allowed"
    assert "has been asked" in enter(client, alpha, reason="ticket 1").text


def test_many_questions_are_one_notice(asking_alpha, operator, client, enter, actor_in):
    boss = actor_in(asking_alpha).person
    join(boss)
    for turn in range(5):
        enter(client, asking_alpha, reason=f"ticket {turn}")
    notice = Notice.of(boss).get()
    assert (notice.count, notice.facts["asks"]) == (5, True)
    assert notices.sentence(notice).endswith("requests access to the account.")


def test_an_account_that_stops_asking_is_entered_and_no_question_stays(asking_alpha, operator, client, enter):
    enter(client, asking_alpha)
    Account.unscoped.filter(pk=asking_alpha.pk).update(asks_consent=False)
    assert enter(client, asking_alpha, reason="ticket 2").status_code == 302
    assert not Access.unscoped.asking(timezone.now()).exists()
    assert live().get().reason == "ticket 2"


@pytest.mark.parametrize("end", ["signed out", "withdrawn", "role lost"])
def test_questions_and_what_was_agreed_end_with_the_sign_in_and_with_the_right(
    asking_alpha, system, agent, signed_in_as, enter, answers, actor_in, end
):
    browser = signed_in_as(agent)
    enter(browser, asking_alpha, reason="ticket 1")
    answers(asking_alpha)
    enter(browser, asking_alpha, reason="ticket 2")
    if end == "signed out":
        browser.post("/logout/")
    elif end == "withdrawn":
        actions.withdraw_grant(actor_in(system), Grant.objects.get().pk)
    else:
        actions.change_person(actor_in(system), agent.pk, name=agent.name, role="user")
    assert not Access.unscoped.questions(timezone.now()).exists()
    withdrawn = AuditEvent.unscoped.filter(verb="access.withdrawn", account=asking_alpha)
    assert withdrawn.count() == 2


def test_what_others_did_to_an_account_is_not_told_apart_by_who_they_are(client, alpha, acme, actor_in):
    audit.record(actor_in(alpha), "account.changed", acme, {"contact": ""}, {"contact": "Ann"}, concerns=acme.pk)
    client.force_login(actor_in(acme).person)
    for state in ("", "&filter=own", "&filter=inside"):
        page = client.get(f"/{acme.code}/history/?kind=others{state}").text
        assert "By our own people" not in page
        assert actor_in(alpha).person.name in page
    assert "By our own people" in client.get(f"/{acme.code}/history/").text
