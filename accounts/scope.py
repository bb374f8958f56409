"""In whose scope a transaction reads and writes. PostgreSQL holds it to the rows of that account.

The portal signs in as a role that may not touch a table with rows of tenants. Inside a scope the transaction goes on as
one of four other roles, which ``accounts.walls`` lets have the rows of one account, or of all. The fourth is the
buyer's: a customer that takes numbers from the stock of its VAR, or gives some back. Which account a scope is of,
PostgreSQL believes only with the portal's signature: an injected statement can take neither another account nor
another role (migration ``accounts.0008``).

A page runs in the scope of the account that is acted in. Every other scope is listed in ``OPENED``.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from allauth.account.middleware import AccountMiddleware
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from accounts.policy import Door, needed_for
from portal.database import limits
from portal.database.base import Scope

if TYPE_CHECKING:
    from accounts.models import Account

#: kind of account -> what the role of its scope is called, after the name of the role that the portal signs in with
SCOPES = {"system": "system", "var": "var", "company": "customer", "professional": "customer"}
#: The scope of a customer towards the stock of its VAR: what it may take of it, and what it has.
BUYER = "buyer"
#: Every function that opens a scope, with the reason: nothing else works with rows of an account it does not act in.
#: ``tests/test_architecture.py`` refuses any other use.
OPENED = {
    # The actor's own account
    "accounts.scope.ScopeMiddleware.process_view": "a page, in the account that is acted in",
    "accounts.scope.streamed": "an export, in the account that is acted in",
    "accounts.audit.record": "an event belongs to the account that is acted in, in any scope",
    "accounts.audit.record_all": "the same, of many events",
    "numbers.actions.verbs.base.Verb.reach": "the numbers of the account that is acted in",
    # A customer and the stock of its VAR: the buyer's scope, which shows no more than is offered
    "numbers.actions.verbs.of_customers.GiveBack.save": "a customer releases numbers to the stock",
    "numbers.actions.verbs.of_orders.FromStock.reach": "numbers of the stock are held, freed or taken for a customer",
    "numbers.listing.offers.rows_of": "a customer looks for numbers to order",
    # A support agent and the accounts that were granted
    "numbers.lookup.granted_numbers": "a support agent finds the granted account in which a number is",
    # Commands of the operator
    "accounts.archive.old_rows": "old history of all accounts is written to files",
    # The worker, which acts in no account
    "accounts.tasks.watch_portal": "the worker looks when the last back-up was noted, in the history of the system",
    "numbers.actions.delivery.go_on": "a carrier delivers into the stock of a VAR, for one of its customers",
    "numbers.actions.delivery.order_from": "the lease of a VAR's order with a carrier begins anew before the call",
    "numbers.actions.delivery.on_the_system": "a number that the system has is not ordered from a carrier again",
    "numbers.actions.routing.go_on": "the worker connects numbers of a VAR",
    "numbers.actions.releases.go_on": "the worker tells the carrier that a VAR released a number",
    "numbers.actions.releases.told": "the carrier's reference of a release is stored for the VAR",
    "numbers.actions.releases.is_back": "a release checks whether another account has, or orders, the number",
    "numbers.tasks.take_turn": "a job or an import goes on in the account in which it was started",
    "numbers.tasks.tend_call_days": "days of calls are made and dropped for all accounts",
    "numbers.figures.of_numbers": "work, orders and releases of all accounts are counted for monitoring",
    "numbers.tasks.seal_systems": "the worker seals the auth tokens of phone systems anew, each in its account",
    "numbers.tasks.forget_finished": "the worker removes lines of old work, each in its own account",
    "numbers.tasks.watch_stock": "the worker looks which VARs have set stock levels, and at their stock",
    "numbers.tasks.notify_of_holds": "the worker counts the reservations of all VARs that end soon",
    "numbers.tasks.heal_work": "the worker looks for due jobs and imports of all accounts",
    "numbers.tasks.heal_orders": "the worker looks for due orders of all VARs",
    "numbers.tasks.heal_routing": "the worker looks for numbers of all VARs that are to be connected",
    "numbers.tasks.heal_releases": "the worker looks for due releases of all VARs",
    "webphone.actions.calls.ring": "a failed call-back ends in the account of its caller",
    "webphone.tasks.close_lost_calls": "the worker closes lost calls, each in its own account",
    # Machines with a key of their own, which act in no account
    "numbers.actions.calls.record_calls": "a phone system reports calls to the account that issued its token",
    "numbers.views.carriers.told": "a carrier's message names an order by our key; the order is found and queried",
    "webphone.actions.incoming.route": "an incoming call is routed in the account that has the number",
    "webphone.views.machines.event": "the SIP server reports a call in the account that the call reference names",
    # Trying out
    "webphone.demo.write_demo_telephones": "demo people get phones",
    "webphone.management.commands.phone.Command.calls_token": "the demo's SIP server gets a token of the operator's",
}
#: Every function that leaves the scope of its page for a moment, with the reason: no scope may touch these rows.
LEFT = {
    "accounts.actions.access.ask_consent": "accesses of people from other accounts end",
    "accounts.actions.accounts.suspend_account": "people of the account and of those below it are signed out of phones",
    "accounts.actions.grants.end_unfounded_accesses": "accesses of an agent end in all accounts",
    "accounts.actions.people.change_person": "accesses of a person whose role changed end in all accounts",
    "accounts.actions.people.end_everything": "sessions and accesses of a person end in all accounts",
    "accounts.notices.notify": "recipients may belong to any account; each row belongs to one person",
    "accounts.actions.people.forget_notices": "notices of a person whose rights changed are of any account",
    "accounts.actions.people.end_links": "no scope may write a password",
    "accounts.actions.notices.forget_unfounded_notices": "notices of an agent are of any account",
    "numbers.actions.jobs.actor_of": "an account does not see what was granted to agents of those above it",
    "portal.cache.LastingCache._cursor": "rate limits belong to no account",
    "portal.tasks.Queue.execute_query": "the queue belongs to no account",
    "portal.tasks.Queue.execute_query_all": "the queue belongs to no account",
    "portal.tasks.Queue.execute_query_one": "the queue belongs to no account",
}
#: The block of SHA-256, in bytes; and what HMAC mixes into either half of a key (RFC 2104).
BLOCK, INNER, OUTER = 64, 0x36, 0x5C


def role_called(kind: str) -> str:
    """The database role of a scope. Roles belong to the whole server: the portal's own role tells portals apart."""
    return f"{settings.PORTAL_SIGN_IN['USER']}_{kind}"


@lru_cache(maxsize=8)
def key_of(secret: str) -> bytes:
    """The key for scopes that follows from a secret: another than what Django makes of the same for its signatures."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"portal: scopes").derive(secret.encode())


def halves_of(secret: str) -> tuple[bytes, bytes]:
    """The same key as the database keeps it, which has SHA-256 and no HMAC: its inner and its outer half."""
    padded = key_of(secret).ljust(BLOCK, b"\0")
    return bytes(byte ^ INNER for byte in padded), bytes(byte ^ OUTER for byte in padded)


def signed(kind: str, account_id: int) -> Scope:
    """The scope of an account, signed for a transaction that begins within five minutes. ``kind`` is a role's name in
    ``SCOPES``, or ``BUYER``."""
    text = f"{kind}|{account_id:d}|{int(time.time())}"
    signature = hmac.new(key_of(settings.SECRET_KEY), text.encode(), hashlib.sha256).hexdigest()
    role = role_called(kind)
    # A statement that is planned once (``numbers.listing``) is planned at once, and not first for some time anew.
    statements = (
        f"SET LOCAL role = {quoted(role)}; SET LOCAL portal.scope = '{text}|{signature}';"
        " SET LOCAL plan_cache_mode = force_generic_plan"
    )
    return Scope(role, account_id, statements)


@lru_cache(maxsize=8)
def quoted(role: str) -> str:
    """The name of a role as an identifier of SQL."""
    return sql.Identifier(role).as_string()


@contextmanager
def scope(account: Account, *, buys: bool = False) -> Iterator[None]:
    """A transaction that sees and writes what belongs to ``account``; whatever forgets to ask for less gets no more.

    With ``buys``, what a customer may take of the stock of its VAR and what it has, and only to take, keep, or give
    back. Scopes may be nested, for what has to be written on behalf of another account. Whatever opens one stands in
    ``OPENED``.
    """
    kind, outer = BUYER if buys else SCOPES[account.kind], connection.scope
    if outer and (outer.role, outer.account) == (role_called(kind), account.pk):
        yield
        return
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.within(signed(kind, account.pk), until_it_ends=outermost):
        yield


class ScopeMiddleware:
    """Call the view, and have its page drawn, in the scope of the account that is acted in.

    An answer commits, an exception rolls back. A stream is read after the view's transaction has ended: it gets a scope
    of its own. Where nobody acts there is no scope, and no table with rows of tenants can be read. There is none either
    on the pages that are a person's and not an account's (profile, password, factors, sessions, entering and leaving):
    what these work on no scope may read.

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
        is_personal = isinstance(needed_for(request.resolver_match.view_name, request.method), Door)
        with transaction.atomic() if is_personal else scope(account):
            try:
                response = view(request, *args, **kwargs)
                if not getattr(response, "is_rendered", True):
                    response = response.render()
            except (ImmediateHttpResponse, ReauthenticationRequired) as wish:
                response = self.answer_of_allauth(request, wish)
        if response.streaming:
            response.streaming_content = streamed(None if is_personal else account, response.streaming_content)
        return response


def streamed(account: Account | None, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, made within the scope of the account; within none on a page that is a person's."""
    with scope(account) if account else transaction.atomic():
        connection.begin_with(limits.STREAM)
        yield from chunks
