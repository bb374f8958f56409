"""Phone systems: the address at which they tell of calls, and the pages of those who look after them."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actor import Actor
from numbers.actions import calls as actions
from numbers.calls import MOST, MOST_BYTES, NAMED, NotCalls
from numbers.filters.systems import SystemFilter
from numbers.forms.systems import SystemForm
from numbers.models import TelephoneSystem
from numbers.reports import read
from numbers.tables import system_columns
from portal import security
from portal.links import base_url
from portal.logs import request_facts
from portal.machines import token_of
from portal.pages import ListPage, plain, url_of
from portal.times import moment


@csrf_exempt
@require_POST
def record(request):
    """Take down calls. The token of a phone system says whose they are, and nothing else is looked at."""
    token = token_of(request)
    system = TelephoneSystem.with_token(token) if token else None
    if system is None:
        security.log("token.refused", request, door="calls")
        answer = {"error": _("The token is missing, wrong or revoked.")}
        return JsonResponse(answer, status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    request_facts.get({}).update(account=system.account.code, system=system.pk)
    try:
        # As it comes: what Django takes for a form is smaller than ten thousand calls may be.
        calls = read(request.read(MOST_BYTES + 1), request.content_type or "")
    except NotCalls as refusal:
        return JsonResponse({"error": str(refusal), "most": MOST}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    done = actions.record_calls(system, calls)
    answer = {
        "recorded": done.recorded,
        "repeated": done.repeated,
        "unknown": done.unknown,
        "refused": len(calls.refused),
        "reasons": [{"call": place, "why": why} for place, why in calls.refused[:NAMED]],
    }
    nothing = calls.refused and not calls.ids
    return JsonResponse(answer, status=HTTPStatus.UNPROCESSABLE_ENTITY if nothing else HTTPStatus.OK)


class SystemList(ListPage):
    """The account's phone systems."""

    title = gettext_lazy("Phone systems")
    addresses = ("calls:systems", "calls:systems_csv", "calls:systems_pdf")
    csv_name = "PhoneSystems.csv"
    filter_class = SystemFilter
    template_name = "numbers/systems.html"
    rows_template = "numbers/_system_rows.html"
    columns = staticmethod(system_columns)
    figures = frozenset({"calls", "unknown"})
    widths = {"name": 24, "state": 12, "heard": 18, "calls": 12, "unknown": 14, "by": 20}

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {
            "systems_url": url_of("calls:systems", code),
            "add_url": url_of("calls:add", code) if request.actor.may("systems.change") else "",
        }


def system_of(actor: Actor, system_id: int) -> TelephoneSystem:
    found = TelephoneSystem.visible_to(actor).select_related("added_by").filter(pk=system_id).first()
    if found is None:
        raise Http404
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request, code):
    """Add a phone system; its token is on the answer to the form and nowhere else."""
    form = SystemForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            system, token = actions.add_system(request.actor, name=form.cleaned_data["name"])
        except ValidationError as refusal:
            form.add_error("name", refusal.message_dict["name"])
        else:
            context = facts_of(request, system) | {"token": token}
            return render(request, "numbers/system.html", context, status=HTTPStatus.CREATED)
    context = {
        "title": _("Add a phone system"),
        "form": form,
        "submit_label": _("Add"),
        "cancel_url": url_of("calls:systems", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portal/form.html", context, status=status)


@require_safe
def detail(request, code, system_id):
    """One phone system: what it has told of, and how it does that."""
    return render(request, "numbers/system.html", facts_of(request, system_of(request.actor, system_id)))


def facts_of(request, system: TelephoneSystem) -> dict:
    zone, code = request.actor.person.zone, request.actor.account.code
    return {
        "system": system,
        "added_at": moment(system.added_at, zone),
        "revoked_at": moment(system.revoked_at, zone),
        "heard_at": moment(system.heard_at, zone),
        "calls": plain(system.calls),
        "unknown": plain(system.unknown),
        "calls_url": base_url(request) + reverse("calls"),
        "systems_url": url_of("calls:systems", code),
        "revoke_url": f"{url_of('calls:systems', code)}{system.pk}/revoke/",
        "may_change": request.actor.may("systems.change") and system.revoked_at is None,
    }


@require_POST
def revoke(request, code, system_id) -> HttpResponse:
    """Take a phone system's token away."""
    try:
        system = actions.revoke_system(request.actor, system_id)
    except TelephoneSystem.DoesNotExist as gone:
        raise Http404 from gone
    messages.success(request, _("%(name)s can no longer report calls.") % {"name": system.name})
    return redirect("calls:systems", code=code)
