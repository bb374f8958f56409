"""What the worker does by itself, at its hours."""

from __future__ import annotations

from procrastinate import App, JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector

#: A worker that gave no sign of life for so long is dead; it gives one every ten seconds.
DEAD_SECONDS = 35
#: What a worker does at the same time, by the kind of work: kinds do not wait for each other, however long one takes.
#: Each is some queues, and how many of their tasks there are at once.
ROOMS = {
    "mail": (["default"], 2),
    "upkeep": (["upkeep"], 1),
    "orders": (["numbers"], 2),
    "work": (["work"], 2),
}
#: How long what was done stays to be looked at.
DONE_HOURS = 3 * 24
#: How long what failed, or was called off, waits for somebody to look into it.
FAILED_HOURS = 30 * 24


class Queue(DjangoConnector):
    """The queue. Pages add jobs in their own transaction but outside their scope, which may not touch the queue."""

    def get_worker_connector(self) -> WorkersQueue:
        return WorkersQueue(kwargs=connector_params())

    def execute_query(self, *args, **kwargs):
        with self.connection.outside():
            return super().execute_query(*args, **kwargs)

    def execute_query_one(self, *args, **kwargs):
        with self.connection.outside():
            return super().execute_query_one(*args, **kwargs)

    def execute_query_all(self, *args, **kwargs):
        with self.connection.outside():
            return super().execute_query_all(*args, **kwargs)


class WorkersQueue(PsycopgConnector):
    """The queue, for the worker: it asks for jobs over connections of its own, and its tasks add jobs in their own
    transactions, as pages do. Over the worker's connections a job would begin before that which it is about is there,
    and stay where its transaction is rolled back."""

    def get_sync_connector(self) -> Queue:
        return Queue()


def use_queue(app: App) -> None:
    """Make ``Queue`` the connector of the app; procrastinate calls this when it is ready."""
    app.connector = app.job_manager.connector = Queue()


@app.periodic(cron="23 * * * *")
@app.task(name="portal.forget_old_jobs", queue="upkeep", queueing_lock="portal.forget_old_jobs", pass_context=True)
async def forget_old_jobs(context: JobContext, timestamp: int) -> None:
    """Delete jobs that ended days ago, with their events: otherwise they stay for ever. Of those still to be done,
    none goes, however old."""
    jobs = context.app.job_manager
    await jobs.delete_old_jobs(nb_hours=DONE_HOURS)
    await jobs.delete_old_jobs(nb_hours=FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True)


@app.periodic(cron="* * * * * */15")
@app.task(name="portal.take_up_stalled", queue="upkeep", queueing_lock="portal.take_up_stalled", pass_context=True)
async def take_up_stalled(context: JobContext, timestamp: int) -> None:
    """Queue again what a worker was at that was killed. Every task bears to be begun twice."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS):
        await jobs.retry_job(job)
