"""The people of an account: inviting, changing, keeping out; and who stays when all want to go."""

import re
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actions import people
from accounts.actor import Actor
from accounts.models import Access, AuditEvent, Person
from tests.accounts.post import deliver
from tests.factories import grant, make_account, make_person

pytestmark = pytest.mark.django_db
HOSTILE = ["", " ", "a\0b", "x" * 121, "a\r\nBcc: all@example.com", "a\u2028b"]


@pytest.fixture
def other(acme):
    """Acme's second administrator."""
    return make_person(acme, role="administrator", password="long-enough-1", email="other@acme.example")


@pytest.fixture
def inside(client, alpha, acme):
    """A client that works in Acme as the administrator of its VAR, and its actor there."""
    client.force_login(make_person(alpha, role="administrator"))
    client.post(f"/{acme.code}/access/")
    access = Access.unscoped.get()
    return client, Actor(person=access.person, account=acme, chain=(alpha, acme), access=access)


@pytest.fixture
def invite(as_boss, acme):
    def go(**typed):
        typed = {"name": "Nora New", "email": "Nora@Acme.example", "role": "user"} | typed
        answer = as_boss.post(f"/{acme.code}/people/invite/", typed)
        deliver()
        return answer

    return go


def verbs():
    return list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True))


def link():
    """The path of the link in the last mail."""
    return re.search(r"https?://[^/]+(/\S+)", mail.outbox[-1].body)[1]


def sign_in(person):
    """A browser in which the person has signed in."""
    browser = Client()
    browser.post("/login/", {"login": person.email, "password": "long-enough-1"})
    return browser


def open_link(path):
    """What a stranger's browser sees behind a link, and that browser."""
    browser = Client()
    return browser.get(path, follow=True), browser


# Inviting


def test_an_invited_person_chooses_a_password_by_the_link_and_signs_in(invite, acme, boss):
    invite(role="administrator")
    person = Person.objects.get(email="nora@acme.example")
    assert (person.account, person.role, person.state) == (acme, "administrator", "invited")
    message = mail.outbox[0]
    assert message.to == ["nora@acme.example"]
    for said in ("Hello Nora New", "Bo Oss has invited you", "Acme Corp", "once, within 3 days"):
        assert said in message.body

    page, browser = open_link(link())
    assert "Choose a password" in page.text
    chosen = {"password1": "fresh-password-7", "password2": "fresh-password-7"}
    browser.post(page.redirect_chain[-1][0], chosen)
    person.refresh_from_db()
    assert person.state == "active"
    signed_in = browser.post("/login/", {"login": "nora@acme.example", "password": "fresh-password-7"}, follow=True)
    assert signed_in.redirect_chain[-1][0] == f"/{acme.code}/"
    assert "does not work any more" in open_link(link())[0].text
    event = AuditEvent.unscoped.get()
    assert (event.verb, event.person, event.target) == ("person.invited", boss, "Nora New")


def test_an_invitation_holds_for_three_days(invite, settings):
    invite()
    as_if_passed = settings.PASSWORD_RESET_TIMEOUT - 3 * 86_400
    settings.PASSWORD_RESET_TIMEOUT = as_if_passed + 60
    assert "Choose a password" in open_link(link())[0].text
    settings.PASSWORD_RESET_TIMEOUT = as_if_passed - 1
    assert "does not work any more" in open_link(link())[0].text


def test_an_invited_person_cannot_sign_in_before(invite):
    invite()
    browser = Client()
    browser.post("/login/", {"login": "nora@acme.example", "password": ""})
    assert "_auth_user_id" not in browser.session


@pytest.mark.parametrize("where", ["acme", "zenith", "system"])
@pytest.mark.parametrize("spelling", ["nora@acme.example", "NORA@acme.EXAMPLE"])
def test_an_address_in_use_anywhere_is_refused_without_saying_where(invite, request, where, spelling):
    make_person(request.getfixturevalue(where), email="nora@acme.example", name="Somebody Else")
    page = invite(email=spelling)
    assert page.status_code == 422
    assert "This address cannot be invited; it may be in use already." in page.text
    assert "Somebody Else" not in page.text
    assert "Zenith" not in page.text
    assert Person.objects.filter(email__iexact=spelling).count() == 1
    assert (verbs(), mail.outbox) == ([], [])


@pytest.mark.parametrize("field", ["name", "email", "role"])
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_cannot_be_is_refused_and_what_was_typed_is_kept(invite, field, text):
    page = invite(**{field: text})
    assert page.status_code == 422
    kept = {"name": "Nora New", "email": "Nora@Acme.example"}
    kept.pop(field, None)
    for typed in kept.values():
        assert f'value="{typed}"' in page.text
    assert not Person.objects.filter(email="nora@acme.example").exists()
    assert (verbs(), mail.outbox) == ([], [])


def test_a_name_is_shown_as_text_and_mailed_as_text(invite, as_boss, acme):
    invite(name="<b>Nora</b> {{ 1 }}")
    assert "Hello <b>Nora</b> {{ 1 }}," in mail.outbox[0].body
    page = as_boss.get(f"/{acme.code}/people/").text
    assert "&lt;b&gt;Nora&lt;/b&gt; {{ 1 }}" in page
    assert "<b>Nora" not in page


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("system", ["administrator", "support", "user"]),
        ("var", ["administrator", "support", "user"]),
        ("company", ["administrator", "user"]),
        ("professional", []),
    ],
)
def test_the_roles_fit_the_kind_of_account(system, kind, roles):
    account = system if kind == "system" else make_account(kind)
    actor = Actor.at_home(make_person(account, role="administrator"))
    invited = []
    for role in ("administrator", "support", "user", "superuser", ""):
        try:
            people.invite_person(actor, name="N", email=f"{role or 'none'}@new.example", role=role)
            invited.append(role)
        except (ValidationError, PermissionDenied):
            continue
    assert invited == roles


def test_inside_somebody_elses_account_only_users_are_invited(inside, acme):
    client, actor = inside
    before = verbs()
    assert (
        client.post(
            f"/{acme.code}/people/invite/", {"name": "N", "email": "n@acme.example", "role": "administrator"}
        ).status_code
        == 422
    )
    with pytest.raises(ValidationError, match="in this role"):
        people.invite_person(actor, name="N", email="n@acme.example", role="administrator")
    assert (verbs(), mail.outbox) == (before, [])
    client.post(f"/{acme.code}/people/invite/", {"name": "N", "email": "n@acme.example", "role": "user"})
    deliver()
    assert Person.objects.get(email="n@acme.example").account == acme
    assert len(mail.outbox) == 1


def test_an_account_cannot_mail_the_world(boss, monkeypatch):
    monkeypatch.setattr(people, "MOST_INVITED_AN_HOUR", 2)
    actor = Actor.at_home(boss)
    long_ago = timezone.now() - timedelta(minutes=61)
    for _turn in range(2):
        AuditEvent.unscoped.create(
            at=long_ago, account=boss.account, chain=[], verb="person.invited", target_type="person"
        )
    for i in range(2):
        people.invite_person(actor, name="N", email=f"n{i}@acme.example", role="user")
    with pytest.raises(ValidationError, match="within the hour"):
        people.invite_person(actor, name="N", email="n2@acme.example", role="user")


def test_who_waits_no_more_when_the_mail_is_sent_gets_none(as_boss, acme):
    as_boss.post(f"/{acme.code}/people/invite/", {"name": "N", "email": "n@acme.example", "role": "user"})
    person = Person.objects.get(email="n@acme.example")
    as_boss.post(f"/{acme.code}/people/{person.pk}/deactivate/")
    deliver()
    assert mail.outbox == []


def test_another_mail_ends_the_link_of_the_first(invite, as_boss, acme):
    invite()
    first = link()
    person = Person.objects.get(email="nora@acme.example")
    again = f"/{acme.code}/people/{person.pk}/resend/"
    page = as_boss.post(again)
    assert page.status_code == 422
    assert "Wait a minute" in page.text
    Person.objects.filter(pk=person.pk).update(invited_at=timezone.now() - timedelta(minutes=2))
    as_boss.post(again)
    deliver()
    assert len(mail.outbox) == 2
    assert "does not work any more" in open_link(first)[0].text
    assert "Choose a password" in open_link(link())[0].text
    assert verbs() == ["person.invited", "person.invited"]


@pytest.mark.parametrize("fields", [{"password": "long-enough-1"}, {"is_active": False}])
def test_only_who_waits_for_an_invitation_is_mailed_again(as_boss, acme, fields):
    person = make_person(acme, **fields)
    page = as_boss.post(f"/{acme.code}/people/{person.pk}/resend/")
    assert page.status_code == 422
    assert "does not wait for an invitation" in page.text
    assert (verbs(), mail.outbox) == ([], [])


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
    assert "Nobody changes their own role" in page.text
    page = as_boss.post(f"/{acme.code}/people/{boss.pk}/deactivate/")
    assert page.status_code == 422
    assert "Nobody deactivates themselves" in page.text
    assert as_boss.post(f"/{acme.code}/people/{boss.pk}/sign-out/").status_code == 422
    boss.refresh_from_db()
    assert (boss.role, boss.is_active, verbs()) == ("administrator", True, [])


@pytest.mark.parametrize("rest", ["nobody", "invited", "deactivated", "user"])
def test_the_last_active_administrator_stays(as_boss, acme, boss, rest):
    if rest != "nobody":
        password = None if rest == "invited" else "long-enough-1"
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
    chief = make_person(system, role="administrator", password="long-enough-1")
    person = make_person(system, role="administrator", password="long-enough-1")
    client.force_login(person)
    client.post(f"/{alpha.code}/access/")
    people.change_person(Actor.at_home(chief), person.pk, name=person.name, role="user")
    assert Access.unscoped.get().ended_why == "not_allowed"
    assert client.get(f"/{alpha.code}/").status_code == 404


# Keeping out


def test_deactivating_ends_everything_and_reactivating_brings_back_no_session(as_boss, acme):
    person = make_person(acme, password="long-enough-1", name="Una User")
    theirs = sign_in(person)
    assert theirs.get(f"/{acme.code}/").status_code == 200
    as_boss.post(f"/{acme.code}/people/{person.pk}/deactivate/")
    assert theirs.get(f"/{acme.code}/").status_code == 302
    signing_in = Client().post("/login/", {"login": person.email, "password": "long-enough-1"})
    assert signing_in.url == "/inactive/"
    as_boss.post(f"/{acme.code}/people/{person.pk}/reactivate/")
    assert theirs.get(f"/{acme.code}/").status_code == 302
    signing_in = Client().post("/login/", {"login": person.email, "password": "long-enough-1"})
    assert signing_in.url == "/"
    assert verbs() == ["person.deactivated", "person.reactivated"]


def test_a_deactivated_persons_invitation_opens_nothing(invite, as_boss, acme):
    invite()
    person = Person.objects.get(email="nora@acme.example")
    as_boss.post(f"/{acme.code}/people/{person.pk}/deactivate/")
    assert "does not work any more" in open_link(link())[0].text


def test_what_is_so_already_is_said(as_boss, acme):
    active, out = make_person(acme, password="long-enough-1"), make_person(acme, is_active=False)
    assert as_boss.post(f"/{acme.code}/people/{active.pk}/reactivate/").status_code == 422
    assert as_boss.post(f"/{acme.code}/people/{out.pk}/deactivate/").status_code == 422
    assert verbs() == []


def test_ending_all_sessions_ends_theirs_and_nobody_elses(as_boss, acme, alpha, system):
    person, colleague = (make_person(acme, password="long-enough-1") for _ in range(2))
    browsers = [sign_in(who) for who in (person, person, colleague)]
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
