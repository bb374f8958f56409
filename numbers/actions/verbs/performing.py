"""Verbs are done: locks, scope, writing and history, the same for all of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from numbers.actions.verbs.base import SetOptions, Verb
from numbers.actions.verbs.of_customers import AssignToDestination, GiveBack, UnassignFromDestination
from numbers.actions.verbs.of_vars import (
    AssignToCustomer,
    CancelReservation,
    CorrectProvider,
    Delete,
    EndCooling,
    GiveUp,
    Reserve,
    Route,
    UnassignFromCustomer,
)
from numbers.actions.verbs.undoing import UNDOES, column_of, state_of, watched
from numbers.models import PhoneNumber
from numbers.rules import is_cooling, is_reserved
from portal.phones import international


@dataclass(frozen=True)
class Outcome:
    """What became of one number: done, or refused with a sentence. ``number`` is None when it is not here."""

    number_id: int
    number: PhoneNumber | None
    refusal: str = ""
    #: The columns that a verb has changed which can be undone, as they were; and those that undoing it compares.
    was: dict[str, Any] | None = None
    made: dict[str, Any] | None = None


#: What the account of each kind offers, in the order of the buttons.
OF_VARS = (
    AssignToCustomer, UnassignFromCustomer, Reserve, CancelReservation, EndCooling, SetOptions, Route, GiveUp, Delete,
)  # fmt: skip
#: What is done for a file's sake alone, and never to numbers that somebody picks.
OF_FILES = (CorrectProvider,)
OF_CUSTOMERS = (AssignToDestination, UnassignFromDestination, SetOptions, GiveBack)


def verbs_of(actor: Actor, *, of_files: bool = False, of_jobs: bool = False) -> dict[str, type[Verb]]:
    """The verbs that the actor may do here, by slug; with ``of_files`` those too that only a file asks for, with
    ``of_jobs`` those that undo a job."""
    kinds = {Account.Kind.VAR: OF_VARS + (OF_FILES if of_files else ()), Account.Kind.SYSTEM: ()}
    here = kinds.get(actor.account.kind, OF_CUSTOMERS)
    if of_jobs:
        here += tuple(UNDOES[verb] for verb in here if verb in UNDOES)
    return {verb.slug: verb for verb in here if verb.is_open_to(actor)}


def refuse_unless_offered(actor: Actor, verb: Verb) -> None:
    if type(verb) is not verbs_of(actor, of_files=True, of_jobs=True).get(verb.slug):
        raise PermissionDenied


@transaction.atomic
def perform(
    actor: Actor, verb: Verb, number_ids: Collection[int], since: dict[int, datetime] | None = None
) -> list[Outcome]:
    """Do ``verb`` to the numbers with these ids and return an ``Outcome`` for each, in the order of the ids.

    A number that is refused stays as it was and does not keep the others from being done. With ``since`` (when each
    number last changed hands, by id) a number that has changed since is refused. Raises ``PermissionDenied``, and
    ``ValidationError`` where nothing can be done to any number.
    """
    refuse_unless_offered(actor, verb)
    verb.prepare(actor)
    outcomes = outcomes_of(actor, verb, number_ids, since, locks=True)
    changed = write(actor, verb, [outcome.number for outcome in outcomes if not outcome.refusal], timezone.now())
    return [replace(outcome, **changed.get(outcome.number_id, {})) for outcome in outcomes]


def outcomes_of(
    actor: Actor, verb: Verb, number_ids: Collection[int], since: dict[int, datetime] | None, *, locks: bool = False
) -> list[Outcome]:
    """What would become of each number, or with ``locks`` what will, in the order of the ids."""
    numbers = verb.numbers(actor).with_ids(number_ids).order_by("pk")
    verb.meet(actor, number_ids, locks=locks)
    with verb.reach(actor):
        if locks:
            # In the order of their ids: so does whoever locks many. What they are joined with is read afterwards: who
            # had to wait for a lock sees the number as it is now, beside what had been joined to it as it was.
            list(numbers.select_for_update().values_list("pk"))
        related = ("provider", "customer", "destination", "reserved_for", "last_holder")
        found = {number.pk: number for number in numbers.select_related(*related)}
    # Read when all locks are held: whoever had to wait may have waited for the end of a reservation.
    now = timezone.now()
    outcomes = []
    with timezone.override(actor.person.zone):
        for pk in sorted(set(number_ids)):
            number = found.get(pk)
            if number is None:
                refusal = verb.missing()
            elif since and since.get(pk) not in (None, number.since):
                refusal = _("Skipped: it changed after it was selected.")
            else:
                refusal = verb.refusal(number, now)
            outcomes.append(Outcome(pk, number, refusal))
    return outcomes


@transaction.atomic
def perform_on(actor: Actor, verb: Verb, digits: int) -> PhoneNumber:
    """Do ``verb`` to one number, as it was when this returns (or before it was removed).

    Raises ``ValidationError`` with the sentence when it is refused, ``PhoneNumber.DoesNotExist`` when it is not here.
    """
    refuse_unless_offered(actor, verb)
    pk = PhoneNumber.visible_to(actor).values_list("pk", flat=True).get(digits=digits)
    (outcome,) = perform(actor, verb, [pk])
    if outcome.number is None:
        raise PhoneNumber.DoesNotExist
    if outcome.refusal:
        raise ValidationError(outcome.refusal)
    return outcome.number


def write(actor: Actor, verb: Verb, numbers: list[PhoneNumber], now: datetime) -> dict[int, dict[str, Any]]:
    """Change the numbers, those that change alike in one statement, and write an event for each; return for each that
    can be undone what ``Outcome`` keeps of it, by its id."""
    events, alike, undoable = [], {}, {}
    for number in numbers:
        before, held = facts(number, now), number.customer_id
        event = verb.event_for(number, now)
        changes = {name: new for name, new in verb.changes(number, now).items() if differs(number, name, new)}
        if not changes and not (verb.removes or verb.notes):
            continue
        columns = [column_of(name) for name in changes]
        was = state_of(number, columns)
        for name, value in changes.items():
            setattr(number, name, value)
        if verb.undoing:
            undoable[number.pk] = {"was": was, "made": state_of(number, watched(columns))}
        if changes or verb.removes:
            alike.setdefault(tuple(changes.items()), []).append(number.pk)
        other = number.var_id if actor.account.is_customer else held or number.customer_id
        after = {} if verb.removes else facts(number, now)
        own = of_stock(before, after, held, number.customer_id)
        events.append(audit.event(actor, event, number, before, after | verb.told(), concerns=other))
        if own and own[0] != own[1] and not actor.account.is_customer:
            events.append(audit.event(actor, "number.options_changed", number, *own))
    with verb.reach(actor):
        for changes, ids in alike.items():
            verb.save(actor, verb.numbers(actor).with_ids(ids), dict(changes))
    audit.record_all(actor, events)
    verb.follow(actor, numbers)
    return undoable


def differs(number: PhoneNumber, name: str, new: Any) -> bool:
    """Whether a column of the number has another value. Rows are compared by their ids: an account that a scope does
    not see is joined as nothing."""
    column = PhoneNumber._meta.get_field(name).attname
    return getattr(number, column) != (new.pk if isinstance(new, Model) else new)


def facts(number: PhoneNumber, now: datetime) -> dict[str, Any]:
    """What the history says of a number at ``now``. A hold that is over is not told: whoever gets the number next may
    read this, and need not know for whom it was kept before."""

    def named(account: Account | None) -> str | None:
        return f"{account.name} ({account.code})" if account else None

    def at(when: datetime | None) -> str | None:
        return when.isoformat() if when else None

    return {
        "customer": named(number.customer),
        "destination": str(number.destination) if number.destination else None,
        "reserved_for": named(number.reserved_for) if is_reserved(number, now) else None,
        "reserved_until": at(number.reserved_until) if is_reserved(number, now) else None,
        "cooling_until": at(number.cooling_until) if is_cooling(number, now) else None,
        "provider": number.provider.name,
        "label": number.label,
        "caller_name": number.caller_name,
        "voice": number.voice,
        "sms": number.sms,
        "fax": number.fax,
    }


def of_stock(before: dict, after: dict, held: int | None, holder: int | None) -> tuple[dict, dict] | None:
    """Take a VAR's own label out of what history says of a number that goes from its stock to a customer, or back: the
    customer reads that. Returns the label before and after, for an event that the VAR alone reads."""
    if bool(held) == bool(holder):
        return None
    of_var = after if held else before
    if not of_var.get("label"):
        return None
    return {"label": before.pop("label", "")}, {"label": after.pop("label", "")}


def said_of(verb: Verb, number: PhoneNumber) -> str:
    """The sentence that ``verb`` is done to ``number``."""
    return verb.done().replace("{number}", international(number.e164))
