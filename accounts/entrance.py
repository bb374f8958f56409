"""The pages in front of an account: one button where one may enter, and nothing typed is lost; or why it is shut."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

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


def shut(request) -> HttpResponse:
    """Tell somebody whose own account is suspended or closed that it is, and whom to ask."""
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
