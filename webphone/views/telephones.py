"""The person's own telephones, and the call with a code that shows that they are."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.pages import url_of
from portal.times import moment
from webphone.actions import locations as actions
from webphone.forms import LocationForm
from webphone.models import Location
from webphone.telephony import telephony
from webphone.views.phone import name_of


@require_safe
def telephones(request, code):
    """The telephones that can be rung, and a form for another."""
    return render(request, "webphone/telephones.html", page(request, LocationForm()))


@require_POST
def add(request, code):
    """Add a telephone."""
    form = LocationForm(request.POST)
    if form.is_valid():
        try:
            location = actions.add_location(
                request.actor, kind=form.cleaned_data["kind"], typed=form.cleaned_data["number"]
            )
        except ValidationError as refusal:
            for field, sentences in refusal.message_dict.items():
                form.add_error(field, sentences)
        else:
            name = name_of(location, request.actor)
            messages.success(request, _("%(name)s is added. Verify it before it can be called.") % {"name": name})
            return redirect("webphone:telephones", code=code)
    return render(request, "webphone/telephones.html", page(request, form), status=HTTPStatus.UNPROCESSABLE_ENTITY)


def page(request, form: LocationForm) -> dict:
    actor = request.actor
    url = url_of("webphone:telephones", actor.account.code)
    return {
        "form": form,
        "telephones": [
            {
                "name": name_of(one, actor),
                "verified": moment(one.verified_at, actor.person.zone) if one.is_verified else "",
                "verify_url": f"{url}{one.pk}/verify/",
                "remove_url": f"{url}{one.pk}/remove/",
            }
            for one in Location.visible_to(actor)
        ],
        "has_telephony": telephony() is not None,
        "add_url": f"{url}add/",
        "phone_url": url_of("webphone:phone", actor.account.code),
    }


@require_POST
def verify(request, code, location_id):
    """Ring a telephone, and show the code to be typed there."""
    try:
        call = actions.verify(request.actor, location_id)
    except Location.DoesNotExist as gone:
        raise Http404 from gone
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect("webphone:telephones", code=code)
    return redirect("webphone:call", code=code, ref=call.ref)


@require_POST
def remove(request, code, location_id):
    """Forget a telephone."""
    try:
        actions.remove_location(request.actor, location_id)
    except Location.DoesNotExist as gone:
        raise Http404 from gone
    messages.success(request, _("The telephone is removed."))
    return redirect("webphone:telephones", code=code)
