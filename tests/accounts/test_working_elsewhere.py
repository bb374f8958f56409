"""Working in an account that is not one's own: who gets in, what ends it, what it leaves behind."""

import csv
import itertools
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import policy
from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent
from accounts.rules import standing
from tests.accounts.rows import live
from tests.factories import grant, make_account, make_number, make_person

pytestmark = pytest.mark.django_db


def ended_why():
    return list(Access.unscoped.order_by("pk").values_list("ended_why", flat=True))


# Who gets in


def test_only_straight_down(system, alpha, bravo, acme, zenith, jane):
    """Every person's account and role against every account: exactly those below, by right or by grant."""
    accounts = [system, alpha, bravo, acme, zenith, jane]
    below = {system: {alpha, bravo, acme, zenith, jane}, alpha: {acme, jane}, bravo: {zenith}}
    for home, role in itertools.product(accounts, ("administrator", "support", "user")):
        person = make_person(home, role=role)
        for target in accounts:
            found = standing(person, target.code)
            expected = role == "administrator" and target in below.get(home, set())
            assert (found is not None) == expected, (home.code, role, target.code)
            if found:
                assert found.manages
                assert found.chain[0] == home
                assert found.chain[-1] == target
    assert standing(make_person(system, role="administrator"), "V99999") is None


def test_a_grant_opens_the_account_and_what_is_below_it_and_nothing_beside(system, alpha, bravo, acme, zenith):
    agent = make_person(system, role="support")
    grant(agent, alpha)
    assert standing(agent, alpha.code).manages is False
    assert standing(agent, acme.code).manages is False
    assert standing(agent, bravo.code) is None
    assert standing(agent, zenith.code) is None
    assert standing(make_person(system, role="support"), alpha.code) is None
    grant(agent, acme, "manage_account")
    assert standing(agent, acme.code).manages is True
    assert standing(agent, alpha.code).manages is False


def test_a_grant_ends_at_its_time(system, alpha):
    agent = make_person(system, role="support")
    grant(agent, alpha, until=timezone.now() + timedelta(hours=1))
    assert standing(agent, alpha.code)
    type(agent).objects.get(pk=agent.pk)
    grant(agent, alpha, until=timezone.now() - timedelta(seconds=1))
    assert standing(agent, alpha.code) is None


def test_a_grant_to_somebody_who_is_not_support_opens_nothing(system, alpha):
    person = make_person(system, role="user")
    grant(person, alpha, "manage_account")
    assert standing(person, alpha.code) is None


# Entering and leaving


def test_what_is_entered_in_one_browser_is_not_entered_in_another(client, operator, alpha, bravo, enter):
    enter(client, alpha)
    elsewhere = Client()
    elsewhere.force_login(operator)
    enter(elsewhere, bravo)
    for browser, entered, other in ((client, alpha, bravo), (elsewhere, bravo, alpha)):
        assert "you are working in" in browser.get(f"/{entered.code}/numbers/").text
        assert f"Enter {other.name}" in browser.get(f"/{other.code}/numbers/").text


def test_entering_lands_in_the_section_and_says_so_on_every_page(client, operator, alpha, enter):
    number = make_number(var=alpha)
    answer = enter(client, alpha, back="/SYS/numbers/?sort=var")
    assert answer.url == f"/{alpha.code}/numbers/"
    page = client.get(answer.url)
    assert number.e164 in page.text
    assert "you are working in" in page.text
    assert "60 minutes left" in page.text
    assert client.post(f"/{alpha.code}/access/leave/").url == "/SYS/numbers/?sort=var"
    assert "Enter Alpha Telecom" in client.get(f"/{alpha.code}/numbers/").text
    assert ended_why() == ["left"]


def test_a_deep_link_shows_one_button_and_nothing_of_the_account(client, operator, acme):
    number = make_number(customer=acme)
    page = client.get(f"/{acme.code}/numbers/{number.digits}/")
    assert page.status_code == 200
    assert number.e164 not in page.text
    assert page.text.count('<button type="submit" class="btn btn-primary">') == 1
    assert not Access.unscoped.exists()


@pytest.mark.parametrize("method", ["get", "head", "options", "put"])
def test_only_a_post_enters(client, operator, alpha, method):
    getattr(client, method)(f"/{alpha.code}/access/")
    assert not Access.unscoped.exists()


def test_a_post_from_elsewhere_does_not_enter(operator, alpha):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.post(f"/{alpha.code}/access/").status_code == 403
    assert not Access.unscoped.exists()


def test_nested_entering_and_leaving_one_by_one(client, operator, alpha, acme, enter):
    enter(client, alpha, back="/SYS/numbers/")
    enter(client, acme, back=f"/{alpha.code}/numbers/")
    page = client.get(f"/{acme.code}/")
    assert "Alpha Telecom ›" in page.text
    assert client.post(f"/{acme.code}/access/leave/").url == f"/{alpha.code}/numbers/"
    assert client.get(f"/{alpha.code}/numbers/").status_code == 200
    assert "you are working in" in client.get(f"/{alpha.code}/numbers/").text
    assert client.post(f"/{alpha.code}/access/leave/").url == "/SYS/numbers/"
    assert not live().exists()


def test_leaving_leaves_what_was_entered_from_there(client, operator, alpha, acme, enter):
    enter(client, alpha)
    enter(client, acme)
    client.post(f"/{alpha.code}/access/leave/")
    assert not live().exists()


def test_entering_twice_is_entering_once(client, operator, alpha, enter):
    assert enter(client, alpha).url == enter(client, alpha).url
    assert Access.unscoped.count() == 1


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example/", "/V1/../SYS/", "javascript:alert(1)", "\\\\evil"]
)
def test_entering_never_leads_elsewhere(client, operator, alpha, path):
    assert client.post(f"/{alpha.code}/access/", {"next": path}).url == f"/{alpha.code}/"
    assert client.post(f"/{alpha.code}/access/leave/").url == "/"
    client.post(f"/{alpha.code}/access/", {"back": path})
    assert not client.post(f"/{alpha.code}/access/leave/").url.startswith(("http", "//", "java", "\\"))


@pytest.mark.parametrize("reason", ["", "  ", "<b>ticket</b> 4711"])
def test_a_reason_is_asked_for_where_it_is_required_and_shown_as_text(
    client, operator, alpha, actor_in, settings, reason
):
    settings.ACCESS_REASON = "required"
    answer = client.post(f"/{alpha.code}/access/", {"reason": reason})
    if not reason.strip():
        assert answer.status_code == 422
        assert not Access.unscoped.exists()
        return
    client.force_login(actor_in(alpha).person)
    page = client.get(f"/{alpha.code}/access/")
    assert "&lt;b&gt;ticket&lt;/b&gt; 4711" in page.text


def test_two_windows_are_two_accounts(client, operator, alpha, bravo, enter):
    own, other = make_number(var=alpha), make_number(var=bravo)
    enter(client, alpha)
    enter(client, bravo)
    assert own.e164 in client.get(f"/{alpha.code}/numbers/").text
    assert other.e164 not in client.get(f"/{alpha.code}/numbers/").text
    assert other.e164 in client.get(f"/{bravo.code}/numbers/").text


def test_another_sign_in_of_the_same_person_is_not_inside(client, operator, alpha, enter):
    enter(client, alpha)
    elsewhere = Client()
    elsewhere.force_login(operator)
    assert "Enter Alpha Telecom" in elsewhere.get(f"/{alpha.code}/numbers/").text


# What inside means


def test_inside_one_has_the_administrators_role_less_what_only_own_people_do(client, operator, acme, enter):
    enter(client, acme)
    for name, permission in policy.PERMISSIONS.items():
        role = policy.Role.COMPANY_ADMINISTRATOR
        assert policy.allows(role, name, inside=True) == (role in permission.roles and permission.inside)
    assert client.post(f"/{acme.code}/access/consent/", {"asks_consent": "on"}).status_code == 403
    assert not Account.unscoped.get(pk=acme.pk).asks_consent


def test_a_viewing_agent_gets_no_permission_that_changes():
    for role, name in itertools.product(policy.Role, policy.PERMISSIONS):
        allowed = policy.allows(role, name, inside=True, viewing=True)
        assert not (allowed and policy.PERMISSIONS[name].changes)


def test_a_permission_nobody_thought_about_is_refused_inside(monkeypatch):
    role = policy.Role.VAR_ADMINISTRATOR
    monkeypatch.setitem(policy.PERMISSIONS, "numbers.new", policy.Permission(frozenset({role})))
    assert policy.allows(role, "numbers.new")
    assert not policy.allows(role, "numbers.new", inside=True)


# What ends it


@pytest.fixture
def inside(client, operator, alpha, enter):
    """The operator is inside Alpha; returns whether they still are, and why not."""
    enter(client, alpha)

    def still():
        page = client.get(f"/{alpha.code}/numbers/")
        return page.status_code == 200 and "you are working in" in page.text

    assert still()
    return still


def test_demoted_out(inside, operator):
    operator.role = "user"
    operator.save(update_fields=["role"])
    assert not inside()


def test_deactivated_out(inside, operator):
    operator.is_active = False
    operator.save(update_fields=["is_active"])
    assert not inside()


def test_new_password_out(inside, operator):
    operator.set_password("another password 2026")
    operator.save(update_fields=["password"])
    assert not inside()


def test_suspended_out(inside, alpha):
    alpha.status = "suspended"
    alpha.save(update_fields=["status"])
    assert not inside()
    assert ended_why() == ["not_allowed"]


def test_moved_account_out(inside, alpha, bravo, system, client, operator, acme):
    client.post(f"/{acme.code}/access/")
    assert client.get(f"/{acme.code}/").status_code == 200
    operator.account = bravo
    operator.save(update_fields=["account"])
    assert client.get(f"/{acme.code}/").status_code == 404


def test_time_is_up(inside):
    Access.unscoped.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not inside()
    assert ended_why() == ["expired"]


def test_idle_out(inside):
    Access.unscoped.update(seen_at=timezone.now() - timedelta(minutes=15, seconds=1))
    assert not inside()
    assert ended_why() == ["idle"]


def test_doing_something_puts_off_the_idle_limit(inside):
    Access.unscoped.update(seen_at=timezone.now() - timedelta(minutes=14))
    assert inside()
    assert Access.unscoped.get().seen_at > timezone.now() - timedelta(minutes=1)


def test_signing_out_leaves(client, inside):
    client.post("/logout/")
    assert ended_why() == ["signed_out"]


def test_a_withdrawn_grant_ends_it(client, system, alpha, enter):
    agent = make_person(system, role="support")
    given = grant(agent, alpha)
    client.force_login(agent)
    enter(client, alpha)
    assert "You cannot change anything" in client.get(f"/{alpha.code}/numbers/").text
    given.delete()
    assert client.get(f"/{alpha.code}/numbers/").status_code == 404


def test_a_grant_to_manage_that_becomes_one_to_view_ends_it(client, system, alpha, enter):
    agent = make_person(system, role="support")
    given = grant(agent, alpha, "manage_account")
    client.force_login(agent)
    enter(client, alpha)
    given.delete()
    grant(agent, alpha)
    assert "Enter Alpha Telecom" in client.get(f"/{alpha.code}/numbers/").text


# Nothing typed is lost


def test_what_was_typed_survives_the_end_of_an_access(client, operator, alpha, acme, enter):
    typed = {"access": "1", "note": "line 1\nline 2 <b>"}
    answer = client.post(f"/{alpha.code}/access/decide/", typed)
    assert answer.status_code == 409
    assert "line 2 &lt;b&gt;" in answer.text
    carried = {f"kept:{name}": value for name, value in typed.items()}
    again = client.post(f"/{alpha.code}/access/", {"next": f"/{alpha.code}/access/decide/", **carried})
    assert again.status_code == 200
    assert f'action="/{alpha.code}/access/decide/"' in again.text
    assert "line 2 &lt;b&gt;" in again.text
    assert "csrfmiddlewaretoken" in again.text
    assert live().exists()


# What the account reads


def test_the_account_reads_who_was_inside_when_why_and_how_much_was_changed(client, operator, alpha, actor_in, enter):
    enter(client, alpha, reason="ticket 4711")
    client.post(f"/{alpha.code}/access/leave/")
    theirs = Client()
    theirs.force_login(actor_in(alpha).person)
    page = theirs.get(f"/{alpha.code}/access/").text
    for said in (operator.name, "ticket 4711", "Left", "manage"):
        assert said in page
    history = theirs.get(f"/{alpha.code}/history/export.csv").getvalue().decode().splitlines()
    assert [row["What"] for row in csv.DictReader(history)] == ["left", "entered"]
    exported = theirs.get(f"/{alpha.code}/access/export.csv").getvalue().decode()
    assert "ticket 4711" in exported
    assert theirs.get(f"/{alpha.code}/access/export.pdf").getvalue().startswith(b"%PDF")


def test_another_account_reads_nothing_of_it(client, operator, alpha, bravo, actor_in, enter):
    enter(client, alpha, reason="ticket 4711")
    theirs = Client()
    theirs.force_login(actor_in(bravo).person)
    for page in ("access", "history"):
        assert operator.name not in theirs.get(f"/{bravo.code}/{page}/").text


def test_a_support_agent_sees_only_what_was_granted(system, alpha, bravo, acme, zenith):
    agent = make_person(system, role="support")
    grant(agent, alpha)
    assert set(Account.visible_to(Actor.at_home(agent))) == {system, alpha, acme}


def test_deep_trees_stop_at_a_suspended_account_on_the_way(client, operator, alpha, acme, enter):
    alpha.status = "suspended"
    alpha.save(update_fields=["status"])
    assert enter(client, acme).status_code == 422
    assert "Alpha Telecom is not in service" in client.get(f"/{acme.code}/").text
    make_account("company", alpha)


def test_saving_what_is_there_already_is_no_change(client, alpha, actor_in):
    """History has an event for each change, and none for a form that was sent as it stood."""
    person = actor_in(alpha).person
    client.force_login(person)
    same = {"name": person.name, "time_zone": person.time_zone, "number_format": person.number_format}
    assert client.post("/profile/", same).status_code == 302
    assert client.post(f"/{alpha.code}/access/consent/").status_code == 302
    assert not AuditEvent.unscoped.exists()


@pytest.mark.parametrize("role", ["administrator", "support", "user"])
def test_to_be_nothing_to_an_account_takes_as_long_as_that_there_is_none(
    system, alpha, bravo, role, django_assert_num_queries
):
    """The same number of statements: a support agent is asked what they were granted in either case."""
    person = make_person(alpha, role=role)
    for code in (bravo.code, "V99999"):
        with django_assert_num_queries(2 if role == "support" else 1):
            assert standing(person, code) is None
    agent = make_person(system, role="support")
    for code in (bravo.code, "V99999"):
        with django_assert_num_queries(2):
            assert standing(agent, code) is None
