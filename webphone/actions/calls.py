"""Calls are placed, and go as the telephony tells."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from accounts.scope import scope
from numbers.models import Destination, PhoneNumber
from portal import security
from portal.phones import region_of
from webphone import budgets
from webphone.models import Call, Location
from webphone.rules import EMERGENCY, as_extension, refuse_unless_allowed, understood
from webphone.telephony import News, Telephony, Unreachable, telephony

log = logging.getLogger("webphone.calls")
State, Outcome, Mode = Call.State, Call.Outcome, Call.Mode

#: In the order in which a call goes through them; news that come late do not lead back.
ORDER = [State.PLACED, State.RINGING_YOU, State.ANSWERED_YOU, State.RINGING, State.TALKING, State.ENDED]
#: SIP status -> what it means to people (RFC 3261, 21).
BUSY, NO_ANSWER, GIVEN_UP, NOT_THERE = {486, 600}, {408, 480}, 487, {404, 410, 484, 604}
#: What is asked for again within that time was meant once.
TWICE = timedelta(seconds=3)
#: A call that nothing was heard of for so long is looked for.
SILENCE = timedelta(minutes=2)
#: So many of the person's numbers are offered as caller id.
MOST_CALLER_IDS = 50


def own_numbers(actor: Actor) -> list[PhoneNumber]:
    """The numbers that ring the person: a professional's all, otherwise those of an extension that was shown to be
    theirs. One of them is what the other side sees."""
    numbers = PhoneNumber.visible_to(actor).order_by("digits")
    if actor.account.kind == Account.Kind.PROFESSIONAL:
        return list(numbers[:MOST_CALLER_IDS])
    if actor.account.kind != Account.Kind.COMPANY:
        return []
    extensions = Location.visible_to(actor).verified().exclude(destination=None)
    return list(numbers.filter(destination__in=extensions.values("destination"))[:MOST_CALLER_IDS])


def refuse_elsewhere(actor: Actor) -> None:
    """A WebPhone is a person's: while working in another account they call from their own."""
    if not actor.may("webphone.call"):
        raise PermissionDenied


@transaction.atomic
def place(actor: Actor, typed: str, *, location_id: int | None, caller_id: str) -> Call:
    """Begin a call to what was typed: with the computer, or by ringing one of the person's own telephones first.

    Raises ``ValidationError`` with a sentence for what may not be called, for a caller id or telephone that is not
    theirs, and beyond the limits.
    """
    refuse_elsewhere(actor)
    own_ones = [number.e164 for number in own_numbers(actor)]
    if caller_id and caller_id not in own_ones:
        raise ValidationError(_("Choose which of your own numbers to show to the people you call."))
    called = number_to_call(actor, typed, caller_id or next(iter(own_ones), ""))
    own = ""
    if location_id is not None:
        location = Location.visible_to(actor).verified().filter(pk=location_id).first()
        if location is None:
            raise ValidationError(_("Choose a telephone of yours to talk with."))
        if location.number == called:
            raise ValidationError(_("This is the telephone that you want to talk with. Choose another one."))
        own = location.number
    mode = Mode.COMPUTER if location_id is None else Mode.CALL_BACK
    return begin(actor, mode, number=called, own_number=own, caller_id=caller_id or settings.TELEPHONY_CALLER_ID)


def number_to_call(actor: Actor, typed: str, dialled_from: str = "") -> str:
    """The number in E.164 form or the extension of the account's own that was typed; numbers may be dialled as in the
    country of ``dialled_from`` (E.164, or empty). Raises ``ValidationError``."""
    extension = as_extension(typed)
    if extension and Destination.visible_to(actor).filter(customer=actor.account.pk, extension=extension).exists():
        return extension
    if extension and extension not in EMERGENCY:
        raise ValidationError(_("There is no extension %(extension)s here.") % {"extension": extension})
    home = "" if dialled_from else actor.account.home
    called = understood(typed, home or region_of(dialled_from or actor.account.phone) or settings.CALL_HOME_COUNTRY)
    refuse_unless_allowed(called)
    return called


def begin(actor: Actor, mode: Call.Mode, *, number: str, own_number: str, caller_id: str = "", code: str = "") -> Call:
    """Write the call down and, once that is kept, have the person's own telephone rung. Asked for twice at once, as by
    a double click, it is one call.

    The account is held meanwhile: the limits are for all its people together. Raises ``ValidationError``.
    """
    way = telephony()
    if way is None:
        raise ValidationError(_("Telephony is not set up here. Call with this device."))
    account = Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)
    same = {"mode": mode, "number": number, "own_number": own_number, "placed_at__gt": timezone.now() - TWICE}
    if again := Call.visible_to(actor).exclude(state=State.ENDED).filter(**same).first():
        return again
    refuse_beyond_limits(actor, account)
    leaving = budgets.legs_of(number, own_number)
    for one in leaving:  # the own phone too: it may have been added when it was still allowed
        refuse_unless_allowed(one)
    granted = budgets.grant(Call.in_account(account), actor.person, leaving, timezone.now())
    digits = number or own_number
    call = Call(
        account=account, person=actor.person, ref=Call.new_ref(account), mode=mode, number=number,
        digits=int(digits.lstrip("+")), own_number=own_number, caller_id=caller_id,
        most_seconds=granted.seconds, trunk_legs=granted.legs, rate=granted.rate,
    )  # fmt: skip
    call.save(force_insert=True)
    call.notice = granted.notice
    if mode != Mode.COMPUTER:
        transaction.on_commit(lambda: ring(way, call, code))
    return call


def refuse_beyond_limits(actor: Actor, account: Account) -> None:
    """Raise ``ValidationError`` where the person, or all people of the account together, call too much already."""
    an_hour_ago = timezone.now() - timedelta(hours=1)
    calls = Call.in_account(account).exclude(mode=Mode.INCOMING)
    for some, at_once, an_hour in (
        (calls.filter(person=actor.person), settings.CALLS_AT_ONCE[0], settings.CALLS_AN_HOUR[0]),
        (calls, settings.CALLS_AT_ONCE[1], settings.CALLS_AN_HOUR[1]),
    ):
        if some.exclude(state=State.ENDED).count() >= at_once:
            security.log("limit.reached", limit="calls at once")
            raise ValidationError(_("You have %(count)d calls, which is the limit. End one first.")
                                  % {"count": at_once})  # fmt: skip
        if some.filter(placed_at__gt=an_hour_ago).count() >= an_hour:
            security.log("limit.reached", limit="calls an hour")
            sentence = _("You have made %(count)d calls within an hour, which is the limit. Try again later.")
            raise ValidationError(sentence % {"count": an_hour})


def ring(way: Telephony, call: Call, code: str) -> None:
    """Have the person's own telephone rung; where nothing rings anything, the call has failed."""
    try:
        way.ring(call, code)
    except Unreachable as refusal:
        log.warning("Call %s could not be placed: %s", call.ref, type(refusal).__name__)
        with scope(call.account):
            heard(call.ref, News("ended", timezone.now(), code=503))


@transaction.atomic
def hang_up(actor: Actor, ref: str) -> Call:
    """End a call of the person's own. Raises ``Call.DoesNotExist``, and ``ValidationError`` where nobody can end it."""
    refuse_elsewhere(actor)
    call = Call.visible_to(actor).select_related("account", "person").get(ref=ref)
    way = telephony()
    if call.is_over or way is None:
        return call
    try:
        known = way.hang_up(call)
    except Unreachable as refusal:
        raise ValidationError(_("The telephone server does not answer: hang up with your telephone.")) from refusal
    for news in known:
        heard(ref, news)
    call.refresh_from_db()
    return call


def current(actor: Actor, ref: str) -> Call:
    """A call of the person's own as it stands now. Raises ``Call.DoesNotExist``."""
    call = Call.visible_to(actor).select_related("account", "person").get(ref=ref)
    way = telephony()
    if not call.is_over and way is not None:
        for news in way.news(call, timezone.now()):
            heard(ref, news)
        call.refresh_from_db()
    return call


@transaction.atomic
def heard(ref: str, news: News) -> bool:
    """Take down what the telephony tells of a call, in whatever order it comes and however often; whether there is
    such a call. The caller is in the scope of its account."""
    calls = list(Call.called(ref).select_for_update(of=("self",)))
    for call in calls:
        if call.is_over and news.event == "talking" and not call.answered_at and news.at > call.ended_at:
            reopen(call)
        if not call.is_over:
            follow(call, news)
            call.heard_at = timezone.now()
            call.save()
    return bool(calls)


def reopen(call: Call) -> None:
    """A call that was closed goes on: it is in the person's list again, and counts to the limits."""
    call.state, call.outcome, call.ended_at = State.PLACED, "", None
    security.log("call.not_recorded", ref=call.ref)


def follow(call: Call, news: News) -> None:
    """Change a call as the news say. Nothing has happened to it before it was placed, whatever clock says so."""
    at = max(news.at, call.placed_at)
    if news.event == "digits":
        typed(call, news)
    elif news.event == "ended":
        call.state, call.outcome, call.code = State.ENDED, outcome_of(call, news), news.code
        call.ended_at = max(at, call.answered_at or at)
        if call.answered_at:
            call.seconds = round((call.ended_at - call.answered_at).total_seconds())
        if call.billed_from:
            call.billed_seconds = max(ceil((call.ended_at - call.billed_from).total_seconds()), 1)
    elif ORDER.index(news.event) > ORDER.index(call.state):
        call.state = State(news.event)
        if call.state == State.TALKING:
            call.answered_at = at
        if call.state in (State.ANSWERED_YOU, State.TALKING):
            call.billed_from = call.billed_from or at


def outcome_of(call: Call, news: News) -> Call.Outcome:
    if call.answered_at:
        return Outcome.ANSWERED
    if call.mode == Mode.CODE and call.state == State.ANSWERED_YOU:
        return Outcome.ANSWERED
    if news.cancelled:
        return Outcome.CANCELLED
    if news.side == "you":
        return Outcome.YOUR_BUSY if news.code in BUSY else Outcome.NOT_YOU
    if news.code in BUSY:
        return Outcome.BUSY
    if news.code == GIVEN_UP and call.mode != Mode.INCOMING:
        return Outcome.CANCELLED
    if news.code in NO_ANSWER or news.code == GIVEN_UP:
        return Outcome.NO_ANSWER
    if news.code in NOT_THERE:
        return Outcome.UNREACHABLE
    return Outcome.FAILED if news.code else Outcome.CANCELLED


def typed(call: Call, news: News) -> None:
    """The telephone that a call with a code has rung is the person's, if the code was typed there in time."""
    location = Location.rung_by(call)
    if location is None or location.is_verified or not location.code:
        return
    if news.digits == location.code and news.at <= location.code_until:
        location.verified_at = news.at
        actor = Actor.at_home(call.person)
        audit.record(actor, "location.verified", location)
    # Right or wrong, a code is good for one call.
    location.code, location.code_until = "", None
    location.save()


def look_for_silent(account: Account, refs: list[str], live: set[str] | None) -> None:
    """Ask after calls that nothing was heard of, and close those that nobody knows any more. In the account's scope."""
    way, now = telephony(), timezone.now()
    for call in Call.in_account(account).filter(ref__in=refs).select_related("account", "person"):
        for news in way.news(call, now) if way else []:
            heard(call.ref, news)
        longest = timedelta(minutes=settings.CALL_MINUTES + 5)
        gone = live is not None and call.ref not in live
        if gone or call.placed_at + longest < now or way is None:
            close(call.ref, now)


@transaction.atomic
def close(ref: str, now: datetime) -> None:
    """Nobody told of the end of a call: when that was, and how long it took, is not known."""
    for call in Call.called(ref).select_for_update().exclude(state=State.ENDED):
        call.state, call.outcome, call.ended_at = State.ENDED, Outcome.UNKNOWN, now
        # Nobody knows whether it was answered: for the budgets it has lasted since it began, or as long as it might.
        began = call.billed_from or call.placed_at
        call.billed_seconds = min(ceil((now - began).total_seconds()), call.most_seconds)
        call.save()
