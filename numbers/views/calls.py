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
from numbers.calls import LONGEST_ID, MOST, MOST_BYTES, NAMED, NotCalls
from numbers.filters.systems import SystemFilter
from numbers.forms.systems import SystemForm
from numbers.models import TelephoneSystem
from numbers.reports import read
from numbers.reports.kit import Sent
from numbers.reports.samples import sample_of
from numbers.reports.webhooks import NotSigned
from numbers.tables import system_columns
from portal import countries, security
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
    return taken_down(request, TelephoneSystem.with_token(token) if token else None)


@csrf_exempt
@require_POST
def record_signed(request, key):
    """The same for a phone system that can send no token: its address is signed."""
    return taken_down(request, TelephoneSystem.with_key(key))


def not_known(request, why: str) -> JsonResponse:
    """The answer to a phone system that has not shown who it is."""
    security.log("token.refused", request, door="calls")
    return JsonResponse({"error": why}, status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})


def taken_down(request, system: TelephoneSystem | None) -> JsonResponse:
    """Take down the calls that a phone system reports."""
    if system is None:
        return not_known(request, _("The token is missing, wrong or revoked."))
    request.sender = f"phone system {system.pk}"
    request_facts.get({}).update(account=system.account.code, system=system.pk)
    sent = Sent(
        # As it comes: what Django takes for a form is smaller than ten thousand calls may be.
        body=request.read(MOST_BYTES + 1),
        content_type=request.headers.get("Content-Type", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        url=base_url(request) + request.get_full_path(),
        uuid=request.GET.get("uuid", "")[:LONGEST_ID],
    )
    try:
        calls = read(sent, system.reading)
    except NotSigned as refusal:
        return not_known(request, str(refusal))
    except NotCalls as refusal:
        return JsonResponse({"error": str(refusal), "most": MOST}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    done = actions.record_calls(system, calls)
    answer = {
        "recorded": done.recorded,
        "repeated": done.repeated,
        "unknown": done.unknown,
        "skipped": calls.skipped,
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
    form = SystemForm(request.POST if request.method == "POST" else None, home=request.actor.account.home)
    if form.is_valid():
        try:
            system, token = actions.add_system(request.actor, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error("name", refusal.message_dict["name"])
        else:
            context = facts_of(request, system, key=system.key) | {"token": token}
            return render(request, "numbers/system.html", context, status=HTTPStatus.CREATED)
    return form_page(request, form, _("Add a phone system"), _("Add"), url_of("calls:systems", code))


@require_http_methods(["GET", "HEAD", "POST"])
def change(request, code, system_id):
    """Change the settings of a phone system."""
    found = system_of(request.actor, system_id)
    if found.revoked_at is not None:
        raise Http404
    initial = actions.settings_of(found)
    form = SystemForm(request.POST if request.method == "POST" else None, system=found, initial=initial)
    if form.is_valid():
        try:
            actions.change_system(request.actor, system_id, **form.cleaned_data)
        except TelephoneSystem.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            form.add_error("name", refusal.message_dict["name"])
        else:
            messages.success(request, _("Your changes are saved."))
            return redirect("calls:system", code=code, system_id=system_id)
    url = f"{url_of('calls:systems', code)}{found.pk}/"
    return form_page(request, form, _("Change %(name)s") % {"name": found.name}, _("Save"), url)


def form_page(request, form: SystemForm, title: str, submit: str, cancel_url: str) -> HttpResponse:
    """A page with the settings of a phone system."""
    context = {"title": title, "form": form, "submit_label": submit, "cancel_url": cancel_url}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "numbers/system_form.html", context, status=status)


@require_safe
def detail(request, code, system_id):
    """One phone system: what it has told of, and how it does that."""
    return render(request, "numbers/system.html", facts_of(request, system_of(request.actor, system_id)))


@never_cache
@require_POST
def address(request, code, system_id):
    """The page of a phone system with its signed address, which is a secret: anybody who has it can report calls."""
    found = system_of(request.actor, system_id)
    if found.revoked_at is not None or not request.actor.may("systems.change"):
        raise Http404
    return render(request, "numbers/system.html", facts_of(request, found, key=found.key))


def facts_of(request, system: TelephoneSystem, key: str = "") -> dict:
    """What the page of a phone system shows; with ``key`` also its signed address."""
    zone, code = request.actor.person.zone, request.actor.account.code
    base, url = base_url(request), f"{url_of('calls:systems', code)}{system.pk}/"
    # A word stands for the key in the samples until somebody asks for it.
    signed_url = base + reverse("calls_signed", kwargs={"key": key or "KEY"})
    return {
        "system": system,
        "added_at": moment(system.added_at, zone),
        "revoked_at": moment(system.revoked_at, zone),
        "heard_at": moment(system.heard_at, zone),
        "calls": plain(system.calls),
        "unknown": plain(system.unknown),
        "format": system.get_format_display() if system.format else _("Recognized automatically"),
        "country": countries.name(system.country) if system.country else "",
        "signed_url": signed_url if key else "",
        "sample": sample_of(system.format, base + reverse("calls"), signed_url),
        "systems_url": url_of("calls:systems", code),
        "change_url": f"{url}change/",
        "address_url": f"{url}address/",
        "revoke_url": f"{url}revoke/",
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
