"""What holds although something else would hold in its place: found by taking guards away, one at a time."""

import importlib
import inspect
import pkgutil

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

import accounts.actions
import numbers.actions
from accounts import actions
from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent
from accounts.policy import PERMISSIONS, Permission
from accounts.rules import standing
from numbers.actions.verbs import Delete
from numbers.models import Destination
from tests.factories import grant, make_destination, make_person

pytestmark = pytest.mark.django_db


#: Of oneself: whoever is somewhere may leave, see to their own profile and sign-ins, and read what they are told.
ONES_OWN = {
    "leave_account", "change_profile", "end_session", "read_notice", "read_all_notices", "choose_channels",
    "unlink_provider",
}  # fmt: skip


def guarded():
    """Every action, by what makes it one: its first argument acts, and it is a transaction."""
    for package in (accounts.actions, numbers.actions):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, action in vars(importlib.import_module(module.name)).items():
                whole = inspect.unwrap(action) if inspect.isfunction(action) else action
                is_action = whole is not action and whole.__module__ == module.name and name not in ONES_OWN
                if is_action and next(iter(inspect.signature(action).parameters)) == "actor":
                    yield pytest.param(action, id=f"{module.name} {name}")


@pytest.mark.parametrize("action", list(guarded()))
def test_an_action_refuses_whoever_may_not_before_it_looks_at_anything(acme, action):
    """Whatever page calls it, and whatever that page has asked before."""
    nobody = Actor.at_home(make_person(acme, role="user"))
    parameters = list(inspect.signature(action).parameters.values())
    assert parameters[0].name == "actor"
    needed = [p.name for p in parameters[1:] if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    positional = [Delete() if name == "verb" else None for name in needed]
    named = {p.name: "company" for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty}
    with pytest.raises(PermissionDenied):
        action(nobody, *positional, **named)
    assert not AuditEvent.unscoped.exists()


def test_there_are_actions_that_ask():
    assert len(list(guarded())) > 25


def test_who_may_change_accounts_may_not_invite_because_of_that(monkeypatch, actor_in, alpha, acme):
    monkeypatch.setitem(PERMISSIONS, "accounts.invite", Permission(frozenset()))
    with pytest.raises(PermissionDenied):
        actions.invite_administrator(actor_in(alpha), acme.code, name="Somebody", email="somebody@example.com")


@pytest.mark.parametrize("field", ["cooling_days", "number_quota", "status", "asks_consent", "name"])
def test_settings_of_ones_own_are_no_others(actor_in, acme, field):
    with pytest.raises(PermissionDenied):
        actions.change_settings(actor_in(acme), **{field: 1})
    with pytest.raises(PermissionDenied):
        actions.change_settings(Actor.at_home(make_person(acme, role="user")), contact="Me")


# Two people who may enter the same account


@pytest.fixture
def two(system):
    """Two administrators of the system, each signed in somewhere."""
    people = [make_person(system, role="administrator") for _turn in range(2)]
    clients = [Client() for _turn in range(2)]
    for person, client in zip(people, clients, strict=True):
        client.force_login(person)
    return people, clients


def live(person):
    return Access.of(person).filter(started_at__isnull=False, ended_at=None)


def enter(client, account):
    return client.post(f"/{account.code}/access/", {"next": f"/{account.code}/"})


def test_what_was_agreed_to_for_one_lets_nobody_else_in(two, alpha, actor_in):
    (first, second), (one, other) = two
    Account.unscoped.filter(pk=alpha.pk).update(asks_consent=True)
    enter(one, alpha)
    actions.decide_access(actor_in(alpha), Access.of(first).get().pk, allow=True)
    assert "has been asked" in enter(other, alpha).text
    assert not live(second).exists()
    assert enter(one, alpha).status_code == 302
    assert live(first).exists()


def test_entering_leaves_what_another_has_entered(two, alpha):
    (first, second), (one, other) = two
    enter(one, alpha)
    share_sign_in(one, other)
    enter(other, alpha)
    assert live(first).exists()
    assert live(second).exists()


def test_leaving_leaves_others_inside(two, alpha):
    (first, second), (one, other) = two
    enter(one, alpha)
    share_sign_in(one, other)
    enter(other, alpha)
    other.post(f"/{alpha.code}/access/leave/")
    assert live(first).exists()
    assert not live(second).exists()


def share_sign_in(one, other):
    """Give the second browser what ties accesses to the first: by itself it must not be worth anything."""
    session = other.session
    session["sign_in"] = one.session["sign_in"]
    session.save()


def test_the_sign_in_of_another_opens_nothing(two, alpha):
    _people, (one, other) = two
    enter(one, alpha)
    share_sign_in(one, other)
    assert "Enter Alpha Telecom" in other.get(f"/{alpha.code}/numbers/").text


def test_a_new_password_ends_what_its_owner_has_entered_and_nobody_elses(two, alpha):
    (first, second), clients = two
    for client in clients:
        enter(client, alpha)
    actions.credentials_changed(second)
    assert live(first).exists()
    assert not live(second).exists()


def test_signing_out_ends_nobody_elses_access(two, alpha):
    (first, second), (one, other) = two
    enter(one, alpha)
    share_sign_in(one, other)
    enter(other, alpha)
    other.post("/logout/")
    assert live(first).exists()
    assert not live(second).exists()


def test_a_withdrawn_grant_ends_nobody_elses_access(system, two, alpha, actor_in):
    (first, _second), (one, _other) = two
    agent, browser = make_person(system, role="support"), Client()
    given = grant(agent, alpha)
    browser.force_login(agent)
    enter(browser, alpha)
    enter(one, alpha)
    actions.withdraw_grant(actor_in(system), given.pk)
    assert live(first).exists()
    assert not live(agent).exists()


# What is seen


def test_an_agent_sees_inside_an_account_nothing_of_another_that_was_granted_too(system, alpha, bravo, acme, zenith):
    agent = make_person(system, role="support")
    grant(agent, alpha)
    grant(agent, bravo)
    access = Access(person=agent, account=alpha, manages=False)
    inside = standing(agent, alpha.code).actor(access)
    assert set(Account.visible_to(inside)) == {alpha, acme}


def test_the_system_sees_what_happened_in_every_account(two, alpha, actor_in, system):
    _people, (one, _other) = two
    enter(one, alpha)
    assert Access.visible_to(actor_in(system)).exists()
    assert AuditEvent.visible_to(actor_in(system)).exists()


def test_a_clash_of_extensions_names_ones_own_destination(signed_in, acme, zenith):
    """Another account may have the same extension, and had it first."""
    for customer, name in ((zenith, "A secret"), (acme, "Front desk")):
        rings = make_destination(customer, name)
        Destination.unscoped.filter(pk=rings.pk).update(extension="103")
    typed = {"use": "user", "name": "Another", "extension": "103"}
    page = signed_in(acme).post(f"/{acme.code}/destinations/add/", typed)
    assert page.status_code == 422
    assert "Front desk" in page.text
    assert "A secret" not in page.text
