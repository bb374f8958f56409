"""What happens around every request, whoever asks: logs, figures, and the rules for the browser."""

import logging
import time
import uuid

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from prometheus_client import Counter, Histogram

from portal import security
from portal.logs import request_facts

log = logging.getLogger("portal.requests")

REQUESTS = Counter("portal_requests", "Answers, by page and status.", ["page", "method", "status"])
SECONDS = Histogram(
    "portal_request_seconds", "Time until the answer begins, by page.", ["page"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip


#: Methods with a name in logs and metrics: a client may send any word.
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
STATIC = f"/{settings.STATIC_URL.strip('/')}/"


def client_address(request) -> str:
    """The client address of a request, past the number of proxies in ``TRUSTED_PROXIES``."""
    try:
        return get_adapter().get_client_ip(request)
    except (ImproperlyConfigured, PermissionDenied):  # it came through fewer proxies, or names no address
        return request.META.get("REMOTE_ADDR", "")


class Observe:
    """One log line and two metrics per request, except for static files.

    They have the name and the route of a page, not its address, which contains password links, phone numbers and
    accounts. Comes first, so that it sees refusals of all other middleware.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id, request.is_told = uuid.uuid4().hex, False
        method = request.method if request.method in METHODS else "other"
        facts = {"request": request.id, "address": client_address(request), "method": method, "page": "none"}
        token = request_facts.set(facts)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            if response.status_code < 400 and request.path.startswith(STATIC):
                return response
            seconds = time.perf_counter() - began
            REQUESTS.labels(facts["page"], method, response.status_code).inc()
            SECONDS.labels(facts["page"]).observe(seconds)
            security.log_answer(request, response.status_code)
            level = logging.WARNING if response.status_code in (403, 429, 503) else logging.INFO
            level = logging.ERROR if response.status_code == 500 else level
            answer = {"status": response.status_code, "ms": round(seconds * 1e3)}
            log.log(level, "%s %s", method, facts["page"], extra={"facts": answer})
            response["X-Request-Id"] = request.id
            return response
        finally:
            request_facts.reset(token)

    def process_view(self, request, view, args, kwargs):
        match = request.resolver_match
        request_facts.get().update(page=match.view_name or "none", route=match.route)


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
        if not request.path.startswith(STATIC):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
