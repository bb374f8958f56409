"""Calls that came in, and the phone systems that tell of them."""

from __future__ import annotations

import hashlib

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account, FoldedField, Person
from numbers.models.phone_numbers import HeldQuerySet


class TelephoneSystem(models.Model):
    """What tells the portal of incoming calls, for the numbers of its account: a switch, a PBX, a proxy.

    It signs in with a token that is shown once; here is what it is known by.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=80)
    name_folded = FoldedField()
    token_hash = models.CharField(max_length=64, unique=True)
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField(_("added"), db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    # Written by the database's own function, with the calls.
    heard_at = models.DateTimeField(_("last heard"), null=True)
    calls = models.BigIntegerField(_("calls"), default=0)
    unknown = models.BigIntegerField(_("calls to other numbers"), default=0)

    unscoped = models.Manager()

    class Meta:
        verbose_name = _("phone system")
        constraints = [
            models.UniqueConstraint(
                "account", Lower("name"), condition=Q(revoked_at=None), name="numbers_system_one_name"
            ),
        ]
        indexes = [models.Index("account", "name_folded", "id", name="numbers_system_by_name")]

    def __str__(self):
        return self.name

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.filter(account=actor.account)

    @classmethod
    def with_token(cls, token: str) -> TelephoneSystem | None:
        """The one whose token this is, unless it was revoked. Numbers of a suspended account go on ringing."""
        in_use = cls.unscoped.select_related("account").filter(revoked_at=None)
        return in_use.filter(token_hash=cls.hash_of(token)).first()

    @classmethod
    def called(cls, code: str, name: str) -> TelephoneSystem | None:
        """The one in use that an account has under this name."""
        in_use = cls.unscoped.select_related("account").filter(revoked_at=None)
        return in_use.filter(account__code=code, name__iexact=name).first()

    @staticmethod
    def hash_of(token: str) -> str:
        """What is kept of a token. It is random and long: one round of SHA-256 does (NIST SP 800-63B, 3.1.2.2)."""
        return hashlib.sha256(token.encode()).hexdigest()


class CallEvent(models.Model):
    """One incoming call. Its id is a hash of the phone system's and of the id that the call has there.

    Of a call to a number that the account does not have, nothing else is kept. Written by a function of the database
    alone (migration 0024), which copies the holder of that time from the number: there are no foreign keys to check.

    The table has a partition for each day of ``at`` (UTC), and its key is (id, at).
    """

    id = models.UUIDField(primary_key=True)
    system_id = models.BigIntegerField()
    at = models.DateTimeField(_("time"))
    taken_at = models.DateTimeField(db_default=Now(), editable=False)
    number_id = models.BigIntegerField(null=True)
    var = models.ForeignKey(
        Account, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(
        Account, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )

    unscoped = HeldQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        indexes = [
            models.Index("number_id", "at", name="numbers_call_of_number", condition=Q(number_id__isnull=False)),
        ]

    def __str__(self):
        return str(self.id)

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)
