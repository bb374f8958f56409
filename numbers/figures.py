"""Figures for Prometheus: large work, carriers, and the days of calls."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count
from django.utils import timezone
from prometheus_client.metrics_core import Metric

from accounts.models import Account
from accounts.scope import scope
from numbers.actions.turns import MOST_TRIES
from numbers.models import CarrierOrder, Import, Job, Release, Work
from portal.figures import asked, gauge

#: Work that was due so long ago is stuck: a healer comes every 15 seconds.
STUCK = timedelta(seconds=60)
#: Days by name. One more day than calls are kept is no trouble yet.
DAYS = """
SELECT count(*) FILTER (WHERE day > to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')),
       count(*) FILTER (WHERE day < to_char(now() AT TIME ZONE 'UTC' - make_interval(days => %s), 'YYYYMMDD'))
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
CROSS JOIN LATERAL substring(c.relname FROM '[0-9]{8}$') AS day
WHERE i.inhparent = 'numbers_callevent'::regclass
"""


def of_numbers() -> Iterator[Metric]:
    """What goes on in all accounts, counted; nothing before there is a system account."""
    system = Account.called("SYS")
    if system is None:
        return
    now = timezone.now()
    with scope(system):
        yield from of_work(now)
        yield from of_carriers(now)
        ((ahead, overdue),) = asked(DAYS, max(settings.CALL_DAYS, 7) + 1)
    yield gauge("portal_call_days_ahead", "Days after today for which calls have a partition.", (), [(ahead,)])
    yield gauge("portal_call_days_overdue", "Days of calls that could not be dropped yet.", (), [(overdue,)])


def of_work(now) -> Iterator[Metric]:
    kinds: dict[str, type[Work]] = {"import": Import, "job": Job}
    under_way, stuck, failed = [], [], []
    for kind, model in kinds.items():
        states = model.under_way().values_list("state").annotate(n=Count("pk")).order_by()
        under_way += [(kind, state, count) for state, count in states]
        stuck.append((kind, model.due(now - STUCK).count()))
        failed.append((kind, model.given_up(MOST_TRIES, now - timedelta(days=1)).count()))
    yield gauge("portal_work", "Imports and jobs under way.", ("kind", "state"), under_way)
    yield gauge("portal_work_stuck", "Imports and jobs that no worker goes on with.", ("kind",), stuck)
    yield gauge("portal_work_failed", "Imports and jobs that were stopped by an error within a day.", ("kind",), failed)


def of_carriers(now) -> Iterator[Metric]:
    overdue = CarrierOrder.due(now - STUCK).values_list("provider__name").annotate(n=Count("pk")).order_by()
    yield gauge("portal_carrier_orders_stuck", "Orders that nobody goes on with.", ("carrier",), overdue)
    troubled = CarrierOrder.troubled().values_list("provider__name").annotate(n=Count("pk")).order_by()
    yield gauge("portal_carrier_orders_troubled", "Orders whose last step failed.", ("carrier",), troubled)
    releases = Release.due(now - STUCK).values_list("provider__name").annotate(n=Count("pk")).order_by()
    yield gauge("portal_carrier_releases_stuck", "Releases that nobody goes on with.", ("carrier",), releases)
