"""For monitoring: liveness, readiness and metrics."""

import os
import re
import secrets
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from portal import figures, security
from portal.logs import described
from portal.probe import SILENT_SECONDS, Probe

#: The answer comes within a second.
PROBE_SECONDS = 0.8
#: A table is locked for others for so long before it is told.
LOCKED_SECONDS = 2
STATE = """
SELECT (SELECT array_agg(DISTINCT relation::regclass::text ORDER BY relation::regclass::text) FROM pg_locks
        WHERE mode = 'AccessExclusiveLock' AND granted AND locktype = 'relation'
          AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace
                                                      AND relkind IN ('r', 'p'))
          AND EXISTS (SELECT FROM pg_locks w WHERE NOT w.granted AND w.relation = pg_locks.relation
                                               AND w.waitstart < now() - make_interval(secs => %s))),
       EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s))
"""
#: Headers that proxies add: Forwarded, X-Forwarded-For, X-Real-IP, CF-Connecting-IP, Via, ...
PASSED_ON = re.compile("HTTP_(.*FORWARD.*|.*_IP|.*REMOTE.*|.*PROXY.*|X_ORIGINAL.*|VIA)")


@require_safe
def alive(request):
    """200 as long as this process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request):
    """200 when pages can be served, otherwise 503 with ``Retry-After``; within a second, whatever the database does.

    ``ill`` names each part that is not well. Without a worker, or with a table locked, pages are served, some of them
    with a sentence that asks to try again: a load balancer would have nothing better.
    """
    ill = probe.result() or {"database": f"It has not answered within {PROBE_SECONDS:g} seconds."}
    ill = {part: what for part, what in ill.items() if what}
    if "database" in ill:
        return JsonResponse({"status": "ill", "ill": ill}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "ill", "ill": ill} if ill else {"status": "ok"})


def state() -> dict[str, str]:
    """How the database is, by part: what is wrong with it, empty when nothing is."""
    was_open = connection.connection is not None
    try:
        with connection.cursor() as cursor:
            cursor.execute(STATE, [LOCKED_SECONDS, SILENT_SECONDS])
            locked, workers = cursor.fetchone()
    except (DatabaseError, psycopg.Error) as error:
        connection.close()
        # The connection of before may be one that a restart of the database ended: a new one tells.
        return state() if was_open else {"database": described(error)}
    return {
        "database": "",
        "tables": f"Locked for others: {', '.join(locked)}." if locked else "",
        "worker": "" if workers else f"No worker has been heard of for {SILENT_SECONDS} seconds.",
    }


probe = Probe(state, PROBE_SECONDS)


@require_safe
def metrics(request):
    """Figures for Prometheus, over all processes: with the token, or without one from this machine alone."""
    if not may_read_metrics(request):
        security.log("token.refused", request, door="metrics")
        return HttpResponseForbidden()
    registry = REGISTRY
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and Path(folder).is_dir():
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    of_all = CollectorRegistry()
    of_all.register(figures.from_database)
    return HttpResponse(generate_latest(registry) + generate_latest(of_all), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request) -> bool:
    if settings.METRICS_TOKEN:
        return secrets.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {settings.METRICS_TOKEN}".encode()
        )
    # A request through a proxy has a loopback address too, but is not from this machine, and not every proxy adds a
    # header: behind a proxy, only the token opens.
    passed_on = settings.BEHIND_PROXY or any(PASSED_ON.fullmatch(name) for name in request.META)
    return request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and not passed_on
