"""The pages for what went wrong. They need no database and no session."""

import logging
import sys
from http import HTTPStatus

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse, HttpResponseServerError, JsonResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from portal.logs import described

log = logging.getLogger("portal.errors")
RETRY_AFTER_SECONDS = 5
#: SQLSTATEs: a lock was not to be had in time, or two wait for each other; a statement took too long; no room left.
LOCKED, SLOW, FULL = ("55P03", "40P01"), ("57014",), ("53100", "53200")


def server_error(request) -> HttpResponse:
    """Answer an error that nobody caught: 503 when the same may succeed in a moment, otherwise 500.

    Django calls this while it handles the exception, wherever that arose: in a view or in a middleware.
    """
    error = sys.exc_info()[1]
    if error is not None and (page := page_of_database(request, error)):
        return page
    log.error("A request failed: %s", described(error) if error else "", exc_info=error)
    try:
        page = render_to_string("500.html")
    except Exception as second:  # the last resort: whatever is broken, the answer gives nothing away
        log.exception("The page for errors failed: %s", described(second))
        page = _("Something went wrong. Try again in a few minutes.")
    return HttpResponseServerError(page)


def page_of_database(request, error: BaseException) -> HttpResponse | None:
    """The page for what the database could not do now; None for any other error.

    All of the request was in one transaction: nothing of it was saved.
    """
    state = state_of(error)
    unsaved = request.method not in ("GET", "HEAD")
    if state in LOCKED:
        log.warning("A request waited for a lock in vain: %s", described(error))
        heading = _("Somebody else is working on this")
        text = _("Somebody else, or a job, is changing it at this moment.")
    elif state in SLOW:
        log.warning("A request took too long: %s", described(error))
        heading, text = _("This took too long"), _("It was stopped after %(seconds)g seconds.")
        text %= {"seconds": settings.STATEMENT_SECONDS}
    elif state in FULL:
        log.critical("The database has no room left: %s", described(error))
        heading, text = _("The portal has no disk space left"), _("Ask your operator.")
    elif is_away(error):
        log.error("The database cannot be reached: %s", described(error))
        connection.close()
        heading, text = _("Back in a moment"), _("The portal is busy or restarting.")
    else:
        return None
    said = _("What you sent was not saved.") if unsaved else _("Nothing is lost.")
    text = f"{text} {said} " + _("Wait a few seconds and try again.")
    if request.content_type == "application/json":
        return JsonResponse({"error": text}, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return come_back(heading, text, request=request if unsaved else None)


def come_back(heading: str, text: str, status: int = HTTPStatus.SERVICE_UNAVAILABLE, request=None) -> HttpResponse:
    """What is asked for cannot be had now or in this way, and can be tried again; ``text`` says so to people.

    With a ``request``, the page sends the same form again.
    """
    context = {"heading": heading, "text": text, "fields": fields_of(request) if request else None}
    page = render_to_string("portal/503.html", context)
    later = status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
    return HttpResponse(page, status=status, headers={"Retry-After": str(RETRY_AFTER_SECONDS)} if later else {})


def fields_of(request) -> list[tuple[str, str]] | None:
    """The fields of a form, for a page that sends it again; None where it has a file or a secret."""
    try:
        if request.FILES or request.content_type == "application/json":
            return None
        sent = [(name, value) for name, values in request.POST.lists() for value in values]
    except UnreadablePostError:
        return None
    return None if any(secret in name for name, _value in sent for secret in ("password", "code")) else sent


def state_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error of the database; None when it has none."""
    return getattr(error.__cause__, "sqlstate", None) or getattr(error, "sqlstate", None)


def is_away(error: BaseException) -> bool:
    """Whether ``error`` says that the database cannot be reached, rather than that a statement was wrong."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = state_of(error)
    # 08xxx: connection trouble; 57P0x: the server shuts down or starts up; 53300: no connection left; 25P03: it ended a
    # transaction that was idle for too long.
    return state is None or state.startswith(("08", "57P")) or state in ("53300", "25P03")
