"""Carriers let go of what a VAR has given up: told one number after the other, and again until they have answered.

To tell a carrier twice is harmless: the number is asked for once, and what is given up is what the carrier calls it,
which no number has that it holds later.

A number counts as released when its carrier has said so. One that the carrier does not list may be listed in another
spelling, or in another of its accounts, and be paid for: that is a failure, and a person looks.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from accounts.scope import scope
from numbers import carriers
from numbers.actions.endings import notify_of_carrier
from numbers.actions.retries import LEASE, MOST_ATTEMPTS, later
from numbers.carriers import CarrierError, Missing, Refused
from numbers.models import OrderLine, PhoneNumber, Release

log = logging.getLogger(__name__)
#: The worker's task that tells a carrier, ``numbers.tasks.release``.
TASK = "numbers.release"
State = Release.State
#: The carrier has said itself, before it was told, that it has the number no longer.
GONE = "gone"


def told_of(var: Account, numbers: Collection[PhoneNumber]) -> list[PhoneNumber]:
    """Of these numbers of a VAR those whose carrier the portal tells: it holds them for this VAR for certain, because
    all that it holds is this VAR's, or because it has delivered this very number here. Somebody may have added any
    other by hand, and it may be somebody else's at the carrier.
    """
    serving = {name: one for name, one in carriers.configured().items() if one.serves(var.code)}
    served = [number for number in numbers if number.provider.name in serving]
    unsure = [number.pk for number in served if not serving[number.provider.name].serves_alone(var.code)]
    delivered = OrderLine.delivered_in(var, unsure) if unsure else set()
    return [number for number in served if number.pk not in unsure or (number.pk, number.provider_id) in delivered]


def hand_over(actor: Actor, numbers: Collection[PhoneNumber], *, said_by_carrier: bool = False) -> None:
    """Have carriers told that these numbers are given up: written here, done by the worker once this transaction is
    there. Those that the portal cannot tell a carrier of are written down too, for a person to tell it. Nothing has to
    be told where it is ``said_by_carrier``."""
    told = set() if said_by_carrier else {number.pk for number in told_of(actor.account, numbers)}
    facts = {"account": actor.account, **Release.by(actor)}
    if said_by_carrier:
        ended = {
            "state": State.DONE,
            "reason": _("The carrier's own list does not have it."),
            "ended_at": timezone.now(),
        }
    else:
        ended = {"state": State.MANUAL}
    Release.visible_to(actor).bulk_create(
        Release(
            number_id=one.pk, e164=one.e164, digits=one.digits, provider=one.provider, **facts,
            **({} if one.pk in told else ended),
        )
        for one in numbers
    )  # fmt: skip
    for provider_id in sorted({number.provider_id for number in numbers if number.pk in told}):
        queue(actor.account.code, provider_id)


def queue(code: str, provider_id: int, seconds: float = 0, **options) -> None:
    """Have the worker tell a carrier, in this transaction. One at a time: carriers allow few calls at once."""
    configured = app.configure_task(
        TASK, queue="numbers", lock=f"release:{code}:{provider_id}", schedule_in={"seconds": int(seconds)}, **options
    )
    configured.defer(account=code, provider=provider_id)


def queue_once(code: str, provider_id: int) -> None:
    """The same, unless it is queued already."""
    try:
        queue(code, provider_id, queueing_lock=f"heal-release:{code}:{provider_id}")
    except AlreadyEnqueued:
        log.debug("Release %s %s is queued already.", code, provider_id)


def go_on(var: Account, system: Account, provider_id: int) -> None:
    """Tell a carrier of all that this VAR has given up, until nothing is left, or the carrier cannot be told now."""
    while True:
        with scope(var):
            one = take_up(var, provider_id)
        if one is None:
            return
        outcome = State.KEPT if is_back(system, one.e164) else told(var, one)
        came_back = outcome == State.DONE and is_back(system, one.e164)
        with scope(var):
            settle(var, one, outcome, came_back=came_back)
        if isinstance(outcome, CarrierError) and not isinstance(outcome, (Refused, NotListed)):
            return


class NotListed(CarrierError):
    """The carrier does not list the number. It may not do so yet, a moment after it was bought."""


@transaction.atomic
def take_up(var: Account, provider_id: int) -> Release | None:
    """Write down that a carrier is told of the next number, and return with it; None where none is due."""
    due = Release.open_in(var).filter(provider_id=provider_id, next_at__lte=timezone.now())
    one = due.select_related("provider", "person", "access").select_for_update(skip_locked=True, of=("self",)).first()
    if one is not None:
        one.attempts += 1
        one.next_at = timezone.now() + LEASE
        one.save(update_fields=["attempts", "next_at"])
    return one


def is_back(system: Account, e164: str) -> bool:
    """Whether the number is on the system again, or somebody has ordered it, whoever that is."""
    with scope(system):
        return PhoneNumber.is_anywhere(e164) or OrderLine.is_on_its_way(e164)


def told(var: Account, one: Release) -> State | str | CarrierError:
    """Tell the carrier of a number; what came of it."""
    setting = carriers.configured().get(one.provider.name)
    try:
        if setting is None:
            raise Refused(_("The carrier is no longer set up. Ask your operator."))
        if not one.reference:
            found = listed(setting.carrier, one.e164)
            if found.state:
                return GONE
            one.reference = found.reference
            with scope(var):
                Release.open_in(var).filter(pk=one.pk).update(reference=one.reference)
        try:
            setting.carrier.release(one.reference)
        except Missing:
            refuse_if_still_listed(setting.carrier, one)
    except CarrierError as error:
        # Why is with the release: numbers may be in a carrier's words.
        log.warning("Carrier %s, release of %s: %s", one.provider.name, one.pk, type(error).__name__)
        return error
    return State.DONE


def listed(carrier: carriers.Carrier, e164: str) -> carriers.Held:
    """The number as the carrier lists it. Raises ``NotListed``."""
    found = carrier.find([e164]).get(e164)
    if found is None:
        raise NotListed(
            _("The carrier does not list this number. Check its console: it may still charge for the number.")
        )
    return found


def refuse_if_still_listed(carrier: carriers.Carrier, one: Release) -> None:
    """A carrier that knows no such name has let the number go, told before. Raises ``Refused`` where it lists it."""
    found = carrier.find([one.e164]).get(one.e164)
    if found is not None and found.reference == one.reference and not found.state:
        raise Refused(_("The carrier lists this number, but does not find it when the portal releases it."))


@transaction.atomic
def settle(var: Account, asked: Release, outcome: State | str | CarrierError, *, came_back: bool) -> None:
    """Write down what came of telling a carrier, and have it told later where it could not be. ``came_back``: somebody
    has added the number in that moment."""
    one = Release.open_in(var).select_for_update(of=("self",)).filter(pk=asked.pk).first()
    # What the carrier has done is so whoever asked; that it has not concerns the last one who asked.
    if one is None or (one.next_at != asked.next_at and outcome not in (State.DONE, GONE)):
        return
    reason = outcome.for_operators[:500] if isinstance(outcome, CarrierError) else ""
    if isinstance(outcome, Refused):
        end(var, one, State.FAILED, reason)
    elif isinstance(outcome, CarrierError):
        wait = max(later(one.attempts), outcome.after)
        if one.attempts >= MOST_ATTEMPTS:
            end(var, one, State.FAILED, reason)
        else:
            one.reason, one.next_at = reason, timezone.now() + timedelta(seconds=wait)
            if outcome.after:
                one.attempts -= 1  # too much to do is no failure
            one.save(update_fields=["reason", "next_at", "attempts"])
        queue(var.code, one.provider_id, wait + 1)
    elif outcome == State.KEPT:
        end(var, one, State.KEPT, _("It was added again, so the carrier was not notified."))
    elif came_back:
        end(var, one, State.DONE, _("It was added again, but the carrier no longer has it."))
    elif outcome == GONE:
        end(var, one, State.DONE, _("The carrier says that it no longer has it."))
    else:
        end(var, one, State.DONE, "")


def end(var: Account, one: Release, state: State, reason: str) -> None:
    one.state, one.reason, one.ended_at = state, reason, timezone.now()
    one.save(update_fields=["state", "reason", "ended_at"])
    verb = {State.DONE: "number.given_up", State.FAILED: "number.not_given_up", State.KEPT: "number.kept"}[state]
    if state == State.FAILED:
        notify_of_carrier(var, one.provider, "release", 1, reason)
    after = {"provider": one.provider.name} | ({"reason": reason} if reason else {})
    audit.record(one.actor_in(var), verb, PhoneNumber(pk=one.number_id, e164=one.e164), after=after)


@transaction.atomic
def try_again(actor: Actor) -> int:
    """Have carriers told once more of what has failed; how many numbers that are."""
    if not actor.may("releases.change"):
        raise PermissionDenied
    failed = Release.visible_to(actor).failed()
    providers = set(failed.select_for_update().values_list("provider_id", flat=True))
    count = failed.update(state=State.READY, attempts=0, next_at=timezone.now(), ended_at=None)
    for provider_id in sorted(providers):
        queue(actor.account.code, provider_id)
    return count


@transaction.atomic
def settle_by_hand(actor: Actor, release_id: int) -> Release:
    """Write down that somebody has seen to it that the carrier has let a number go: one that the portal could not tell
    it of, or has failed to. Raises ``Release.DoesNotExist``, and ``ValidationError`` where nothing is to be done."""
    if not actor.may("releases.change"):
        raise PermissionDenied
    one = Release.visible_to(actor).select_related("provider").select_for_update(of=("self",)).get(pk=release_id)
    if one.state not in Release.BY_HAND:
        raise ValidationError(_("There is nothing left to do for this number."))
    one.state, one.ended_at = State.DONE, timezone.now()
    one.reason = _("Closed by hand: %(person)s.") % {"person": actor.person.name}
    one.save(update_fields=["state", "reason", "ended_at"])
    after = {"provider": one.provider.name, "reason": one.reason}
    audit.record(actor, "number.given_up", PhoneNumber(pk=one.number_id, e164=one.e164), after=after)
    return one
