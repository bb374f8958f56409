"""People of the system and of VARs need a second factor, and a password alone cannot set one up."""

from functools import wraps

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import devices
from accounts.policy import Door
from accounts.single_sign_on import used_provider

#: What opens to somebody who has yet to set one up: the page that offers it, its two ways, the proof it asks for.
OPEN = {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate", "provider_confirm"}


def before_all_else(request, needed) -> HttpResponse | None:
    """Send staff without a second factor to the page that sets one up, from every address. None: the request goes on.

    Asked for each request, before anything is looked up that the person may see, so that a password that somebody has
    found out tells them nothing. What is open to strangers stays open: signing out among it.
    """
    person, address = request.actor.person, request.resolver_match.view_name
    if needed is Door.PUBLIC or not person.lacks_second_factor:
        return None
    if (provider := used_provider(request, person)) and provider.replaces_second_factor:
        person.factor_at_provider = True
        return None
    if may_set_up_first(request):
        return None if address in OPEN else redirect("mfa_index")
    return ask_for_link(request) if address == "mfa_index" else redirect("mfa_index")


def may_set_up_first(request) -> bool:
    """Whether this session may set up a factor: the person confirmed with one they have, or opened a link from their
    mail in it. The password alone is not enough: somebody else may know it."""
    person = request.actor.person
    return person.has_second_factor or devices.has_opened_link(request, person)


def link_opened_first(view):
    """Decorator: ``view`` sets up no first second factor with a password alone."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        return view(request, *args, **kwargs) if may_set_up_first(request) else ask_for_link(request)

    return guarded


def ask_for_link(request) -> HttpResponse:
    """The page that offers the link by mail. It shows nothing of the person but the address they typed."""
    return render(request, "accounts/link_first.html")
