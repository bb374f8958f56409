"""What the worker does by itself, at its hours."""

from procrastinate import JobContext
from procrastinate.contrib.django import app

#: A worker that gave no sign of life for so long is dead; it gives one every ten seconds.
DEAD_SECONDS = 45
#: How long what was done stays to be looked at.
DONE_HOURS = 3 * 24
#: How long what failed, or was called off, waits for somebody to look into it.
FAILED_HOURS = 30 * 24


@app.periodic(cron="23 * * * *")
@app.task(name="portal.forget_old_jobs", queueing_lock="portal.forget_old_jobs", pass_context=True)
async def forget_old_jobs(context: JobContext, timestamp: int) -> None:
    """Delete jobs that ended days ago, with their events: otherwise they stay for ever. Of those still to be done,
    none goes, however old."""
    jobs = context.app.job_manager
    await jobs.delete_old_jobs(nb_hours=DONE_HOURS)
    await jobs.delete_old_jobs(nb_hours=FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True)


@app.periodic(cron="* * * * *")
@app.task(name="portal.take_up_stalled", queueing_lock="portal.take_up_stalled", pass_context=True)
async def take_up_stalled(context: JobContext, timestamp: int) -> None:
    """Queue again what a worker was at that was killed. Every task bears to be begun twice."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS):
        await jobs.retry_job(job)
