"""What the worker does to numbers. A task only says what is to be gone on with: what is done is written in rows."""

import logging
import time
from collections.abc import Callable

from django.db import connection
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from accounts.models import Account
from accounts.scope import scope
from numbers.actions import calls, delivery, imports, jobs, levels, pruning, releases, routing, turns
from numbers.models import CarrierOrder, Import, Job, Release, Routing, StockLevel, TelephoneSystem, Work

log = logging.getLogger(__name__)
#: A database that goes away comes back; what was done until then is written down.
AGAIN = RetryStrategy(max_attempts=10, linear_wait=15)
#: So many orders are gone on with in a minute, the others in the next.
HEALED_AT_ONCE = 200
#: So long a turn of large work lasts. A batch is about a second.
TURN_SECONDS = 5
#: So long is removed what nobody needs any more, each minute.
FORGETTING_SECONDS = 5


def account_called(code: str) -> Account | None:
    """The account that the work is of, asked of a connection that works."""
    if not connection.in_atomic_block:  # a thread of the worker's keeps its connection, which may be lost by now
        connection.close_if_unusable_or_obsolete()
    return Account.called(code)


@app.task(name="numbers.run_job", queue=turns.QUEUE)
def run_job(*, job_id: int, account: str) -> None:
    """Go on with a job for a turn, a batch at a time."""
    take_turn(Job, jobs.take_up, account, job_id)


@app.task(name="numbers.run_import", queue=turns.QUEUE)
def run_import(*, import_id: int, account: str) -> None:
    """Go on with an import for a turn, a batch at a time: with checking it, or with applying it."""
    take_turn(Import, imports.take_up, account, import_id)


def take_turn(kind: type[Work], take_up: Callable[[Account, int], bool], code: str, pk: int) -> None:
    """Do batches for some seconds. What is left then has its next turn behind what waits already.

    A turn that fails is not queued again from here: the work is due soon, and ``heal_work`` finds it.
    """
    account = account_called(code)
    with scope(account):
        more = turns.begin(kind, account, pk)
    until = time.monotonic() + TURN_SECONDS
    while more and time.monotonic() < until:
        with scope(account):
            more = take_up(account, pk)
    if more:
        turns.queue_turn(kind, pk, code)


@app.periodic(cron="* * * * * */15")
@app.task(name="numbers.heal_work", queue="upkeep", queueing_lock="numbers.heal_work")
def heal_work(timestamp: int) -> None:
    """Queue a turn for all work that no worker has been heard of for a while: one has died, is frozen, or failed."""
    system = account_called("SYS")
    if system is None:
        return
    now = timezone.now()
    with scope(system):
        due = [
            (kind, list(kind.due(now).order_by("due_at").values_list("pk", "account__code"))) for kind in turns.TASKS
        ]
    for kind, works in due:
        for pk, code in works:
            log.warning("Work is taken up again: %s %d", turns.TASKS[kind][0], pk)
            turns.queue_turn(kind, pk, code)


@app.periodic(cron="* * * * *")
@app.task(name="numbers.forget_finished", queue="upkeep", queueing_lock="numbers.forget_finished")
def forget_finished(timestamp: int) -> None:
    """Remove what is left of work that ended long ago, for a few seconds: healing waits for it."""
    system = account_called("SYS")
    if system is None:
        return
    now, until = timezone.now(), time.monotonic() + FORGETTING_SECONDS
    for kind in pruning.DRAFTS_KEPT:
        with scope(system):
            due = pruning.due(kind, now)
        for pk, code in due:
            account, more = account_called(code), True
            while more and time.monotonic() < until:
                with scope(account):
                    more = pruning.forget(kind, account, pk, now)


@app.periodic(cron="17 * * * *")
@app.task(name="numbers.seal_systems", queue="upkeep", queueing_lock="numbers.seal_systems")
def seal_systems(timestamp: int) -> None:
    """Seal the auth tokens of phone systems that were sealed with a key that was replaced."""
    system = account_called("SYS")
    if system is None:
        return
    with scope(system):
        found = list(TelephoneSystem.sealed_before())
    lost = 0
    for one in found:
        with scope(one.account):
            lost += not calls.seal_token(one.pk)
    if lost:
        log.error("Auth tokens sealed with a key that is not in SECRET_KEY_FALLBACKS: %d", lost)


@app.periodic(cron="*/10 * * * *")
@app.task(name="numbers.tend_call_days", queue="upkeep", queueing_lock="numbers.tend_call_days")
def tend_call_days(timestamp: int) -> None:
    """Make the days of calls ahead, and drop those whose time is over."""
    system = account_called("SYS")
    if system is None:
        return
    with scope(system):
        _ahead, overdue = calls.tend_days()
    if overdue:
        log.warning("Days of calls that could not be dropped, because somebody reads calls: %d", overdue)


@app.task(name=delivery.TASK, queue="numbers", retry=AGAIN)
def deliver(*, carrier_order: int, account: str) -> None:
    """Take the next step of what a carrier is to deliver."""
    delivery.go_on(account_called(account), carrier_order)


@app.periodic(cron="* * * * *")
@app.task(name="numbers.heal_orders", queue="numbers", queueing_lock="numbers.heal_orders")
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
@app.task(name="numbers.heal_releases", queue="numbers", queueing_lock="numbers.heal_releases")
def heal_releases(timestamp: int) -> None:
    """Have carriers told where it is time: a worker that was killed has left some, and a lost task."""
    system = account_called("SYS")
    if system is None:
        return
    with scope(system):
        due = set(Release.due(timezone.now()).values_list("account__code", "provider_id"))
    for code, provider_id in sorted(due):
        releases.queue_once(code, provider_id)


@app.task(name=routing.TASK, queue="numbers", retry=AGAIN)
def route(*, account: str, provider: int) -> None:
    """Connect the numbers of a carrier."""
    routing.go_on(account_called(account), provider)


@app.periodic(cron="* * * * *")
@app.task(name="numbers.heal_routing", queueing_lock="numbers.heal_routing")
def heal_routing(timestamp: int) -> None:
    """Have numbers connected whose time has come: a worker that was killed has left some, and a lost task."""
    system = account_called("SYS")
    if system is None:
        return
    with scope(system):
        due = set(Routing.due(timezone.now()).values_list("account__code", "provider_id"))
    for code, provider_id in sorted(due):
        routing.queue_once(code, provider_id)


@app.periodic(cron="*/15 * * * *")
@app.task(name="numbers.watch_stock", queue="upkeep", queueing_lock="numbers.watch_stock")
def watch_stock(timestamp: int) -> None:
    """Tell the VARs whose stock has run low."""
    system = account_called("SYS")
    if system is None:
        return
    with scope(system):
        codes = StockLevel.codes()
    for code in codes:
        account = account_called(code)
        with scope(account):
            levels.watch_levels(account)


@app.periodic(cron="11 * * * *")
@app.task(name="numbers.notify_of_holds", queue="upkeep", queueing_lock="numbers.notify_of_holds")
def notify_of_holds(timestamp: int) -> None:
    """Tell the VARs whose reservations and coolings end soon: with the first hour of a day that a worker has."""
    system = account_called("SYS")
    if system is None:
        return
    with scope(system):
        levels.notify_of_holds(timezone.now())
