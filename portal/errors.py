"""The pages for what went wrong. They need no database, no session and no context."""

import logging
import sys

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string

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
        return HttpResponse(
            render_to_string("portal/503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}
        )
    return HttpResponseServerError(render_to_string("500.html"))


def is_away(error: BaseException) -> bool:
    """Whether ``error`` says that the database cannot be reached, rather than that a statement was wrong."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    # 08xxx: connection trouble; 57P0x: the server shuts down or starts up; 53300: no connection left.
    return state is None or state.startswith(("08", "57P")) or state == "53300"
