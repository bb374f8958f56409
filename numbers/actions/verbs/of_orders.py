"""What an order does to numbers of the VAR's stock, on behalf of one of its customers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from accounts.scope import scope
from numbers.actions.verbs.base import Verb, given_to
from numbers.models import Destination, PhoneNumber
from numbers.rules import is_reserved


@dataclass
class FromStock(Verb):
    """Something that happens to numbers of the stock above ``customer``, whoever acts. Only those that the customer may
    take are found: of all others nothing is said, not even that they are there."""

    customer: Account
    permission = "numbers.order"

    def reach(self, actor: Actor):
        return scope(self.customer, buys=True)

    def numbers(self, actor: Actor):
        return PhoneNumber.reached_by(self.customer)

    def missing(self):
        return _("It is not available any more. Choose another.")

    def refusal(self, number, now):
        return _("You have it already.") if number.customer_id == self.customer.pk else ""

    def ended(self, number: PhoneNumber) -> dict[str, None]:
        """What becomes of another customer's cooling, which is over: the number tells of it no longer."""
        is_own = number.last_holder_id == self.customer.pk
        return {} if is_own else {"last_holder": None, "cooling_until": None}


@dataclass
class Hold(FromStock):
    """Hold numbers that are in a basket. What the VAR has reserved for the customer for longer stays reserved.

    ``chosen`` are those that were in the basket before, and are kept for longer; ``is_ordered`` says that the basket is
    ordered by this, and waits for approval.
    """

    until: datetime
    chosen: Collection[int] = ()
    is_ordered: bool = False
    slug = "hold"
    event = "number.held"

    def event_for(self, number, now):
        if self.is_ordered:
            return "number.order_requested"
        return "number.kept_in_basket" if number.pk in self.chosen else self.event

    def is_kept_anyway(self, number: PhoneNumber, now: datetime) -> bool:
        return is_reserved(number, now) and number.reserved_until >= self.until

    def changes(self, number, now):
        if self.is_kept_anyway(number, now):
            return {}
        return {"reserved_for": self.customer, "reserved_until": self.until} | self.ended(number)

    def done(self):
        return _("{number} is in your basket.")


@dataclass
class LetGo(FromStock):
    """Take back what ``Hold`` did: ``held`` says until when each number was held, by id. A reservation that has been
    changed since is the VAR's."""

    held: Mapping[int, datetime]
    slug = "let-go"
    event = "number.let_go"

    def refusal(self, number, now):
        is_ours = number.reserved_for_id == self.customer.pk and number.reserved_until == self.held.get(number.pk)
        return "" if is_ours else _("It is no longer kept for you.")

    def changes(self, number, now):
        return {"reserved_for": None, "reserved_until": None} | self.ended(number)

    def done(self):
        return _("{number} is not in your basket any more.")


@dataclass
class Take(FromStock):
    """Give ordered numbers to the customer."""

    #: Who ordered them, where somebody else lets them be delivered.
    ordered_by: str = ""
    slug = "order"
    event = "number.ordered"

    def event_for(self, number, now):
        return "number.order_approved" if self.ordered_by else self.event

    def told(self):
        return {"ordered_by": self.ordered_by} if self.ordered_by else {}

    def changes(self, number, now):
        # A buyer may not change what stands on a number: see ``follow``.
        return {name: value for name, value in given_to(self.customer, now).items() if name != "label"}

    def follow(self, actor, numbers):
        if labelled := [number for number in numbers if number.label]:
            PhoneNumber.visible_to(actor).filter(pk__in=[number.pk for number in labelled]).update(label="")
            # The VAR alone reads what it had written.
            var = self.customer.parent
            of_var = Actor(person=None, account=var, chain=(var,))
            audit.record_all(of_var, [
                audit.event(of_var, "number.options_changed", number, {"label": number.label}, {"label": ""})
                for number in labelled
            ])  # fmt: skip
        # A buyer moves numbers; what they ring is set in the scope of who acts.
        if numbers and self.customer.kind == Account.Kind.PROFESSIONAL:
            line = Destination.own_line(self.customer)
            theirs = PhoneNumber.visible_to(actor).filter(pk__in=[number.pk for number in numbers], destination=None)
            theirs.update(destination=line)
            other = self.customer.parent_id if actor.account.is_customer else self.customer.pk
            told = {"destination": str(line)}
            events = [audit.event(actor, "number.connected", one, after=told, concerns=other) for one in numbers]
            audit.record_all(actor, events)

    def done(self):
        return _("{number} is yours.")
