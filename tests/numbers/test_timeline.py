"""What a number's page tells of its life, and to whom."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actor import Actor
from accounts.audit import told
from accounts.scope import scope
from numbers.actions import verbs
from numbers.models import PastNumber, PhoneNumber
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(administrator_of):
    """A VAR, two of its customers, who is their administrator, and a number that went from one to the other."""
    alpha = factories.make_account("var", name="Alpha Telecom")
    accounts = {"alpha": alpha}
    for name in ("Acme", "Borealis"):
        accounts[name] = factories.make_account("company", alpha, name=name)
    people = {name: administrator_of(account) for name, account in accounts.items()}
    number = factories.make_number(alpha, e164="+15145550123")

    def act(name, verb):
        actor = Actor.at_home(people[name])
        with scope(actor.account):
            verbs.perform_on(actor, verb, number.digits)

    act("alpha", verbs.AssignToCustomer(accounts["Acme"].pk))
    act("Acme", verbs.AssignToDestination(factories.make_destination(accounts["Acme"], "Réception").pk))
    act("Acme", verbs.GiveBack(confirmed=True))
    act("alpha", verbs.AssignToCustomer(accounts["Borealis"].pk, despite_cooling=True, reason="Acme agreed"))
    act("Borealis", verbs.SetOptions(label_text="Front desk"))
    return accounts, people, number


def page(client, cast, name, **query):
    accounts, people, number = cast
    client.force_login(people[name])
    return client.get(f"/{accounts[name].code}/numbers/{number.digits}/", query)


def test_a_var_reads_the_whole_life_of_its_number(client, cast):
    text = page(client, cast, "alpha").text
    for said in (
        "customer: – → Acme", "assigned the number to a destination", "destination: – → Réception",
        "released the number",
        "reason: Acme agreed", "label: – → Front desk",
    ):  # fmt: skip
        assert said in text


def test_a_customer_reads_of_its_own_tenure_alone(client, cast):
    text = page(client, cast, "Borealis").text
    assert "label: – → Front desk" in text
    assert "assigned the number" in text
    for strange in ("Réception", "released the number"):
        assert strange not in text


def test_who_had_it_at_a_time_is_answered_from_the_past(client, cast):
    _accounts, _people, number = cast
    began = timezone.now() - timedelta(days=30)
    pasts = PastNumber.unscoped.filter(number_id=number.pk).order_by("since")
    for days, past in enumerate(pasts):
        PastNumber.unscoped.filter(pk=past.pk).update(
            since=began + timedelta(days=days), until=began + timedelta(days=days + 1)
        )

    def at(name, days):
        when = began + timedelta(days=days, hours=1)
        return page(client, cast, name, at=f"{when:%Y-%m-%dT%H:%M}").text

    assert "<dd>Acme</dd>" in at("alpha", 1)
    assert "Réception, User" in at("alpha", 2)
    assert "This account did not have it then." in at("Borealis", 2)
    assert "This account did not have it then." in at("alpha", -5)
    PhoneNumber.unscoped.filter(pk=number.pk).update(since=began + timedelta(days=4))
    assert "<dd>Borealis</dd>" in at("alpha", 5)


@pytest.mark.parametrize(
    ("at", "says"),
    [("2999-01-01T00:00", "This time is in the future"), ("yesterday", "Enter date and time"), ("", "required")],
)
def test_a_time_that_cannot_be_asked_about_is_refused(client, cast, at, says):
    assert says in page(client, cast, "alpha", at=at).text


def test_the_history_has_what_others_did_to_the_account(client, cast):
    accounts, people, _number = cast
    client.force_login(people["Acme"])
    here = client.get(f"/{accounts['Acme'].code}/history/").text
    others = client.get(f"/{accounts['Acme'].code}/history/", {"kind": "others"}).text
    assert "released the number" in here
    assert "assigned the number" in others
    assert "released the number" not in others.split('<tbody id="rows">')[1]
    assert "Acme agreed" not in others


def test_a_number_that_came_back_keeps_its_earlier_life(client, cast, administrator_of):
    accounts, people, number = cast
    actor = Actor.at_home(people["alpha"])
    with scope(actor.account):
        verbs.perform_on(actor, verbs.GiveUp(confirmed=True), number.digits)
    factories.make_number(accounts["alpha"], e164=number.e164)
    assert "released the number" in page(client, cast, "alpha").text


def test_a_reason_is_read_by_the_account_that_wrote_it(client, cast, system, administrator_of):
    """The VAR says why a cooling number goes to somebody else at once; the customer reads that it came, and not why."""
    accounts, _people, number = cast
    read = {}
    for account in (accounts["alpha"], accounts["Borealis"], system):
        client.force_login(administrator_of(account))
        paths = (f"numbers/{number.digits}/", "history/", "history/?kind=others", "history/export.csv?kind=others")
        answers = [client.get(f"/{account.code}/{path}").getvalue().decode() for path in paths]
        read[account] = "".join(answers)
        assert "assigned the number" in read[account]
    assert [account for account, text in read.items() if "Acme agreed" in text] == [accounts["alpha"]]


def test_a_refusal_is_read_by_the_customer_that_it_is_for(acme, alpha, actor_in):
    customer = actor_in(acme)
    assert told(customer, alpha.pk, "order.refused", {"reason": "none left"}) == {"reason": "none left"}
    assert told(customer, alpha.pk, "number.assigned", {"reason": "none left"}) == {}
