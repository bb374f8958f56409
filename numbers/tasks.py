"""What the worker does to numbers. A task only says what is to be gone on with: what is done is written in rows."""

from django.db import connection
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from accounts.models import Account
from accounts.scope import scope
from numbers.actions import delivery, imports, jobs, releases
from numbers.models import CarrierOrder, Release

#: A database that goes away comes back; what was done until then is written down.
AGAIN = RetryStrategy(max_attempts=10, linear_wait=15)
#: So many orders are gone on with in a minute, the others in the next.
HEALED_AT_ONCE = 200


def account_called(code: str) -> Account | None:
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


@app.task(name=delivery.TASK, queue="numbers", retry=AGAIN)
def deliver(*, carrier_order: int, account: str) -> None:
    """Take the next step of what a carrier is to deliver."""
    delivery.go_on(account_called(account), carrier_order)


@app.periodic(cron="* * * * *")
@app.task(name="numbers.heal_orders", queueing_lock="numbers.heal_orders")
def heal_orders(timestamp: int) -> None:
    """Go on with every order whose time has come: a worker that was killed has left some, and a lost task."""
    system = account_called("SYS")
    if system is None:  # nobody has set the portal up yet
        return
    with scope(system):
        due = list(CarrierOrder.due(timezone.now()).order_by("next_at").values_list("pk", "var__code")[:HEALED_AT_ONCE])
    for pk, code in due:
        delivery.go_on(account_called(code), pk)


@app.task(name=releases.TASK, queue="numbers", retry=AGAIN)
def release(*, account: str, provider: int) -> None:
    """Tell a carrier of what a VAR has given up."""
    releases.go_on(account_called(account), account_called("SYS"), provider)


@app.periodic(cron="* * * * *")
@app.task(name="numbers.heal_releases", queueing_lock="numbers.heal_releases")
def heal_releases(timestamp: int) -> None:
    """Have carriers told where it is time: a worker that was killed has left some, and a lost task."""
    system = account_called("SYS")
    if system is None:
        return
    with scope(system):
        due = set(Release.due(timezone.now()).values_list("account__code", "provider_id"))
    for code, provider_id in sorted(due):
        releases.queue_once(code, provider_id)
