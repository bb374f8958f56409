"""What the command palette offers, and to whom."""

import pytest

from accounts.models import Account
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def offered(client):
    """What a person is offered for a text: the names, by the name of the kind."""

    def ask(person, code, typed=""):
        client.force_login(person)
        answer = client.get(f"/{code}/go-to/", {"q": typed})
        assert answer.status_code == 200
        return {group["label"]: [row["name"] for row in group["rows"]] for group in answer.json()["groups"]}

    return ask


def test_numbers_accounts_people_and_pages_are_offered(offered, alpha, acme, administrator_of):
    factories.make_number(alpha, e164="+15145550199")
    boss = administrator_of(alpha)
    factories.make_person(alpha, name="Ann Acme")
    assert offered(boss, alpha.code, "acme") == {"Accounts": ["Acme Corp"], "People": ["Ann Acme"]}
    assert offered(boss, alpha.code, acme.code.lower())["Accounts"] == ["Acme Corp"]
    assert offered(boss, alpha.code, "5550199")["Numbers"] == ["+1 514-555-0199"]
    assert offered(boss, alpha.code, "add num") == {"Pages and actions": ["Add numbers"]}
    assert "Home" in offered(boss, alpha.code)["Pages and actions"]


def test_nothing_of_another_tenant_is_offered(offered, alpha, bravo, zenith, administrator_of):
    factories.make_number(bravo, e164="+442079460123")
    factories.make_person(bravo, name="Zoe Zenith")
    factories.make_destination(zenith, "Zenith desk")
    boss = administrator_of(alpha)
    for typed in ("zenith", zenith.code, "2079460123", "zoe", "desk", "bravo"):
        assert offered(boss, alpha.code, typed) == {}


def test_a_user_is_offered_pages_alone(offered, alpha, acme):
    user = factories.make_person(acme)
    factories.make_number(customer=acme, e164="+15145550199")
    factories.make_destination(acme, "Front desk")
    assert offered(user, acme.code, "5550199") == {}
    assert offered(user, acme.code, "front") == {}
    pages = offered(user, acme.code)["Pages and actions"]
    assert "WebPhone" in pages
    assert "People" not in pages
    assert "Order numbers" not in pages


def test_a_customer_is_offered_what_its_numbers_ring(offered, acme, administrator_of):
    factories.make_destination(acme, "Front desk")
    assert offered(administrator_of(acme), acme.code, "front") == {"Destinations": ["Front desk"]}


def test_a_support_agent_is_offered_numbers_of_granted_accounts(offered, system, alpha, bravo):
    agent = factories.make_person(system, role="support")
    factories.grant(agent, alpha)
    factories.make_number(alpha, e164="+15145550199")
    factories.make_number(bravo, e164="+15145550188")
    assert offered(agent, "SYS", "5550199")["Numbers"] == ["+1 514-555-0199"]
    assert "Numbers" not in offered(agent, "SYS", "5550188")
    assert offered(agent, "SYS", "alpha")["Accounts"] == ["Alpha Telecom"]
    assert "Accounts" not in offered(agent, "SYS", "bravo")


def test_numbers_of_accounts_that_nobody_may_enter_are_not_offered(offered, system, alpha, acme):
    agent = factories.make_person(system, role="support")
    factories.grant(agent, acme)
    factories.make_number(customer=acme, e164="+15145550199")
    assert offered(agent, "SYS", "5550199")["Numbers"]
    # Whoever may not enter the VAR gets no further.
    Account.unscoped.filter(pk=alpha.pk).update(status="suspended")
    assert "Numbers" not in offered(agent, "SYS", "5550199")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("5145550107, 5145550108", 2), ("5145550107;5145550108", 2), ("5145550107\n5145550108", 2),
        ("5145550107 - 0110", 2), ("514555010x", 2), ("5145550107, 5145550199", 1),
    ],
)  # fmt: skip
def test_lists_and_ranges_are_found_where_numbers_are(offered, client, alpha, administrator_of, typed, found):
    for number in ("+15145550107", "+15145550108"):
        factories.make_number(alpha, e164=number)
    Account.unscoped.filter(pk=alpha.pk).update(home_country="CA")
    assert len(offered(administrator_of(alpha), alpha.code, typed)["Numbers"]) == found
    page = client.get(f"/{alpha.code}/numbers/find/", {"q": typed}, follow=True)
    shown = [number for number in ("15145550107", "15145550108") if f"/numbers/{number}/" in page.text]
    assert len(shown) == found


def test_a_var_is_offered_what_the_numbers_of_its_customers_ring(offered, alpha, acme, administrator_of):
    factories.make_destination(acme, "Émile Gagné", kind="user")
    assert offered(administrator_of(alpha), alpha.code, "emile") == {"Destinations": ["Émile Gagné"]}


@pytest.mark.parametrize("typed", ["{code}", "{code} ", "{lower}"])
def test_quick_search_finds_an_account_by_its_code(client, alpha, acme, bravo, administrator_of, typed):
    client.force_login(administrator_of(alpha))
    typed = typed.format(code=acme.code, lower=acme.code.lower())
    page = client.get(f"/{alpha.code}/numbers/find/", {"q": typed})
    assert "Acme Corp" in page.text
    assert "Users, services and groups" not in page.text
    assert bravo.name not in client.get(f"/{alpha.code}/numbers/find/", {"q": bravo.code}).text


def test_quick_search_says_what_is_wrong_with_a_number(client, alpha, administrator_of):
    client.force_login(administrator_of(alpha))
    find = f"/{alpha.code}/numbers/find/"
    assert "spreadsheet" in client.get(find, {"q": "1.51455501E+10"}).text
    assert "Nothing was found. Type a number, or letters of a name." in client.get(find, {"q": "%"}).text


@pytest.mark.parametrize("typed", ["a", "%", "\0\0", "-- ", "12*4", "+", "' or 1=1", "9" * 4000])
def test_whatever_is_typed_is_answered(offered, alpha, administrator_of, typed):
    offered(administrator_of(alpha), alpha.code, typed)


def test_it_is_of_ones_own_account(client, alpha, bravo, administrator_of):
    client.force_login(administrator_of(alpha))
    assert client.get(f"/{bravo.code}/go-to/", {"q": "a"}).status_code == 404
    assert client.post(f"/{alpha.code}/go-to/").status_code == 405
