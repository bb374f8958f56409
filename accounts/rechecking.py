"""Whether a person may still do what a long response does: asked again while it runs (OWASP ASVS 8.3.2).

The connection of the response is busy sending rows, so another thread asks, with a connection of its own.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from django.contrib.auth import get_user
from django.db import connection
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Access
from accounts.rules import standing
from accounts.sessions import SessionStore

ANSWER_SECONDS = 10
watcher = ThreadPoolExecutor(1, "recheck")


def recheck(request, permission: str = "") -> Callable[[], bool]:
    """A function that tells whether the session of ``request`` may still use ``permission`` in its account; without
    one, for a page that is the person's own, whether it is still theirs.

    It raises ``TimeoutError`` when there is no answer within ``ANSWER_SECONDS``.
    """
    key, code = request.session.session_key, request.actor.account.code
    return lambda: watcher.submit(still_may, key, code, permission).result(ANSWER_SECONDS)


def still_may(session_key: str, code: str, permission: str) -> bool:
    try:
        actor = actor_of(session_key, code)
        return actor is not None and not actor.is_shut_out and (not permission or actor.may(permission))
    finally:
        connection.close()


def actor_of(session_key: str, code: str) -> Actor | None:
    """The actor that a session is in an account at present; None where it is none any more."""
    session = SessionStore(session_key)
    person = get_user(SimpleNamespace(session=session))
    if not person.is_authenticated:
        return None
    if person.account.code == code:
        return Actor.at_home(person)
    found = standing(person, code)
    access = Access.live(person, found.account, session.get("sign_in", "")) if found and not found.closed else None
    if access is None or access.over(timezone.now()) or (access.manages and not found.manages):
        return None
    return found.actor(access)
