"""What an order does to numbers of the VAR's stock, on behalf of one of its customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions.verbs.base import Verb, given_to
from numbers.models import PhoneNumber
from numbers.rules import is_cooling, is_reserved


@dataclass
class FromStock(Verb):
    """Something that happens to numbers of the stock above ``customer``, whoever acts: the customer does not see that
    stock, so the numbers are read and written in the VAR's scope."""

    customer: Account
    permission = "numbers.order"

    def found_in(self, actor: Actor) -> Account:
        return self.customer.parent

    def written_in(self, actor: Actor) -> Account:
        return self.customer.parent

    def numbers(self, actor: Actor):
        return PhoneNumber.in_stock_of(self.customer.parent)

    def refusal(self, number, now):
        """Says that it is gone, never who has it."""
        if number.customer_id == self.customer.pk:
            return _("You have it already.")
        kept = is_reserved(number, now) and number.reserved_for_id != self.customer.pk
        cools = is_cooling(number, now) and number.last_holder_id != self.customer.pk
        return _("It is not available any more. Choose another.") if number.customer_id or kept or cools else ""


@dataclass
class Hold(FromStock):
    """Keep numbers for whoever has them in a basket. What the VAR keeps for the customer for longer stays so."""

    until: datetime
    slug = "hold"
    event = "number.held"

    def is_kept_anyway(self, number: PhoneNumber, now: datetime) -> bool:
        return is_reserved(number, now) and number.reserved_until >= self.until

    def changes(self, number, now):
        if self.is_kept_anyway(number, now):
            return {}
        return {"reserved_for": self.customer, "reserved_until": self.until}

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
        return "" if is_ours else _("It is not held any more.")

    def changes(self, number, now):
        return {"reserved_for": None, "reserved_until": None}

    def done(self):
        return _("{number} is not in your basket any more.")


@dataclass
class Take(FromStock):
    """Give ordered numbers to the customer."""

    slug = "order"
    event = "number.ordered"

    def changes(self, number, now):
        return given_to(self.customer, now)

    def done(self):
        return _("{number} is yours.")
