"""The first administrator of a new installation, made on the command line, and another one where they are lost."""

import io
import re
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Account, AuditEvent, Person
from tests.accounts.browsers import PASSWORD, set_up_app, sign_in
from tests.factories import make_account, make_person

pytestmark = pytest.mark.django_db
ADMIN = "admin@northern.example"


def create(command="create_operator", typed=None, monkeypatch=None, **options):
    """Run the command; what it says."""
    out = io.StringIO()
    if typed is not None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        options["password_stdin"] = True
    call_command(command, stdout=out, **{"email": ADMIN} | options)
    return out.getvalue()


def link_in(said):
    return re.search(r"^https?://[^/]+(/\S+)$", said, re.MULTILINE)[1]


def choose_password(browser, link):
    """Open a link and choose a password; the last page."""
    page = browser.get(link, follow=True)
    chosen = {"password1": "fresh-password-7", "password2": "fresh-password-7"}
    return browser.post(page.redirect_chain[-1][0] if page.redirect_chain else link, chosen, follow=True)


def verbs():
    return list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True))


@pytest.fixture
def installed():
    """An installation whose administrator has signed in."""
    create(name="Northern Telephone")
    person = Person.objects.get()
    person.set_password(PASSWORD)
    person.save()
    return person


def test_the_sign_in_page_of_a_new_installation_says_what_to_run(client):
    assert "manage.py create_operator" in client.get("/login/").text
    make_person(make_account("company"), password=PASSWORD)
    assert "create_operator" not in client.get("/login/").text


def test_one_command_makes_the_system_account_and_a_link_to_the_first_sign_in(mandatory):
    said = create(name="Northern Telephone", email="Admin@Northern.example", person="Nora North")
    account, person = Account.unscoped.get(), Person.objects.get()
    assert (account.code, account.kind, account.name) == ("SYS", "system", "Northern Telephone")
    assert (person.account, person.role, person.name, person.email) == (account, "administrator", "Nora North", ADMIN)
    assert verbs() == ["account.added", "person.made_administrator"]
    browser = Client()
    choose_password(browser, link_in(said))
    sign_in(browser, ADMIN, "fresh-password-7")
    # Staff need a second factor first. The link came from the server: no mail has to arrive before.
    assert browser.get("/").url == "/security/"
    set_up_app(browser)
    assert browser.get("/", follow=True).redirect_chain[-1][0] == "/SYS/"


def test_a_link_works_once_and_the_next_one_ends_it():
    first = link_in(create(name="Northern Telephone"))
    second = link_in(create())
    assert "password1" not in Client().get(first, follow=True).text
    choose_password(Client(), second)
    assert "password1" not in Client().get(second, follow=True).text


def test_the_link_holds_for_an_hour(settings):
    link = link_in(create(name="Northern Telephone"))
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "password1" not in Client().get(link, follow=True).text


def test_a_mistyped_address_is_put_right_by_running_it_again():
    wrong = link_in(create(name="Northern Telefone", email="adnim@northern.example"))
    create(name="Northern Telephone")
    assert "password1" not in Client().get(wrong, follow=True).text
    assert [person.state for person in Person.objects.order_by("pk")] == ["deactivated", "invited"]
    assert Account.unscoped.get().name == "Northern Telephone"


def test_a_password_comes_from_standard_input(monkeypatch):
    said = create(name="Northern Telephone", typed=f"{PASSWORD}\n", monkeypatch=monkeypatch)
    assert PASSWORD not in said
    browser = Client()
    sign_in(browser, ADMIN, PASSWORD)
    assert browser.get("/").url == "/SYS/"


@pytest.mark.parametrize("typed", ["", "short\n", "1234567890\n", f"{ADMIN}\n"])
def test_a_weak_password_is_refused_and_nothing_is_made(monkeypatch, typed):
    with pytest.raises(CommandError, match="not taken"):
        create(name="Northern Telephone", typed=typed, monkeypatch=monkeypatch)
    assert not Account.unscoped.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no system account yet"),
        ({"name": "Northern\nTelephone"}, "--name"),
        ({"name": "N" * 121}, "--name"),
        ({"name": "Northern Telephone", "email": "nobody"}, "--email"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options, said):
    with pytest.raises(CommandError, match=said):
        create(**options)
    assert not Account.unscoped.exists()


def test_it_is_refused_where_an_administrator_is_active(installed):
    before = verbs()
    with pytest.raises(CommandError, match=f"{ADMIN}.*People.*--again"):
        create(name="Other Name", email="other@northern.example")
    assert (verbs(), Person.objects.count(), Account.unscoped.get().name) == (before, 1, "Northern Telephone")


def test_again_for_a_lost_administrator_is_in_the_history(installed):
    said = create(email="second@northern.example", again=True)
    assert Person.objects.get(email="second@northern.example").role == "administrator"
    event = AuditEvent.unscoped.latest("pk")
    assert (event.verb, event.person, event.account.code) == ("person.made_administrator", None, "SYS")
    assert event.after["email"] == "second@northern.example"
    # The other one stays, and reads it.
    browser = Client()
    sign_in(browser, ADMIN, PASSWORD)
    assert "made a system administrator" in browser.get("/SYS/history/").text
    choose_password(Client(), link_in(said))


def test_again_makes_a_deactivated_agent_an_administrator_with_a_new_password(installed):
    agent = make_person(installed.account, "support", PASSWORD, email="agent@northern.example", is_active=False)
    browser = Client()
    choose_password(browser, link_in(create(email=agent.email, again=True)))
    agent.refresh_from_db()
    assert (agent.role, agent.is_active) == ("administrator", True)
    assert agent.check_password("fresh-password-7")


def test_a_second_factor_is_not_taken_away(person, protected, system):
    protected[0].account = system
    protected[0].save(update_fields=["account"])
    assert f"reset_second_factor {person.email}" in create(email=person.email, again=True)


def test_the_address_of_somebody_elsewhere_is_refused(person):
    with pytest.raises(CommandError, match="Alpha Telecom"):
        create(name="Northern Telephone", email=person.email.upper())
    assert person.account.name == "Alpha Telecom"


def test_an_address_that_was_only_invited_elsewhere_is_free(alpha):
    make_person(alpha, email=ADMIN)
    create(name="Northern Telephone")
    assert Person.objects.filter(email=ADMIN).count() == 2


def test_djangos_name_for_it_does_the_same(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    monkeypatch.setenv("DJANGO_SUPERUSER_NAME", "Northern Telephone")
    create("createsuperuser", interactive=False)
    browser = Client()
    sign_in(browser, ADMIN, PASSWORD)
    assert browser.get("/").url == "/SYS/"


def test_djangos_name_asks_for_nothing_without_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match="no terminal"):
        create("createsuperuser")
