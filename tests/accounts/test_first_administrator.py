"""A new account comes with its first administrator, and an account that has none gets one from above."""

import re
import threading
import uuid
from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.actions import people
from accounts.actor import Actor
from accounts.models import Account, AuditEvent, Person
from accounts.rules import standing
from tests.accounts.post import deliver
from tests.factories import grant, make_person

pytestmark = pytest.mark.django_db
NORA = {"name": "Nora New", "email": "Nora@New.example"}


def typed(**changed):
    form = {"name": "New Customer", "cooling_days": "10", "status": "production", "key": str(uuid.uuid4())}
    return form | {"administrator_name": NORA["name"], "administrator_email": NORA["email"]} | changed


def add(client, account, kind, **changed):
    answer = client.post(f"/{account.code}/accounts/add/?kind={kind}", typed(**changed))
    deliver()
    return answer


def verbs():
    return list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True))


def link(message):
    return re.search(r"https?://[^/]+(/\S+)", message.body)[1]


def join(message):
    """What an invited person does: choose a password and sign in. Returns what they then see."""
    browser = Client()
    page = browser.get(link(message), follow=True)
    chosen = {"password1": "fresh-password-7", "password2": "fresh-password-7"}
    browser.post(page.redirect_chain[-1][0], chosen)
    return browser.post("/login/", {"login": message.to[0], "password": "fresh-password-7"}, follow=True)


@pytest.fixture
def invite(signed_in, alpha, acme):
    """Invite an administrator into Acme from its VAR, by the page."""
    client = signed_in(alpha)

    def go(**changed):
        answer = client.post(f"/{alpha.code}/accounts/{acme.code}/invite/", NORA | changed)
        deliver()
        return answer

    return go


@pytest.fixture
def later(monkeypatch):
    """No waiting between two mails."""
    monkeypatch.setattr(people, "BETWEEN_INVITATIONS", timedelta(0))


# With a new account


@pytest.mark.parametrize(("home", "kind"), [("system", "var"), ("alpha", "company"), ("alpha", "professional")])
def test_the_first_administrator_is_invited_with_the_account_and_signs_in(request, signed_in, home, kind):
    parent = request.getfixturevalue(home)
    before = set(Account.unscoped.values_list("pk", flat=True))
    assert add(signed_in(parent), parent, kind).status_code == 302
    account = Account.unscoped.exclude(pk__in=before).get()
    person = Person.objects.get(email="nora@new.example")
    assert (person.account, person.role, person.name, person.state) == (account, "administrator", "Nora New", "invited")
    assert [message.to for message in mail.outbox] == [["nora@new.example"]]
    assert "New Customer" in mail.outbox[0].body
    invited = AuditEvent.unscoped.get(verb="person.invited")
    assert (invited.account, invited.concerns, invited.target) == (parent, account, "Nora New")
    assert join(mail.outbox[0]).redirect_chain[-1][0] == f"/{account.code}/"


def test_a_professional_is_called_like_the_account_unless_said_otherwise(signed_in, alpha):
    add(signed_in(alpha), alpha, "professional", administrator_name="")
    assert Person.objects.get(email="nora@new.example").name == "New Customer"


def test_a_professional_is_not_added_without_the_person(signed_in, actor_in, alpha):
    page = add(signed_in(alpha), alpha, "professional", administrator_email="")
    assert page.status_code == 422
    assert "Give the address of the person whose account it is." in page.text
    assert 'value="New Customer"' in page.text
    with pytest.raises(ValidationError, match="one person"):
        actions.add_account(actor_in(alpha), kind="professional", key=uuid.uuid4(), name="x", status="trial")
    assert not Account.unscoped.filter(parent=alpha).exists()


@pytest.mark.parametrize("missing", ["administrator_name", "administrator_email"])
def test_half_an_administrator_is_refused(signed_in, alpha, missing):
    page = add(signed_in(alpha), alpha, "company", **{missing: ""})
    assert page.status_code == 422
    assert "or neither" in page.text
    assert not Account.unscoped.filter(parent=alpha).exists()


def test_a_company_is_added_without_anybody_and_its_page_says_so(signed_in, alpha):
    client = signed_in(alpha)
    assert add(client, alpha, "company", administrator_name="", administrator_email="").status_code == 302
    account = Account.unscoped.get(parent=alpha)
    page = client.get(f"/{alpha.code}/accounts/{account.code}/").text
    assert "Nobody can sign in to this account yet." in page
    assert f"/{alpha.code}/accounts/{account.code}/invite/" in page
    assert (verbs(), mail.outbox) == (["account.added"], [])


@pytest.mark.parametrize("where", ["alpha", "zenith", "system"])
def test_an_address_in_use_adds_the_account_as_any_other_does(request, signed_in, alpha, where):
    make_person(request.getfixturevalue(where), email="nora@new.example", password="long-enough-1", name="Somebody")
    client, seen = signed_in(alpha), []
    for email in ("nora@new.example", "anna@new.example"):
        answer = client.post(f"/{alpha.code}/accounts/add/?kind=company", typed(administrator_email=email))
        account = Account.unscoped.filter(parent=alpha).latest("pk")
        deliver()
        page = client.get(f"/{alpha.code}/accounts/{account.code}/")
        shown = re.sub(r'csrfmiddlewaretoken" value="\w+"', "", page.text)
        shown = shown.replace(account.code, "C").replace(email, "@").replace(f"/{account.pk}", "")
        seen.append((answer.status_code, answer.url, shown))
        assert Person.objects.get(account=account).state == "invited"
    assert seen[0] == seen[1]
    assert "There is a sign-in with this address already" in mail.outbox[0].body
    assert "Open this link" in mail.outbox[1].body


def test_a_form_sent_twice_invites_once(signed_in, alpha):
    client, key = signed_in(alpha), str(uuid.uuid4())
    answers = [add(client, alpha, "company", key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(mail.outbox) == 1
    assert verbs() == ["account.added", "person.invited"]


def test_accounts_below_are_no_way_to_mail_the_world(signed_in, alpha, monkeypatch):
    monkeypatch.setattr(people, "MOST_INVITED_AN_HOUR", 2)
    client = signed_in(alpha)
    answers = [add(client, alpha, "company", administrator_email=f"n{i}@new.example") for i in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 422]
    assert "within the hour" in answers[2].text
    assert Account.unscoped.filter(parent=alpha).count() == len(mail.outbox) == 2


# Afterwards


@pytest.mark.parametrize("rest", ["nobody", "invited", "deactivated", "user"])
def test_an_account_without_an_active_administrator_gets_one(invite, signed_in, alpha, acme, rest):
    if rest != "nobody":
        role = "user" if rest == "user" else "administrator"
        password = None if rest == "invited" else "long-enough-1"
        make_person(acme, role=role, password=password, is_active=rest != "deactivated")
    page = signed_in(alpha).get(f"/{alpha.code}/accounts/{acme.code}/").text
    assert ("no active administrator" if rest == "user" else "Nobody can sign in to this account yet") in page
    assert invite().status_code == 302
    person = Person.objects.get(email="nora@new.example")
    assert (person.account, person.role) == (acme, "administrator")
    assert join(mail.outbox[0]).redirect_chain[-1][0] == f"/{acme.code}/"
    page = signed_in(alpha).get(f"/{alpha.code}/accounts/{acme.code}/").text
    assert "Nobody" not in page
    assert "/invite/" not in page


def test_an_account_with_an_active_administrator_gets_no_other_from_above(invite, signed_in, actor_in, alpha, acme):
    make_person(acme, role="administrator", password="long-enough-1")
    page = invite()
    assert page.status_code == 422
    assert "has an administrator, who invites others" in page.text
    path = f"/{alpha.code}/accounts/{acme.code}/"
    assert signed_in(alpha).get(f"{path}invite/").url == path
    with pytest.raises(ValidationError, match="who invites others"):
        actions.invite_administrator(actor_in(alpha), acme.code, **NORA)
    assert (Person.objects.filter(account=acme).count(), verbs(), mail.outbox) == (1, [], [])


def test_inviting_the_same_again_sends_another_link_and_ends_the_first(invite, later, acme):
    invite()
    invite(name="Nora Newman")
    assert len(mail.outbox) == 2
    assert "does not work any more" in Client().get(link(mail.outbox[0]), follow=True).text
    assert join(mail.outbox[1]).redirect_chain[-1][0] == f"/{acme.code}/"
    assert Person.objects.get(account=acme).name == "Nora Newman"


def test_the_same_is_not_mailed_twice_in_a_minute(invite):
    invite()
    page = invite()
    assert page.status_code == 422
    assert "Wait a minute" in page.text
    assert len(mail.outbox) == 1


def test_a_mistyped_address_is_replaced_and_can_be_right_after_all(invite, later, acme):
    for email in ("nora@new.exmaple", "nora@new.example", "nora@new.exmaple"):
        assert invite(email=email).status_code == 302
    states = {person.email: person.state for person in Person.objects.filter(account=acme)}
    assert states == {"nora@new.exmaple": "invited", "nora@new.example": "deactivated"}
    for message in mail.outbox[:2]:
        assert "does not work any more" in Client().get(link(message), follow=True).text
    assert join(mail.outbox[2]).redirect_chain[-1][0] == f"/{acme.code}/"
    assert verbs() == ["person.invited", "person.deactivated", "person.invited", "person.deactivated", "person.invited"]
    assert set(AuditEvent.unscoped.values_list("concerns", flat=True)) == {acme.pk}


def test_a_users_invitation_is_left_alone(invite, acme):
    user = make_person(acme, role="user", email="una@new.example")
    invite()
    user.refresh_from_db()
    assert user.state == "invited"


def test_an_address_in_use_elsewhere_is_invited_like_any_other(invite, later, acme, zenith):
    make_person(zenith, email="zed@zenith.example", password="long-enough-1")
    assert invite(email="zed@zenith.example").status_code == 302
    assert "There is a sign-in with this address already" in mail.outbox[-1].body
    assert Person.objects.get(account=acme).state == "invited"
    assert verbs() == ["person.invited"]


def test_an_address_of_the_accounts_own_people_is_refused_and_who_was_invited_before_stays_so(invite, later, acme):
    invite()
    make_person(acme, role="user", email="una@acme.example")
    page = invite(email="una@acme.example")
    assert page.status_code == 422
    assert "Somebody in Acme Corp has this address already." in page.text
    assert Person.objects.get(account=acme, role="administrator").state == "invited"
    assert verbs() == ["person.invited"]


@pytest.mark.parametrize("field", ["name", "email"])
@pytest.mark.parametrize("text", ["", "a\0b", "x" * 255, "a\r\nBcc: all@example.com"], ids=ascii)
def test_what_cannot_be_is_refused_and_what_was_typed_is_kept(invite, field, text):
    page = invite(**{field: text})
    assert page.status_code == 422
    for kept in (value for name, value in NORA.items() if name != field):
        assert f'value="{kept}"' in page.text
    assert (verbs(), mail.outbox) == ([], [])


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_nobody_is_invited_to_an_account_out_of_service(invite, acme, status):
    Account.unscoped.filter(pk=acme.pk).update(status=status)
    page = invite()
    assert page.status_code == 422
    assert "put it back into service first" in page.text
    assert (verbs(), mail.outbox) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_two_who_invite_at_the_same_moment_leave_one_who_can_join(actor_in, alpha, acme):
    actor, barrier, failed = actor_in(alpha), threading.Barrier(2), []

    def go(email):
        try:
            barrier.wait(10)
            actions.invite_administrator(actor, acme.code, name="N", email=email)
        except Exception as error:
            failed.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[f"n{i}@new.example"]) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert sorted(person.state for person in Person.objects.filter(account=acme)) == ["deactivated", "invited"]


# Who may


def inside(person, account):
    here = standing(person, account.code)
    return here.actor(actions.enter_account(here, "a sign-in", reason="", entered_from=""))


def test_an_administrator_of_an_account_above_invites_from_inside(system, alpha, acme):
    actor = inside(make_person(system, role="administrator"), alpha)
    person = actions.invite_administrator(actor, acme.code, **NORA)
    event = AuditEvent.unscoped.get(verb="person.invited")
    assert (person.account, event.account, event.concerns) == (acme, alpha, acme)
    assert event.access == actor.access


@pytest.mark.parametrize("permission", ["view_account", "manage_account"])
def test_a_support_agent_leaves_no_administrator_behind(client, system, alpha, acme, permission):
    agent = make_person(system, role="support")
    grant(agent, alpha, permission)
    actor = inside(agent, alpha)
    with pytest.raises((ValidationError, PermissionDenied)):
        actions.invite_administrator(actor, acme.code, **NORA)
    details = {"kind": "company", "key": uuid.uuid4(), "name": "x", "status": "trial"}
    with pytest.raises(PermissionDenied):
        actions.add_account(actor, administrator=NORA, **details)
    assert not Person.objects.filter(email__iexact=NORA["email"]).exists()
    client.force_login(agent)
    client.post(f"/{alpha.code}/access/")
    page = client.get(f"/{alpha.code}/accounts/{acme.code}/").text
    assert "Nobody can sign in" in page
    assert "/invite/" not in page


def test_a_support_agent_who_manages_adds_accounts_and_leaves_the_invitation_to_others(client, system, alpha):
    agent = make_person(system, role="support")
    grant(agent, alpha, "manage_account")
    client.force_login(agent)
    client.post(f"/{alpha.code}/access/")
    assert "administrator_email" not in client.get(f"/{alpha.code}/accounts/add/?kind=professional").text
    assert add(client, alpha, "professional").status_code == 302
    assert Account.unscoped.filter(parent=alpha).count() == 1
    assert mail.outbox == []


def test_only_the_account_right_above_invites(signed_in, actor_in, system, alpha, bravo, acme, zenith):
    for home, other in ((alpha, zenith), (alpha, bravo), (alpha, alpha), (alpha, system), (system, acme)):
        with pytest.raises(Account.DoesNotExist):
            actions.invite_administrator(actor_in(home), other.code, **NORA)
        path = f"/{home.code}/accounts/{other.code}/invite/"
        assert signed_in(home).get(path).status_code == 404
        assert signed_in(home).post(path, NORA).status_code == 404
    with pytest.raises(PermissionDenied):
        actions.invite_administrator(actor_in(acme), acme.code, **NORA)
    assert (verbs(), mail.outbox) == ([], [])


def test_the_page_of_an_account_two_below_says_nothing_of_its_people(signed_in, system, acme):
    assert "Nobody can sign in" not in signed_in(system).get(f"/SYS/accounts/{acme.code}/").text


def test_the_form_begins_with_who_was_invited_before(invite, signed_in, alpha, acme):
    invite()
    Person.objects.update(invited_at=timezone.now() - timedelta(days=1))
    page = signed_in(alpha).get(f"/{alpha.code}/accounts/{acme.code}/invite/").text
    assert 'value="nora@new.example"' in page
    assert "The link that was mailed to nora@new.example before ends." in page
    assert Actor.at_home(make_person(acme)).may("accounts.invite") is False
