"""What keeps one's own sign-in safe: password, second factors, sessions."""

from allauth.account.views import LoginView, PasswordResetFromKeyView
from allauth.mfa.app_settings import RECOVERY_CODE_COUNT
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actions
from accounts.confirmation import reauthentication_required
from accounts.models import Person
from accounts.sign_in import proof_changed
from accounts.single_sign_on import links_of
from accounts.views.providers import leads_to_providers
from portal import security as security_log
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
        "has_password": person.has_usable_password(),
        "providers": [
            {"id": of.id, "name": of.name, "since": link.date_joined} for of, link in links_of(person).items()
        ],
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


class SignIn(LoginView):
    """The sign-in page. In an installation where nobody can sign in yet, it tells how the first person is made."""

    def get_context_data(self, **kwargs) -> dict:
        more = {"is_new": not Person.objects.joined().exists(), "is_plain": settings.PLAIN_HTTP}
        return super().get_context_data(**kwargs) | more | {"providers": settings.SINGLE_SIGN_ON}

    def render_to_response(self, context, **kwargs):
        return leads_to_providers(super().render_to_response(context, **kwargs))


class PasswordFromLink(PasswordResetFromKeyView):
    """Where the link in a mail leads: a password is chosen, and a link that does not hold is logged."""

    def get_context_data(self, **kwargs) -> dict:
        if kwargs.get("token_fail"):
            security_log.log("link.refused", self.request, kind="password")
        return super().get_context_data(**kwargs)


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
    proof_changed(request, request.actor.person)
    messages.success(request, _("All other sessions are ended."))
    return redirect("mfa_index")
