"""Working in somebody else's account: entering, leaving, and the history that the account's administrators read."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts import actions, confirmation, entrance
from accounts.filters import AccessFilter
from accounts.models import Access, Account
from accounts.tables import access_columns
from portal import texts
from portal.pages import ListPage

LONGEST_PATH = 2000


def local_path(request, field: str) -> str:
    """The address of a page of the portal that a form sent; empty when it is anything else."""
    path = request.POST.get(field, "")[:LONGEST_PATH]
    is_ours = path.startswith("/") and path.isprintable() and url_has_allowed_host_and_scheme(path, None)
    return path if is_ours else ""


def inner_path(request, field: str, code: str) -> str:
    """The address of a page of this account that a form sent; the account's home when it is anything else."""
    path = local_path(request, field)
    return path if path.startswith(f"/{code}/") else reverse("account_home", args=[code])


class AccessHistory(ListPage):
    """Who was inside this account, when, why, and how much they changed. A POST enters it."""

    http_method_names = ["get", "head", "options", "post"]
    title = gettext_lazy("Access")
    addresses = ("access", "access_csv", "access_pdf")
    csv_name = "Access.csv"
    filter_class = AccessFilter
    template_name = "accounts/access.html"
    rows_template = "accounts/_access_rows.html"
    columns = staticmethod(access_columns)
    figures = frozenset({"changes"})

    def more_context(self, request, found) -> dict:
        own = Access.visible_to(request.actor).filter(account=request.actor.account)
        return {
            "asking": own.asking(timezone.now()).select_related("person__account"),
            "may_decide": request.actor.may("access.decide"),
            "asks_consent": request.actor.account.asks_consent,
            "is_top": request.actor.account.kind == Account.Kind.SYSTEM,
        }

    def post(self, request, code):
        next_url = inner_path(request, "next", code)
        if request.actor.account.code == code:  # at home, or inside already: nothing to do
            return redirect(next_url)
        if request.standing is None:
            raise Http404
        if confirmation.has_moved(request):
            return confirmation.ask(request)
        sign_in = request.session.setdefault("sign_in", actions.new_sign_in())
        typed, back = request.POST.get("reason", "")[:200], local_path(request, "back")
        try:
            reason = texts.line(typed)
            access = actions.enter_account(request.standing, sign_in, reason=reason, entered_from=back)
        except ValidationError as refusal:
            return entrance.page(request, problem=" ".join(refusal.messages), reason=typed)
        if access.started_at is None:
            context = {"account": request.standing.account, "asked": access, "next": next_url}
            return render(request, "accounts/asked.html", context)
        if kept := entrance.carried_fields(request):
            context = {"account": request.standing.account, "next": next_url, "kept": kept}
            return render(request, "accounts/send_again.html", context)
        return redirect(next_url)


@require_POST
def leave(request, code):
    """Leave the account, back to the page it was entered from."""
    if not request.actor.is_inside:
        return redirect("home")
    back = request.actor.access.entered_from
    actions.leave_account(request.actor)
    # One slash and then an account's code or nothing: a path of ours.
    if url_has_allowed_host_and_scheme(back, None) and back.startswith("/"):
        return redirect(back)
    return redirect("home")


@require_POST
def decide(request, code):
    """Let somebody who asked work in this account, or not."""
    asked = request.POST.get("access", "")
    try:
        if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
            raise Http404
        actions.decide_access(request.actor, int(asked), allow="allow" in request.POST)
    except Access.DoesNotExist as gone:
        # Somebody else's question and none are the same.
        if not Access.visible_to(request.actor).filter(account=request.actor.account, pk=int(asked)).exists():
            raise Http404 from gone
        messages.warning(
            request, _("This request has already been answered or has expired. The list shows open requests.")
        )
    return redirect("access", code=code)


@require_POST
def consent(request, code):
    """Set whether staff from above must ask first."""
    actions.ask_consent(request.actor, wanted=request.POST.get("asks_consent") == "on")
    return redirect("access", code=code)
