"""In whose scope a transaction reads and writes. PostgreSQL holds it to the rows of that account.

The portal signs in as a role that may not touch a table with rows of tenants. Inside a scope the transaction goes on as
one of three other roles, which ``accounts.walls`` lets have the rows of one account, or of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from allauth.account.middleware import AccountMiddleware
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.db import connection, transaction

if TYPE_CHECKING:
    from accounts.models import Account

#: kind of account -> what the role of its scope is called, after the name of the role that the portal signs in with
SCOPES = {"system": "system", "var": "var", "company": "customer", "professional": "customer"}
# One journey for both, and both end with the transaction: nothing is left on a connection that others use next.
# A statement that is planned once (``numbers.listing``) is planned at once, and not first for some time anew.
BEGIN = """
SELECT current_setting('role'), current_setting('portal.account', true),
       set_config('role', %s, true), set_config('portal.account', %s, true),
       set_config('plan_cache_mode', 'force_generic_plan', true)
"""
BACK = "SELECT set_config('role', %s, true), set_config('portal.account', %s, true)"


def role_called(scope: str) -> str:
    """The database role of a scope. Roles belong to the whole server: the portal's own role tells portals apart."""
    return f"{settings.PORTAL_SIGN_IN['USER']}_{scope}"


@contextmanager
def scope(account: Account) -> Iterator[None]:
    """A transaction that sees and writes what belongs to ``account``; whatever forgets to ask for less gets no more.

    Scopes may be nested, for what has to be written on behalf of another account.
    """
    wanted = (role_called(SCOPES[account.kind]), str(account.pk))
    outer = connection.scope
    if outer == wanted:
        yield
        return
    with transaction.atomic():
        role, outer_account, *_set = connection.begin_with(BEGIN, wanted)
        connection.scope = wanted
        try:
            yield
        finally:
            # Before it commits: what waits for that, and runs at once, is in no scope any more.
            connection.scope = outer
    if connection.in_atomic_block:  # releasing a savepoint keeps what was set since
        with connection.cursor() as cursor:
            cursor.execute(BACK, [role, outer_account])


class ScopeMiddleware:
    """Call the view, and have its page drawn, in the scope of the account that is acted in.

    An answer commits, an exception rolls back. A stream is read after the view's transaction has ended: it gets a scope
    of its own. Where nobody acts there is no scope, and no table with rows of tenants can be read.

    Stands last, because it calls the view itself: Django has no other place around a view and the drawing of its page.
    """

    def __init__(self, get_response):
        self.get_response = get_response
        # It is asked about exceptions of views that Django calls, and this is not one.
        self.answer_of_allauth = AccountMiddleware(get_response).process_exception

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.actor is None:
            return None
        account = request.actor.account
        with scope(account):
            try:
                response = view(request, *args, **kwargs)
                if not getattr(response, "is_rendered", True):
                    response = response.render()
            except (ImmediateHttpResponse, ReauthenticationRequired) as wish:
                response = self.answer_of_allauth(request, wish)
        if response.streaming:
            response.streaming_content = streamed(account, response.streaming_content)
        return response


def streamed(account: Account, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, made within a scope."""
    with scope(account):
        yield from chunks
