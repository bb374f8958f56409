"""Orders, work, holds, the stock and carriers: who is told, by the act itself."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import notices
from accounts.models import Account, AuditEvent, Notice
from numbers.actions import imports as import_actions
from numbers.actions import jobs, levels, orders, turns
from numbers.models import Import, Job, PhoneNumber, StockLevel
from numbers.tasks import notify_of_holds, run_import, run_job, watch_stock
from tests.accounts.post import deliver
from tests.factories import join, make_account, make_number, make_person, make_provider
from tests.numbers.carrier import GOOD, TAKEN, go_on, healed, ordered
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(alpha, administrator_of):
    join(administrator_of(alpha))
    return administrator_of(alpha)


@pytest.fixture
def customer(acme, administrator_of):
    join(administrator_of(acme))
    return administrator_of(acme)


@pytest.fixture
def others(bravo, zenith, jane, acme, alpha, administrator_of):
    """Siblings, and people of the same accounts who may not see orders."""
    people = [administrator_of(bravo), administrator_of(zenith), administrator_of(jane)]
    people += [make_person(acme), make_person(alpha), make_person(alpha, role="support")]
    join(*people)
    return people


def said(person):
    return [notices.sentence(notice) for notice in Notice.of(person).order_by("pk")]


# Orders


def ordered_from_stock(actor, numbers):
    orders.choose(actor, [number.pk for number in numbers])
    basket = orders.basket_of(actor)
    return orders.confirm(actor, basket.pk, basket.lines.values_list("pk", flat=True))


def test_an_order_waits_for_the_var_and_ends_for_who_ordered(
    boss, customer, others, buyer, actor_in, alpha, acme, stock
):
    Account.unscoped.filter(pk=acme.pk).update(orders_need_approval=True)
    order = ordered_from_stock(buyer, stock[:2])
    assert said(boss) == [f"Order {order.pk} of Acme Corp waits for your approval: 2 numbers."]
    assert said(customer) == []
    orders.approve(actor_in(alpha), order.pk)
    assert said(customer) == [f"Order {order.pk} of Acme Corp is delivered: 2."]
    orders.approve(actor_in(alpha), order.pk)
    assert (len(said(boss)), len(said(customer))) == (1, 1)
    assert not Notice.unscoped.filter(person__in=others).exists()
    deliver()
    assert sorted(message.to[0] for message in mail.outbox) == sorted([boss.email, customer.email])


def test_a_refusal_says_why(boss, customer, buyer, actor_in, alpha, acme, stock):
    Account.unscoped.filter(pk=acme.pk).update(orders_need_approval=True)
    order = ordered_from_stock(buyer, stock[:1])
    orders.refuse(actor_in(alpha), order.pk, "Not this month")
    assert said(customer) == [f"Order {order.pk} of Acme Corp was refused: Not this month"]


def test_the_contact_of_an_account_gets_one_mail_even_where_it_is_who_ordered(customer, buyer, acme, stock):
    Account.unscoped.filter(pk=acme.pk).update(email=customer.email)
    orders.choose(buyer, [stock[0].pk])
    basket = orders.basket_of(buyer)
    orders.confirm(buyer, basket.pk, basket.lines.values_list("pk", flat=True), informs=True)
    deliver()
    assert [message.to for message in mail.outbox] == [[customer.email]]


@pytest.mark.django_db(transaction=True)
def test_a_var_is_told_what_a_carrier_has_not_delivered_counted(carrier, provider, boss, customer, others, buyer):
    order = ordered(buyer, provider, [*GOOD, TAKEN])
    go_on(order)
    (notice,) = Notice.of(boss)
    assert notices.sentence(notice) == (
        f"{provider.name} has not delivered 1 number: Somebody else was quicker to get this number."
    )
    assert said(customer) == [f"Order {order.pk} of Acme Corp has ended: 3 of 4 delivered, 1 failed."]
    healed(order)
    assert (len(said(boss)), len(said(customer))) == (1, 1)
    assert "Somebody else" not in str(Notice.of(customer).get().facts)  # a carrier's own words are for operators
    assert not Notice.unscoped.filter(person__in=others).exists()


# Work


def test_a_job_of_many_is_one_notice_for_who_began_it(boss, alpha, acme, client, monkeypatch):
    monkeypatch.setattr(jobs, "AT_ONCE", 10)
    monkeypatch.setattr(jobs, "BATCH", 100)
    colleague = make_person(alpha, role="administrator")
    join(colleague)
    provider = make_provider()
    PhoneNumber.unscoped.bulk_create(
        PhoneNumber(e164=f"+1514556{i:04}", var=alpha, provider=provider) for i in range(500)
    )
    client.force_login(boss)
    url = client.post(f"/{alpha.code}/numbers/bulk/assign/", {"all": "1"}).url
    client.post(url, {"customer": acme.code, "mode": "some"})
    job = Job.unscoped.get()
    for _turn in range(2):
        run_job(job_id=job.pk, account=alpha.code)
    assert said(boss) == ["Assign has ended: 500 of 500 done."]
    assert said(colleague) == []
    (notice,) = Notice.of(boss)
    assert client.post(f"/notices/{notice.pk}/open/").url == f"/{alpha.code}/numbers/jobs/{job.pk}/"


def test_what_is_done_while_somebody_waits_is_told_by_the_page(boss, alpha, acme, client, stock):
    client.force_login(boss)
    url = client.post(f"/{alpha.code}/numbers/bulk/assign/", {"all": "1"}).url
    client.post(url, {"customer": acme.code, "mode": "some"})
    assert Job.unscoped.get().state == "done"
    assert said(boss) == []


def test_work_that_fails_every_time_is_told(boss, alpha, actor_in):
    job = Job.unscoped.create(
        account=alpha, person=boss, chain=[alpha.pk], verb="assign", state="running", started_at=timezone.now(),
        tries=turns.MOST_TRIES, total=3,
    )  # fmt: skip
    run_job(job_id=job.pk, account=alpha.code)
    assert said(boss)[0].startswith("Assign has stopped: 0 of 3 done. Stopped: the portal failed at this 5 times")


def test_a_large_file_is_told_of_when_it_is_checked_and_when_it_is_applied(boss, alpha, actor_in, monkeypatch):
    monkeypatch.setattr(import_actions, "AT_ONCE", 10)
    provider = make_provider()
    rows = ((line, [f"+1514557{line:04}"]) for line in range(1, 31))
    actor = actor_in(alpha)
    facts = {"file_name": "numbers.csv", "columns": ["number"], "region": "", "provider": provider}
    wanted = import_actions.begin_import(actor, uuid4(), rows, **facts)
    while Import.unscoped.get(pk=wanted.pk).state == "checking":
        run_import(import_id=wanted.pk, account=alpha.code)
    assert said(boss) == ["The file numbers.csv is checked: 30 lines, 0 refused. Look at it, and apply it."]
    import_actions.apply_import(actor, wanted.pk)
    run_import(import_id=wanted.pk, account=alpha.code)
    assert said(boss)[1:] == ["numbers.csv has ended: 30 of 30 done."]


# Holds and the stock


def test_holds_that_end_soon_are_one_notice_a_day(boss, customer, others, alpha, acme, system):
    now = timezone.now()
    day = timedelta(days=1)
    for until in (now + day, now + day, now + 3 * day, now - day):
        make_number(alpha, reserved_for=acme, reserved_until=until)
    make_number(alpha, last_holder=acme, cooling_until=now + day)
    for _turn in range(2):
        notify_of_holds(timestamp=0)
    assert said(boss) == ["2 reservations end within two days. 1 number ends cooling within two days."]
    assert not Notice.unscoped.filter(person__in=[customer, *others]).exists()


def test_a_stock_that_runs_low_is_told_once_and_again_when_there_were_enough(boss, others, alpha, bravo, acme, system):
    free = [make_number(alpha, e164=f"+1514555020{last}") for last in range(3)]
    make_number(alpha, e164="+14165550100")  # of another area
    make_number(bravo, e164="+15145550999")
    StockLevel.unscoped.create(account=alpha, prefix="+1514", least=3)
    watch_stock(timestamp=0)
    assert said(boss) == []
    PhoneNumber.unscoped.filter(pk=free[0].pk).update(
        reserved_for=acme, reserved_until=timezone.now() + timedelta(days=1)
    )
    for _turn in range(2):
        watch_stock(timestamp=0)
    assert said(boss) == ["2 numbers that begin with +1 514 are available. Your minimum is 3."]
    make_number(alpha, e164="+15145550300")
    watch_stock(timestamp=0)
    PhoneNumber.unscoped.filter(e164="+15145550300").delete()
    watch_stock(timestamp=0)
    assert len(said(boss)) == 2
    assert not Notice.unscoped.filter(person__in=others).exists()


def test_levels_are_set_and_removed_on_their_page(boss, client, alpha, bravo):
    make_number(alpha, e164="+15145550100")
    client.force_login(boss)
    url = f"/{alpha.code}/numbers/levels/"
    assert "Set the minimum of available numbers" in client.get(url).text
    for typed, problem in (
        ("514", "Begin with + and a country code"),
        ("+999 1", "No country code begins with +9991. Enter one, such as +1 or +44."),
        ("+1 312555 0123 9", "Enter at most 11 digits: these are 12."),
        ("+1 FLOWERS", "Type digits of the number"),
        ("", "required"),
    ):
        answer = client.post(f"{url}add/", {"prefix": typed, "least": "5"})
        assert (answer.status_code, problem in answer.text) == (422, True)
    assert client.post(f"{url}add/", {"prefix": "+1 (514)", "least": "5"}).url == url
    page = client.get(url).text
    assert "+1 514" in page
    assert "Low" in page
    assert said(boss) == ["1 number that begins with +1 514 is available. Your minimum is 5."]
    assert client.post(f"{url}add/", {"prefix": "+1514", "least": "7"}).status_code == 422
    theirs = StockLevel.unscoped.create(account=bravo, prefix="+44", least=1)
    assert client.post(f"{url}{theirs.pk}/remove/").status_code == 404
    (own,) = StockLevel.unscoped.filter(account=alpha)
    assert client.post(f"{url}{own.pk}/remove/").url == url
    verbs = AuditEvent.unscoped.filter(target_type="level").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["level.added", "level.removed"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("416", "+1416"),
        ("(416) 555", "+1416555"),
        ("+44 20", "+4420"),
        ("0044 20", "+4420"),
        ("+1 312555", "+1312555"),
        ("+1 (312) 555", "+1312555"),
        ("1 312555", "+1312555"),
        ("011 1 312555", "+1312555"),
        ("011 44 20", "+4420"),
    ],
)
def test_a_level_is_read_as_in_the_home_country(boss, client, alpha, typed, meant):
    Account.unscoped.filter(pk=alpha.pk).update(home_country="CA")
    client.force_login(boss)
    assert client.post(f"/{alpha.code}/numbers/levels/add/", {"prefix": typed, "least": "5"}).status_code == 302
    assert StockLevel.unscoped.get().prefix == meant
    found = client.get(f"/{alpha.code}/numbers/levels/", {"prefix": StockLevel(prefix=meant).written}).context[
        "listing"
    ]["rows"]
    assert [row["prefix"] for row in found] == [StockLevel(prefix=meant).written]


def test_an_account_has_so_many_levels(boss, client, alpha, monkeypatch):
    monkeypatch.setattr(levels, "MOST_LEVELS", 2)
    client.force_login(boss)
    url = f"/{alpha.code}/numbers/levels/add/"
    for prefix, status in (("+1514", 302), ("+1438", 302), ("+1450", 422)):
        answer = client.post(url, {"prefix": prefix, "least": "5"})
        assert answer.status_code == status
    assert "An account can have 2 stock levels. Remove one first." in answer.text


def test_numbers_of_every_length_are_counted(alpha):
    for e164 in ("+4930123456", "+493012345678", "+4940123456", "+390612345678"):
        make_number(alpha, e164=e164)
    counts = {prefix: StockLevel(account=alpha, prefix=prefix).available(10) for prefix in ("+49", "+4930", "+3")}
    assert counts == {"+49": 3, "+4930": 2, "+3": 1}
    assert StockLevel(account=alpha, prefix="+49").available(2) == 2


def test_an_account_without_people_is_no_trouble(system):
    var = make_account("var", system)
    StockLevel.unscoped.create(account=var, prefix="+1", least=1)
    watch_stock(timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_notice")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_the_home_page_of_the_system_says_that_no_worker_runs(client, system, alpha):
    root, boss = (make_person(account, role="administrator") for account in (system, alpha))
    client.force_login(root)
    assert "No worker runs" in client.get(f"/{system.code}/").text
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert "No worker runs" not in client.get(f"/{system.code}/").text
    empty_queue()
    client.force_login(boss)
    assert "No worker runs" not in client.get(f"/{alpha.code}/").text
