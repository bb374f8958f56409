"""What the telephony tells the portal, and asks it. Its own key opens these addresses; nothing else is looked at."""

import hmac
import re
from datetime import UTC, datetime
from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.models import Account
from accounts.scope import scope
from portal import security
from portal.machines import bearer_token, of_json
from webphone.actions import calls, incoming
from webphone.telephony import REF, News, key_for

MOST_BYTES = 4096
EVENTS = {"ringing_you", "answered_you", "ringing", "talking", "digits", "ended"}


def told_by_telephony(request) -> dict | HttpResponse:
    """The JSON object that was sent with the right key, or the answer that refuses it."""
    is_known = hmac.compare_digest(bearer_token(request).encode(), key_for("events").encode())
    if settings.TELEPHONY != "sip" or not is_known:
        security.log("token.refused", request, door="telephony")
        answer = {"error": _("The key is missing or wrong.")}
        return JsonResponse(answer, status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    try:
        told = of_json(request.read(MOST_BYTES))
    except ValueError:
        told = None
    if not isinstance(told, dict):
        return JsonResponse({"error": _("This is not a JSON object.")}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return told


def when(time) -> datetime:
    """When it happened (Unix time, in seconds): that may be long ago, where the portal was away. Not in the future, and
    now where nothing is said."""
    now = timezone.now()
    if type(time) in (int, float) and 0 < time <= now.timestamp():
        return datetime.fromtimestamp(time, UTC)
    return now


@csrf_exempt
@require_POST
def event(request):
    """Take down what happened to a call, named by its ``ref``."""
    told = told_by_telephony(request)
    if isinstance(told, HttpResponse):
        return told
    ref, name, code = (str(told.get(name) or "") for name in ("ref", "event", "code"))
    account = Account.called(ref.partition("-")[0]) if re.fullmatch(REF, ref) else None
    if account is None or name not in EVENTS:
        return JsonResponse({"error": _("No such call, or no such event.")}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    news = News(
        name,
        when(told.get("time")),
        code=int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0,
        side=str(told.get("side", ""))[:5],
        digits=str(told.get("digits", ""))[:10],
        cancelled=told.get("cancelled") is True,
    )
    with scope(account):
        known = calls.heard(ref, news)
    return HttpResponse(status=HTTPStatus.NO_CONTENT if known else HTTPStatus.NOT_FOUND)


@csrf_exempt
@require_POST
def route(request):
    """Whom a call that comes in for ``number`` rings, by what the SIP server knows them."""
    told = told_by_telephony(request)
    if isinstance(told, HttpResponse):
        return told
    ref, names = incoming.route(str(told.get("number", ""))[:20], str(told.get("from", ""))[:40])
    # As text: that is what a SIP server's configuration can take apart.
    answer = " ".join([ref or "-", *names]) if names else ""
    return HttpResponse(answer, content_type="text/plain; charset=utf-8")
