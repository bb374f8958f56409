"""What is done to many numbers at once."""

import csv
import io
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import notices
from accounts.actor import Actor
from accounts.models import Account, AuditEvent, Grant, Notice, Person
from accounts.scope import scope
from numbers.actions import jobs, verbs
from numbers.models import Job, JobItem, PhoneNumber
from numbers.tasks import run_job
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(alpha, administrator_of):
    return administrator_of(alpha)


@pytest.fixture
def of_alpha(client, boss):
    client.force_login(boss)
    return client


@pytest.fixture
def stock(alpha):
    return [factories.make_number(alpha, e164=f"+1514555{i:04}") for i in range(5)]


def choose(client, account, verb, **sent):
    """Choose numbers in the list, and stand before what is to be confirmed."""
    answer = client.post(f"/{account.code}/numbers/bulk/{verb}/", sent)
    assert answer.status_code == 302, answer.text
    return answer.url


def assign(client, account, numbers, customer, **more):
    url = choose(client, account, "assign", selected=[number.pk for number in numbers])
    return url, client.post(url, {"customer": customer.code, "mode": "some"} | more)


def outcomes(client, url):
    text = client.get(f"{url}export.csv").getvalue().decode()
    return {row["Number"]: row["Reason"] for row in csv.DictReader(io.StringIO(text))}


def holders():
    return dict(PhoneNumber.unscoped.order_by("digits").values_list("e164", "customer__name"))


def test_ticked_numbers_are_assigned_and_each_has_its_outcome(of_alpha, alpha, acme, stock):
    url, answer = assign(of_alpha, alpha, stock[:3], acme)
    assert answer.url == url
    page = of_alpha.get(url)
    assert "Done" in page.text
    assert [holders()[number.e164] for number in stock] == ["Acme Corp"] * 3 + [None] * 2
    assert outcomes(of_alpha, url) == {number.e164: "" for number in stock[:3]}
    assert AuditEvent.unscoped.filter(verb="number.assigned").count() == 3


def test_all_that_match_are_meant_only_where_that_is_said(of_alpha, alpha, acme, stock):
    unsaid = of_alpha.post(f"/{alpha.code}/numbers/bulk/assign/", {"number": "5550003"})
    assert unsaid.status_code == 422
    assert "No number is ticked." in unsaid.text
    assert "Choose all 1" in unsaid.text
    assert not Job.unscoped.exists()
    url = choose(of_alpha, alpha, "assign", number="5550003", all="1")
    assert "1 number" in of_alpha.get(url).text
    assert list(JobItem.unscoped.values_list("e164", flat=True)) == ["+15145550003"]


def test_a_search_that_is_not_understood_chooses_nothing(of_alpha, alpha, stock):
    answer = of_alpha.post(f"/{alpha.code}/numbers/bulk/delete/", {"number": "abc", "all": "1"})
    assert (answer.status_code, Job.unscoped.exists()) == (422, False)
    assert "letters cannot be searched here" in answer.text


def test_what_was_chosen_is_frozen(of_alpha, alpha, acme, stock):
    url = choose(of_alpha, alpha, "assign", all="1")
    late = factories.make_number(alpha, e164="+15145559999")
    of_alpha.post(url, {"customer": acme.code, "mode": "some"})
    assert holders()[late.e164] is None
    assert Job.unscoped.get().total == 5


def test_what_changed_hands_meanwhile_is_reported_and_left(of_alpha, alpha, acme, stock):
    other = factories.make_account("company", alpha, name="Other")
    url = choose(of_alpha, alpha, "unassign", all="1")
    assert "5</strong>: It is not assigned to a customer." in of_alpha.get(url).text
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(customer=other, assigned_at=timezone.now())
    PhoneNumber.unscoped.filter(pk=stock[1].pk).delete()
    of_alpha.post(url, {"mode": "some"})
    found = outcomes(of_alpha, url)
    assert found[stock[0].e164] == "Skipped: it changed after it was selected."
    assert found[stock[1].e164] == "It no longer exists."
    assert found[stock[2].e164] == "It is not assigned to a customer."
    assert holders()[stock[0].e164] == "Other"


def test_confirmed_twice_it_is_done_once(of_alpha, alpha, acme, stock):
    url, _answer = assign(of_alpha, alpha, stock, acme)
    of_alpha.post(url, {"customer": acme.code, "mode": "some"})
    assert AuditEvent.unscoped.filter(verb="number.assigned").count() == 5
    job = Job.unscoped.get()
    assert (job.total, job.done, job.refused, job.state) == (5, 5, 0, "done")


def test_a_job_is_confirmed_as_what_was_chosen_and_nothing_else(of_alpha, alpha, boss, stock):
    url = choose(of_alpha, alpha, "options", all="1")
    with scope(alpha), pytest.raises(PermissionDenied):
        jobs.confirm_job(Actor.at_home(boss), int(url.split("/")[-2]), verbs.Delete(), all_or_nothing=False)
    assert PhoneNumber.unscoped.count() == len(stock)


def test_a_job_that_is_not_ones_to_do_any_more_is_not_tried_again(of_alpha, alpha, acme, boss, stock):
    url, _answer = assign(of_alpha, alpha, stock, acme)
    Job.unscoped.update(verb="give-back")
    with scope(alpha), pytest.raises(PermissionDenied):
        jobs.retry_job(Actor.at_home(boss), int(url.split("/")[-2]))


def test_all_or_nothing_does_nothing_when_one_is_refused(of_alpha, alpha, acme, stock):
    other = factories.make_account("company", alpha, name="Other")
    PhoneNumber.unscoped.filter(pk=stock[4].pk).update(customer=other, assigned_at=timezone.now())
    url, _answer = assign(of_alpha, alpha, stock, acme, mode="all")
    found = outcomes(of_alpha, url)
    assert found.pop(stock[4].e164) == "It is with Other. Unassign it first."
    assert set(found.values()) == {"Nothing was done to it, because others were refused."}
    assert set(holders().values()) == {None, "Other"}
    assert not AuditEvent.unscoped.filter(verb="number.assigned").exists()
    assert "<strong>Nothing changed</strong>" in of_alpha.get(url).text
    assert '"State">Nothing changed<' in of_alpha.get(f"/{alpha.code}/numbers/jobs/").text


def test_a_job_of_which_every_number_is_refused_says_that_nothing_changed(of_alpha, alpha, acme, stock):
    PhoneNumber.unscoped.update(customer=acme, assigned_at=timezone.now())
    url, _answer = assign(of_alpha, alpha, stock[:2], acme)
    assert "<strong>Nothing changed</strong>" in of_alpha.get(url).text
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(customer=None, assigned_at=None)
    some, _answer = assign(of_alpha, alpha, stock[:2], acme)
    assert "<strong>Done</strong>" in of_alpha.get(some).text
    rows = of_alpha.get(f"/{alpha.code}/numbers/jobs/export.csv?sort=state").getvalue().decode()
    assert [row["State"] for row in csv.DictReader(io.StringIO(rows))] == ["Done", "Nothing changed"]


def test_only_what_failed_is_tried_again(of_alpha, alpha, acme, stock):
    other = factories.make_account("company", alpha, name="Other")
    PhoneNumber.unscoped.filter(pk=stock[4].pk).update(customer=other, assigned_at=timezone.now())
    url, _answer = assign(of_alpha, alpha, stock, acme)
    PhoneNumber.unscoped.filter(pk=stock[4].pk).update(customer=None, assigned_at=None)
    again = of_alpha.post(f"{url}retry/").url
    page = of_alpha.get(again)
    assert f'value="Acme Corp ({acme.code})"' in page.text
    of_alpha.post(again, {"customer": acme.code, "mode": "some"})
    assert set(holders().values()) == {"Acme Corp"}
    assert Job.unscoped.latest("pk").total == 1


def test_wishes_that_cannot_be_are_refused_and_stay(of_alpha, alpha, acme, stock):
    url = choose(of_alpha, alpha, "options", all="1")
    nothing = of_alpha.post(url, {"mode": "some"})
    assert (nothing.status_code, "Choose at least one change." in nothing.text) == (422, True)
    both = of_alpha.post(url, {"mode": "some", "label_text": "Line", "clear_label": "on"})
    assert (both.status_code, 'value="Line"' in both.text) == (422, True)
    of_alpha.post(url, {"mode": "some", "label_text": "Line", "fax": "on"})
    assert set(outcomes(of_alpha, url).values()) == {"Northline does not offer fax for this number. Leave that off."}


def test_options_that_are_left_stay_as_they_are(of_alpha, alpha, stock):
    PhoneNumber.unscoped.filter(pk=stock[0].pk).update(caller_name="KEEP")
    url = choose(of_alpha, alpha, "options", all="1")
    of_alpha.post(url, {"mode": "some", "label_text": "Line", "voice": "off"})
    rows = list(PhoneNumber.unscoped.order_by("digits").values_list("label", "caller_name", "voice"))
    assert rows == [("Line", "KEEP", False)] + [("Line", "", False)] * 4


def test_another_tenants_numbers_and_jobs_are_nobodys(of_alpha, alpha, acme, stock, client, administrator_of):
    strange = factories.make_number()
    url = choose(of_alpha, alpha, "delete", selected=[strange.pk])
    assert Job.unscoped.get().total == 0
    client.force_login(administrator_of(strange.var))
    theirs = url.replace(alpha.code, strange.var.code)
    for path in (theirs, f"{theirs}export.csv"):
        assert client.get(path).status_code == 404
    for path in (theirs, f"{theirs}cancel/", f"{theirs}retry/"):
        assert client.post(path).status_code == 404


@pytest.mark.parametrize(
    "act",
    [lambda a, pk: jobs.confirm_job(a, pk, verbs.Delete(), all_or_nothing=False), jobs.cancel_job, jobs.retry_job],
    ids=["confirmed", "cancelled", "tried again"],
)
def test_a_job_of_another_account_is_not_there(alpha, bravo, actor_in, act):
    theirs = Job.unscoped.create(account=bravo, person=actor_in(bravo).person, chain=[], verb="delete")
    with pytest.raises(Job.DoesNotExist):
        act(actor_in(alpha), theirs.pk)
    assert Job.unscoped.get().state == "draft"


# Many, by the worker


@pytest.fixture
def large(alpha, acme, boss, monkeypatch):
    """A confirmed job of 25 numbers that the worker does in batches of ten."""
    monkeypatch.setattr(jobs, "AT_ONCE", 10)
    monkeypatch.setattr(jobs, "BATCH", 10)
    provider = factories.make_provider()
    PhoneNumber.unscoped.bulk_create(
        PhoneNumber(e164=f"+1514556{i:04}", var=alpha, provider=provider) for i in range(25)
    )

    def begin(client, **more):
        url = choose(client, alpha, "assign", all="1")
        client.post(url, {"customer": acme.code, "mode": "some"} | more)
        return Job.unscoped.latest("pk")

    return begin


def held():
    return PhoneNumber.unscoped.filter(customer__isnull=False).count()


def test_a_large_job_is_left_to_the_worker(of_alpha, alpha, large):
    job = large(of_alpha)
    assert (job.state, held()) == ("running", 0)
    queued = ProcrastinateJob.objects.get(task_name="numbers.run_job")
    assert queued.args == {"job_id": job.pk, "account": alpha.code}
    assert "<progress" in of_alpha.get(f"/{alpha.code}/numbers/jobs/{job.pk}/").text
    run_job(**queued.args)
    job.refresh_from_db()
    assert (job.state, job.done, job.refused, held()) == ("done", 25, 0, 25)
    run_job(**queued.args)
    assert AuditEvent.unscoped.filter(verb="number.assigned").count() == 25


def test_a_batch_is_done_whole_and_the_next_goes_on(of_alpha, alpha, large):
    job = large(of_alpha)
    with scope(alpha):
        assert jobs.take_up(alpha, job.pk)
    job.refresh_from_db()
    assert (job.done, held(), job.left) == (10, 10, 15)


def test_cancelling_stops_before_the_next_batch(of_alpha, alpha, large):
    job = large(of_alpha)
    with scope(alpha):
        jobs.take_up(alpha, job.pk)
    page = of_alpha.post(f"/{alpha.code}/numbers/jobs/{job.pk}/cancel/", follow=True)
    assert "What was done before stays done." in page.text
    run_job(job_id=job.pk, account=alpha.code)
    job.refresh_from_db()
    assert (job.state, job.done, held()) == ("cancelled", 10, 10)


@pytest.mark.parametrize("change", ["role", "deactivated", "account"])
def test_a_job_of_who_may_not_any_more_stops(of_alpha, alpha, boss, large, change):
    job = large(of_alpha)
    if change == "account":
        Account.unscoped.filter(pk=alpha.pk).update(status="suspended")
    else:
        Person.objects.filter(pk=boss.pk).update(**({"role": "user"} if change == "role" else {"is_active": False}))
    run_job(job_id=job.pk, account=alpha.code)
    job.refresh_from_db()
    assert (job.state, job.done) == ("stopped", 0)
    assert "may not do this any more" in job.problem


@pytest.mark.parametrize(
    ("home", "role", "granted", "place"),
    [
        ("alpha", "administrator", "", "alpha"),
        ("system", "administrator", "", "alpha"),
        ("system", "administrator", "", "acme"),
        ("system", "support", "alpha", "alpha"),
        ("system", "support", "alpha", "acme"),
        ("alpha", "administrator", "", "acme"),
        ("alpha", "support", "acme", "acme"),
    ],
)
def test_the_worker_goes_on_with_the_job_of_everybody_who_may_work_there(
    request, client, alpha, acme, monkeypatch, home, role, granted, place
):
    monkeypatch.setattr(jobs, "AT_ONCE", 1)
    for i in range(3):
        factories.make_number(alpha, customer=acme, e164=f"+1514557{i:04}")
    account = request.getfixturevalue(place)
    person = factories.make_person(request.getfixturevalue(home), role=role)
    if granted:
        factories.grant(person, request.getfixturevalue(granted), "manage_account")
    client.force_login(person)
    client.post(f"/{account.code}/access/")
    client.post(choose(client, account, "options", all="1"), {"label_text": "Moved", "mode": "some"})
    job = Job.unscoped.get()
    run_job(job_id=job.pk, account=account.code)
    job.refresh_from_db()
    assert (job.state, job.done, job.problem) == ("done", 3, "")
    assert set(AuditEvent.unscoped.filter(verb="number.options_changed").values_list("person")) == {(person.pk,)}


def test_a_customer_that_a_large_job_takes_beyond_its_quota_is_named(of_alpha, alpha, acme, large):
    Account.unscoped.filter(pk=acme.pk).update(number_quota=20)
    url = choose(of_alpha, alpha, "assign", all="1")
    page = of_alpha.post(url, {"customer": acme.code, "mode": "some"}, follow=True).text
    assert Job.unscoped.get().is_running
    assert "Acme Corp has 0 numbers, and its quota is 20. This job may add up to 25." in page


def test_a_job_of_an_agent_stops_where_the_grant_has_ended(client, system, alpha, acme, large):
    agent = factories.make_person(system, role="support")
    factories.grant(agent, alpha, "manage_account")
    client.force_login(agent)
    client.post(f"/{alpha.code}/access/")
    job = large(client)
    Grant.objects.filter(user=agent).delete()
    run_job(job_id=job.pk, account=alpha.code)
    job.refresh_from_db()
    assert (job.state, job.done) == ("stopped", 0)


def test_a_customer_who_is_suspended_meanwhile_is_given_nothing(of_alpha, alpha, acme, large):
    job = large(of_alpha)
    Account.unscoped.filter(pk=acme.pk).update(status="suspended")
    run_job(job_id=job.pk, account=alpha.code)
    job.refresh_from_db()
    assert (job.state, held()) == ("stopped", 0)
    assert "Acme Corp is suspended" in job.problem


def test_who_works_inside_is_named_and_goes_on_as_long_as_they_may(client, alpha, acme, large, administrator_of):
    somebody = administrator_of(factories.make_system())
    client.force_login(somebody)
    client.post(f"/{alpha.code}/access/")
    job = large(client)
    assert (job.person, job.access.account) == (somebody, alpha)
    run_job(job_id=job.pk, account=alpha.code)
    event = AuditEvent.unscoped.filter(verb="number.assigned").first()
    assert (event.person, event.account, event.access) == (somebody, alpha, job.access)
    assert event.request_id == job.request_id


def test_all_or_nothing_by_the_worker_is_one_transaction(of_alpha, alpha, acme, large):
    job = large(of_alpha, mode="all")
    factories.join(job.person)
    PhoneNumber.unscoped.filter(e164="+15145560024").update(customer=acme, assigned_at=timezone.now())
    run_job(job_id=job.pk, account=alpha.code)
    job.refresh_from_db()
    assert (job.state, job.done, job.refused, held()) == ("done", 0, 25, 1)
    (notice,) = Notice.of(job.person)
    assert notices.sentence(notice) == "Assign has ended and nothing was changed: 25 of 25 refused."


def test_a_verb_says_itself_as_json_and_comes_back():
    until = timezone.now()
    for verb in (
        verbs.Reserve(3, until),
        verbs.AssignToCustomer(3, despite_cooling=True, reason=f"{uuid4()}"),
        verbs.SetOptions(label_text="x", sms=False),
        verbs.Delete(),
    ):
        assert type(verb).of(verb.params) == verb


def test_an_actor_is_remembered_by_what_they_may_at_present(alpha, boss):
    job = Job.unscoped.create(
        account=alpha, person=boss, chain=[alpha.pk], verb="assign", state="running", started_at=timezone.now()
    )
    assert jobs.actor_of(job) == Actor.at_home(boss)
