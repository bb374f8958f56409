"""Phone numbers as they were, and as of any time."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Collate
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.models.phone_numbers import Destination, HeldQuerySet, Provider
from portal.listings import Fold


class PastNumber(models.Model):
    """How a number stood from ``since`` until just before ``until``: who held it, what it rang, what held it back.

    The database writes one whenever any of that changes, and when the number goes, whoever changes it; nobody can alter
    it. Things that may be gone since are kept by name.
    """

    number_id = models.BigIntegerField()
    e164 = models.CharField(_("number"), max_length=16, db_collation="C")
    digits = models.BigIntegerField()
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    var = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    # Pairs with the VAR by two-column foreign keys, see migration 0006.
    customer = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    destination_id = models.BigIntegerField(null=True)
    destination_name = models.CharField(max_length=120, blank=True)
    destination_kind = models.CharField(max_length=8, blank=True, db_collation="C")
    service_type = models.CharField(max_length=20, blank=True, db_collation="C")
    reserved_for = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    reserved_until = models.DateTimeField(null=True)
    cooling_until = models.DateTimeField(null=True)
    first_call_at = models.DateTimeField(null=True)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"))

    unscoped = HeldQuerySet.as_manager()

    class Meta:
        verbose_name = _("past of a number")
        constraints = [
            models.UniqueConstraint("number_id", "since", name="numbers_past_one_at_a_time"),
            models.CheckConstraint(name="numbers_past_in_order", condition=Q(until__gt=F("since"))),
        ]
        indexes = [
            models.Index("digits", "since", name="numbers_past_by_number"),
            models.Index("var", "digits", "since", name="numbers_past_in_var"),
            models.Index("customer", "digits", "since", name="numbers_past_cust", condition=Q(customer__isnull=False)),
        ]

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)


class NumberAsOfQuerySet(HeldQuerySet):
    def standing(self, at: datetime):
        """As they stood at a time: what each rang then, as ``rings``, ``kind`` and ``service``; with names as they are
        searched and sorted, and 1 in ``unrung``, ``unheld``, ``unreserved`` and ``pending`` where that is so, else 0.

        A destination is called what it was when something changed for the number last; all else what it is called now.
        """
        blank = Value("")

        def sorted_text(*parts) -> Collate:
            return Collate(Coalesce(*parts, blank, output_field=models.TextField()), "C")

        def unless(condition: Q) -> Case:
            return Case(When(condition, then=0), default=1, output_field=models.SmallIntegerField())

        return self.filter(Q(until=None) | Q(until__gt=at), since__lte=at).annotate(
            rings=Coalesce("destination_name", "destination__name", blank),
            rings_folded=sorted_text(Fold("destination_name"), "destination__name_folded"),
            kind=Coalesce("destination_kind", "destination__kind", blank),
            service=Coalesce("service_type", "destination__service_type", blank),
            company_folded=sorted_text("customer__name_folded"),
            reserved_folded=sorted_text(Case(When(reserved_until__gt=at, then="reserved_for__name_folded"))),
            unrung=unless(Q(destination_id__isnull=False)),
            unheld=unless(Q(customer_id__isnull=False)),
            unreserved=unless(Q(reserved_until__gt=at)),
            pending=unless(Q(first_call_at__lte=at)),
        )


class NumberAsOf(models.Model):
    """What ``PhoneNumber`` and ``PastNumber`` say together: how each number stood from ``since`` until just before
    ``until``, None where it still does. At any one time a number is here once at most.

    A view in the database, through which everybody sees what they see in the two tables.
    """

    number_id = models.BigIntegerField(primary_key=True)
    e164 = models.CharField(_("number"), max_length=16, db_collation="C")
    digits = models.BigIntegerField()
    provider = models.ForeignKey(Provider, models.DO_NOTHING, related_name="+")
    var = models.ForeignKey(Account, models.DO_NOTHING, related_name="+")
    customer = models.ForeignKey(Account, models.DO_NOTHING, null=True, related_name="+")
    # It may be gone since; then its name is below. Of a number that still stands so, only this is said.
    destination = models.ForeignKey(Destination, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    destination_name = models.CharField(max_length=120, null=True)  # noqa: DJ001
    destination_kind = models.CharField(max_length=8, null=True, db_collation="C")  # noqa: DJ001
    service_type = models.CharField(max_length=20, null=True, db_collation="C")  # noqa: DJ001
    reserved_for = models.ForeignKey(Account, models.DO_NOTHING, null=True, related_name="+")
    reserved_until = models.DateTimeField(null=True)
    cooling_until = models.DateTimeField(null=True)
    first_call_at = models.DateTimeField(null=True)
    since = models.DateTimeField(_("since"))
    until = models.DateTimeField(_("until"), null=True)

    unscoped = NumberAsOfQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "numbers_as_of"
        verbose_name = _("number as of a time")

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)
