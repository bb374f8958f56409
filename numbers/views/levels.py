"""The pages of stock levels."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from numbers.actions import levels
from numbers.filters.levels import LevelFilter
from numbers.forms.levels import LevelForm
from numbers.models import StockLevel
from numbers.tables import level_columns
from portal.pages import ListPage, url_of


class LevelList(ListPage):
    """The stock levels of the account, with the numbers available now."""

    title = gettext_lazy("Stock levels")
    addresses = ("numbers:levels", "numbers:levels_csv", "numbers:levels_pdf")
    csv_name = "StockLevels.csv"
    filter_class = LevelFilter
    template_name = "numbers/levels.html"
    rows_template = "numbers/_level_rows.html"
    columns = staticmethod(level_columns)
    figures = frozenset({"least", "available"})
    row_acts = gettext_lazy("Remove")
    widths = {"prefix": 34, "least": 22, "available": 22, "state": 22}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        url, may = url_of("numbers:levels", request.actor.account.code), request.actor.may("stock.watch")
        shown = []
        for row in rows:
            texts = listing.texts(row)
            removes = format_html(
                '<button type="submit" class="btn" form="remove" formmethod="post" formtarget="_self"'
                ' formaction="{}{}/remove/" aria-label="{}">{}</button>',
                url, row["pk"], _("Remove %(prefix)s") % texts, _("Remove"),
            ) if may else ""  # fmt: skip
            state = "pending" if texts["state"] == _("Low") else "active"
            shown.append(row | texts | {"removes": removes, "state_class": state})
        return shown

    def more_context(self, request, found) -> dict:
        may = request.actor.may("stock.watch")
        return {"add_url": url_of("numbers:level_add", request.actor.account.code) if may else ""}


@require_http_methods(["GET", "HEAD", "POST"])
def add(request, code):
    """Set a stock level."""
    form = LevelForm(request.POST if request.method == "POST" else None, home=request.actor.account.home)
    if form.is_valid():
        try:
            levels.set_level(request.actor, form.cleaned_data["prefix"], form.cleaned_data["least"])
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, _("The stock level is set. The stock is checked every 15 minutes."))
            return redirect("numbers:levels", code)
    context = {
        "title": _("Set a stock level"),
        "form": form,
        "submit_label": _("Set"),
        "cancel_url": url_of("numbers:levels", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portal/form.html", context, status=status)


@require_POST
def remove(request, code, level_id):
    """Remove a stock level."""
    try:
        level = levels.remove_level(request.actor, level_id)
    except StockLevel.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The stock level for %(prefix)s is removed.") % {"prefix": level.written})
    return redirect("numbers:levels", code)
