"""Calls that came in, and the phone systems that tell of them."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.signing import Signer
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account, FoldedField, Person
from accounts.sealing import mark
from numbers.calls import Format, Reading
from numbers.models.phone_numbers import HeldQuerySet
from portal.phones import WithoutPlus


class TelephoneSystem(models.Model):
    """What tells the portal of incoming calls, for the numbers of its account: a switch, a PBX, a proxy.

    It signs in with a token that is shown once; here is what it is known by. One that can send no token has an address
    of its own, which is signed: it is valid as long as the token is.
    """

    class Bare(models.TextChoices):
        """What digits without + and without a prefix mean."""

        ASK = WithoutPlus.ASK, _("Read them if only one number can be meant")
        CODE = WithoutPlus.CODE, _("They begin with the country code")
        COUNTRY = WithoutPlus.COUNTRY, _("They are national numbers of the country")

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=80)
    name_folded = FoldedField()
    token_hash = models.CharField(max_length=64, unique=True)
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField(_("added"), db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    # How its reports are read. Empty: the format is recognized, numbers have a country code, times have a zone.
    format = models.CharField(_("format"), max_length=8, blank=True, choices=Format, db_default="", default="")
    country = models.CharField(_("country"), max_length=2, blank=True, db_default="", default="")
    without_plus = models.CharField(
        _("numbers without +"), max_length=7, blank=True, choices=Bare, db_default="", default=""
    )
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, db_default="", default="")
    contexts = models.CharField(_("contexts"), max_length=200, blank=True, db_default="", default="")
    id_column = models.CharField(_("column of the id"), max_length=80, db_default="id", default="id")
    number_column = models.CharField(_("column of the number"), max_length=80, db_default="number", default="number")
    time_column = models.CharField(_("column of the time"), max_length=80, db_default="time", default="time")
    # What the signatures of webhooks are checked with. Telnyx's key is public; Twilio's token is sealed.
    public_key = models.CharField(_("public key"), max_length=64, blank=True, db_default="", default="")
    auth_token = models.CharField(_("auth token"), max_length=300, blank=True, db_default="", default="")
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
    def with_key(cls, key: str) -> TelephoneSystem | None:
        """The one whose signed address has this key, unless its token was revoked."""
        pk, _hyphen, signature = key.partition("-")
        if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
            return None
        found = cls.unscoped.select_related("account").filter(revoked_at=None, pk=pk).first()
        if found is None or not found.has_signed(signature):
            return None
        return found

    def has_signed(self, signature: str) -> bool:
        """Whether a signature is the one of its address."""
        return any(hmac.compare_digest(signature.encode(), one.encode()) for one in self.signatures())

    @property
    def key(self) -> str:
        """The key in the address for a phone system that can send no token. It reports calls and does nothing else."""
        return f"{self.pk}-{self.signatures()[0]}"

    def signatures(self) -> list[str]:
        """What signs its address, with ``SECRET_KEY`` and with those before it. Nobody can make it from the table."""
        signer = Signer(salt="numbers.calls", algorithm="sha256")
        text = f"{self.pk}:{self.token_hash}"
        return [signer.signature(text, key) for key in (signer.key, *signer.fallback_keys)]

    @cached_property
    def reading(self) -> Reading:
        """How its reports are read."""
        return Reading(
            format=self.format,
            country=self.country,
            without_plus=self.without_plus,
            zone=self.zone,
            columns=(self.id_column, self.number_column, self.time_column),
            contexts=frozenset(self.contexts.split()),
            public_key=self.public_key,
            sealed_token=self.auth_token,
        )

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone of times that name none. One that the machine does not know any more is none."""
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else None
        except (ZoneInfoNotFoundError, ValueError):
            return None

    @classmethod
    def sealed_before(cls):
        """Those whose auth token is not sealed with the present key. For the worker, in the system's scope."""
        kept = cls.unscoped.exclude(auth_token="").exclude(auth_token__startswith=mark())
        return kept.filter(revoked_at=None).select_related("account")

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

    @classmethod
    def while_unassigned(cls, actor: Actor, number_id: int, most: int) -> tuple[int, datetime | None]:
        """How many calls a number has received while no customer had it, ``most`` at most, and when the last one
        came. As far as calls are kept, and read by the index of the number."""
        calls = cls.visible_to(actor).filter(number_id=number_id, customer=None).order_by("-at")
        times = list(calls.values_list("at", flat=True)[:most])
        return len(times), times[0] if times else None
