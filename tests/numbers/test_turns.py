"""Large work goes on whatever becomes of a worker, and never keeps the work of others waiting."""

import os
import signal
import time
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.actor import Actor
from accounts.scope import scope
from accounts.tasks import send_message
from numbers.actions import imports, jobs, turns, verbs, verdicts
from numbers.listing import Listing
from numbers.models import Import, Job, PhoneNumber
from numbers.tasks import heal_work, run_import, run_job
from portal.processes import workers
from portal.tasks import ROOMS
from tests import factories
from tests.processes import worker
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def by_the_worker(monkeypatch):
    """Little is large work."""
    for module, name, size in ((imports, "AT_ONCE", 1), (verdicts, "CHECKED_AT_ONCE", 10), (jobs, "AT_ONCE", 1)):
        monkeypatch.setattr(module, name, size)


@pytest.fixture
def var(administrator_of):
    account = factories.make_account("var")
    account.boss = administrator_of(account)
    return account


def imported(account, many=30, first=0):
    """An import that the worker has to check."""
    rows = [(i + 1, [f"+1514{5550000 + first + i}"]) for i in range(many)]
    facts = {"columns": ["number"], "provider": factories.make_provider()}
    with scope(account):
        return imports.begin_import(Actor.at_home(account.boss), uuid4(), iter(rows), **facts)


def queued():
    """What is to be done, in order: the task and its account."""
    waiting = ProcrastinateJob.objects.filter(status="todo", queue_name="work").order_by("pk")
    return [(job.task_name, job.args["account"]) for job in waiting]


def later(work, **by):
    """So much time passes for the work."""
    type(work).unscoped.filter(pk=work.pk).update(due_at=F("due_at") - timedelta(**by))


def test_work_that_a_dead_worker_holds_is_gone_on_with_when_its_lock_has_ended(var):
    wanted = imported(var)
    empty_queue()
    later(wanted, minutes=1)
    with psycopg.connect(**connection.get_connection_params()) as dead:
        dead.execute("SELECT FROM numbers_import FOR UPDATE")
        run_import(import_id=wanted.pk, account=var.code)
        heal_work(0)
        assert queued() == [("numbers.run_import", var.code)]
        heal_work(0)  # it is queued once
        assert queued() == [("numbers.run_import", var.code)]
        run_import(import_id=wanted.pk, account=var.code)
        assert Import.unscoped.get().state == "checking"
    run_import(import_id=wanted.pk, account=var.code)
    assert Import.unscoped.get().state == "draft"


def test_work_that_goes_on_and_work_that_is_over_are_left_alone(var):
    wanted = imported(var)
    empty_queue()
    heal_work(0)
    assert queued() == []
    run_import(import_id=wanted.pk, account=var.code)
    later(wanted, minutes=10)
    heal_work(0)
    assert queued() == []


def test_a_task_that_was_lost_is_queued_again(var):
    factories.make_number(var)
    factories.make_number(var)
    acme, actor = factories.make_account("company", var), Actor.at_home(var.boss)
    with scope(var):
        job = jobs.draft_job(actor, verbs.AssignToCustomer, Listing(actor), "all", "")
        jobs.confirm_job(actor, job.pk, verbs.AssignToCustomer(acme.pk), all_or_nothing=False)
    empty_queue()
    later(job, minutes=1)
    heal_work(0)
    assert queued() == [("numbers.run_job", var.code)]
    run_job(job_id=job.pk, account=var.code)
    assert (Job.unscoped.get().state, PhoneNumber.unscoped.filter(customer=acme).count()) == ("done", 2)


def test_a_worker_for_large_work_alone_does_it(var):
    wanted = imported(var)
    with worker("work") as process:
        deadline = time.monotonic() + 60
        while Import.unscoped.get(pk=wanted.pk).state == "checking" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert process.poll() is None
    assert Import.unscoped.get(pk=wanted.pk).state == "draft"


def test_work_with_which_every_worker_dies_is_stopped_and_says_why(var, client, monkeypatch):
    wanted = imported(var)

    def killed(*_args):
        raise MemoryError

    with monkeypatch.context() as poisoned:
        poisoned.setattr(verdicts, "check", killed)
        for _turn in range(turns.MOST_TRIES):
            with pytest.raises(MemoryError):
                run_import(import_id=wanted.pk, account=var.code)
    assert Import.unscoped.get().is_running
    run_import(import_id=wanted.pk, account=var.code)
    stopped = Import.unscoped.get()
    assert stopped.state == "stopped"
    assert "failed at this 5 times" in stopped.problem
    client.force_login(var.boss)
    assert "failed at this 5 times" in client.get(f"/{var.code}/numbers/imports/{wanted.pk}/").text


def test_a_batch_that_is_done_wipes_out_the_tries_before(var):
    wanted = imported(var)
    Import.unscoped.update(tries=turns.MOST_TRIES - 1)
    with scope(var):
        assert turns.begin(Import, var, wanted.pk)
        assert imports.take_up(var, wanted.pk)
    assert Import.unscoped.get().tries == 0
    assert Import.unscoped.get().due_at > timezone.now() + turns.LEASE / 2


def test_accounts_take_turns_and_none_has_two_at_once(var, administrator_of, monkeypatch):
    other = factories.make_account("var")
    other.boss = administrator_of(other)
    first, _second, theirs = imported(var), imported(var, first=100), imported(other, first=200)
    assert queued() == [("numbers.run_import", of.code) for of in (var, var, other)]
    locks = ProcrastinateJob.objects.filter(queue_name="work").order_by("pk").values_list("lock", flat=True)
    assert list(locks) == [f"work of {of.code}" for of in (var, var, other)]
    monkeypatch.setattr("numbers.tasks.TURN_SECONDS", 0)
    empty_queue()
    turns.queue_turn(Import, theirs.pk, other.code)
    monkeypatch.setattr(imports, "take_up", lambda *_: True)
    run_import(import_id=first.pk, account=var.code)
    assert queued() == [("numbers.run_import", other.code), ("numbers.run_import", var.code)]


def test_mail_is_sent_while_all_large_work_is_busy(var, administrator_of, tmp_path):
    """Two workers' worth of large work, which never ends: its rows are locked."""
    busy = []
    for turn in range(3):
        account = factories.make_account("var")
        account.boss = administrator_of(account)
        busy.append(imported(account, first=1000 * turn))
    with psycopg.connect(**connection.get_connection_params()) as holder:
        holder.execute("LOCK TABLE numbers_importrow")
        with worker(EMAIL_URL=f"filemail:///{tmp_path}"):
            wait_until(lambda: ProcrastinateJob.objects.filter(queue_name="work", status="doing").count() == 2)
            send_message.defer(subject="Hello", body="", to=["ann@example.com"])
            # Of this task: what the worker does each minute is in the same queue.
            sent = ProcrastinateJob.objects.filter(task_name=send_message.name, status="succeeded")
            wait_until(sent.exists)
            assert ProcrastinateJob.objects.filter(queue_name="work", status="doing").count() == 2
    assert len(list(tmp_path.iterdir())) == 1


def wait_until(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_ends_what_it_has_begun_when_it_is_told_to_stop(var):
    wanted = imported(var)
    with worker() as process:
        wait_until(lambda: Import.unscoped.get(pk=wanted.pk).is_draft)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0
    assert not ProcrastinateJob.objects.filter(status="doing").exists()


@pytest.mark.parametrize("child", workers(), ids=lambda child: child.name)
def test_the_workers_of_serve_do_the_work_of_their_rooms(child, var, tmp_path):
    rooms = child.command[child.command.index("worker") + 1 :]
    wanted = imported(var)
    send_message.defer(subject="Done", body="It is done.", to=["ann@example.com"])
    with worker(*rooms, EMAIL_URL=f"filemail:///{tmp_path}"):
        if "work" in rooms:
            wait_until(lambda: Import.unscoped.get(pk=wanted.pk).state == "draft")
        if "mail" in rooms:
            wait_until(lambda: list(tmp_path.iterdir()))


def test_each_task_has_a_room():
    queues = {queue for names, _count in ROOMS.values() for queue in names}
    assert {task.queue for task in app.tasks.values() if not task.name.startswith("builtin:")} == queues
