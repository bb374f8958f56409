"""What the worker does by itself."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection, connections, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob
from procrastinate.contrib.django.utils import connector_params

from portal.tasks import WorkersQueue, forget_old_jobs, take_up_stalled
from tests.processes import ROOT, environment
from tests.queue import empty_queue


def job(status: str, days: int) -> int:
    """A job that came to be ``status`` so many days ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)"
            " VALUES ('elsewhere', 'accounts.send_message', '{}', %s) RETURNING id",
            [status],
        )
        pk = cursor.fetchone()[0]
        cursor.execute("INSERT INTO procrastinate_events (job_id, type) VALUES (%s, 'deferred')", [pk])
        cursor.execute(
            "UPDATE procrastinate_events SET at = now() - make_interval(days => %s) WHERE job_id = %s", [days, pk]
        )
    return pk


@pytest.fixture
def queue(transactional_db):
    """The queue, empty again afterwards: Django does not know that its tables are the portal's."""
    yield
    empty_queue()


def run_here(task):
    """Have a real worker do a task, and nothing else."""
    task.configure(queue="here").defer(timestamp=0)
    command = [sys.executable, "manage.py", "procrastinate", "worker", "--one-shot", "--queues", "here"]
    subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=True)  # noqa: S603


def test_what_a_dead_worker_was_at_is_queued_again_and_nothing_else(queue):
    with connection.cursor() as cursor:
        workers = []
        for seconds in (5, 60):
            cursor.execute(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))"
                " RETURNING id",
                [seconds],
            )
            workers.append(cursor.fetchone()[0])
        of_living, of_dead, waiting, done = job("doing", 0), job("doing", 0), job("todo", 0), job("succeeded", 0)
        for pk, worker in ((of_living, workers[0]), (of_dead, workers[1])):
            cursor.execute("UPDATE procrastinate_jobs SET worker_id = %s WHERE id = %s", [worker, pk])
    run_here(take_up_stalled)
    states = dict(ProcrastinateJob.objects.values_list("pk", "status"))
    assert (states[of_dead], states[of_living], states[waiting], states[done]) == ("todo", "doing", "todo", "succeeded")


def test_a_worker_forgets_what_is_over_for_long_and_nothing_else(queue):
    over = [job("succeeded", 4), job("succeeded", 40), *(job(end, 31) for end in ("failed", "cancelled", "aborted"))]
    kept = [
        *(job("succeeded", days) for days in (0, 2)),
        *(job(end, 29) for end in ("failed", "cancelled", "aborted")),
        *(job(state, 400) for state in ("todo", "doing")),
    ]
    run_here(forget_old_jobs)
    left = set(ProcrastinateJob.objects.filter(queue_name="elsewhere").values_list("pk", flat=True))
    assert left == set(kept)
    assert not ProcrastinateEvent.objects.filter(job_id__in=over).exists()
    assert ProcrastinateJob.objects.get(queue_name="here").status == "succeeded"


def test_what_a_task_queues_is_there_with_its_transaction_and_goes_with_it(queue):
    in_queue = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'here'"

    async def in_a_worker(work):
        with app.replace_connector(WorkersQueue(kwargs=connector_params())):
            async with app.open_async():
                await asyncio.to_thread(work)

    def work():
        try:
            with transaction.atomic():
                forget_old_jobs.configure(queue="here").defer(timestamp=1)
                with psycopg.connect(**connector_params()) as other:
                    seen.append(other.execute(in_queue).fetchone()[0])
                transaction.set_rollback(not is_kept)
        finally:
            connections.close_all()

    for is_kept in (False, True):
        seen = []
        # In a thread of its own: a browser that an earlier test has opened keeps its loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, in_a_worker(work)).result()
        assert seen == [0]
        assert ProcrastinateJob.objects.filter(queue_name="here").count() == is_kept


@pytest.mark.parametrize(("task", "cron"), [(forget_old_jobs, "23 * * * *"), (take_up_stalled, "* * * * * */15")])
def test_the_worker_does_it_by_itself(task, cron):
    assert [one.cron for one in app.periodic_registry.periodic_tasks.values() if one.task is task] == [cron]
