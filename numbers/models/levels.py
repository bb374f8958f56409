"""Stock levels: the minimum stock of a country or area."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.models.jobs import OfAccountQuerySet
from numbers.models.phone_numbers import PhoneNumber
from portal.plans import country_code, ranges_beginning_with


class StockLevel(models.Model):
    """A VAR is notified when fewer than ``least`` numbers that begin with ``prefix`` are available.

    It is notified once, and again only after the stock has recovered.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    prefix = models.CharField(_("numbers that begin with"), max_length=12, db_collation="C")
    least = models.IntegerField(_("minimum"))
    notified_at = models.DateTimeField(null=True)

    unscoped = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("stock level")
        constraints = [
            models.UniqueConstraint("account", "prefix", name="numbers_stocklevel_once"),
            models.CheckConstraint(
                name="numbers_stocklevel_sound",
                condition=models.Q(prefix__regex=r"^\+[1-9][0-9]{0,10}$", least__gte=1),
            ),
        ]

    def __str__(self):
        return self.written

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def of(cls, account: Account):
        """Those of an account, for the worker, who is nobody."""
        return cls.unscoped.filter(account=account)

    @classmethod
    def codes(cls) -> list[str]:
        """The accounts that have some, for the worker, in the system's scope."""
        return sorted(set(cls.unscoped.values_list("account__code", flat=True)))

    @property
    def written(self) -> str:
        """``+1 514``."""
        code = f"+{country_code(self.prefix)}"
        return f"{code} {self.prefix.removeprefix(code)}".strip()

    def available(self, most: int) -> int:
        """How many such numbers of the stock anybody could have now, counted up to ``most``."""
        digits = self.prefix.removeprefix("+")
        ranges = models.Q()
        for limits in ranges_beginning_with(digits):
            ranges |= models.Q(digits__range=limits)
        now = timezone.now()
        free = (
            PhoneNumber.in_stock_of(self.account)
            .filter(ranges, customer=None)
            .exclude(reserved_until__gt=now)
            .exclude(cooling_until__gt=now)
        )
        return free.order_by()[:most].count()
