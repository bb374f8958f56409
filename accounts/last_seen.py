"""When and from where each session was last used."""

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.utils import timezone

from accounts import confirmation
from portal import security

EVERY = timedelta(minutes=1)


class LastSeen:
    """Note the use of a session at most once a minute; what was noted came with the session, so asking costs nothing.

    allauth's own middleware reads and writes at each request.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.actor is None or (noted := request.session.last_seen_at) is None:
            return
        now = timezone.now()
        if now - noted >= EVERY:
            longest = UserSession._meta.get_field("user_agent").max_length
            # Of several requests at once, one writes.
            noting = UserSession.objects.filter(session_key=request.session.session_key, last_seen_at=noted).update(
                last_seen_at=now,
                ip=get_adapter().get_client_ip(request),
                user_agent=request.headers.get("User-Agent", "")[:longest],
            )
            if noting and confirmation.has_moved(request):
                security.log("session.moved")
