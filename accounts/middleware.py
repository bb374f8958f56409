"""Who acts, in which account, and whether the policy lets them: decided once, before any view."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.actor import Actor
from accounts.policy import Access, needed_for
from portal.logs import request_facts


class ActorMiddleware:
    """Give every request its ``actor`` and hold it to the policy. Nothing else reads ``request.user``.

    An account that is not open to the person and one that does not exist are the same to them: not found. An address
    that the policy does not know is refused to everybody.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.actor = None
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        needed = needed_for(request.resolver_match.view_name)
        if needed is Access.CLOSED:
            raise Http404
        if needed is Access.MACHINE:
            return None
        if request.user.is_authenticated:
            request.actor = self.actor_in(request, kwargs.get("code"))
            request_facts.get({}).update(person=request.actor.person.pk, account=request.actor.account.code)
        if needed is Access.PUBLIC:
            return None
        if request.actor is None:
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        if needed is Access.SIGNED_IN or (isinstance(needed, str) and request.actor.may(needed)):
            return None
        raise PermissionDenied

    @staticmethod
    def actor_in(request, code: str | None) -> Actor:
        """The person in the account of ``code``; for now each person's own account is the only one that opens."""
        actor = Actor.at_home(request.user)
        if code is not None and code != actor.account.code:
            raise Http404
        return actor
