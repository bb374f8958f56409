"""The worker's part, done at once."""

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.queue import empty_queue


def deliver() -> None:
    """Send the mail that waits."""
    for job in ProcrastinateJob.objects.filter(status="todo").order_by("id"):
        app.tasks[job.task_name](**job.args)
    empty_queue()
