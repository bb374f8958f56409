"""Where carriers lead the calls to numbers: what the portal asked for, and what the carrier says."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.models.jobs import OfAccountQuerySet
from numbers.models.orders import Order, OrderLine
from numbers.models.phone_numbers import PhoneNumber, Provider


class Routing(models.Model):
    """Whether calls to a number arrive, as its carrier said last. One row for each number that the portal has looked
    at; the row of a number that is not in the stock any more goes with the next check.
    """

    class State(models.TextChoices):
        WANTED = "wanted", _("Being checked")
        ROUTED = "routed", _("Calls arrive")
        FAILED = "failed", _("Calls do not arrive")

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    number_id = models.BigIntegerField(unique=True)
    e164 = models.CharField(_("number"), max_length=16, db_collation="C")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    # The key of the order that delivered it: a carrier lists the numbers of an order at once.
    key = models.UUIDField(null=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WANTED)
    # For operators: it names connections, and has the carrier's own words.
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    attempts = models.IntegerField(default=0)
    # When there is something to do again.
    next_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(_("checked"), null=True)

    unscoped = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("routing")
        indexes = [
            models.Index("next_at", name="numbers_routing_due", condition=Q(state="wanted")),
            models.Index("account", "state", name="numbers_routing_by_state"),
        ]

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        """Those of a VAR; a customer reads of its order lines what it needs to know."""
        return cls.unscoped.visible_to(actor)

    @classmethod
    def with_number(cls, number: PhoneNumber) -> Routing | None:
        """What is known of a number that the actor may see."""
        return cls.unscoped.filter(number_id=number.pk).first()

    @classmethod
    def in_stock_of(cls, var: Account):
        """Those of a VAR's numbers, for the worker, who is nobody."""
        return cls.unscoped.filter(account=var)

    @classmethod
    def due(cls, now):
        """Those with something to do, of all VARs: for the worker, in the system's scope."""
        return cls.unscoped.filter(state=cls.State.WANTED, next_at__lte=now)

    @classmethod
    def goes_on_for(cls, order: Order) -> bool:
        """Whether the worker is still connecting numbers of an order: in the scope of its VAR."""
        unrouted = OrderLine.in_order(order).filter(state=OrderLine.State.UNROUTED).values("number_id")
        return cls.unscoped.filter(account=order.var_id, state=cls.State.WANTED, number_id__in=unrouted).exists()
