"""Numbers come into a VAR's stock."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from numbers.actions import stock
from numbers.filters.phone_numbers import Span
from numbers.forms.adding import AddForm
from portal.pages import Address, first_of, plain, url_of

#: So many numbers that were on the system are named.
NAMED = 10


@require_http_methods(["GET", "HEAD", "POST"])
def add(request, code):
    """Add one number, a list, or ranges."""
    form = AddForm(request.POST if request.method == "POST" else None, home=request.actor.account.home)
    if form.is_valid():
        try:
            added = stock.add_numbers(request.actor, form.e164s, form.cleaned_data["provider"].pk)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            tell(request, added)
            if form.left_out:
                messages.warning(request, " ".join(first_of(form.left_out, NAMED)))
            if len(added.new) == 1 and not added.already:
                return redirect("numbers:detail", code, int(added.new[0][1:]))
            return redirect(list_of(code, added.new))
    context = {
        "title": _("Add numbers"),
        "form": form,
        "submit_label": _("Add"),
        "cancel_url": url_of("numbers:list", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portal/form.html", context, status=status)


def list_of(code: str, e164s: list[str]) -> str:
    """The address of the list of numbers, narrowed to these where they lie close together."""
    list_url = url_of("numbers:list", code)
    digits = [int(e164[1:]) for e164 in e164s]
    if not digits or max(digits) - min(digits) >= stock.MOST_ADDED:
        return list_url
    return Address(list_url, {"number": Span(min(digits), max(digits)).typed}, ["number"]).url()


def tell(request, added: stock.Added) -> None:
    """Say how many were added, and which were on the system already: not whose they are."""
    written = request.actor.person.written
    if count := len(added.new):
        said = ngettext("%(count)s number is added.", "%(count)s numbers are added.", count)
        messages.success(request, said % {"count": plain(count)})
    if count := len(added.already):
        named = ", ".join(map(written, added.already[:NAMED])) + (" …" if count > NAMED else "")
        said = ngettext(
            "%(count)s is already on the system: %(numbers)s.",
            "%(count)s are already on the system: %(numbers)s.",
            count,
        )
        messages.warning(request, said % {"count": plain(count), "numbers": named})
