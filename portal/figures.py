"""Figures of the whole portal for Prometheus, which are read from the database: the queue, the workers, the server.

An app adds its own with ``add``. They are the same whichever process is asked, and each is asked anew: nothing is kept
that could be out of date. When the database does not answer, the figures say so and nothing else.
"""

from collections.abc import Callable, Iterable, Iterator

import psycopg
from django.db import DatabaseError, connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from portal.probe import SILENT_SECONDS, Probe

#: The database has so long to answer a scrape.
FIGURES_SECONDS = 5
WAITING = """
SELECT queue_name, status::text, count(*),
       coalesce(extract(epoch FROM max(now() - coalesce(scheduled_at, since.at))), 0)
FROM procrastinate_jobs j
CROSS JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events e WHERE e.job_id = j.id) since
WHERE status IN ('todo', 'doing') AND coalesce(scheduled_at <= now(), true) GROUP BY 1, 2
"""
FAILED = """
SELECT task_name, count(*) FROM procrastinate_jobs j WHERE status = 'failed' AND EXISTS (
    SELECT FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'failed' AND e.at > now() - interval '1 hour'
) GROUP BY 1
"""
WORKERS = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)"
CONNECTIONS = """
SELECT sum(numbackends)::int, current_setting('max_connections')::int FROM pg_stat_database
"""
_more: list[Callable[[], Iterable[Metric]]] = []


def add(figures: Callable[[], Iterable[Metric]]) -> None:
    """Have ``figures`` asked at each scrape, in the thread that asks the database, outside all scopes."""
    if figures not in _more:
        _more.append(figures)


def gauge(name: str, meaning: str, labels: tuple[str, ...], rows: Iterable[tuple]) -> Metric:
    """A gauge of rows, each of which ends with the value after the labels."""
    metric = GaugeMetricFamily(name, meaning, labels=labels)
    for *of, value in rows:
        metric.add_metric([str(label) for label in of], float(value))
    return metric


def asked(statement: str, *parameters) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def of_queue() -> Iterator[Metric]:
    waiting = asked(WAITING)
    yield gauge(
        "portal_queue_tasks", "Tasks that are due or running.", ("queue", "status"), [row[:3] for row in waiting]
    )
    oldest = [(queue, age) for queue, status, _count, age in waiting if status == "todo"]
    yield gauge("portal_queue_oldest_seconds", "How long the oldest due task has waited.", ("queue",), oldest)
    yield gauge("portal_tasks_failed", "Tasks that failed for good within an hour.", ("task",), asked(FAILED))
    yield gauge(
        "portal_workers", "Kinds of work of all workers with a sign of life.", (), asked(WORKERS, SILENT_SECONDS)
    )
    ((used, most),) = asked(CONNECTIONS)
    yield gauge("portal_database_connections", "Connections to the database server.", (), [(used,)])
    yield gauge("portal_database_connections_most", "Connections that the server allows.", (), [(most,)])


class FromDatabase:
    """The collector: asks in a thread of its own, and waits for it no longer than ``FIGURES_SECONDS``."""

    def __init__(self):
        self.probe = Probe(self.ask, FIGURES_SECONDS)

    def collect(self) -> Iterator[Metric]:
        found = self.probe.result() or []
        yield gauge("portal_database_up", "Whether the database answered the scrape.", (), [(bool(found),)])
        yield from found

    @staticmethod
    def ask() -> list[Metric]:
        try:
            return [metric for figures in (of_queue, *_more) for metric in figures()]
        except (DatabaseError, psycopg.Error):
            connection.close()
            return []


from_database = FromDatabase()
