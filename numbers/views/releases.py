"""What a VAR has given up, and whether its carriers have let it go."""

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from numbers.actions import releases
from numbers.filters.releases import ReleaseFilter
from numbers.models import Release
from numbers.tables import release_columns
from portal.pages import ListPage, plain, url_of


class ReleaseList(ListPage):
    """The numbers that carriers were or are to be told of."""

    title = gettext_lazy("Released numbers")
    addresses = ("numbers:released", "numbers:released_csv", "numbers:released_pdf")
    csv_name = "Released numbers.csv"
    filter_class = ReleaseFilter
    template_name = "numbers/released.html"
    rows_template = "numbers/_release_rows.html"
    columns = staticmethod(release_columns)
    widths = {"number": 16, "provider": 15, "when": 16, "who": 15, "state": 13, "reason": 25}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written = request.actor.person.written
        return [row | listing.texts(row) | {"display": written(row["e164"])} for row in rows]

    def more_context(self, request, found) -> dict:
        may = request.actor.may("releases.change") and Release.visible_to(request.actor).failed().exists()
        return {"again_url": url_of("numbers:released_again", request.actor.account.code) if may else ""}


@require_POST
def again(request, code):
    """Have carriers told once more of what has failed."""
    count = releases.try_again(request.actor)
    if count == 0:
        messages.info(request, _("Nothing has failed."))
    elif count == 1:
        messages.success(request, _("The carrier is told of 1 number once more."))
    else:
        messages.success(request, _("Carriers are told of %(count)s numbers once more.") % {"count": plain(count)})
    return redirect("numbers:released", code)
