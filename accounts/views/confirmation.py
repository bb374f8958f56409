"""The form that waited while its sender confirmed their identity."""

from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import confirmation


@never_cache
@require_safe
def waiting_form(request):
    """Show what was typed, with a button that sends it."""
    waiting = confirmation.waiting_form(request)
    if waiting is None:
        return redirect("home")
    return render(request, "accounts/send_again.html", {"next": waiting["path"], "kept": waiting["fields"]})
