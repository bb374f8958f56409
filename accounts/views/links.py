"""The link by mail with which somebody makes a browser known as theirs."""

from http import HTTPStatus

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import devices
from accounts.forms import LinkForm
from portal import security


@require_http_methods(["GET", "HEAD", "POST"])
def link(request):
    """Ask for the link; with its key in the address, open it. The key is in no path, since paths are logged."""
    key = request.GET.get("key")
    return ask(request) if key is None else opened(request, key)


def ask(request):
    """Ask for the link. Whoever is signed in gets it at their own address."""
    person = request.actor.person if request.actor else None
    typed = {"email": person.email} if person else request.POST
    form = LinkForm(typed if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save(request)
        said = _("A link is on its way to {email}, if the address belongs to somebody here. Open it in this browser.")
        messages.success(request, said.format(email=form.cleaned_data["email"]))
        return redirect("mfa_index" if person else "account_login")
    context = {"form": form, "person": person}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/link_ask.html", context, status=status)


def opened(request, key):
    """What the link leads to: a button, since programs that look through mail open links too."""
    is_sent = request.method == "POST"
    person = devices.open_link(request, key) if is_sent else devices.person_of_link(key)
    if person is None:
        security.log("link.refused", request, kind="device")
    if not is_sent:
        return render(request, "accounts/link.html", {"person": person})
    if person is None:
        return render(request, "accounts/link.html", {"person": None}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(request, _("This browser is confirmed as yours for an hour."))
    mine = request.actor is not None and request.actor.person.pk == person.pk
    return redirect("mfa_index" if mine else "account_login")
