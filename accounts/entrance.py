"""The pages in front of an account: one button where one may enter, and nothing typed is lost; or why it is shut."""

from functools import lru_cache
from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import Access
from portal import security

#: Hidden fields that carry what was typed through entering begin with this.
KEPT = "kept:"


def page(request, *, problem: str = "", reason: str = "") -> HttpResponse:
    """Offer to enter the account of the address. What a form sent here is kept: 409, for nothing was done with it."""
    standing, sent = request.standing, request.method not in ("GET", "HEAD", "OPTIONS")
    path = request.get_full_path()
    context = {
        "account": standing.account,
        "chain": standing.chain[:-1],
        "manages": standing.manages,
        "agreed": agreed(request),
        "closed": standing.closed,
        "reason_required": settings.ACCESS_REASON == "required",
        "reason": reason,
        "problem": problem,
        "next": path,
        "back": "",
        "was_sent": sent,
        "kept": kept_fields(request) if sent else [],
    }
    status = HTTPStatus.CONFLICT if sent else HTTPStatus.OK
    if problem:
        context |= {"next": request.POST.get("next", ""), "back": request.POST.get("back", ""), "was_sent": False}
        context["kept"] = carried_fields(request)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "accounts/entrance.html", context, status=status)


@lru_cache(maxsize=20_000)
def entering(name: str, code: str, landing: str) -> SafeString:
    """An account's name as a button that enters it, arriving at ``landing``; the page has a form ``enter``."""
    return format_html(
        '<button class="enter" form="enter" formaction="{}" name="next" value="{}">{}</button>',
        reverse("access", args=[code]), landing, name,
    )  # fmt: skip


def enter_button(name: str, code: str, landing: str) -> SafeString:
    """A button that says *Enter*, for a list in which the account's name opens its page; see ``entering``."""
    return format_html(
        '<button class="btn" form="enter" formaction="{}" name="next" value="{}" aria-label="{}">{}</button>',
        reverse("access", args=[code]), landing, _("Enter %(account)s") % {"account": name}, _("Enter"),
    )  # fmt: skip


def agreed(request) -> Access | None:
    """What the account has agreed to in this sign-in, and what has not been used."""
    standing = request.standing
    if not standing.account.asks_consent:
        return None
    asked = Access.of(standing.person).filter(account=standing.account, sign_in=request.session.get("sign_in", ""))
    return asked.agreed(timezone.now()).order_by("-asked_at", "-pk").first()


def shut(request) -> HttpResponse:
    """Tell somebody whose own account is suspended or closed that it is, and whom to ask."""
    security.log("sign_in.out_of_service", request)
    account = request.actor.account
    above = account.parent
    phone = request.actor.person.written(above.phone) if above.phone else ""
    context = {"account": account, "above": above, "phone": phone}
    return render(request, "accounts/shut.html", context, status=HTTPStatus.FORBIDDEN)


def kept_fields(request) -> list[tuple[str, str]]:
    """What was typed into a form, but for what belongs to the request alone."""
    names = [name for name in request.POST if name != "csrfmiddlewaretoken"]
    return [(name, value) for name in names for value in request.POST.getlist(name)]


def carried_fields(request) -> list[tuple[str, str]]:
    """What ``kept_fields`` of an earlier request was carried along in this one."""
    return [
        (name.removeprefix(KEPT), value)
        for name in request.POST
        if name.startswith(KEPT)
        for value in request.POST.getlist(name)
    ]
