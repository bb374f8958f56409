"""Numbers that a VAR has given up, and whether their carriers have let them go."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.models.acted import Acted
from numbers.models.jobs import OfAccountQuerySet
from numbers.models.phone_numbers import Provider


class ReleaseQuerySet(OfAccountQuerySet):
    def failed(self):
        return self.filter(state=Release.State.FAILED)


class Release(Acted):
    """A number that is not here any more, and that its carrier is to let go, told by the portal or by a person: written
    in the transaction that removes the number. Whoever is killed at whatever time, the next one tells the carrier
    again, which changes nothing there.
    """

    class State(models.TextChoices):
        READY = "ready", _("Carrier to be notified")
        MANUAL = "manual", _("Notify the carrier")  # the portal does not: a person has to
        DONE = "done", _("Released")
        FAILED = "failed", _("Failed")
        KEPT = "kept", _("Kept")  # it was on the system again before the carrier was told

    #: What a person may settle, because the portal cannot.
    BY_HAND = (State.MANUAL, State.FAILED)

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    number_id = models.BigIntegerField()
    e164 = models.CharField(_("number"), max_length=16, db_collation="C")
    digits = models.BigIntegerField()
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    # What the carrier calls this number for as long as it holds it: a number that it gets once more is another one.
    reference = models.CharField(max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.READY)
    attempts = models.IntegerField(default=0)
    # When there is something to do again.
    next_at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    begun_at = models.DateTimeField(_("released"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True)

    unscoped = ReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("release")
        constraints = [
            # A number that is here again and given up again is another one; each is told of once.
            models.UniqueConstraint("number_id", name="numbers_release_once"),
        ]
        indexes = [
            models.Index("account", "begun_at", "id", name="numbers_release_of_account"),
            models.Index("account", "state", name="numbers_release_by_state"),
            models.Index("next_at", name="numbers_release_due", condition=Q(state="ready")),
        ]

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def open_in(cls, var: Account):
        """Those of a VAR whose carriers are to be told, for the worker, who is nobody."""
        return cls.unscoped.filter(account=var, state=cls.State.READY)

    @classmethod
    def due(cls, now):
        """Those with something to do, of all VARs: for the worker, in the system's scope."""
        return cls.unscoped.filter(next_at__lte=now, state=cls.State.READY)
