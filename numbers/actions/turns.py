"""Large work goes on in turns of a few seconds, so that the work of other accounts has its turn too.

Work that is under way is due at a time. A worker that takes a turn moves that time on with each batch. A worker that
was killed, is frozen or lost the network does not: then ``numbers.tasks.heal_work`` has another one go on. What the
first one had not committed never happened, and its locks end with its connection (``portal.database.limits``).
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts.models import Account
from numbers.actions.work_ends import notify_of_work
from numbers.models import Import, Job, Work

log = logging.getLogger(__name__)
#: A batch takes a part of this; so long after the last one, the worker is taken for dead.
LEASE = timedelta(seconds=40)
#: The lease is renewed this often at most.
RENEWED = timedelta(seconds=5)
#: After so many turns without a batch, work is stopped: it would end every worker in turn.
MOST_TRIES = 5
#: The queue of large work, in which workers have room of its own.
QUEUE = "work"
#: The worker's tasks (``numbers.tasks``), and what they call the id of their work.
TASKS = {Job: ("numbers.run_job", "job_id"), Import: ("numbers.run_import", "import_id")}


def queue(work: Work, account: Account) -> None:
    """Have a worker take a turn, in this transaction; nothing if that is queued already."""
    work.due_at, work.tries = timezone.now() + LEASE, 0
    work.save(update_fields=["due_at", "tries"])
    queue_turn(type(work), work.pk, account.code)


def queue_turn(kind: type[Work], pk: int, code: str) -> None:
    """Queue the next turn behind those of others. An account has one turn at a time."""
    task, name = TASKS[kind]
    options = {"queue": QUEUE, "lock": f"work of {code}", "queueing_lock": f"{task}:{pk}"}
    try:
        with transaction.atomic():
            app.configure_task(task, **options).defer(**{name: pk, "account": code})
    except AlreadyEnqueued:
        log.debug("%s %s is queued already.", task, pk)


@transaction.atomic
def begin(kind: type[Work], account: Account, pk: int) -> bool:
    """Take a turn, and count it until a batch is done; whether there is one to take now.

    Whoever else is at the work is left alone. Work that no worker gets on with is stopped, and says why.
    """
    work = kind.running_in(account).select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
    if work is None:
        return False
    if work.tries >= MOST_TRIES:
        log.error("Work was stopped after %d turns without a batch: %s %d", work.tries, TASKS[kind][0], pk)
        said = _(
            "Stopped: the portal failed at this %(count)d times in a row. What was done before stays done. Tell your"
            " operator this reference: %(reference)s"
        )
        work.ended(Work.State.STOPPED, said % {"count": work.tries, "reference": work.request_id or work.pk})
        notify_of_work(work)
        return False
    work.tries, work.due_at = work.tries + 1, timezone.now() + LEASE
    work.save(update_fields=["tries", "due_at"])
    return True


def heard(work: Work) -> None:
    """Note that a batch of the work is done, in its transaction.

    The time is an indexed column: written with each batch, it would leave an entry of every index behind, which all
    later batches read.
    """
    now = timezone.now()
    if work.tries or work.due_at is None or now + LEASE - work.due_at > RENEWED:
        work.tries, work.due_at = 0, now + LEASE
        work.save(update_fields=["tries", "due_at"])
