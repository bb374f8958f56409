"""The worker's part, done at once, and what people do with their mail."""

import re

from django.core import mail
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.queue import empty_queue


def deliver() -> None:
    """Send the mail that waits."""
    for job in ProcrastinateJob.objects.filter(status="todo").order_by("id"):
        app.tasks[job.task_name](**job.args)
    empty_queue()


def mailed_link(said: str) -> str:
    """The path of the link in the last message whose body has ``said``; the message is taken out of the mailbox."""
    message = next(message for message in reversed(mail.outbox) if said in message.body)
    mail.outbox.remove(message)
    return re.search(r"https?://[^/]+(/\S+)", message.body)[1]


def last_link() -> str:
    """The path of the link in the last message."""
    return re.search(r"https?://[^/]+(/\S+)", mail.outbox[-1].body)[1]


def confirm_by_mail(client) -> None:
    """Ask for the link that makes this browser known as that of the person who is signed in, and open it."""
    client.post("/login/link/")
    deliver()
    assert client.post(mailed_link("/login/link/")).status_code == 302
