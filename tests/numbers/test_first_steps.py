"""A new account says what comes first, and stops once it is in use."""

import pytest

from accounts.actor import Actor
from numbers.first_steps import first_steps
from numbers.models import Provider
from tests.factories import make_account, make_destination, make_number, make_person

pytestmark = pytest.mark.django_db


def steps(actor):
    return [(step.title, step.is_done) for step in first_steps(actor)]


def test_a_new_system(system, actor_in):
    actor = actor_in(system)
    assert steps(actor) == [("Name your carriers", False), ("Add a VAR", False), ("Invite people", False)]
    Provider.objects.create(name="Northline")
    make_person(system)
    assert steps(actor) == [("Name your carriers", True), ("Add a VAR", False), ("Invite people", True)]
    make_account("var", system)
    assert steps(actor) == []


def test_a_user_finds_their_pages_at_home(client, acme):
    client.force_login(make_person(acme, role="user"))
    page = client.get(f"/{acme.code}/").text
    home = page[page.index("Your pages") :]
    assert f'href="/{acme.code}/webphone/"' in home
    assert 'href="/profile/"' in home
    assert "People" not in home[: home.index("</section>")]


def test_a_new_var(alpha, actor_in):
    actor = actor_in(alpha)
    assert steps(actor) == [("Add numbers", False), ("Add a customer", False), ("Invite people", False)]
    make_number(var=alpha)
    assert steps(actor) == [("Add numbers", True), ("Add a customer", False), ("Invite people", False)]
    make_account("professional", alpha)
    assert steps(actor) == []


def test_a_new_company(acme, actor_in):
    actor = actor_in(acme)
    assert steps(actor) == [("Get phone numbers", False), ("Add a destination", False), ("Invite people", False)]
    make_destination(acme)
    assert steps(actor) == [("Get phone numbers", False), ("Add a destination", True), ("Invite people", False)]
    make_number(customer=acme)
    assert steps(actor) == []


def test_what_neighbours_have_is_no_step_of_ours(alpha, bravo, zenith, actor_in):
    make_number(var=bravo)
    make_person(bravo)
    assert [done for _title, done in steps(actor_in(alpha))] == [False, False, False]


def test_a_colleague_who_was_deactivated_does_not_count(alpha, actor_in):
    make_person(alpha, is_active=False)
    assert steps(actor_in(alpha))[-1] == ("Invite people", False)


@pytest.mark.parametrize(("account", "role"), [("system", "support"), ("alpha", "user"), ("acme", "user")])
def test_people_who_cannot_take_them_are_not_asked_to(request, account, role):
    person = make_person(request.getfixturevalue(account), role)
    assert steps(Actor.at_home(person)) == []


def test_each_step_leads_where_it_can_be_taken(signed_in, system, alpha, acme):
    for account in (system, alpha, acme):
        client = signed_in(account)
        page = client.get(f"/{account.code}/")
        assert "First steps" in page.text
        links = [url for step in page.context["first_steps"] for url, _label in step.links]
        assert len(links) >= 2
        assert {client.get(url).status_code for url in links} == {200}


def test_the_home_page_of_an_account_in_use_says_nothing_of_it(signed_in, alpha, acme):
    make_number(var=alpha)
    page = signed_in(alpha).get(f"/{alpha.code}/")
    assert "First steps" not in page.text
