"""The rule that who works for the system or a VAR has a second factor."""

from django.shortcuts import redirect

from accounts.policy import Door, needed_for

#: What opens to somebody who has yet to set one up: the page that offers it, its two ways, the proof it asks for.
OPEN = {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"}


class SecondFactor:
    """Lead staff without a second factor to where they set one up, whatever they asked for.

    Decided anew for each request, so who removes the last one is led there too. What is open to strangers stays open:
    signing out among it.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.actor is None or not request.actor.person.lacks_second_factor:
            return None
        address = request.resolver_match.view_name
        if address in OPEN or needed_for(address, request.method) in (Door.PUBLIC, Door.MACHINE):
            return None
        return redirect("mfa_index")
