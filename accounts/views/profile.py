"""Where people land, and their profile."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions
from accounts.forms import ProfileForm


@require_safe
def home(request):
    """Send people to the home page of their own account."""
    return redirect("account_home", code=request.actor.account.code)


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request):
    """Show and change one's own name, time zone and number format."""
    form = ProfileForm(request.POST or None, instance=request.actor.person)
    if request.method == "POST":
        if form.is_valid():
            actions.change_profile(request.actor, **form.cleaned_data)
            messages.success(request, _("Your profile is saved."))
            return redirect("profile")
        # The form has written what was typed onto the person; the frame goes on showing who they are.
        request.actor.person.refresh_from_db()
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.errors else 200)
