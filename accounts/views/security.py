"""What keeps one's own sign-in safe: password, second factors, sessions."""

from allauth.mfa.app_settings import RECOVERY_CODE_COUNT
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts.sign_in import reauthentication_required
from portal.browsers import in_words


def codes_left(codes) -> int:
    """How many recovery codes are unused: counted, without opening the secret that they are made from."""
    return RECOVERY_CODE_COUNT - codes.instance.data["used_mask"].bit_count()


@require_safe
def security(request):
    """One's password, second factors and sessions."""
    person, here = request.actor.person, request.session.session_key
    factors: dict[str, list] = {kind: [] for kind in Authenticator.Type}
    for factor in person.authenticator_set.order_by("created_at"):
        factors[factor.type].append(factor.wrap())
    live = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    sessions = UserSession.objects.filter(user=person, session_key__in=live).order_by("-last_seen_at")
    context = {
        "app": next(iter(factors["totp"]), None),
        "codes_left": sum(map(codes_left, factors["recovery_codes"])),
        "passkeys": factors["webauthn"],
        "sessions": [
            {
                "id": session.pk,
                "here": session.session_key == here,
                "browser": in_words(session.user_agent),
                "ip": session.ip,
                "began": session.created_at,
                "last_seen": session.last_seen_at,
            }
            for session in sessions
        ],
    }
    with timezone.override(person.time_zone):
        return render(request, "accounts/security.html", context)


@require_POST
@reauthentication_required
def end_session(request, session_id):
    """End one of one's own sessions."""
    try:
        actions.end_session(request.actor, session_id)
    except UserSession.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("The session is ended."))
    return redirect("mfa_index")


@require_POST
@reauthentication_required
def end_other_sessions(request):
    """End all of one's own sessions but this one."""
    actions.credentials_changed(request.actor.person, keep=request.session.session_key)
    messages.success(request, _("All other sessions are ended."))
    return redirect("mfa_index")
