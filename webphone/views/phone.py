"""The WebPhone's window: a number, and the ways to call it."""

import time
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.middleware import content_policy
from portal.pages import url_of
from portal.phones import NotANumber, parse
from portal.times import moment
from webphone.actions import calls as actions
from webphone.filters import length
from webphone.models import Call, Location
from webphone.telephony import REGISTERED, TO_DIAL, credentials, dial_token, sip_name, telephony
from webphone.words import shown, state_words

RECENT = 5


def call_url(call: Call, end: str = "") -> str:
    return f"{url_of('webphone:calls', call.account.code)}{call.ref}/{end}"


@require_safe
def phone(request, code):
    """The WebPhone, with ``number`` filled in, in any spelling. Nothing is dialled before a click.

    A WebPhone is a person's: while they work in another account, this leads to their own.
    """
    if request.actor.is_inside:
        home = url_of("webphone:phone", request.actor.person.account.code)
        return redirect(f"{home}?{request.GET.urlencode()}" if request.GET else home)
    typed = request.GET.get("number", "")[:64].strip()
    return window(request, page(request, typed))


def window(request, context: dict, status: int = HTTPStatus.OK) -> HttpResponse:
    """The page with ``context``. It alone may connect to the SIP server."""
    response = render(request, "webphone/webphone.html", context, status=status)
    if context["speaks_sip"]:
        address = urlsplit(settings.TELEPHONY_SIP_URL)
        response["Content-Security-Policy"] = content_policy(connect_src=f"{address.scheme}://{address.netloc}")
    return response


def page(request, typed: str, problem: str = "") -> dict:
    """What the window shows."""
    actor, way = request.actor, telephony()
    try:
        number = parse(typed, actor.account.home) if typed else ""
    except NotANumber:
        number = ""
    last = Call.visible_to(actor).exclude(mode__in=(Call.Mode.INCOMING, Call.Mode.CODE)).order_by("-placed_at").first()
    telephones = [
        {"value": str(one.pk), "label": name_of(one, actor), "selected": last and last.own_number == one.number}
        for one in Location.visible_to(actor).verified()
    ]  # fmt: skip
    numbers = [
        {"value": one.e164, "label": actor.person.written(one.e164), "selected": last and last.caller_id == one.e164}
        for one in actions.own_numbers(actor)
    ]
    calls = list(Call.visible_to(actor).select_related("account").order_by("-placed_at", "-pk")[:RECENT])
    return {
        "typed": actor.person.written(number) if number else typed,
        "number": number,
        "problem": problem,
        "has_telephony": way is not None,
        "is_demo": way is not None and not way.speaks_sip,
        "speaks_sip": way is not None and way.speaks_sip,
        "telephones": telephones,
        "caller_ids": numbers,
        "withheld": bool(last and last.caller_id not in {number["value"] for number in numbers}),
        "recent": [recent(call, actor) for call in calls],
        "open_call": open_call(calls, actor),
        "dial_url": url_of("webphone:dial", actor.account.code),
        "calls_url": url_of("webphone:calls", actor.account.code),
        "telephones_url": url_of("webphone:telephones", actor.account.code),
        "credentials_url": url_of("webphone:credentials", actor.account.code),
    }


def open_call(calls: list[Call], actor) -> dict | None:
    """The last call-back that is under way: it goes on without the page that began it."""
    for call in calls:
        if call.mode == Call.Mode.CALL_BACK and not call.is_over:
            written = shown(call.number, actor.person.written)
            return {"url": call_url(call), "hang_up_url": call_url(call, "hang-up/"), "shown": written}
    return None


def name_of(location: Location, actor) -> str:
    return f"{location.get_kind_display()} {shown(location.number, actor.person.written)}"


def recent(call: Call, actor) -> dict:
    number = call.number or call.own_number
    return {
        "number": number,
        "shown": shown(number, actor.person.written),
        "what": call.get_outcome_display() or call.get_state_display(),
        "incoming": call.mode == Call.Mode.INCOMING,
        "length": length(call.seconds),
        "when": moment(call.placed_at, actor.person.zone),
    }


def wants_json(request) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


@require_POST
def dial(request, code):
    """Begin a call. Scripts get what they need to go on with as JSON; without them, the call's own page follows."""
    typed, with_ = request.POST.get("number", "")[:64], request.POST.get("talk_with", "computer")
    try:
        if with_ != "computer" and not (with_.isascii() and with_.isdigit() and len(with_) < 19):
            raise ValidationError(_("Choose a telephone of yours to talk with."))
        call = actions.place(
            request.actor,
            typed,
            location_id=None if with_ == "computer" else int(with_),
            caller_id=request.POST.get("caller_id", "")[:16],
        )
    except ValidationError as refusal:
        problem = " ".join(refusal.messages)
        if wants_json(request):
            return JsonResponse({"problem": problem}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        return window(request, page(request, typed, problem), HTTPStatus.UNPROCESSABLE_ENTITY)
    if not wants_json(request):
        return redirect(call_url(call))
    answer = standing(request, call) | {
        "url": call_url(call),
        "hang_up_url": call_url(call, "hang-up/"),
        "notice": call.notice,
    }
    if call.mode == Call.Mode.COMPUTER and telephony().speaks_sip:
        answer |= {"target": sip_name(code, call.number), "token": dial_token(call, int(time.time()) + TO_DIAL)}
    return JsonResponse(answer, status=HTTPStatus.CREATED)


def standing(request, call: Call) -> dict:
    """How a call stands, for scripts."""
    own = Location.visible_to(request.actor).filter(number=call.own_number).first() if call.own_number else None
    now = call.ended_at or timezone.now()
    return {
        "state": call.state,
        "outcome": call.outcome,
        "is_over": call.is_over,
        "words": state_words(
            call,
            request.actor.person.written,
            name_of(own, request.actor) if own else shown(call.own_number, request.actor.person.written),
        ),
        "seconds": round((now - call.answered_at).total_seconds()) if call.answered_at else 0,
    }


@require_safe
def call(request, code, ref):
    """How one call stands: as JSON for scripts, otherwise a page that looks again by itself."""
    try:
        found = actions.current(request.actor, ref)
    except Call.DoesNotExist as gone:
        raise Http404 from gone
    if wants_json(request):
        return JsonResponse(standing(request, found))
    return render(request, "webphone/call.html", call_page(request, found))


def call_page(request, call: Call) -> dict:
    """What the page of one call shows, and of the telephone that it is to show to be the person's."""
    code = call.account.code
    phone_url, telephones_url = url_of("webphone:phone", code), url_of("webphone:telephones", code)
    rung = Location.rung_by(call) if call.mode == Call.Mode.CODE else None
    return {
        "call": call,
        "standing": standing(request, call),
        "shown": shown(call.number or call.own_number, request.actor.person.written),
        "code": rung.code if rung and not call.is_over else "",
        "is_verified": bool(rung and rung.is_verified),
        "is_refused": bool(rung and call.is_over and not rung.is_verified),
        "may_hang_up": request.actor.may("webphone.call"),
        "hang_up_url": call_url(call, "hang-up/"),
        "again_url": f"{phone_url}?number={quote(call.number)}",
        "back_url": telephones_url if call.mode == Call.Mode.CODE else phone_url,
        "back_label": _("My telephones") if call.mode == Call.Mode.CODE else _("WebPhone"),
    }


@require_POST
def hang_up(request, code, ref) -> HttpResponse:
    """End a call."""
    try:
        ended = actions.hang_up(request.actor, ref)
    except Call.DoesNotExist as gone:
        raise Http404 from gone
    except ValidationError as refusal:
        if wants_json(request):
            return JsonResponse({"problem": " ".join(refusal.messages)}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        messages.error(request, " ".join(refusal.messages))
        return redirect("webphone:call", code=code, ref=ref)
    return JsonResponse(standing(request, ended)) if wants_json(request) else redirect(call_url(ended))


@require_POST
def register(request, code):
    """With what the person's browser registers at the SIP server: for some minutes, and never kept anywhere."""
    way = telephony()
    if way is None or not way.speaks_sip:
        return JsonResponse({"problem": _("No telephone server is set up here.")}, status=HTTPStatus.NOT_FOUND)
    return JsonResponse(credentials(request.actor.person, int(time.time()) + REGISTERED) | {"seconds": REGISTERED})
