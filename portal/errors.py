"""The pages for what went wrong. They need no database and no session."""

import logging
import sys

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

log = logging.getLogger("portal.errors")
RETRY_AFTER_SECONDS = 5


def server_error(request) -> HttpResponse:
    """Answer an error that nobody caught: 503 while the database is away, otherwise 500.

    Django calls this while it handles the exception, wherever that arose: in a view or in a middleware.
    """
    error = sys.exc_info()[1]
    if error is not None and is_away(error):
        log.error("The database cannot be reached: %s", str(error).strip().partition("\n")[0])
        connection.close()
        return come_back(
            _("Back in a moment"),
            _("The portal is busy or restarting. Nothing is lost. Wait a few seconds and try again."),
        )
    return HttpResponseServerError(render_to_string("500.html"))


def come_back(heading: str, text: str) -> HttpResponse:
    """503: what is asked for cannot be had now, and soon can; ``text`` says so to people."""
    page = render_to_string("portal/503.html", {"heading": heading, "text": text})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def is_away(error: BaseException) -> bool:
    """Whether ``error`` says that the database cannot be reached, rather than that a statement was wrong."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    # 08xxx: connection trouble; 57P0x: the server shuts down or starts up; 53300: no connection left.
    return state is None or state.startswith(("08", "57P")) or state == "53300"
