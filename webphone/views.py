"""The WebPhone's window: a number, and a way to call it."""

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal.phones import NotANumber, parse


@require_safe
def phone(request, code):
    """Show the number to call, filled in from ``number`` in any spelling, and hand it to the device's own telephone."""
    typed, problem, number = request.GET.get("number", "")[:64], "", ""
    if typed.strip():
        try:
            number = parse(typed)
        except NotANumber as refusal:
            problem = str(refusal)
    elif "number" in request.GET:
        problem = _("Enter the number to call.")
    return render(request, "webphone/webphone.html", {"typed": number or typed, "number": number, "problem": problem})
