"""What the worker does to numbers. A task only says what is to be gone on with: what is done is written in rows."""

from procrastinate.contrib.django import app

from accounts.models import Account
from accounts.scope import scope
from numbers.actions import imports, jobs


@app.task(name=jobs.TASK, queue="numbers")
def run_job(*, job_id: int, account: str) -> None:
    """Go on with a job until it has ended, a batch at a time."""
    whose = Account.called(account)
    more = True
    while more:
        with scope(whose):
            more = jobs.take_up(whose, job_id)


@app.task(name=imports.TASK, queue="numbers")
def run_import(*, import_id: int, account: str) -> None:
    """Go on with an import until it has been checked, or has ended, a batch at a time."""
    whose = Account.called(account)
    more = True
    while more:
        with scope(whose):
            more = imports.take_up(whose, import_id)
