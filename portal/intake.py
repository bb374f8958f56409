"""Refusal and admission of request bodies, before a view reads them.

``portal.server`` collects bodies. It passes on a request that it refuses with the reason (``REFUSAL`` in the environ),
so that the response has the headers and the log line of any other. Before it collects a large body, it asks with an
empty one (``ADMISSION``) whether the sender has permission.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from http import HTTPStatus

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from portal.errors import come_back

REFUSAL, ADMISSION = "portal.refusal", "portal.admission"
#: Statuses with which a view for machines refuses a sender before it reads the body.
NOT_ADMITTED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}


class Refusal(Exception):
    """A refused request: the status of the response, and a sentence that says what to do."""

    def __init__(self, status: HTTPStatus, sentence: str):
        super().__init__(sentence)
        self.status = status


@dataclass
class Admission:
    """The permission to send a large body.

    ``sender`` is the code of an account, or the credential of a machine (``of_machine``); None without permission.
    ``signed``: the sender is authenticated by a signature of the body, so it has to be collected first.
    """

    signed: bool = False
    of_machine: bool = field(default=False, init=False)
    sender: Hashable | None = field(default=None, init=False)


class Refusals:
    """Respond to requests that the server refused. Precedes everything that needs a session or the database."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        refusal = request.META.get(REFUSAL)
        return self.get_response(request) if refusal is None else answer_to(request, refusal)


def answer_to(request, refusal: Refusal) -> HttpResponse:
    """A page for people, JSON for machines."""
    if "text/html" in request.headers.get("Accept", ""):
        return come_back(_("This could not be sent"), str(refusal), refusal.status)
    return JsonResponse({"error": str(refusal)}, status=refusal.status)


class Admissions:
    """Admit a large body, with status 204, when all earlier middleware has let the empty request pass.

    Follows everything that checks permissions and precedes the view. A machine has no account, and only its view knows
    its key: so the view is called with the empty body.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if ADMISSION in request.META:
            request._dont_enforce_csrf_checks = True  # the token is in the body, and checked once that is here
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        admission = request.META.get(ADMISSION)
        if admission is None:
            return None
        if request.actor is not None:
            admission.sender = request.actor.account.code
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        admission.of_machine = True
        if admission.signed:
            admission.sender = "signed"  # strangers included: all of them count as one sender
        elif (answer := view(request, *args, **kwargs)).status_code in NOT_ADMITTED:
            return answer
        else:
            admission.sender = getattr(request, "sender", None) or request.headers.get("Authorization")
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
