"""What a VAR has given up, and whether its carriers have let it go."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

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
    parts = {"number": ("display",)}
    widths = {"number": 16, "provider": 15, "when": 16, "who": 15, "state": 13, "reason": 25}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written, may = request.actor.person.written, request.actor.may("releases.change")
        url = url_of("numbers:released", request.actor.account.code)
        return [
            row
            | listing.texts(row)
            | {
                "display": written(row["e164"]),
                "done_url": f"{url}{row['pk']}/done/",
                "done": _("Mark as released") if may and row["state"] in Release.BY_HAND else "",
            }
            for row in rows
        ]

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
        messages.success(request, _("The release of 1 number is sent to the carrier again."))
    else:
        messages.success(
            request, _("The release of %(count)s numbers is sent to the carriers again.") % {"count": plain(count)}
        )
    return redirect("numbers:released", code)


@require_http_methods(["GET", "HEAD", "POST"])
def done(request, code, release_id):
    """A person has seen to it that a carrier has let a number go."""
    one = Release.visible_to(request.actor).select_related("provider").filter(pk=release_id).first()
    if one is None:
        raise Http404
    said = {"number": request.actor.person.written(one.e164), "provider": one.provider.name}
    if request.method == "POST":
        try:
            releases.settle_by_hand(request.actor, release_id)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            messages.success(request, _("%(number)s is marked as released.") % said)
        return redirect("numbers:released", code)
    context = {
        "title": _("Mark %(number)s as released") % said,
        "consequences": [
            _("The list counts it as released. Do this only when %(provider)s no longer charges for it.") % said
        ],
        "form": forms.Form(),
        "submit_label": _("Mark as released"),
        "cancel_url": url_of("numbers:released", code),
    }
    return render(request, "numbers/act.html", context)
