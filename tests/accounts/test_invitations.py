"""Inviting people: the mail, its link, and what an invitation tells nobody."""

import re
import threading
from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import people
from accounts.actor import Actor
from accounts.models import AuditEvent, Person
from accounts.sign_in import Adapter
from accounts.tasks import send_invitation
from tests.accounts.browsers import PASSWORD, open_link, signed_in_as
from tests.accounts.post import deliver, last_link
from tests.accounts.rows import verbs
from tests.accounts.texts import HOSTILE
from tests.factories import make_account, make_person

pytestmark = pytest.mark.django_db


def test_an_invited_person_chooses_a_password_by_the_link_and_signs_in(invite, acme, boss):
    invite(role="administrator")
    person = Person.objects.get(email="nora@acme.example")
    assert (person.account, person.role, person.state) == (acme, "administrator", "invited")
    message = mail.outbox[0]
    assert message.to == ["nora@acme.example"]
    for said in (f"{boss.email} has invited you", f"“Acme Corp” ({acme.code})", "once, within 3 days"):
        assert said in message.body

    page, browser = open_link(last_link())
    assert "Choose a password" in page.text
    chosen = {"password1": "fresh-password-7", "password2": "fresh-password-7"}
    browser.post(page.redirect_chain[-1][0], chosen)
    person.refresh_from_db()
    assert person.state == "active"
    signed_in = browser.post("/login/", {"login": "nora@acme.example", "password": "fresh-password-7"}, follow=True)
    assert signed_in.redirect_chain[-1][0] == f"/{acme.code}/"
    assert "does not work any more" in open_link(last_link())[0].text
    event = AuditEvent.unscoped.get()
    assert (event.verb, event.person, event.target) == ("person.invited", boss, "Nora New")


def test_an_invitation_holds_for_three_days(invite, settings):
    invite()
    as_if_passed = settings.PASSWORD_RESET_TIMEOUT - 3 * 86_400
    settings.PASSWORD_RESET_TIMEOUT = as_if_passed + 60
    assert "Choose a password" in open_link(last_link())[0].text
    settings.PASSWORD_RESET_TIMEOUT = as_if_passed - 1
    assert "does not work any more" in open_link(last_link())[0].text


def test_an_invited_person_cannot_sign_in_before(invite):
    invite()
    browser = Client()
    browser.post("/login/", {"login": "nora@acme.example", "password": ""})
    assert "_auth_user_id" not in browser.session


@pytest.mark.parametrize("state", [{"password": PASSWORD}, {"password": None}, {"is_active": False}], ids=str)
def test_an_address_of_the_accounts_own_people_is_refused(invite, acme, state):
    make_person(acme, email="nora@acme.example", **state)
    page = invite(email="NORA@acme.EXAMPLE")
    assert page.status_code == 422
    assert "Somebody in Acme Corp has this address already." in page.text
    assert Person.objects.filter(email="nora@acme.example").count() == 1
    assert (verbs(), mail.outbox) == ([], [])


KNOWN, UNKNOWN = "nora@zenith.example", "nora@nobody.example"


def without_what_differs(content, person):
    """A page without somebody's address and the width that a list needs for it, numbers of rows, times and tokens."""
    differs = r'(csrfmiddlewaretoken|selected)" value="\w+"|\d\d:\d\d(:\d\d)?|\(width &lt; \d+rem\)'
    text = re.sub(differs, "", content.decode())
    return text.replace(person.email, "@").replace(f"/people/{person.pk}/", "/people/")


@pytest.mark.parametrize("state", [{"password": PASSWORD}, {"password": PASSWORD, "is_active": False}])
def test_inviting_tells_nobody_that_an_address_is_in_use_elsewhere(as_boss, acme, zenith, state):
    """Every answer, what is listed afterwards, and the number of statements: alike."""
    make_person(zenith, email=KNOWN, **state)

    def all_that_shows(email):
        with CaptureQueriesContext(connection) as statements:
            answer = as_boss.post(
                f"/{acme.code}/people/invite/", {"name": "Nora New", "email": email.upper(), "role": "administrator"}
            )
        person = Person.objects.get(account=acme, email=email)
        page = f"/{acme.code}/people/{person.pk}/"
        answers = [as_boss.get(f"/{acme.code}/people/"), as_boss.get(page)]
        answers += [as_boss.post(f"{page}{act}/") for act in ("resend", "deactivate")]
        answers += [as_boss.get(page), as_boss.get(f"/{acme.code}/history/"), as_boss.post(f"{page}reactivate/")]
        deliver()
        answers.append(as_boss.get(page))
        shown = [(answer.status_code, without_what_differs(answer.content, person)) for answer in answers]
        return answer.status_code, answer.url, len(statements), shown

    seen = []
    for email in (KNOWN, UNKNOWN):
        with transaction.atomic():
            seen.append(all_that_shows(email))
            transaction.set_rollback(True)
    assert seen[0] == seen[1]
    assert seen[0][0] == 302


def test_the_owner_of_a_known_address_is_told_and_the_invitation_opens_nothing(invite, acme, zenith, boss):
    owner = make_person(zenith, email=KNOWN, password=PASSWORD, name="Nora Zed")
    assert invite(email=KNOWN, role="administrator").status_code == 302
    (message,) = mail.outbox
    assert message.to == [KNOWN]
    for said in ("boss@acme.example has invited", "Acme Corp", "There is a sign-in with this address already"):
        assert said in message.body
    for hidden in ("Nora", "Zenith", "http"):
        assert hidden not in message.body
    browser = signed_in_as(owner)
    assert browser.get("/", follow=True).redirect_chain[-1][0] == f"/{zenith.code}/"
    # Neither does a link for a new password lead into the account that invited.
    browser = Client()
    browser.post("/password/reset/", {"email": KNOWN})
    deliver()
    page, browser = open_link(last_link())
    chosen = {"password1": "fresh-password-7", "password2": "fresh-password-7"}
    browser.post(page.redirect_chain[-1][0], chosen)
    assert len(mail.outbox) == 2  # the one about the invitation, and one link
    assert Person.objects.get(account=acme, email=KNOWN).state == "invited"


def test_of_two_invitations_to_one_address_the_one_taken_up_first_stays(invite, bravo, acme):
    rival = Actor.at_home(make_person(bravo, role="administrator"))
    invite()
    first = last_link()
    other = people.invite_person(rival, name="N", email="nora@acme.example", role="user")
    send_invitation(person_id=other.pk, inviter="R", base_url="http://testserver")
    second = last_link()
    forms = [open_link(path) for path in (first, second)]
    assert all("Choose a password" in page.text for page, _browser in forms)
    chosen = {"password1": "fresh-password-7", "password2": "fresh-password-7"}
    answers = [browser.post(page.redirect_chain[-1][0], chosen) for page, browser in forms]
    assert answers[0].status_code == 302
    assert "does not work any more" in answers[1].text
    assert [person.state for person in Person.objects.filter(email="nora@acme.example").order_by("pk")] == [
        "active",
        "invited",
    ]


@pytest.mark.django_db(transaction=True)
def test_two_who_take_up_invitations_to_one_address_at_the_same_moment(acme, zenith):
    """What the form does not see yet the database refuses."""
    waiting = [make_person(account, email="nora@both.example") for account in (acme, zenith)]
    barrier, outcomes = threading.Barrier(2), []

    def join(person):
        try:
            request = RequestFactory().get("/password/reset/key/x/")
            request.actor = None
            barrier.wait(10)
            with context.request_context(request):
                Adapter(request).set_password(person, "fresh-password-7")
            outcomes.append("joined")
        except ImmediateHttpResponse as answer:
            outcomes.append(answer.response.url)
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=[person]) for person in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["/password/reset/key/x/", "joined"]


def test_no_mailbox_is_filled_however_many_accounts_invite(zenith, acme):
    person = make_person(acme, email=UNKNOWN)
    for _turn in range(12):
        send_invitation(person_id=person.pk, inviter="I", base_url="http://testserver")
    assert len(mail.outbox) == 10


def test_a_mail_server_that_does_not_answer_uses_up_no_invitation(acme, settings):
    person, before = make_person(acme, email=UNKNOWN), settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    for _turn in range(12):
        with pytest.raises((ConnectionRefusedError, SMTPServerDisconnected)):
            send_invitation(person_id=person.pk, inviter="I", base_url="http://testserver")
    settings.EMAIL_BACKEND = before
    send_invitation(person_id=person.pk, inviter="I", base_url="http://testserver")
    assert len(mail.outbox) == 1


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


def test_a_name_is_shown_as_text(invite, as_boss, acme):
    invite(name="<b>Nora</b> {{ 1 }}")
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


def test_an_account_cannot_mail_the_world(boss, acme, monkeypatch):
    """Every try counts, whatever came of it: also that to ask again and again for an address of one's own people."""
    monkeypatch.setattr(people, "MOST_INVITED_AN_HOUR", 4)
    actor = Actor.at_home(boss)
    tries = [
        lambda: people.invite_person(actor, name="N", email="n0@acme.example", role="user"),
        lambda: people.invite_person(actor, name="N", email="n0@acme.example", role="user"),
        lambda: people.invite_person(actor, name="N", email="n1@acme.example", role="owner"),
        lambda: people.invite_again(actor, Person.objects.get(email="n0@acme.example").pk),
    ]
    tries[0]()
    for refused in tries[1:]:
        with pytest.raises(ValidationError, match=r"already|role|moment ago"):
            refused()
    for again in tries:
        with pytest.raises(ValidationError, match=r"within the hour\. Try again in 1 hour"):
            again()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE portal_cache SET expires = expires - interval '61 minutes'")
    people.invite_person(actor, name="N", email="n2@acme.example", role="user")


def test_who_waits_no_more_when_the_mail_is_sent_gets_none(as_boss, acme):
    as_boss.post(f"/{acme.code}/people/invite/", {"name": "N", "email": "n@acme.example", "role": "user"})
    person = Person.objects.get(email="n@acme.example")
    as_boss.post(f"/{acme.code}/people/{person.pk}/deactivate/")
    deliver()
    assert mail.outbox == []


def test_another_mail_ends_the_link_of_the_first(invite, as_boss, acme):
    invite()
    first = last_link()
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
    assert "Choose a password" in open_link(last_link())[0].text
    assert verbs() == ["person.invited", "person.invited"]


@pytest.mark.parametrize("fields", [{"password": PASSWORD}, {"is_active": False}])
def test_only_who_waits_for_an_invitation_is_mailed_again(as_boss, acme, fields):
    person = make_person(acme, **fields)
    page = as_boss.post(f"/{acme.code}/people/{person.pk}/resend/")
    assert page.status_code == 422
    assert "has no open invitation" in page.text
    assert (verbs(), mail.outbox) == ([], [])
