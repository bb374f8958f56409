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
from numbers.actions import releases
from numbers.actions.verbs.base import SetOptions, Verb, given_to, told_of_tearing_down, torn_down
from numbers.models import Provider
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
                {"customer": _("%(customer)s is %(status)s: it can be given no numbers. Put it back first.") % said}
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
    slug = "assign"
    label = gettext_lazy("Assign")
    permission = "numbers.assign"
    event = "number.assigned"

    def prepare(self, actor: Actor) -> None:
        super().prepare(actor)
        if self.despite_cooling and not self.reason.strip():
            raise ValidationError({"reason": _("Say why a cooling number should go to somebody else now.")})

    @classmethod
    def suits(cls, number, now):
        return not number.customer_id

    def refusal(self, number, now):
        if number.customer_id == self.customer_id:
            return _("It is with %(customer)s already.") % {"customer": self._customer.name}
        if number.last_holder_id == self.customer_id or self.despite_cooling:
            cooling = ""
        else:
            cooling = still_cooling(number, now, _("Wait, end the cooling, or give a reason to assign it now."))
        return with_somebody(number) or kept_for_somebody(number, now, besides=self.customer_id) or cooling

    def changes(self, number, now):
        return given_to(self._customer, now)

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

    @classmethod
    def suits(cls, number, now):
        return bool(number.customer_id)

    @classmethod
    def consequences(cls, number, now):
        return told_of_tearing_down(number, now)

    def refusal(self, number, now):
        return "" if number.customer_id else _("It is with no customer.")

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

    @classmethod
    def suits(cls, number, now):
        return is_cooling(number, now)

    @classmethod
    def consequences(cls, number, now):
        return [_("It can go to anybody at once. Calls for whoever had it before will reach them.")]

    def refusal(self, number, now):
        return "" if is_cooling(number, now) else _("It is not cooling.")

    def changes(self, number, now):
        return {"cooling_until": None, "last_holder": None}

    def done(self):
        return _("{number} can go to anybody now.")


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
        return _("{number} is with %(provider)s.") % {"provider": self._provider.name}


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

    @classmethod
    def consequences(cls, number, now):
        said = {"provider": number.provider.name}
        if releases.told_of(number.var, [number]):
            carrier = _("%(provider)s is told to let it go: nobody can promise that you get it back.") % said
        else:
            carrier = _("Tell %(provider)s that you give it up: the portal does not.") % said
        return [_("The portal has it no longer; its history stays."), carrier]

    def refusal(self, number, now):
        if number.customer_id and not self.confirmed:
            said = {"customer": number.customer.name}
            return _("It is with %(customer)s. Confirm that it may be released although it is in use.") % said
        return kept_for_somebody(number, now)

    def follow(self, actor, numbers):
        if not self.said_by_carrier:
            releases.hand_over(actor, numbers)

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

    @classmethod
    def suits(cls, number, now):
        return not cls().refusal(number, now)

    @classmethod
    def consequences(cls, number, now):
        return [_("For a number that should not be here. The portal has it no longer; its history stays.")]

    def refusal(self, number, now):
        return (
            with_somebody(number)
            or kept_for_somebody(number, now)
            or still_cooling(number, now, _("Wait, or end the cooling first."))
        )

    def done(self):
        return _("{number} is deleted.")
