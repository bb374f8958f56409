"""What a VAR does to its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions import releases, routing
from numbers.actions.verbs.base import (
    SetOptions,
    Verb,
    given_to,
    told_of_label,
    told_of_tearing_down,
    told_of_tearing_many_down,
    torn_down,
)
from numbers.models import Destination, Provider
from numbers.rules import is_cooling, is_reserved, kept_for_somebody, still_cooling, with_somebody


@dataclass
class OfCustomer(Verb):
    """A verb that gives numbers to one of the VAR's customers, or keeps them for it."""

    customer_id: int
    _customer: Account = field(init=False, repr=False, default=None)

    def typed(self, actor):
        found = Account.below(actor).filter(pk=self.customer_id).first()
        return super().typed(actor) | {"customer": found.written if found else ""}

    def prepare(self, actor: Actor) -> None:
        # Whoever closes or suspends the account waits for us, or we for them.
        found = Account.below(actor).select_for_update(no_key=True).filter(pk=self.customer_id).first()
        if found is None:
            raise ValidationError({"customer": _("There is no such customer here.")})
        if not found.is_open:
            said = {"customer": found.name, "status": found.get_status_display().lower()}
            raise ValidationError(
                {
                    "customer": _("%(customer)s is %(status)s and cannot get numbers. Put it back into service first.")
                    % said
                }
            )
        self._customer = found


@dataclass
class Reserve(OfCustomer):
    """Keep numbers for a customer until a time, or change until when."""

    until: datetime
    slug = "reserve"
    label = gettext_lazy("Reserve")
    permission = "numbers.reserve"
    event = "number.reserved"
    undoing = gettext_lazy("The reservations end, or are again what they were before the job.")

    def typed(self, actor):
        return super().typed(actor) | {"until": timezone.localtime(self.until).replace(tzinfo=None)}

    def prepare(self, actor: Actor) -> None:
        super().prepare(actor)
        if self.until <= timezone.now():
            raise ValidationError({"until": _("A reservation ends in the future: choose a later time.")})

    @classmethod
    def suits(cls, number, now):
        return not number.customer_id and not is_cooling(number, now)

    def refusal(self, number, now):
        return (
            with_somebody(number)
            or still_cooling(number, now, _("Wait, or end the cooling first."))
            or kept_for_somebody(number, now, besides=self.customer_id)
        )

    def changes(self, number, now):
        return {"reserved_for": self._customer, "reserved_until": self.until}

    def event_for(self, number, now):
        return "number.reservation_changed" if is_reserved(number, now) else self.event

    def done(self):
        return _("{number} is reserved for %(customer)s.") % {"customer": self._customer.name}


@dataclass
class CancelReservation(Verb):
    """Let reserved numbers go before their time."""

    slug = "cancel-reservation"
    label = gettext_lazy("Cancel reservation")
    permission = "numbers.reserve"
    event = "number.reservation_cancelled"
    undoing = gettext_lazy("The numbers are reserved again, for the same customers until the same times.")

    @classmethod
    def suits(cls, number, now):
        return is_reserved(number, now)

    def refusal(self, number, now):
        return "" if is_reserved(number, now) else _("It is not reserved.")

    def changes(self, number, now):
        return {"reserved_for": None, "reserved_until": None}

    def done(self):
        return _("{number} is not reserved any more.")


@dataclass
class AssignToCustomer(OfCustomer):
    """Give available numbers, or those reserved for it, to a customer.

    A cooling number goes back to its last holder, and to nobody else unless there is a ``reason``.
    """

    despite_cooling: bool = False
    reason: str = ""
    _line: Destination | None = field(init=False, repr=False, default=None)
    slug = "assign"
    label = gettext_lazy("Assign")
    permission = "numbers.assign"
    event = "number.assigned"
    undoing = gettext_lazy(
        "The numbers go back to your stock, available, reserved or cooling as they were before the job."
    )

    def prepare(self, actor: Actor) -> None:
        super().prepare(actor)
        if self.despite_cooling and not self.reason.strip():
            raise ValidationError({"reason": _("Enter why a cooling number is assigned to somebody else now.")})
        if self._customer.kind == Account.Kind.PROFESSIONAL:
            self._line = Destination.own_line(self._customer)

    def receivers(self, actor):
        return {self.customer_id}

    @classmethod
    def suits(cls, number, now):
        return not number.customer_id

    @classmethod
    def consequences(cls, number, now):
        return told_of_label(number)

    @classmethod
    def consequences_of_many(cls):
        return [_("Labels of these numbers are removed: customers do not see what you wrote for yourself.")]

    def refusal(self, number, now):
        if number.customer_id == self.customer_id:
            return _("It is already assigned to %(customer)s.") % {"customer": self._customer.name}
        if number.last_holder_id == self.customer_id or self.despite_cooling:
            cooling = ""
        else:
            cooling = still_cooling(number, now, _("Wait, end the cooling, or give a reason to assign it now."))
        return with_somebody(number) or kept_for_somebody(number, now, besides=self.customer_id) or cooling

    def changes(self, number, now):
        return given_to(self._customer, now) | ({"destination": self._line} if self._line else {})

    def event_for(self, number, now):
        recalled = is_cooling(number, now) and number.last_holder_id == self.customer_id
        return "number.recalled" if recalled else self.event

    def told(self):
        return {"reason": self.reason} if self.despite_cooling else {}

    def done(self):
        return _("{number} is assigned to %(customer)s.") % {"customer": self._customer.name}


@dataclass
class UnassignFromCustomer(Verb):
    """Take numbers from customers, back to the VAR's stock, where they cool."""

    slug = "unassign"
    label = gettext_lazy("Unassign")
    permission = "numbers.assign"
    event = "number.unassigned"
    undoing = gettext_lazy(
        "The numbers go back to the customers that had them, with what they rang, their labels and options."
    )
    is_final = True

    @classmethod
    def consequences_of_many(cls):
        return told_of_tearing_many_down()

    @classmethod
    def suits(cls, number, now):
        return bool(number.customer_id)

    @classmethod
    def consequences(cls, number, now):
        return told_of_tearing_down(number, now)

    def refusal(self, number, now):
        return "" if number.customer_id else _("It is not assigned to a customer.")

    def changes(self, number, now):
        return torn_down(number, now)

    def done(self):
        return _("{number} is back in the stock.")


@dataclass
class EndCooling(Verb):
    """Let cooling numbers go to anybody at once."""

    slug = "end-cooling"
    label = gettext_lazy("End cooling")
    permission = "numbers.reserve"
    event = "number.cooling_ended"
    undoing = gettext_lazy("The numbers cool again, until the times that were set before the job.")

    @classmethod
    def consequences_of_many(cls):
        return [_("They can be assigned to anybody at once. Calls for their previous holders will reach the new ones.")]

    @classmethod
    def suits(cls, number, now):
        return is_cooling(number, now)

    @classmethod
    def consequences(cls, number, now):
        return [_("It can be assigned to anybody at once. Calls for its previous holder will reach the new one.")]

    def refusal(self, number, now):
        return "" if is_cooling(number, now) else _("It is not cooling.")

    def changes(self, number, now):
        return {"cooling_until": None, "last_holder": None}

    def done(self):
        return _("{number} can now be assigned to anybody.")


@dataclass
class Route(Verb):
    """Have carriers asked where they lead the calls to numbers, and told where these are to lead."""

    slug = "route"
    label = gettext_lazy("Route it")
    permission = "numbers.route"
    event = "number.routing_asked"
    notes = True

    @classmethod
    def suits(cls, number, now):
        return not cls().refusal(number, now)

    @classmethod
    def consequences(cls, number, now):
        said = {"provider": number.provider.name}
        return [
            _("The portal asks %(provider)s where it routes calls to this number, and has them routed here.") % said
        ]

    def refusal(self, number, now):
        if releases.told_of(number.var, [number]):
            return ""
        said = {"provider": number.provider.name}
        return _("The portal cannot ask %(provider)s about this number: route it there.") % said

    def follow(self, actor, numbers):
        routing.want(actor.account, numbers)

    def done(self):
        return _("The carrier of {number} is being asked. This page shows its answer.")


@dataclass
class CorrectProvider(Verb):
    """Write down another provider, whose own statement says that it has the numbers. Nobody chooses one by hand."""

    provider_id: int
    _provider: Provider = field(init=False, repr=False, default=None)
    slug = "correct-provider"
    label = gettext_lazy("Correct provider")
    permission = "numbers.reconcile"
    event = "number.provider_corrected"

    def prepare(self, actor: Actor) -> None:
        self._provider = Provider.objects.get(pk=self.provider_id)

    def refusal(self, number, now):
        return ""

    def changes(self, number, now):
        offered = {feature: getattr(self._provider, f"supports_{feature}") for feature in SetOptions.FEATURES}
        lost = {feature: False for feature, is_offered in offered.items() if not is_offered}
        return {"provider": self._provider} | lost

    def done(self):
        return _("The provider of {number} is now %(provider)s.") % {"provider": self._provider.name}


@dataclass
class GiveUp(Verb):
    """Release a VAR's numbers to their provider: the portal has them no longer, and the carrier is told if it can be.

    Not where it is ``said_by_carrier``: its own statement does not have them.
    """

    confirmed: bool = False
    said_by_carrier: bool = False
    slug = "release"
    label = gettext_lazy("Release")
    permission = "numbers.release"
    event = "number.released"
    removes = True
    is_final = True

    @classmethod
    def consequences_of_many(cls):
        return [
            _("These numbers are removed from the portal; their history is kept."),
            _(
                "The portal notifies the carriers that it can, and lists those numbers under Released numbers. You "
                "must notify the other carriers yourself."
            ),
            _("You may not get a number back."),
        ]

    @classmethod
    def consequences(cls, number, now):
        said = {"provider": number.provider.name}
        if releases.told_of(number.var, [number]):
            carrier = _("The portal releases it at %(provider)s. You may not get it back.") % said
        else:
            carrier = (
                _("Notify %(provider)s yourself: the portal cannot. The number is listed under Released numbers.")
                % said
            )
        return [_("It is removed from the portal; its history is kept."), carrier]

    def refusal(self, number, now):
        if number.customer_id and not self.confirmed:
            said = {"customer": number.customer.name}
            return _("It is with %(customer)s. Confirm that it may be released although it is in use.") % said
        return kept_for_somebody(number, now)

    def follow(self, actor, numbers):
        routing.forget(actor.account, numbers)
        releases.hand_over(actor, numbers, said_by_carrier=self.said_by_carrier)

    def done(self):
        return _("{number} is released to its provider.")


@dataclass
class Delete(Verb):
    """Remove numbers that should not be here. Only available ones; their history stays."""

    slug = "delete"
    label = gettext_lazy("Delete")
    permission = "numbers.delete"
    event = "number.deleted"
    removes = True
    is_final = True

    @classmethod
    def consequences_of_many(cls):
        return [
            _("This is for numbers that should not be here. They are removed from the portal; their history is kept.")
        ]

    @classmethod
    def suits(cls, number, now):
        return not cls().refusal(number, now)

    @classmethod
    def consequences(cls, number, now):
        return [_("For a number that should not be here. It is removed from the portal; its history is kept.")]

    def refusal(self, number, now):
        return (
            with_somebody(number)
            or kept_for_somebody(number, now)
            or still_cooling(number, now, _("Wait, or end the cooling first."))
        )

    def follow(self, actor, numbers):
        routing.forget(actor.account, numbers)

    def done(self):
        return _("{number} is deleted.")
