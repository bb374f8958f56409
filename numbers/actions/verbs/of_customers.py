"""What a company or a professional does to its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.scope import scope
from numbers.actions.verbs.base import (
    OPTIONS,
    Verb,
    told_of_tearing_down,
    told_of_tearing_many_down,
    torn_down,
)
from numbers.models import Destination


@dataclass
class AssignToDestination(Verb):
    """Let numbers of a company ring one of its users, groups or services."""

    destination_id: int
    slug = "assign"
    label = gettext_lazy("Assign")
    permission = "numbers.assign"
    event = "number.connected"
    undoing = gettext_lazy("The numbers ring what they rang before the job. Those that rang nothing ring nothing.")
    _destination: Destination = field(init=False, repr=False, default=None)

    def typed(self, actor):
        found = Destination.visible_to(actor).filter(pk=self.destination_id).first()
        return {"destination": found.written if found else ""}

    def prepare(self, actor: Actor) -> None:
        # Whoever deletes the destination waits for us, or we for them.
        found = Destination.visible_to(actor).select_for_update(no_key=True).filter(pk=self.destination_id).first()
        if found is None:
            raise ValidationError({"destination": _("There is no such user, group or service here.")})
        self._destination = found

    def refusal(self, number, now):
        if number.destination_id == self.destination_id:
            return _("It rings %(name)s already.") % {"name": self._destination.name}
        return ""

    def changes(self, number, now):
        return {"destination": self._destination}

    def done(self):
        return _("{number} rings %(name)s now.") % {"name": self._destination.name}


@dataclass
class UnassignFromDestination(Verb):
    """Take numbers of a company from what they ring, back to its own pool."""

    slug = "unassign"
    label = gettext_lazy("Unassign")
    permission = "numbers.assign"
    event = "number.disconnected"
    undoing = gettext_lazy("The numbers ring what they rang before the job.")

    @classmethod
    def consequences_of_many(cls):
        return [_("Calls to these numbers are not answered until they ring something else. Their options stay.")]

    @classmethod
    def suits(cls, number, now):
        return bool(number.destination_id)

    @classmethod
    def consequences(cls, number, now):
        return [_("Calls to it are not answered until it rings something else. Its options stay.")]

    def refusal(self, number, now):
        return "" if number.destination_id else _("It rings nothing.")

    def changes(self, number, now):
        return {"destination": None}

    def done(self):
        return _("{number} rings nothing now.")


@dataclass
class GiveBack(Verb):
    """Release a customer's numbers to the VAR's stock, where they cool."""

    confirmed: bool = False
    slug = "release"
    label = gettext_lazy("Release")
    permission = "numbers.release"
    event = "number.released"
    is_final = True

    @classmethod
    def consequences_of_many(cls):
        return [_("You no longer hold these numbers, and may not get them back."), *told_of_tearing_many_down()]

    @classmethod
    def consequences(cls, number, now):
        return [_("You hold it no longer, and may not get it back."), *told_of_tearing_down(number, now)]

    def refusal(self, number, now):
        if number.destination_id and not self.confirmed:
            said = {"name": number.destination.name}
            return _("It rings %(name)s. Confirm that it may be released although it is in use.") % said
        return ""

    def changes(self, number, now):
        return torn_down(number, now)

    def save(self, actor, rows, changes):
        # What stands on a number is the customer's to clear, as long as it is theirs; moving it is a buyer's.
        options = {name: changes.pop(name) for name in OPTIONS if name in changes}
        if options:
            rows.update(**options)
        with scope(actor.account, buys=True):
            rows.update(**changes)

    def done(self):
        return _("{number} is released.")
