"""Undo of jobs: numbers that have not changed since become what they were before the job."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account
from numbers.actions.verbs.base import OPTIONS, SetOptions, Verb
from numbers.actions.verbs.of_customers import AssignToDestination, UnassignFromDestination
from numbers.actions.verbs.of_vars import (
    AssignToCustomer,
    CancelReservation,
    EndCooling,
    Reserve,
    UnassignFromCustomer,
)
from numbers.models import Destination, JobItem, PhoneNumber

#: Whose a number is, and on which provider's network: a change of that is a change of everything.
TENURE = ("customer_id", "assigned_at", "provider_id")
#: What holds a number back: the database ties these columns together.
HOLD = (*TENURE, "reserved_for_id", "reserved_until", "last_holder_id", "cooling_until")
#: What a customer does with a number, and what its callers do.
IN_USE = ("destination_id", *OPTIONS, "first_call_at")
#: Columns that hold times.
TIMES = {"assigned_at", "reserved_until", "cooling_until", "first_call_at", "last_call_at"}


def kept(value: Any) -> Any:
    """A column's value as JSON stores it."""
    return value.isoformat() if isinstance(value, datetime) else value


def state_of(number: PhoneNumber, columns: Iterable[str]) -> dict[str, Any]:
    """The values of these columns of a number, as JSON stores them."""
    return {name: kept(getattr(number, name)) for name in columns}


def column_of(name: str) -> str:
    """The column in which a field is kept."""
    return PhoneNumber._meta.get_field(name).attname


def watched(changed: Collection[str]) -> set[str]:
    """The columns that have to be as a change of the columns ``changed`` has left them when that is undone."""
    more: tuple[str, ...] = TENURE
    if "customer_id" in changed:
        more = HOLD + IN_USE
    elif not set(HOLD).isdisjoint(changed):
        more = HOLD
    return {*changed, *more}


@dataclass
class Undo(Verb):
    """Make numbers what they were before the job with the id ``of``. Each verb that can be undone has a class of this
    kind, so that whoever may do the verb may undo it, and nobody else."""

    verb: ClassVar[type[Verb]]

    of: int
    button = gettext_lazy("Undo")
    event = "number.change_undone"
    _was: dict[int, dict[str, Any]] = field(init=False, repr=False, default_factory=dict)
    _made: dict[int, dict[str, Any]] = field(init=False, repr=False, default_factory=dict)
    _holders: dict[int, Account] = field(init=False, repr=False, default_factory=dict)
    _rings: dict[int, Destination] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def consequences_of_many(cls):
        return [
            str(cls.verb.undoing),
            _("Numbers that have changed since the job, or that a new holder already uses, are skipped."),
        ]

    def meet(self, actor, number_ids, *, locks):
        items = JobItem.visible_to(actor).filter(job=self.of, number_id__in=number_ids, was__isnull=False)
        rows = list(items.values_list("number_id", "was", "made"))
        self._was = {pk: was for pk, was, _made in rows}
        self._made = {pk: made for pk, _was, made in rows}
        holders, rings = Account.below(actor).order_by("pk"), Destination.visible_to(actor).order_by("pk")
        if locks:
            # Whoever closes the account or deletes the destination waits for us, or we for them. A VAR may not lock its
            # customers' destinations: see ``save``.
            holders = holders.select_for_update(no_key=True)
            rings = rings.select_for_update(no_key=True) if actor.account.is_customer else rings
        if ids := self.before("customer_id", "reserved_for_id", "last_holder_id"):
            self._holders = {account.pk: account for account in holders.filter(pk__in=ids)}
        if ids := self.before("destination_id"):
            self._rings = {one.pk: one for one in rings.filter(pk__in=ids)}

    def before(self, *columns: str) -> set[int]:
        """The ids that stood in these columns."""
        return {pk for was in self._was.values() for name in columns if (pk := was.get(name))}

    def receivers(self, actor):
        items = JobItem.visible_to(actor).filter(job=self.of, was__customer_id__isnull=False)
        return set(items.values_list("was__customer_id", flat=True).distinct()) - {None}

    def refusal(self, number, now):
        was, made = self._was.get(number.pk), self._made.get(number.pk)
        if was is None:
            return _("The job did not change it.")
        if state_of(number, made) != made:
            return _("Skipped: it has changed since the job.")
        for column in ("customer_id", "reserved_for_id"):
            holder = self._holders.get(was.get(column))
            if was.get(column) and (holder is None or not holder.is_open):
                return _("Its previous customer is no longer in service.")
        if was.get("destination_id") and was["destination_id"] not in self._rings:
            return _("Its previous destination no longer exists. Assign another one.")
        return ""

    def changes(self, number, now):
        changed = {}
        for column, value in self._was[number.pk].items():
            name = PhoneNumber._meta.get_field(column).name
            if column in TIMES and value:
                changed[name] = parse_datetime(value)
            elif name in ("customer", "reserved_for", "last_holder"):
                changed[name] = self._holders.get(value)
            elif name == "destination":
                changed[name] = self._rings.get(value)
            else:
                changed[name] = value
        return changed

    def save(self, actor, rows, changes):
        try:
            with transaction.atomic():
                rows.update(**changes)
        except IntegrityError as clash:
            if "numbers_number_destination" not in str(clash):
                raise
            raise ValidationError(_("A previous destination was deleted a moment ago. Try again.")) from clash

    def done(self):
        return _("{number} is as it was before the job.")


def undo_of(verb: type[Verb]) -> type[Undo]:
    """The verb that undoes what a job has done by ``verb``."""
    facts = {
        "__doc__": f"Undo {verb.__name__}.",
        "__module__": __name__,
        "verb": verb,
        "slug": f"undo-{verb.slug}",
        "label": format_lazy(gettext_lazy("Undo “{verb}”"), verb=verb.label),
        "permission": verb.permission,
    }
    return type(f"Undo{verb.__name__}", (Undo,), facts)


#: verb -> what undoes it
UNDOES: dict[type[Verb], type[Undo]] = {
    verb: undo_of(verb)
    for verb in (
        AssignToCustomer, UnassignFromCustomer, Reserve, CancelReservation, EndCooling, SetOptions, AssignToDestination,
        UnassignFromDestination,
    )
}  # fmt: skip
