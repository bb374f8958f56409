"""The accounts below one: listed, added, changed, suspended, closed, reopened; and one's own settings."""

import uuid
from threading import Thread

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts import actions
from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent
from accounts.rules import standing
from numbers.demo import write_demo_data
from tests.factories import make_number, make_person

pytestmark = pytest.mark.django_db
TYPED = {
    "name": "New Customer",
    "contact": "Ann Example",
    "email": "ann@example.com",
    "phone": "+15145550123",
    "number_quota": 20,
    "cooling_days": 10,
    "status": "trial",
}


def fresh(account):
    return Account.unscoped.get(pk=account.pk)


def events():
    return list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True))


def add(actor, kind="company", key=None, **changed):
    if kind == "professional":
        changed |= {"administrator": {"name": "Pro", "email": f"{uuid.uuid4()}@example.com"}}
    account, _person = actions.add_account(actor, kind=kind, key=key or uuid.uuid4(), **TYPED | changed)
    return account


@pytest.fixture
def inside(system, alpha):
    """A system administrator inside Alpha."""
    person = make_person(system, role="administrator")
    here = standing(person, alpha.code)
    return here.actor(actions.enter_account(here, "a sign-in", reason="", entered_from=""))


# Adding


@pytest.mark.parametrize(("home", "kind", "letter"), [
    ("system", "var", "V"), ("alpha", "company", "C"), ("alpha", "professional", "P"),
])  # fmt: skip
def test_an_account_is_added_with_a_code_of_its_own(request, actor_in, home, kind, letter):
    parent = request.getfixturevalue(home)
    first, second = add(actor_in(parent), kind), add(actor_in(parent), kind)
    assert first.code[0] == second.code[0] == letter
    assert int(second.code[1:]) == int(first.code[1:]) + 1
    made = fresh(first)
    assert (made.kind, made.parent) == (kind, parent)
    assert {name: getattr(made, name) for name in TYPED} == TYPED
    event = AuditEvent.unscoped.get(target_id=first.pk, verb="account.added")
    assert event.account == parent
    assert event.after == {"code": first.code, "kind": kind, **TYPED}


@pytest.mark.parametrize(
    ("home", "kind"), [("system", "company"), ("system", "system"), ("alpha", "var"), ("acme", "company")]
)
def test_nobody_adds_an_account_of_a_kind_that_does_not_belong_there(request, actor_in, home, kind):
    actor = actor_in(request.getfixturevalue(home))
    with pytest.raises(PermissionDenied):
        add(actor, kind)
    assert events() == []


def test_an_account_that_is_not_in_service_gets_no_customers(actor_in, alpha):
    actor = actor_in(alpha)
    Account.unscoped.filter(pk=alpha.pk).update(status="suspended")
    with pytest.raises(ValidationError, match="not in service"):
        add(actor)
    assert not Account.unscoped.filter(parent=alpha).exists()


def test_a_form_sent_twice_adds_one_account(actor_in, alpha, bravo):
    key = uuid.uuid4()
    first = add(actor_in(alpha), key=key)
    assert add(actor_in(alpha), key=key) == first
    assert Account.unscoped.filter(parent=alpha).count() == 1
    assert add(actor_in(bravo), key=key) != first
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.unscoped.create(kind="company", parent=alpha, code="C999999", name="x", form_key=key)


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_many_times_at_once_adds_one_account(actor_in, alpha):
    actor, key, codes = actor_in(alpha), uuid.uuid4(), []

    def send():
        try:
            codes.append(add(actor, key=key).code)
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 8
    assert len(set(codes)) == 1
    assert Account.unscoped.filter(parent=alpha).count() == 1
    assert events() == ["account.added"]


def test_codes_go_on_after_those_of_the_demo(client):
    write_demo_data(2_000)
    system = Account.unscoped.get(kind="system")
    taken = set(Account.unscoped.values_list("code", flat=True))
    actor = Actor.at_home(make_person(system, role="administrator"))
    assert add(actor, "var").code not in taken


# Changing


def test_an_account_is_changed_and_the_event_has_what_differs(actor_in, alpha, acme):
    actions.change_account(actor_in(alpha), acme.code, **TYPED | {"name": "Acme Corp"})
    assert fresh(acme).contact == "Ann Example"
    event = AuditEvent.unscoped.get()
    assert (event.verb, event.account, event.target) == ("account.changed", alpha, "Acme Corp")
    assert event.before["cooling_days"] == 30
    assert event.after["cooling_days"] == 10
    assert "name" not in event.after


def test_changing_nothing_leaves_no_event(actor_in, alpha, acme):
    actions.change_account(actor_in(alpha), acme.code, name="Acme Corp", status="production")
    assert events() == []


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_a_status_is_not_typed_and_not_changed_past_its_verbs(actor_in, alpha, acme, status):
    actor = actor_in(alpha)
    with pytest.raises(ValidationError, match="are separate"):
        actions.change_account(actor, acme.code, status=status)
    Account.unscoped.filter(pk=acme.pk).update(status=status)
    with pytest.raises(ValidationError, match=r"first|before"):
        actions.change_account(actor, acme.code, status="production")
    assert fresh(acme).status == status
    assert events() == []


ACTS = [
    lambda actor, code: actions.change_account(actor, code, name="Taken over"),
    actions.suspend_account,
    actions.reactivate_account,
    actions.close_account,
]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("status", ["production", "suspended"])
def test_only_accounts_right_below_are_changed(actor_in, system, alpha, bravo, acme, zenith, act, status):
    Account.unscoped.exclude(kind="system").update(status=status)
    before = list(Account.unscoped.order_by("pk").values_list("name", "status"))
    for home, other in ((alpha, zenith), (alpha, bravo), (alpha, alpha), (alpha, system), (system, acme)):
        with pytest.raises(Account.DoesNotExist):
            act(actor_in(home), other.code)
    for home in (acme, zenith):
        with pytest.raises(PermissionDenied):
            act(actor_in(home), acme.code)
    assert list(Account.unscoped.order_by("pk").values_list("name", "status")) == before
    assert events() == []


# Suspending


def test_suspending_shuts_out_and_putting_back_lets_in_again(actor_in, alpha, acme):
    actor = actor_in(alpha)
    actions.suspend_account(actor, acme.code)
    assert fresh(acme).status == "suspended"
    with pytest.raises(ValidationError, match="suspended already"):
        actions.suspend_account(actor, acme.code)
    actions.reactivate_account(actor, acme.code)
    assert fresh(acme).status == "production"
    with pytest.raises(ValidationError, match="in service already"):
        actions.reactivate_account(actor, acme.code)
    assert events() == ["account.suspended", "account.reactivated"]


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_people_of_an_account_out_of_service_are_told_so_at_the_next_request(signed_in, alpha, acme, status):
    client = signed_in(acme)
    assert client.get(f"/{acme.code}/numbers/").status_code == 200
    Account.unscoped.filter(pk=acme.pk).update(status=status)
    for path in (f"/{acme.code}/numbers/", "/", "/profile/", f"/{alpha.code}/"):
        page = client.get(path)
        assert page.status_code == 403
        assert f"This account is {status}" in page.text
        assert "Ask Alpha Telecom" in page.text
    assert client.post(f"/{acme.code}/access/").status_code == 403
    client.post("/logout/")
    assert client.get(f"/{acme.code}/").status_code == 302


def test_signing_in_to_a_suspended_account_leads_nowhere_else(client, acme):
    person = make_person(acme, role="administrator", password="right-password-1")
    Account.unscoped.filter(pk=acme.pk).update(status="suspended")
    page = client.post("/login/", {"login": person.email, "password": "right-password-1"}, follow=True)
    assert page.status_code == 403
    assert "This account is suspended" in page.text


def test_customers_of_a_suspended_var_go_on_and_its_people_do_not(signed_in, alpha, acme):
    Account.unscoped.filter(pk=alpha.pk).update(status="suspended")
    assert signed_in(acme).get(f"/{acme.code}/numbers/").status_code == 200
    assert signed_in(alpha).get(f"/{acme.code}/numbers/").status_code == 403


def test_system_administrators_are_never_shut_out(signed_in, system):
    Account.unscoped.filter(pk=system.pk).update(status="suspended")
    assert signed_in(system).get("/SYS/accounts/").status_code == 200


# Closing


def test_an_account_without_numbers_is_closed_and_reopened(actor_in, alpha, acme):
    actor = actor_in(alpha)
    actions.close_account(actor, acme.code)
    assert fresh(acme).status == "closed"
    with pytest.raises(ValidationError, match="closed already"):
        actions.close_account(actor, acme.code)
    with pytest.raises(ValidationError, match="reopen it"):
        actions.change_account(actor, acme.code, name="x")
    actions.reactivate_account(actor, acme.code)
    assert fresh(acme).status == "production"
    assert events() == ["account.closed", "account.reopened"]


def test_closing_is_refused_with_the_first_ten_numbers_and_how_many_there_are(actor_in, alpha, acme):
    for i in range(12):
        make_number(customer=acme, e164=f"+151455501{i:02}")
    with pytest.raises(ValidationError) as refusal:
        actions.close_account(actor_in(alpha), acme.code)
    sentence = refusal.value.messages[0]
    assert "holds 12 numbers (+1 514-555-0100, +1 514-555-0101" in sentence
    assert "+1 514-555-0109 …)" in sentence
    assert "0110" not in sentence
    assert fresh(acme).status == "production"
    assert events() == []


def test_a_var_is_closed_after_its_customers_and_its_numbers(actor_in, system, alpha, acme):
    actor = actor_in(system)
    number = make_number(var=alpha)
    with pytest.raises(ValidationError, match="1 customer that is not closed"):
        actions.close_account(actor, alpha.code)
    Account.unscoped.filter(parent=alpha).update(status="closed")
    with pytest.raises(ValidationError, match="has 1 number"):
        actions.close_account(actor, alpha.code)
    number.delete()
    actions.close_account(actor, alpha.code)
    assert fresh(alpha).status == "closed"


def test_from_inside_one_suspends_but_does_not_close(inside, acme):
    with pytest.raises(PermissionDenied):
        actions.close_account(inside, acme.code)
    actions.suspend_account(inside, acme.code)
    assert fresh(acme).status == "suspended"


def test_a_closed_account_is_not_entered(signed_in, alpha, acme):
    Account.unscoped.filter(pk=acme.pk).update(status="closed")
    client = signed_in(alpha)
    assert client.post(f"/{acme.code}/access/").status_code == 422
    assert not Access.unscoped.exists()


# The pages


def sent(**changed):
    return {**TYPED, "number_quota": "20", "phone": "+1 (514) 555-0123", "key": str(uuid.uuid4()), **changed}


def test_a_customer_is_added_by_the_form(signed_in, alpha):
    client = signed_in(alpha)
    assert 'name="key"' in client.get(f"/{alpha.code}/accounts/add/?kind=professional").text
    form = sent(administrator_email="pro@example.com")
    answers = [client.post(f"/{alpha.code}/accounts/add/?kind=professional", form) for _ in range(2)]
    assert [answer.url for answer in answers] == [f"/{alpha.code}/accounts/?kind=professional"] * 2
    made = Account.unscoped.get(parent=alpha)
    assert (made.kind, made.phone, made.number_quota) == ("professional", "+15145550123", 20)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Give the account a name."),
        ("name", "a\x07b", "cannot be shown"),
        ("name", "x" * 121, "at most 120"),
        ("phone", "514 555 0123", "Begin with + and the country code"),
        ("phone", "hello", "This is not a phone number: it has no digits."),
        ("email", "nobody", "valid email"),
        ("number_quota", "-1", "greater than or equal to 0"),
        ("cooling_days", "", "required"),
        ("status", "closed", "valid choice"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_says_what_to_do(signed_in, alpha, acme, field, typed, sentence):
    client = signed_in(alpha)
    for path in (f"/{alpha.code}/accounts/add/", f"/{alpha.code}/accounts/{acme.code}/"):
        page = client.post(path, sent(**{field: typed}, contact="Kept & typed"))
        assert page.status_code == 422
        assert sentence in page.text
        assert "Kept &amp; typed" in page.text
    assert Account.unscoped.filter(parent=alpha).count() == 1
    assert events() == []


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "=1+1", "名前 株式会社", 'O’Brien & "Sons"', "💥", "=1;=2"]
)
def test_a_name_may_be_anything(signed_in, listed, alpha, name):
    client = signed_in(alpha)
    client.post(f"/{alpha.code}/accounts/add/", sent(name=name))
    made = Account.unscoped.get(parent=alpha)
    assert made.name == name
    assert "<script>alert" not in client.get(f"/{alpha.code}/accounts/").text
    assert listed(alpha) == [name.replace("=", "'=") if name[0] == "=" else name]


def test_an_account_is_changed_by_its_page_and_by_its_own_settings(signed_in, alpha, acme):
    client = signed_in(alpha)
    assert client.post(f"/{alpha.code}/accounts/{acme.code}/", sent(name="Acme & Co")).status_code == 302
    assert (fresh(acme).name, fresh(acme).status) == ("Acme & Co", "trial")
    mine = {"contact": "Me", "email": "", "phone": "+44 20 7946 0100", "number_quota": "9", "status": "production"}
    assert signed_in(acme).post(f"/{acme.code}/settings/", mine | {"cooling_days": "1"}).status_code == 302
    now = fresh(acme)
    assert (now.contact, now.phone) == ("Me", "+442079460100")
    assert (now.number_quota, now.status, now.cooling_days) == (20, "trial", 10)
    assert signed_in(alpha).post(f"/{alpha.code}/settings/", mine | {"cooling_days": "7"}).status_code == 302
    assert fresh(alpha).cooling_days == 7
    assert client.post(f"/{alpha.code}/settings/", mine | {"phone": "1"}).status_code == 422


@pytest.mark.parametrize("page", ["", "suspend/", "reactivate/", "close/"])
def test_another_tenants_account_and_one_that_does_not_exist_are_the_same(signed_in, alpha, bravo, zenith, page):
    client = signed_in(alpha)
    answers = [
        client.post(f"/{alpha.code}/accounts/{code}/{page}", sent())
        for code in (zenith.code, "C99999", bravo.code, alpha.code, "SYS")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_the_page_refuses_to_close_with_a_link_to_the_numbers(signed_in, alpha, acme):
    make_number(customer=acme, e164="+15145550100")
    client = signed_in(alpha)
    path = f"/{alpha.code}/accounts/{acme.code}/close/"
    for page, status in ((client.get(path), 200), (client.post(path), 422)):
        assert page.status_code == status
        assert "holds 1 number (+1 514-555-0100)" in page.text
        assert f'href="/{alpha.code}/numbers/?company=Acme+Corp"' in page.text
    assert fresh(acme).status == "production"


def test_closed_by_the_page_and_reopened(signed_in, alpha, acme):
    client = signed_in(alpha)
    assert client.post(f"/{alpha.code}/accounts/{acme.code}/close/").status_code == 302
    page = client.get(f"/{alpha.code}/accounts/{acme.code}/")
    assert 'name="contact"' not in page.text
    assert "Reopen" in page.text
    client.post(f"/{alpha.code}/accounts/{acme.code}/reactivate/")
    assert fresh(acme).status == "production"


def test_an_act_that_is_refused_says_why_on_the_accounts_page(signed_in, alpha, acme):
    page = signed_in(alpha).post(f"/{alpha.code}/accounts/{acme.code}/reactivate/")
    assert page.status_code == 422
    assert "in service already" in page.text


def test_the_system_sees_a_vars_customer_and_changes_it_only_inside(signed_in, system, alpha, acme):
    client = signed_in(system)
    page = client.get(f"/SYS/accounts/{acme.code}/")
    assert page.status_code == 200
    assert "Suspend" not in page.text
    assert client.post(f"/SYS/accounts/{acme.code}/", sent()).status_code == 404
    assert client.post(f"/SYS/accounts/{acme.code}/suspend/").status_code == 404
    client.post(f"/{alpha.code}/access/")
    assert client.post(f"/{alpha.code}/accounts/{acme.code}/suspend/").status_code == 302
    assert fresh(acme).status == "suspended"
    assert client.get(f"/{alpha.code}/accounts/{acme.code}/close/").status_code == 403
    theirs = Client()
    theirs.force_login(make_person(alpha, role="administrator"))
    assert "suspended the account" in theirs.get(f"/{alpha.code}/history/").text
