"""What happens around every request, whoever asks: logs, figures, and the rules for the browser."""

import logging
import time
import uuid

from django.conf import settings
from prometheus_client import Counter, Histogram

from portal.logs import request_facts

log = logging.getLogger("portal.requests")

REQUESTS = Counter("portal_requests", "Answers, by page and status.", ["page", "method", "status"])
SECONDS = Histogram(
    "portal_request_seconds", "Time until the answer begins, by page.", ["page"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip


class Observe:
    """One log line and two figures for each request. Pages go by name, never by address: that would name accounts."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = uuid.uuid4().hex
        token = request_facts.set({"request": request.id})
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            seconds = time.perf_counter() - began
            match = request.resolver_match
            page = (match.view_name if match else None) or "none"
            REQUESTS.labels(page, request.method, response.status_code).inc()
            SECONDS.labels(page).observe(seconds)
            facts = {"page": page, "method": request.method, "status": response.status_code, "ms": round(seconds * 1e3)}
            level = logging.WARNING if response.status_code in (403, 503) else logging.INFO
            log.log(level, "%s %s", request.method, request.path, extra={"facts": facts})
            response["X-Request-Id"] = request.id
            return response
        finally:
            request_facts.reset(token)


def content_policy(**more: str) -> str:
    """What a page may load and connect to, as the header says it; ``more`` by directive, with ``_`` for ``-``."""
    sources = {
        name: [*of, *filter(None, [more.get(name.replace("-", "_"))])] for name, of in settings.SECURE_CSP.items()
    }
    return "; ".join(f"{name} {' '.join(of)}" for name, of in sources.items())


class BrowserRules:
    """The headers that tell a browser what our pages may do, and that private pages are not to be kept."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.policy = content_policy()

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
