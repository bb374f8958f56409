"""Numbers come into a VAR's stock."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from numbers.actions import stock
from numbers.forms.adding import AddForm
from portal.pages import plain, url_of

#: So many numbers that were on the system are named.
NAMED = 10


@require_http_methods(["GET", "HEAD", "POST"])
def add(request, code):
    """Add one number, a list, or ranges."""
    form = AddForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            added = stock.add_numbers(request.actor, form.e164s, form.cleaned_data["provider"].pk)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            tell(request, added)
            if len(added.new) == 1 and not added.already:
                return redirect("numbers:detail", code, int(added.new[0][1:]))
            return redirect("numbers:list", code)
    context = {
        "title": _("Add numbers"),
        "form": form,
        "submit_label": _("Add"),
        "cancel_url": url_of("numbers:list", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portal/form.html", context, status=status)


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
