"""What the worker does to numbers. A task only says what is to be gone on with: what is done is written in rows."""

from django.db import connection
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from accounts.models import Account
from accounts.scope import scope
from numbers.actions import imports, jobs

#: A database that goes away comes back; what was done until then is written down.
AGAIN = RetryStrategy(max_attempts=10, linear_wait=15)


def account_called(code: str) -> Account:
    """The account that the work is of, asked of a connection that works."""
    if not connection.in_atomic_block:  # a thread of the worker's keeps its connection, which may be lost by now
        connection.close_if_unusable_or_obsolete()
    return Account.called(code)


@app.task(name=jobs.TASK, queue="numbers", retry=AGAIN)
def run_job(*, job_id: int, account: str) -> None:
    """Go on with a job until it has ended, a batch at a time."""
    whose = account_called(account)
    more = True
    while more:
        with scope(whose):
            more = jobs.take_up(whose, job_id)


@app.task(name=imports.TASK, queue="numbers", retry=AGAIN)
def run_import(*, import_id: int, account: str) -> None:
    """Go on with an import until it has been checked, or has ended, a batch at a time."""
    whose = account_called(account)
    more = True
    while more:
        with scope(whose):
            more = imports.take_up(whose, import_id)
