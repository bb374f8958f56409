"""Who is notified of what, once; and the page of notices."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import actions, notices
from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent, Grant, Notice, Person
from accounts.notices import DAILY, ONCE, Channels
from accounts.rules import standing
from accounts.scope import scope
from accounts.tasks import forget_notices, watch_portal
from tests import factories
from tests.accounts.notices.telling import choose, make_person, tell, told
from tests.accounts.post import deliver
from tests.factories import grant, make_account

pytestmark = pytest.mark.django_db


# Who is told


def test_those_are_told_who_may_see_it_and_nobody_else(alpha, bravo, acme, boss, administrator_of):
    others = [
        administrator_of(bravo),
        administrator_of(acme),
        make_person(alpha),
        make_person(alpha, role="support"),
        make_person(alpha, role="administrator", is_active=False),
        factories.make_person(alpha, role="administrator"),  # who was only invited
    ]
    tell(alpha)
    assert told(boss) == [("order_waiting", 1)]
    assert [told(person) for person in others] == [[]] * 6


def test_what_somebody_began_is_told_to_them_alone(alpha, boss, acme, administrator_of):
    first, second = administrator_of(acme), make_person(acme, role="administrator")
    tell(acme, "order_ended", "order:7:ended", by=second)
    assert (told(first), told(second)) == ([], [("order_ended", 1)])


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "user"}])
def test_where_they_may_not_see_it_any_more_those_are_told_who_look_after_the_account(acme, administrator_of, change):
    first, second = administrator_of(acme), make_person(acme, role="administrator")
    Person.objects.filter(pk=second.pk).update(**change)
    tell(acme, "order_ended", "order:7:ended", by=second)
    assert (told(first), told(second)) == ([("order_ended", 1)], [])


def test_staff_from_above_are_told_of_what_they_began_as_long_as_they_could_enter(alpha, acme, administrator_of, boss):
    agent, customer = make_person(alpha, role="support"), administrator_of(acme)
    tell(acme, "work", "job:1", by=boss)
    tell(acme, "work", "job:2", by=agent)
    given = grant(agent, acme, "manage_account")
    tell(acme, "work", "job:3", by=agent)
    given.delete()
    tell(acme, "work", "job:4", by=agent)
    assert (len(told(boss)), len(told(agent)), len(told(customer))) == (1, 1, 2)


@pytest.mark.parametrize("way", ["withdrawn", "over"])
def test_notices_about_an_account_go_with_the_grant(client, alpha, acme, boss, way):
    agent, other = (make_person(alpha, role="support") for _turn in range(2))
    for one in (agent, other):
        grant(one, acme, "manage_account")
        tell(acme, "work", f"job:{one.pk}", by=one)
    notices_of_agent = list(Notice.unscoped.filter(person=agent).values_list("pk", flat=True))
    assert notices_of_agent
    if way == "withdrawn":
        actions.withdraw_grant(Actor.at_home(boss), Grant.live_of(agent).get().pk)
    else:
        Grant.live_of(agent).update(until=timezone.now() - timedelta(minutes=1))
    client.force_login(agent)
    for notice in notices_of_agent:
        assert client.post(reverse("notice_open", args=[notice])).status_code == 404
    assert acme.name not in client.get("/notices/export.csv").getvalue().decode()
    assert (told(agent), told(other)) == ([], [("work", 1)])


def test_staff_hear_of_an_account_that_asks_for_consent_only_while_they_are_in_it(alpha, acme, administrator_of, boss):
    customer = administrator_of(acme)
    tell(acme, "work", "job:1", by=boss)
    Account.unscoped.filter(pk=acme.pk).update(asks_consent=True)
    acme.refresh_from_db()
    tell(acme, "work", "job:2", by=boss)
    assert (len(told(boss)), len(told(customer))) == (1, 1)
    now = timezone.now()
    Access.unscoped.create(
        person=boss, account=acme, sign_in="", manages=True, chain=[alpha.pk, acme.pk], asked_at=now, consented_at=now,
        consented_by=customer, started_at=now, seen_at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    tell(acme, "work", "job:3", by=boss)
    assert told(boss) == [("work", 1), ("work", 1)]
    Access.unscoped.update(ended_at=now, ended_why="left")
    actions.forget_unfounded_notices(boss)
    assert told(boss) == []


def test_notices_about_a_suspended_account_stay(alpha, acme, boss):
    tell(acme, "work", "job:1", by=boss)
    Account.unscoped.filter(pk=acme.pk).update(status="suspended")
    actions.forget_unfounded_notices(boss)
    assert told(boss) == [("work", 1)]


def test_nobody_is_told_of_an_account_that_is_not_in_service_by_mail(alpha, acme, administrator_of):
    person = administrator_of(acme)
    tell(acme, "order_ended", "order:7:ended")
    type(acme).unscoped.filter(pk=acme.pk).update(status="suspended")
    deliver()
    assert (len(told(person)), mail.outbox) == (1, [])


def test_another_role_or_none_forgets_what_was_told_before(alpha, boss):
    other, third = (make_person(alpha, role="administrator") for _turn in range(2))
    tell(alpha)
    actions.change_person(Actor.at_home(boss), other.pk, name=other.name, role="user")
    actions.deactivate_person(Actor.at_home(boss), third.pk)
    assert (len(told(boss)), told(other), told(third)) == (1, [], [])
    deliver()
    assert [message.to for message in mail.outbox] == [[boss.email]]


def test_it_is_told_in_the_transaction_in_which_it_happens(alpha, boss):
    with transaction.atomic():
        tell(alpha)
        transaction.set_rollback(True)
    assert told(boss) == []
    assert not ProcrastinateJob.objects.filter(task_name=notices.MAIL_TASK).exists()


def test_a_customers_scope_tells_its_var_and_cannot_read_what_it_wrote(alpha, acme, boss, administrator_of):
    with scope(acme):
        tell(alpha)
    assert told(boss) == [("order_waiting", 1)]


# Once


def test_the_same_is_told_once(alpha, boss):
    for _turn in range(3):
        tell(alpha)
    tell(alpha, key="order:8:waiting")
    assert told(boss) == [("order_waiting", 1)] * 2


def test_more_of_the_same_is_counted_and_unread_again_and_mailed_once(alpha, boss):
    choose(boss, "carrier", True, ONCE)
    for count in (1, 5000):
        facts = {"part": "order", "provider": "Northline", "reason": f"No {count}"}
        notices.notify("carrier", alpha, facts, key="carrier:1", counts=count)
        actions.read_all_notices(Actor.at_home(boss)) if count == 1 else None
    (notice,) = Notice.of(boss)
    assert (notice.count, notice.read_at) == (5001, None)
    assert notices.sentence(notice) == "Northline has not delivered 5,001 numbers, the last one: No 5000"
    deliver()
    assert len(mail.outbox) == 1


# The page


def test_the_bell_says_how_many_are_unread_on_every_page(signed_in, alpha, boss):
    client = signed_in(alpha)
    assert 'class="bell-count"' not in client.get(f"/{alpha.code}/").text
    for order in range(3):
        tell(alpha, key=f"order:{order}:waiting")
    for path in (f"/{alpha.code}/", f"/{alpha.code}/numbers/", "/profile/", "/notices/"):
        assert '<span class="bell-count" aria-hidden="true">3</span>' in client.get(path).text
    (first, *_rest) = Notice.of(boss).order_by("pk")
    answer = client.post(f"/notices/{first.pk}/open/")
    assert answer.url == f"/{alpha.code}/orders/7/"
    assert client.get("/notices/?filter=unread").text.count("waits for your approval") == 2 * 2  # label and button
    client.post("/notices/read/")
    assert 'class="bell-count"' not in client.get("/notices/").text


def test_the_bell_costs_no_query(signed_in, alpha, boss):
    client = signed_in(alpha)
    client.get(f"/{alpha.code}/help/")
    counts = []
    for order in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(f"/{alpha.code}/help/")
        counts.append(len(queries))
        tell(alpha, key=f"order:{order}:waiting")
    assert counts[0] == counts[1]
    asked = [query["sql"] for query in queries if "accounts_notice" in (query["sql"] or "")]
    assert all("FROM accounts_person p JOIN accounts_account a" in sql for sql in asked)  # it came with the person


@pytest.mark.parametrize("rows", [1, 50])
def test_the_page_takes_as_many_queries_for_one_notice_as_for_fifty(
    signed_in, alpha, boss, rows, django_assert_num_queries
):
    for order in range(rows):
        tell(alpha, key=f"order:{order}:waiting")
    client = signed_in(alpha)
    client.get("/notices/")
    with django_assert_num_queries(7):
        client.get("/notices/")


def test_nobody_reads_or_opens_what_others_are_told(signed_in, alpha, bravo, boss):
    tell(alpha)
    (notice,) = Notice.of(boss)
    client = signed_in(bravo)
    assert "Acme Corp" not in client.get("/notices/").text
    assert client.post(f"/notices/{notice.pk}/open/").status_code == 404
    client.post("/notices/read/")
    notice.refresh_from_db()
    assert notice.read_at is None


@pytest.mark.parametrize("name", ["export.csv", "export.pdf"])
def test_the_list_can_be_exported(signed_in, alpha, boss, name):
    tell(alpha)
    answer = signed_in(alpha).get(f"/notices/{name}")
    content = b"".join(answer.streaming_content)
    assert answer.status_code == 200
    assert name.endswith("pdf") or content.decode().startswith("What,Time,About,Account,State\r\n")
    assert name.endswith("pdf") or b"Order 7 of Acme Corp waits" in content


def test_each_person_chooses_what_their_role_can_be_told(signed_in, alpha, boss):
    client = signed_in(alpha)
    page = client.get("/notices/choose/").text
    assert "Orders waiting for approval" in page
    assert "Worker and back-up" not in page
    sent = {f"{kind}-mail": DAILY for kind in notices.kinds_of(boss)} | {"work-page": "on"}
    assert client.post("/notices/choose/", sent).status_code == 302
    boss.refresh_from_db()
    assert notices.channels(boss, "work") == Channels(True, DAILY)
    assert notices.channels(boss, "order_waiting") == Channels(False, DAILY)
    answer = client.post("/notices/choose/", sent | {"work-mail": "hourly"})
    assert answer.status_code == 422


def test_old_notices_are_forgotten(alpha, boss, settings):
    tell(alpha)
    tell(alpha, key="order:8:waiting")
    Notice.unscoped.filter(key="order:7:waiting").update(
        at=timezone.now() - timedelta(days=settings.NOTICES_DAYS, hours=1)
    )
    forget_notices(timestamp=0)
    assert [notice.key for notice in Notice.unscoped.all()] == ["order:8:waiting"]


# What accounts are told of


def test_an_account_is_told_who_enters_it_counted_by_the_day(alpha, acme, boss, administrator_of):
    person = administrator_of(acme)
    for sign_in in ("one", "two"):
        actions.enter_account(standing(boss, acme.code), sign_in, reason="", entered_from="")
    (notice,) = Notice.of(person)
    assert notices.sentence(notice) == f"{boss.name} of Alpha Telecom has entered the account 2 times today."
    assert told(boss) == []


def test_an_account_that_is_asked_is_told(alpha, acme, boss, administrator_of):
    person = administrator_of(acme)
    type(acme).unscoped.filter(pk=acme.pk).update(asks_consent=True)
    actions.enter_account(standing(boss, acme.code), "one", reason="A call", entered_from="")
    (notice,) = Notice.of(person)
    assert notices.sentence(notice) == f"{boss.name} of Alpha Telecom requests access to the account."


def test_system_administrators_are_told_once_a_day_of_tasks_that_fail_and_wait(system, alpha, boss):
    root, agent = make_person(system, role="administrator"), make_person(system, role="support")
    with connection.cursor() as cursor:
        for status, kind in (("failed", "failed"), ("todo", "deferred")):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
                " VALUES ('default', 'numbers.deliver', %s) RETURNING id",
                [status],
            )
            cursor.execute(
                "UPDATE procrastinate_events SET at = now() - interval '12 minutes' WHERE job_id = %s",
                [cursor.fetchone()[0]],
            )
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type, at) SELECT max(id), %s, now() FROM procrastinate_jobs",
                [kind],
            )
    for _turn in range(2):
        watch_portal(timestamp=0)
    assert [notices.sentence(notice) for notice in Notice.of(root).order_by("key")] == [
        "1 background tasks failed for good: numbers.deliver. The log of the worker says why.",
        "Background tasks have been waiting for 12 minutes: there are no workers, or too few.",
    ]
    assert (told(agent), told(boss)) == ([], [])


def test_system_administrators_are_told_of_a_back_up_that_is_late(system, capsys):
    from django.core.management import call_command  # noqa: PLC0415

    root = make_person(system, role="administrator")
    watch_portal(timestamp=0)
    assert told(root) == []  # none was ever noted
    call_command("note_backup")
    watch_portal(timestamp=0)
    assert told(root) == []
    (noted,) = AuditEvent.unscoped.filter(verb="portal.backed_up", account=system)
    noted.pk, noted.at = None, timezone.now() - timedelta(hours=40)
    noted.save(force_insert=True)
    watch_portal(timestamp=0)
    (notice,) = Notice.of(root)
    assert notices.sentence(notice) == "The last recorded back-up is 40 hours old."


def test_every_role_can_choose_what_it_can_be_told(system):
    var = make_account("var", system)
    company = make_account("company", var)
    assert list(notices.kinds_of(make_person(company))) == []
    assert "trouble" in notices.kinds_of(make_person(system, role="administrator"))
    assert "trouble" not in notices.kinds_of(make_person(system, role="support"))
    assert set(notices.kinds_of(make_person(company, role="administrator"))) == {"access", "order_ended", "work"}
