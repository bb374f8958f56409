"""The page behind the bell, the settings of notices, and the link that stops mail about them."""

from http import HTTPStatus

from django.contrib import messages
from django.core.signing import BadSignature
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions, notices
from accounts.forms import ChannelsForm
from accounts.models import Notice, Person
from accounts.notice_filters import NoticeFilter
from accounts.notice_mail import in_token
from accounts.tables import notice_columns
from portal.pages import ListPage, plain


class Notices(ListPage):
    """All notices of the person, from any account, newest first."""

    title = gettext_lazy("Notices")
    addresses = ("notices", "notices_csv", "notices_pdf")
    csv_name = "Notices.csv"
    filter_class = NoticeFilter
    template_name = "accounts/notices.html"
    rows_template = "accounts/_notice_rows.html"
    columns = staticmethod(notice_columns)
    widths = {"what": 44, "at": 14, "about": 18, "account": 16, "state": 8}

    def get(self, request) -> HttpResponse:
        actions.forget_unfounded_notices(request.actor.person)
        return super().get(request, code="")

    def url(self, request, name: str) -> str:
        return reverse(name)

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        return [
            row
            | listing.texts(row)
            | {
                "row_class": "" if row["read_at"] else "unread",
                "open_url": reverse("notice_open", args=[row["pk"]]),
            }
            for row in rows
        ]


@require_POST
def open_notice(request, notice_id):
    """Mark a notice as read and go where it leads."""
    try:
        notice = actions.read_notice(request.actor, notice_id)
    except Notice.DoesNotExist:
        raise Http404 from None
    kind = notices.KINDS.get(notice.kind)
    return redirect(kind.address(notice.account.code, notice.facts) if kind else "notices")


@require_POST
def read_all(request):
    """Mark everything as read."""
    count = actions.read_all_notices(request.actor)
    said = ngettext("%(count)s notice is marked as read.", "%(count)s notices are marked as read.", count)
    messages.success(request, said % {"count": plain(count)} if count else _("All notices were read already."))
    return redirect("notices")


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request):
    """Choose for each kind of notice whether it is on the page, and how it is mailed."""
    person = request.actor.person
    form = ChannelsForm(request.POST if request.method == "POST" else None, person=person)
    if request.method == "POST" and form.is_valid():
        actions.choose_channels(request.actor, form.chosen)
        messages.success(request, _("Your choice is saved."))
        return redirect("notices_chosen")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"form": form, "email": person.email, "zone": person.time_zone}
    return render(request, "accounts/notices_chosen.html", context, status=status)


# Mail programs send the form themselves (RFC 8058), without cookies; the signature in the address is what is believed.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def off(request, token):
    """Stop mail about some kinds of notices with one click, signed in or not. Opening the link changes nothing, because
    mail scanners open links too."""
    try:
        person_id, kinds = in_token(token)
    except BadSignature:
        raise Http404 from None
    if request.method == "POST":
        was_off = not actions.stop_mail(person_id, kinds)
    else:
        person = Person.objects.filter(pk=person_id).first()
        was_off = person is not None and notices.is_mail_off(person, kinds)
    context = {
        "labels": [notices.KINDS[kind].label for kind in kinds if kind in notices.KINDS],
        "done": request.method == "POST",
        "was_off": was_off,
    }
    return render(request, "accounts/notices_off.html", context)
