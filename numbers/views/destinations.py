"""What a customer's numbers ring: users, groups and services."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from numbers.actions import destinations as actions
from numbers.filters.phone_numbers import DestinationFilter
from numbers.forms.destinations import DestinationForm, written_use
from numbers.models import Destination, PhoneNumber, use_text
from numbers.tables import destination_columns
from portal.filters import LONGEST_SEARCH
from portal.pages import Address, ListPage, plain, url_of

#: A destination's own page shows so many of its numbers; the list of numbers has all of them.
SHOWN = 50
SUGGESTED = 12
#: So many available numbers can be given to a destination on its page.
OFFERED = 12


class DestinationList(ListPage):
    """The account's destinations."""

    title = gettext_lazy("Destinations")
    addresses = ("destinations:list", "destinations:export_csv", "destinations:export_pdf")
    csv_name = "Destinations.csv"
    filter_class = DestinationFilter
    template_name = "numbers/destinations.html"
    rows_template = "numbers/_destination_rows.html"
    columns = staticmethod(destination_columns)
    figures = frozenset({"numbers"})
    parts = {"use": ("use_name", "use_detail"), "numbers": ("rung", "not_rung")}
    widths = {"name": 40, "use": 30, "extension": 15, "numbers": 15}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        return [row | listing.texts(row) | self.links(request, row) for row in rows]

    @staticmethod
    def links(request, row: dict) -> dict[str, str]:
        """Where the numbers of a row are listed; for none a dash and no link."""
        rung = bool(row["numbers"])
        return {
            "numbers_url": numbers_of(request, row["name"]),
            "rung": plain(row["numbers"]) if rung else "",
            "not_rung": "" if rung else "–",
        }

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {
            "destinations_url": url_of("destinations:list", code),
            "add_url": url_of("destinations:add", code) if request.actor.may("destinations.change") else "",
        }


def numbers_of(request, name: str) -> str:
    """The address of the numbers that ring what is called ``name``."""
    return Address(url_of("numbers:list", request.actor.account.code), {"used_by": name}, ["used_by"]).url()


def one_of(request, destination_id: int) -> Destination:
    found = Destination.visible_to(request.actor).filter(pk=destination_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
def detail(request, code, destination_id):
    """One destination with the numbers that ring it."""
    found = one_of(request, destination_id)
    numbers = PhoneNumber.visible_to(request.actor).filter(destination=found)
    written = request.actor.person.written
    use, _open, use_detail = use_text(found.kind, found.service_type).partition(" (")
    list_url, free = url_of("numbers:list", code), []
    if request.actor.may("numbers.assign"):
        free = list(PhoneNumber.visible_to(request.actor).filter(destination=None).order_by("digits")[: OFFERED + 1])
    context = {
        "destination": found,
        "use": use,
        "use_detail": use_detail.rstrip(")"),
        "numbers": [
            {"digits": number.digits, "e164": number.e164, "display": written(number.e164), "label": number.label}
            for number in numbers.order_by("digits")[:SHOWN]
        ],
        "count": plain(numbers.count()),
        "numbers_url": numbers_of(request, found.name),
        "destinations_url": url_of("destinations:list", code),
        "may_change": request.actor.may("destinations.change"),
        "free": [
            {"url": f"{list_url}{number.digits}/assign/", "e164": number.e164, "display": written(number.e164)}
            for number in free[:OFFERED]
        ],
        "free_url": f"{list_url}?filter=available" if len(free) > OFFERED else "",
    }
    return render(request, "numbers/destination.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request, code):
    """Add a user, a group or a service."""
    form = DestinationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            added = actions.add_destination(request.actor, **form.described)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": added.name})
            return redirect("destinations:detail", code=code, destination_id=added.pk)
    return form_page(request, form, _("Add a destination"), _("Add"), url_of("destinations:list", code))


@require_http_methods(["GET", "HEAD", "POST"])
def change(request, code, destination_id):
    """Change a destination."""
    found = one_of(request, destination_id)
    initial = {
        "use": written_use(found.kind, found.service_type),
        "name": found.name,
        "extension": found.extension,
    }
    form = DestinationForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            actions.change_destination(request.actor, destination_id, **form.described)
        except Destination.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, _("Your changes are saved."))
            return redirect("destinations:detail", code=code, destination_id=destination_id)
    back = f"{url_of('destinations:list', code)}{destination_id}/"
    return form_page(request, form, found.name, _("Save"), back)


@require_safe
def suggestions(request, code):
    """What may be meant by what somebody is typing, for ``type_ahead.js``."""
    typed = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    found = Destination.meant_by(request.actor, typed, SUGGESTED) if typed and "\0" not in typed else []
    return JsonResponse({"suggestions": [destination.written for destination in found]})


def form_page(request, form: DestinationForm, title: str, submit_label: str, cancel_url: str):
    context = {"title": title, "form": form, "submit_label": submit_label, "cancel_url": cancel_url}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portal/form.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request, code, destination_id):
    """Ask whether to delete a destination, then do it; or say which numbers are in the way."""
    found = one_of(request, destination_id)
    problem = actions.still_ringing(request.actor, found)
    if request.method == "POST":
        try:
            actions.delete_destination(request.actor, destination_id)
        except Destination.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            problem = " ".join(refusal.messages)
        else:
            messages.success(request, _("%(name)s is deleted.") % {"name": found.name})
            return redirect("destinations:list", code=code)
    context = {
        "destination": found,
        "problem": problem,
        "numbers_url": numbers_of(request, found.name),
        "destination_url": f"{url_of('destinations:list', code)}{destination_id}/",
    }
    refused = request.method == "POST"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return render(request, "numbers/destination_delete.html", context, status=status)
