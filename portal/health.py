"""For whoever watches the portal: is it alive, can it serve, how is it doing."""

import os
import secrets

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector


@require_safe
def alive(request):
    """200 as long as this process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request):
    """200 when pages can be served, 503 with ``Retry-After`` while the database is away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return JsonResponse({"status": "the database is away"}, status=503, headers={"Retry-After": "5"})
    return JsonResponse({"status": "ok"})


@require_safe
def metrics(request):
    """Figures for Prometheus, over all processes: with the token, or without one from this machine alone."""
    if not may_read_metrics(request):
        return HttpResponseForbidden()
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read_metrics(request) -> bool:
    if settings.METRICS_TOKEN:
        return secrets.compare_digest(
            request.headers.get("Authorization", "").encode(), f"Bearer {settings.METRICS_TOKEN}".encode()
        )
    # A request that came through a proxy has a loopback address too, but is not from this machine.
    return request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers
