"""Who acts, in which account, and whether the policy lets them: decided once, before any view."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from accounts import actions, confirmation, entrance, second_factor
from accounts.actor import Actor
from accounts.models import Access
from accounts.policy import Door, needed_for
from accounts.rechecking import recheck
from accounts.rules import Standing, standing
from portal import security
from portal.logs import request_facts

#: The last sign of life is written down this often at most.
PRESENCE = timedelta(seconds=30)


class ActorMiddleware:
    """Give every request its ``actor`` and hold it to the policy. Nothing else reads ``request.user``.

    An account that is not open to the person and one that does not exist are the same to them: not found. An address
    that the policy does not know is refused to everybody. An account below the person's own opens while they have a
    live access to it, and that is held against what they may do at present, at every request.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.actor = request.standing = None
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        needed = needed_for(request.resolver_match.view_name, request.method)
        if needed is Door.CLOSED:
            raise Http404
        if needed is Door.MACHINE:
            return None
        # What request.user stands for: itself it would ask again for everything that a page wants of the person.
        person = get_user(request)
        if person.is_authenticated:
            request.actor = Actor.at_home(person)
            facts = request_facts.get({})
            facts.update(person.for_log)
            if answer := second_factor.before_all_else(request, needed):
                return answer
            if request.actor.is_shut_out and needed is not Door.PUBLIC:
                return entrance.shut(request)
            code = kwargs.get("code")
            if code is not None and code != request.actor.account.code:
                facts["asked"] = code
                request.standing = standing(person, code)
                if request.standing is None:
                    security.log("account.denied", request)
                    raise Http404
                access = self.live_access(request, request.standing)
                if access is not None:
                    request.actor = request.standing.actor(access)
                    facts["account"] = code
                elif needed is not Door.ENTRANCE:
                    return entrance.page(request)
        if needed is Door.PUBLIC:
            return None
        if request.actor is None:
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        if isinstance(needed, str) and request.actor.may(needed):
            request.still_may = recheck(request, needed)
            return confirmation.before_giving(request)
        if needed in (Door.SIGNED_IN, Door.ENTRANCE):
            request.still_may = recheck(request)
            return None
        raise PermissionDenied

    @staticmethod
    def live_access(request, standing: Standing) -> Access | None:
        """The access with which this sign-in is inside, if time, rights and accounts still let it be."""
        sign_in = request.session.get("sign_in")
        if sign_in is None:
            return None
        access = Access.live(standing.person, standing.account, sign_in)
        if access is None:
            return None
        now = timezone.now()
        why = access.over(now)
        if standing.closed or (access.manages and not standing.manages):
            why = Access.End.NOT_ALLOWED
        if why:
            actions.end_access(access, why)
            return None
        if now - access.seen_at > PRESENCE:
            actions.note_presence(access)
        return access
