"""The list of the accounts below one."""

import csv
import io

import pytest
from pypdf import PdfReader

from accounts.models import Account
from tests.factories import grant, make_account, make_number, make_person

pytestmark = pytest.mark.django_db


def test_each_sees_the_accounts_below_and_no_others(signed_in, listed, system, alpha, bravo, acme, zenith, jane):
    assert listed(system) == ["Alpha Telecom", "Bravo Networks"]
    assert listed(system, "?kind=company") == ["Acme Corp", "Zenith Ltd"]
    assert listed(alpha) == listed(alpha, "?kind=company") == ["Acme Corp"]
    assert listed(alpha, "?kind=professional") == ["Jane Doe"]
    assert listed(bravo, "?kind=professional") == []
    page = signed_in(alpha).get(f"/{alpha.code}/accounts/").text
    assert "Acme Corp" in page
    assert "Zenith" not in page


def test_what_is_counted_of_a_var(signed_in, system, alpha, bravo, acme, jane):
    make_account("company", alpha)
    Account.unscoped.filter(pk=jane.pk).update(status="closed")
    make_number(var=alpha)
    make_number(customer=acme)
    make_number(customer=acme)
    text = signed_in(system).get("/SYS/accounts/export.csv").getvalue().decode()
    rows = {row["Name"]: row for row in csv.DictReader(io.StringIO(text))}
    counted = ("Companies", "Professionals", "Used", "Available")
    assert [rows["Alpha Telecom"][name] for name in counted] == ["2", "0", "2", "1"]
    assert [rows["Bravo Networks"][name] for name in counted] == ["0", "0", "0", "0"]


def test_headings(signed_in, system, alpha):
    def headings(account, query=""):
        return signed_in(account).get(f"/{account.code}/accounts/export.csv{query}").getvalue().decode().strip()

    assert headings(system, "?name=none") == ("Code,Name,Companies,Professionals,Used,Available,Contact,Phone,Status")
    of_customers = "Numbers,Quota,Cooling days,Contact,Phone,Status"
    assert headings(system, "?kind=company") == f"Code,Name,VAR,{of_customers}"
    assert headings(alpha) == f"Code,Name,{of_customers}"


def test_closed_accounts_are_listed_only_where_they_are_asked_for(signed_in, listed, alpha, acme):
    other = make_account("company", alpha, name="Closed Ltd")
    Account.unscoped.filter(pk=other.pk).update(status="closed")
    assert listed(alpha) == ["Acme Corp"]
    assert listed(alpha, "?filter=closed") == ["Closed Ltd"]
    page = signed_in(alpha).get(f"/{alpha.code}/accounts/").text
    for entry in ("All (1)", "Production (1)", "Suspended (0)", "Closed (1)"):
        assert entry in page


def test_search_and_sort(listed, alpha):
    for code, name, quota, phone in (("C20002", "Zoé", 5, "+15145550100"), ("C100001", "abc", None, "+442079460100"),
                                     ("C20010", "Ábaco", 500, "")):  # fmt: skip
        Account.unscoped.create(
            kind="company", parent=alpha, code=code, name=name, number_quota=quota, phone=phone, contact=f"c {name}"
        )
    assert listed(alpha) == ["Ábaco", "abc", "Zoé"]
    assert listed(alpha, "?sort=code") == ["Zoé", "Ábaco", "abc"]
    assert listed(alpha, "?sort=-quota") == ["abc", "Ábaco", "Zoé"]
    assert listed(alpha, "?name=zoe") == ["Zoé"]
    assert listed(alpha, "?phone=(514)+555") == ["Zoé"]
    assert listed(alpha, "?code=c2") == ["Ábaco", "Zoé"]
    assert listed(alpha, "?contact=ABA") == ["Ábaco"]
    assert listed(alpha, "?status=trial") == []


@pytest.mark.parametrize("query", ["?sort=numbers", "?sort=nonsense", "?kind=var", "?filter=x", "?cursor=x"])
def test_what_is_not_understood_is_said_and_the_list_shown(signed_in, alpha, acme, query):
    page = signed_in(alpha).get(f"/{alpha.code}/accounts/{query}")
    assert page.status_code == 200
    assert "Acme Corp" in page.text
    assert "list-problems" in page.text.partition('id="list-failed"')[2]


@pytest.mark.parametrize("kind", ["company", "professional"])
def test_all_pages_together_are_the_list_and_so_are_csv_and_pdf(signed_in, listed, alpha, kind):
    for i in range(30):
        make_account(kind, alpha, name=f"Customer {i % 7}")
    client, query = signed_in(alpha), f"?kind={kind}&sort=-name&size=25"
    first = client.get(f"/{alpha.code}/accounts/{query}")
    following = next(part for part in first.text.split('"') if "cursor=" in part and "kind" in part)
    second = client.get(following.replace("&amp;", "&"))
    seen = [code for page in (first, second) for code in codes_on(page)]
    everything = Account.unscoped.filter(kind=kind, parent=alpha).order_by("-name_folded", "-pk")
    assert seen == list(everything.values_list("code", flat=True))
    assert listed(alpha, query) == list(everything.values_list("name", flat=True))
    pdf = client.get(f"/{alpha.code}/accounts/export.pdf{query}").getvalue()
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert [word for word in text.split() if word in set(seen)] == seen


def codes_on(page):
    return [part.partition("<")[0] for part in page.text.split('/">') if part[:1] in "CPV" and part[1:6].isdigit()]


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_takes_the_same_queries_at_any_size(signed_in, system, alpha, rows, django_assert_num_queries):
    for _ in range(rows):
        make_number(customer=make_account("company", alpha))
    client = signed_in(alpha)
    client.get(f"/{alpha.code}/accounts/")
    with django_assert_num_queries(9):  # session, person; BEGIN, scope, counts, page, numbers, COMMIT, scope
        client.get(f"/{alpha.code}/accounts/")
    client = signed_in(system)
    for _ in range(rows):
        make_account("var", system)
    client.get("/SYS/accounts/")
    with django_assert_num_queries(10):  # and customers
        client.get("/SYS/accounts/")


def test_more_than_the_bound_is_counted_in_each_state(signed_in, alpha, monkeypatch):
    monkeypatch.setattr("portal.paging.BOUND", 5)
    for i in range(9):
        account = make_account("company", alpha)
        Account.unscoped.filter(pk=account.pk).update(status="trial" if i < 3 else "closed")
    page = signed_in(alpha).get(f"/{alpha.code}/accounts/").text
    assert "All (3)" in page
    assert "Free trial (3)" in page


def test_support_agents_see_what_was_granted_and_enter_it(client, system, alpha, bravo, acme, zenith):
    agent = make_person(system, role="support")
    grant(agent, alpha)
    client.force_login(agent)
    page = client.get("/SYS/accounts/")
    assert "Alpha Telecom" in page.text
    assert "Bravo" not in page.text
    assert "Add VAR" not in page.text
    assert "Acme Corp" in client.get("/SYS/accounts/?kind=company").text
    assert "Zenith" not in client.get("/SYS/accounts/?kind=company").text
    facts = client.get(f"/SYS/accounts/{alpha.code}/")
    assert facts.status_code == 200
    assert 'name="contact"' not in facts.text
    assert client.get(f"/SYS/accounts/{bravo.code}/").status_code == 404
    assert client.post(f"/SYS/accounts/{alpha.code}/", {"name": "Mine"}).status_code == 403
    landing = client.post(f"/{alpha.code}/access/", {"next": f"/{alpha.code}/accounts/"}, follow=True)
    assert landing.status_code == 200
    assert "Acme Corp" in landing.text
    assert "You cannot change anything" in landing.text
    assert "Add company" not in landing.text
    assert client.post(f"/{alpha.code}/accounts/{acme.code}/suspend/").status_code == 403


def test_a_vars_support_agent_sees_the_granted_customer_alone(client, alpha, acme, jane):
    agent = make_person(alpha, role="support")
    grant(agent, acme)
    client.force_login(agent)
    assert "Acme Corp" in client.get(f"/{alpha.code}/accounts/").text
    assert "Jane Doe" not in client.get(f"/{alpha.code}/accounts/?kind=professional").text
