"""The people of an account: changing and deactivating them, and who stays when all want to go."""

import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client

from accounts.actions import people
from accounts.actor import Actor
from accounts.models import Access, AuditEvent, Person
from tests.accounts.browsers import PASSWORD, open_link, signed_in_as
from tests.accounts.post import last_link
from tests.accounts.rows import verbs
from tests.accounts.texts import HOSTILE
from tests.factories import grant, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(acme):
    """Acme's second administrator."""
    return make_person(acme, role="administrator", password=PASSWORD, email="other@acme.example")


# Changing


def test_a_name_and_a_role_are_changed(as_boss, acme):
    person = make_person(acme, name="Una User")
    as_boss.post(f"/{acme.code}/people/{person.pk}/", {"name": "Una Admin", "role": "administrator"})
    person.refresh_from_db()
    assert (person.name, person.role) == ("Una Admin", "administrator")
    event = AuditEvent.unscoped.get()
    assert event.before == {"name": "Una User", "role": "user"}
    assert event.after == {"name": "Una Admin", "role": "administrator"}


@pytest.mark.parametrize(
    "typed",
    [{"name": text, "role": "user"} for text in HOSTILE] + [{"role": role} for role in ("", "support", "owner")],
    ids=ascii,
)
def test_a_change_that_cannot_be_is_refused(as_boss, acme, typed):
    person = make_person(acme, name="Una User")
    page = as_boss.post(f"/{acme.code}/people/{person.pk}/", {"name": "Typed Name", "role": "user"} | typed)
    assert page.status_code == 422
    person.refresh_from_db()
    assert (person.name, person.role, verbs()) == ("Una User", "user", [])
    if "name" not in typed:
        assert 'value="Typed Name"' in page.text


def test_nobody_changes_their_own_role_or_deactivates_themselves(as_boss, acme, boss, other):
    page = as_boss.post(f"/{acme.code}/people/{boss.pk}/", {"name": boss.name, "role": "user"})
    assert page.status_code == 422
    assert "You cannot change your own role" in page.text
    page = as_boss.post(f"/{acme.code}/people/{boss.pk}/deactivate/")
    assert page.status_code == 422
    assert "You cannot deactivate yourself" in page.text
    assert as_boss.post(f"/{acme.code}/people/{boss.pk}/sign-out/").status_code == 422
    boss.refresh_from_db()
    assert (boss.role, boss.is_active, verbs()) == ("administrator", True, [])


@pytest.mark.parametrize("rest", ["nobody", "invited", "deactivated", "user"])
def test_the_last_active_administrator_stays(as_boss, acme, boss, rest):
    if rest != "nobody":
        password = None if rest == "invited" else PASSWORD
        role = "user" if rest == "user" else "administrator"
        make_person(acme, role=role, password=password, is_active=rest != "deactivated")
    answers = [
        as_boss.post(f"/{acme.code}/people/{boss.pk}/", {"name": boss.name, "role": "user"}),
        as_boss.post(f"/{acme.code}/people/{boss.pk}/deactivate/"),
    ]
    for page in answers:
        assert page.status_code == 422
        assert "the last active administrator of Acme Corp" in page.text
    boss.refresh_from_db()
    assert (boss.role, boss.is_active, verbs()) == ("administrator", True, [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["demote", "deactivate"])
def test_two_administrators_who_remove_each_other_at_the_same_moment_leave_one(boss, other, way):
    barrier, outcomes = threading.Barrier(2), []

    def remove(mine, theirs):
        try:
            barrier.wait(10)
            if way == "demote":
                people.change_person(Actor.at_home(mine), theirs.pk, name=theirs.name, role="user")
            else:
                people.deactivate_person(Actor.at_home(mine), theirs.pk)
            outcomes.append("done")
        except ValidationError as refusal:
            outcomes.append(" ".join(refusal.messages))
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((boss, other), (other, boss))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    done, refused = sorted(outcomes, key=len)
    assert done == "done"
    assert "last active administrator" in refused
    assert Person.objects.filter(role="administrator", is_active=True).count() == 1


def test_another_role_ends_what_was_entered_with_the_old_one(client, system, alpha):
    chief = make_person(system, role="administrator", password=PASSWORD)
    person = make_person(system, role="administrator", password=PASSWORD)
    client.force_login(person)
    client.post(f"/{alpha.code}/access/")
    people.change_person(Actor.at_home(chief), person.pk, name=person.name, role="user")
    assert Access.unscoped.get().ended_why == "not_allowed"
    assert client.get(f"/{alpha.code}/").status_code == 404


# Keeping out


def test_deactivating_ends_everything_and_reactivating_brings_back_no_session(as_boss, acme):
    person = make_person(acme, password=PASSWORD, name="Una User")
    theirs = signed_in_as(person)
    assert theirs.get(f"/{acme.code}/").status_code == 200
    as_boss.post(f"/{acme.code}/people/{person.pk}/deactivate/")
    assert theirs.get(f"/{acme.code}/").status_code == 302
    signing_in = Client().post("/login/", {"login": person.email, "password": PASSWORD})
    assert signing_in.url == "/inactive/"
    as_boss.post(f"/{acme.code}/people/{person.pk}/reactivate/")
    assert theirs.get(f"/{acme.code}/").status_code == 302
    signing_in = Client().post("/login/", {"login": person.email, "password": PASSWORD})
    assert signing_in.url == "/"
    assert verbs() == ["person.deactivated", "person.reactivated"]


def test_a_deactivated_persons_invitation_opens_nothing(invite, as_boss, acme):
    invite()
    person = Person.objects.get(email="nora@acme.example")
    as_boss.post(f"/{acme.code}/people/{person.pk}/deactivate/")
    assert "does not work any more" in open_link(last_link())[0].text


def test_what_is_so_already_is_said(as_boss, acme):
    active, out = make_person(acme, password=PASSWORD), make_person(acme, is_active=False)
    assert as_boss.post(f"/{acme.code}/people/{active.pk}/reactivate/").status_code == 422
    assert as_boss.post(f"/{acme.code}/people/{out.pk}/deactivate/").status_code == 422
    assert verbs() == []


def test_ending_all_sessions_ends_theirs_and_nobody_elses(as_boss, acme, alpha, system):
    person, colleague = (make_person(acme, password=PASSWORD) for _ in range(2))
    browsers = [signed_in_as(who) for who in (person, person, colleague)]
    as_boss.post(f"/{acme.code}/people/{person.pk}/sign-out/")
    assert [browser.get(f"/{acme.code}/").status_code for browser in browsers] == [302, 302, 200]
    assert as_boss.get(f"/{acme.code}/people/").status_code == 200
    assert verbs() == ["person.signed_out"]


def test_ending_all_sessions_leaves_the_accounts_that_were_entered(client, system, alpha):
    chief, agent = make_person(system, role="administrator"), make_person(system, role="support")
    grant(agent, alpha)
    client.force_login(agent)
    client.post(f"/{alpha.code}/access/")
    people.sign_out_person(Actor.at_home(chief), agent.pk)
    assert Access.unscoped.get().ended_why == "signed_out"


# Who may


def test_from_inside_nobody_is_changed(inside, acme):
    client, actor = inside
    person, before = make_person(acme), verbs()
    for path in ("", "deactivate/", "reactivate/", "sign-out/"):
        answer = client.post(f"/{acme.code}/people/{person.pk}/{path}", {"name": "X", "role": "administrator"})
        assert answer.status_code == 403
    for act in (people.deactivate_person, people.reactivate_person, people.sign_out_person):
        with pytest.raises(PermissionDenied):
            act(actor, person.pk)
    with pytest.raises(PermissionDenied):
        people.change_person(actor, person.pk, name="X", role="administrator")
    page = client.get(f"/{acme.code}/people/{person.pk}/")
    assert "Deactivate" not in page.text
    assert verbs() == before


@pytest.mark.parametrize("role", ["user", "support"])
def test_others_than_administrators_may_nothing(alpha, role):
    actor, person = Actor.at_home(make_person(alpha, role=role)), make_person(alpha)
    for act in (people.invite_again, people.deactivate_person, people.reactivate_person, people.sign_out_person):
        with pytest.raises(PermissionDenied):
            act(actor, person.pk)
    with pytest.raises(PermissionDenied):
        people.invite_person(actor, name="N", email="n@acme.example", role="user")
    with pytest.raises(PermissionDenied):
        people.change_person(actor, person.pk, name="N", role="administrator")
    assert verbs() == []


@pytest.mark.parametrize("home", ["alpha", "system"])
def test_people_of_other_accounts_are_as_good_as_none(client, request, acme, zenith, home):
    account = request.getfixturevalue(home)
    client.force_login(make_person(account, role="administrator"))
    for path in ("", "resend/", "deactivate/", "reactivate/", "sign-out/"):
        answers = [
            client.post(f"/{account.code}/people/{pk}/{path}", {"name": "N", "role": "user"})
            for pk in (make_person(zenith).pk, make_person(acme).pk, 10**9, 10**30)
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
    assert client.get(f"/{account.code}/people/{make_person(zenith).pk}/").status_code == 404
    assert verbs() == []


@pytest.mark.parametrize(
    ("act", "options"),
    [
        (people.invite_again, {}),
        (people.change_person, {"name": "Mine now", "role": "user"}),
        (people.deactivate_person, {}),
        (people.reactivate_person, {}),
        (people.sign_out_person, {}),
    ],
)
def test_nobody_of_another_account_is_there_for_an_action(actor_in, alpha, bravo, act, options):
    theirs = make_person(bravo)
    with pytest.raises(Person.DoesNotExist):
        act(actor_in(alpha), theirs.pk, **options)
    assert not AuditEvent.unscoped.exists()


def test_administrators_of_other_accounts_do_not_make_up_for_the_last_one(alpha, bravo):
    boss, _theirs = (make_person(account, role="administrator", password="x") for account in (alpha, bravo))
    with pytest.raises(ValidationError, match="last active administrator"):
        people.deactivate_person(Actor.at_home(boss), boss.pk)
