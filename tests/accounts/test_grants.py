"""Delegation: which support agent may work in which account, given and withdrawn by their own administrators."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone

from accounts.actions import grants as actions
from accounts.actions import people
from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent, Grant, Person
from accounts.rules import standing
from tests.factories import grant, make_account, make_number, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(system):
    return make_person(system, role="administrator", password="long-enough-1", name="Bo Oss")


@pytest.fixture
def agent(system):
    return make_person(system, role="support", name="Sasha Lind")


@pytest.fixture
def as_boss(client, boss):
    client.force_login(boss)
    return client


@pytest.fixture
def give(as_boss, agent):
    def go(**typed):
        return as_boss.post("/SYS/grants/give/", {"agent": agent.pk, "account": "", "manages": "view"} | typed)

    return go


def verbs():
    return list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True))


def opens(agent, *accounts):
    """Of each account whether the agent may manage it; None where they may not enter."""
    return [found and found.manages for found in (standing(agent, account.code) for account in accounts)]


# Giving


@pytest.mark.parametrize("spelling", ["{code}", " {lower} ", "Alpha Telecom", "álpha  TELECOM", "alpha", "x ({code})"])
def test_an_account_is_meant_by_its_code_or_its_name(give, agent, alpha, bravo, acme, zenith, spelling):
    typed = spelling.format(code=alpha.code, lower=alpha.code.lower())
    assert give(account=typed).url == "/SYS/grants/"
    assert opens(agent, alpha, acme, bravo, zenith) == [False, False, None, None]
    event = AuditEvent.unscoped.get()
    assert (event.verb, event.target) == ("grant.given", "Sasha Lind: Alpha Telecom")
    assert event.after == {"account": f"Alpha Telecom ({alpha.code})", "may_change": False, "until": ""}
    assert Grant.live_of(agent).get().granted_by == event.person


def test_a_name_that_fits_several_accounts_asks_for_the_code(give, agent, alpha, system):
    twins = [make_account("company", alpha, name="Twin Foods") for _ in range(7)]
    page = give(account="twin", manages="manage")
    assert page.status_code == 422
    assert f"Several accounts fit: Twin Foods ({twins[0].code})" in page.text
    assert 'value="twin"' in page.text
    assert '<option value="manage" selected>' in page.text
    assert not Grant.objects.exists()
    assert verbs() == []


@pytest.mark.parametrize("typed", ["", " ", "SYS", "V99999", "nobody's", "%", "a\0b", "x" * 141, "()", "'--"])
def test_what_is_no_account_below_is_refused(give, alpha, typed):
    page = give(account=typed)
    assert page.status_code == 422
    assert not Grant.objects.exists()
    assert verbs() == []


def test_manage_replaces_view_and_view_replaces_manage(give, agent, alpha):
    give(account=alpha.code)
    give(account=alpha.code, manages="manage", until=f"{timezone.now().date() + timedelta(days=3)}")
    assert opens(agent, alpha) == [True]
    assert Grant.live_of(agent).count() == 1
    give(account=alpha.code)
    assert opens(agent, alpha) == [False]
    found = Grant.live_of(agent).get()
    assert found.until is None
    last = AuditEvent.unscoped.latest("pk")
    assert (last.before["may_change"], last.after["may_change"], last.after["until"]) == (True, False, "")


def test_a_narrower_grant_puts_out_who_is_inside_with_the_wider(client, give, agent, alpha):
    give(account=alpha.code, manages="manage")
    theirs = Client()
    theirs.force_login(agent)
    theirs.post(f"/{alpha.code}/access/")
    give(account=alpha.code)
    assert Access.unscoped.get().ended_why == "not_allowed"
    assert "Enter Alpha Telecom" in theirs.get(f"/{alpha.code}/numbers/").text


@pytest.mark.parametrize("zone", ["UTC", "America/Vancouver", "Pacific/Auckland"])
def test_a_grant_ends_with_its_last_day_where_the_administrator_is(give, boss, agent, alpha, zone):
    Person.objects.filter(pk=boss.pk).update(time_zone=zone)
    day = timezone.localtime(timezone=ZoneInfo(zone)).date() + timedelta(days=2)
    give(account=alpha.code, until=str(day))
    until = Grant.live_of(agent).get().until
    assert until == datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        (str(date.today() - timedelta(days=3)), "This day is over"),  # noqa: DTZ011 - three days are past in any zone
        ("9999-12-31", "more than ten years away"),
        ("0001-01-01", "This day is over"),
        ("tomorrow", "year-month-day"),
        ("2027-02-31", "year-month-day"),
        ("\0", "year-month-day"),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_what_was_typed_is_kept(give, alpha, until, sentence):
    page = give(account=alpha.code, until=until)
    assert page.status_code == 422
    assert sentence in page.text
    assert f'value="{alpha.code}"' in page.text
    assert not Grant.objects.exists()
    assert verbs() == []


@pytest.mark.parametrize(
    ("role", "active", "home"), [("user", 1, "system"), ("administrator", 1, "system"), ("support", 0, "system"),
                                 ("support", 1, "bravo")]
)  # fmt: skip
def test_only_active_agents_of_the_own_account_are_granted_anything(give, boss, alpha, request, role, active, home):
    person = make_person(request.getfixturevalue(home), role=role, is_active=bool(active))
    assert give(agent=person.pk, account=alpha.code).status_code == 422
    with pytest.raises(Person.DoesNotExist):
        actions.give_grant(Actor.at_home(boss), agent_id=person.pk, account_id=alpha.pk, manages=False, until=None)
    assert not Grant.objects.exists()
    assert verbs() == []


@pytest.mark.parametrize("agent_id", ["", "x", "999999999", "9" * 40, "-1"])
def test_an_agent_who_does_not_exist_is_refused(give, alpha, agent_id):
    assert give(agent=agent_id, account=alpha.code).status_code == 422
    assert verbs() == []


def test_a_var_grants_its_own_agents_its_own_customers_alone(client, alpha, bravo, acme, zenith, system):
    actor, agent = Actor.at_home(make_person(alpha, role="administrator")), make_person(alpha, role="support")
    for account in (alpha, bravo, zenith, system):
        with pytest.raises(Account.DoesNotExist):
            actions.give_grant(actor, agent_id=agent.pk, account_id=account.pk, manages=False, until=None)
    assert verbs() == []
    actions.give_grant(actor, agent_id=agent.pk, account_id=acme.pk, manages=True, until=None)
    assert opens(agent, acme, alpha, zenith) == [True, None, None]


def test_an_account_without_agents_is_told_where_to_invite_one(as_boss):
    assert "Invite one" in as_boss.get("/SYS/grants/give/").text


# Withdrawing


def test_withdrawing_puts_out_who_is_inside(as_boss, agent, alpha, acme):
    given = grant(agent, alpha)
    theirs = Client()
    theirs.force_login(agent)
    theirs.post(f"/{acme.code}/access/")
    assert theirs.get(f"/{acme.code}/numbers/").status_code == 200
    assert as_boss.post(f"/SYS/grants/{given.pk}/withdraw/").url == "/SYS/grants/"
    assert Access.unscoped.get().ended_why == "not_allowed"
    assert theirs.get(f"/{acme.code}/numbers/").status_code == 404
    assert verbs()[-2:] == ["grant.withdrawn", "access.ended"]


def test_what_another_grant_allows_goes_on(as_boss, agent, alpha, acme):
    above, _same = grant(agent, alpha), grant(agent, acme)
    theirs = Client()
    theirs.force_login(agent)
    theirs.post(f"/{acme.code}/access/")
    as_boss.post(f"/SYS/grants/{above.pk}/withdraw/")
    assert "you are viewing" in theirs.get(f"/{acme.code}/numbers/").text


def test_another_role_takes_the_grants_along(boss, agent, alpha):
    grant(agent, alpha)
    for role in ("user", "support"):
        people.change_person(Actor.at_home(boss), agent.pk, name=agent.name, role=role)
    agent.refresh_from_db()
    assert opens(agent, alpha) == [None]
    assert verbs() == ["person.changed", "grant.withdrawn", "person.changed"]


# Who may


def test_grants_of_others_are_as_good_as_none(client, system, alpha, bravo, acme, agent):
    """Nor are the system's a VAR's to withdraw, though they open the VAR."""
    foreign = [grant(agent, alpha), grant(make_person(bravo, role="support"), make_account("company", bravo))]
    actor = Actor.at_home(make_person(alpha, role="administrator"))
    client.force_login(actor.person)
    for pk in (*(given.pk for given in foreign), 10**9, 10**30):
        assert client.get(f"/{alpha.code}/grants/{pk}/").status_code == 404
        assert client.post(f"/{alpha.code}/grants/{pk}/withdraw/").status_code == 404
        with pytest.raises(Grant.DoesNotExist):
            actions.withdraw_grant(actor, pk)
    assert Grant.objects.count() == 2
    assert verbs() == []


def test_from_inside_grants_are_seen_and_not_changed(as_boss, alpha, acme):
    theirs = make_person(alpha, role="support", name="Theirs")
    given = grant(theirs, acme)
    as_boss.post(f"/{alpha.code}/access/")
    before = verbs()
    assert "Theirs" in as_boss.get(f"/{alpha.code}/grants/").text
    assert "Withdraw" not in as_boss.get(f"/{alpha.code}/grants/{given.pk}/").text
    assert as_boss.post(f"/{alpha.code}/grants/{given.pk}/withdraw/").status_code == 403
    typed = {"agent": theirs.pk, "account": acme.code, "manages": "manage"}
    assert as_boss.post(f"/{alpha.code}/grants/give/", typed).status_code == 403
    assert verbs() == before


@pytest.mark.parametrize("role", ["user", "support"])
def test_others_than_administrators_may_nothing(system, alpha, agent, role):
    actor, given = Actor.at_home(make_person(system, role=role)), grant(agent, alpha)
    with pytest.raises(PermissionDenied):
        actions.give_grant(actor, agent_id=agent.pk, account_id=alpha.pk, manages=True, until=None)
    with pytest.raises(PermissionDenied):
        actions.withdraw_grant(actor, given.pk)
    assert verbs() == []


def test_a_day_gone_by_is_refused_by_the_action(boss, agent, alpha):
    with pytest.raises(ValidationError):
        actions.give_grant(
            Actor.at_home(boss), agent_id=agent.pk, account_id=alpha.pk, manages=True, until=date(2020, 1, 1)
        )
    assert not Grant.objects.exists()


# The list, and the agent's home


@pytest.fixture
def some(boss, agent, alpha, bravo, acme):
    later = timezone.now() + timedelta(days=2)
    grant(agent, alpha)
    grant(agent, acme, "manage_account", until=later)
    grant(agent, bravo, until=timezone.now() - timedelta(days=1))
    Grant.objects.update(granted_by=boss)
    grant(make_person(alpha, role="support", name="Theirs"), acme)


def test_the_list_shows_what_was_granted_to_own_agents(as_boss, some, alpha, acme, bravo):
    rows = as_boss.get("/SYS/grants/export.csv").getvalue().decode()
    columns = ("Support agent", "Account", "Permission", "Granted by")
    found = [tuple(row[name] for name in columns) for row in csv.DictReader(io.StringIO(rows))]
    assert found == [
        ("Sasha Lind", f"Acme Corp ({acme.code})", "manage", "Bo Oss"),
        ("Sasha Lind", f"Alpha Telecom ({alpha.code})", "view", "Bo Oss"),
        ("Sasha Lind", f"Bravo Networks ({bravo.code})", "view", "Bo Oss"),
    ]
    page = as_boss.get("/SYS/grants/").text
    assert "no end" in page
    assert "Theirs" not in page
    assert as_boss.get("/SYS/grants/export.pdf").getvalue().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter=live", ["Acme Corp", "Alpha Telecom"]),
        ("filter=ended", ["Bravo Networks"]),
        ("agent=SASHA&account=corp", ["Acme Corp"]),
        ("mode=manage", ["Acme Corp"]),
        ("by=oss&sort=-account", ["Bravo Networks", "Alpha Telecom", "Acme Corp"]),
        ("sort=until", ["Bravo Networks", "Acme Corp", "Alpha Telecom"]),
        ("sort=mode", ["Acme Corp", "Alpha Telecom", "Bravo Networks"]),
        ("by=nobody", []),
    ],
)
def test_the_list_is_searched_filtered_and_sorted(as_boss, some, query, names):
    listing = as_boss.get(f"/SYS/grants/?{query}").context["listing"]
    assert [row["account_name"] for row in listing["rows"]] == names


def test_the_list_is_paged_by_every_column(as_boss, agent, alpha):
    for i in range(30):
        until = timezone.now() + timedelta(days=i) if i % 2 else None
        grant(agent, make_account("company", alpha, name=f"Same {i % 3}"), until=until)
    for sort in ("agent", "-account", "mode", "-until", "by"):
        seen, url = [], f"/SYS/grants/?size=25&sort={sort}"
        while url:
            listing = as_boss.get(url).context["listing"]
            seen += [row["pk"] for row in listing["rows"]]
            url = listing["paging"].next_url
        assert len(seen) == len(set(seen)) == 30


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_takes_the_same_queries_at_any_size(as_boss, agent, alpha, rows, django_assert_num_queries):
    for _ in range(rows):
        grant(agent, make_account("company", alpha))
    with django_assert_num_queries(8):  # session, person with account, the scope's four, counts, rows
        as_boss.get("/SYS/grants/")


def test_an_agents_home_lists_what_was_granted_and_enters_it(client, agent, some, alpha, acme):
    grant(agent, acme)  # to view, besides managing it: the wider counts
    number = make_number(customer=acme)
    client.force_login(agent)
    page = client.get("/SYS/").text
    assert page.count("formaction=") == 2
    assert page.index("Acme Corp") < page.index("Alpha Telecom")
    assert "Bravo" not in page
    assert "no end" in page
    assert client.post(f"/{acme.code}/access/", {"back": "/SYS/"}).url == f"/{acme.code}/"
    assert number.e164 in client.get(f"/{acme.code}/numbers/").text
    assert client.post(f"/{acme.code}/access/leave/").url == "/SYS/"


def test_an_agent_without_grants_is_told_who_gives_them(client, agent):
    client.force_login(agent)
    assert "An administrator of your account grants you accounts" in client.get("/SYS/").text


def test_nobody_else_has_such_a_list_on_their_home(as_boss, some):
    assert "Accounts you may enter" not in as_boss.get("/SYS/").text


@pytest.mark.parametrize("rows", [1, 30])
def test_an_agents_home_takes_the_same_queries_at_any_size(client, agent, alpha, rows, django_assert_num_queries):
    for _ in range(rows):
        grant(agent, make_account("company", alpha))
    client.force_login(agent)
    with django_assert_num_queries(7):  # session, person with account, the scope's four, grants
        client.get("/SYS/")
