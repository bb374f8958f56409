"""What happened in an account: who was inside, and what was changed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models.accounts import Account
from accounts.models.people import Person
from portal.database.planned import columns, instances, planned_once
from portal.listings import Fold

#: How long somebody's question to be let in stands, and what was agreed to it.
CONSENT = timedelta(hours=24)


class AccountRowQuerySet(models.QuerySet):
    """Rows that tell of one account."""

    def visible_to(self, actor: Actor):
        if actor.account.kind == Account.Kind.SYSTEM:
            return self.all()
        return self.filter(account=actor.account)


class AccessQuerySet(AccountRowQuerySet):
    def questions(self, now: datetime):
        """What was asked within the day and neither answered nor used nor withdrawn, or agreed to and not yet used."""
        return self.filter(started_at=None, ended_at=None, asked_at__gt=now - CONSENT)

    def asking(self, now: datetime):
        """The questions that wait for an answer."""
        return self.questions(now).filter(consented_at=None)

    def agreed(self, now: datetime):
        """The questions that were agreed to by somebody who may still say so."""
        return self.questions(now).filter(
            consented_at__isnull=False,
            consented_by__account=F("account"),
            consented_by__role=Person.Role.ADMINISTRATOR,
            consented_by__is_active=True,
        )

    def consented(self, now: datetime):
        """Those by which somebody works in an account with its consent."""
        return self.filter(started_at__isnull=False, ended_at=None, expires_at__gt=now, consented_at__isnull=False)

    def history(self, now: datetime):
        """What has begun, with when it ended or will end, the folded texts that lists search, and how much was changed.

        ``until`` is the time of the end, or of the nearest limit while there is none.
        """
        idle = F("seen_at") + timedelta(minutes=settings.ACCESS_IDLE_MINUTES)
        changes = AuditEvent.unscoped.filter(access=OuterRef("pk")).exclude(verb__startswith="access.")
        return self.filter(started_at__isnull=False).annotate(
            until=Coalesce("ended_at", Least("expires_at", idle)),
            who=Fold("person__name"),
            home=Fold("person__account__name"),
            reason_folded=Fold("reason"),
            changes=Coalesce(Subquery(changes.order_by().values("access").annotate(n=Count("*")).values("n")), 0),
        )


class Access(models.Model):
    """Somebody working in an account that is not their own, under their own name: from entering to leaving.

    It holds for one sign-in and is believed only together with what the person may do at present, see
    ``accounts.middleware``. Where the account asks for its consent, the row begins as a question: consent is to this
    person, in this sign-in, by this chain of accounts, with these rights or fewer, for this reason, within ``CONSENT``.
    """

    class End(models.TextChoices):
        LEFT = "left", _("Left")
        EXPIRED = "expired", _("Time was up")
        IDLE = "idle", _("Nothing done for a while")
        SIGNED_OUT = "signed_out", _("Signed out")
        CREDENTIALS = "credentials", _("Password or second factor changed")
        NOT_ALLOWED = "not_allowed", _("No longer allowed")
        REFUSED = "refused", _("Refused by the account")
        AGAIN = "again", _("Entered again")

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("person"), related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+")
    sign_in = models.CharField(max_length=32, editable=False)
    # Ids of the accounts from the person's own down to this one, as they were.
    chain = ArrayField(models.BigIntegerField())
    manages = models.BooleanField(_("may change"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    entered_from = models.CharField(max_length=2000, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True)
    consented_at = models.DateTimeField(_("agreed"), null=True)
    consented_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(_("entered"), null=True)
    seen_at = models.DateTimeField(_("last seen"), null=True)
    expires_at = models.DateTimeField(_("ends"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_why = models.CharField(_("why it ended"), max_length=12, choices=End, blank=True)

    unscoped = AccessQuerySet.as_manager()

    class Meta:
        verbose_name = _("access")
        constraints = [
            # Entering twice at once leaves one.
            models.UniqueConstraint(
                "person",
                "account",
                "sign_in",
                condition=Q(started_at__isnull=False, ended_at=None),
                name="accounts_access_one_live",
            ),
            models.CheckConstraint(
                name="accounts_access_started_expires",
                condition=Q(started_at=None, expires_at=None) | Q(started_at__isnull=False, expires_at__isnull=False),
            ),
            # What the two-column foreign key of events points at.
            models.UniqueConstraint("id", "account", name="accounts_access_id_account"),
        ]
        indexes = [
            models.Index("account", F("id").desc(), name="accounts_access_of_account"),
            models.Index("person", "sign_in", name="accounts_access_open", condition=Q(ended_at=None)),
        ]

    def __str__(self):
        return f"{self.person} in {self.account}"

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def of(cls, person: Person):
        """Everything that this person entered or asked to enter."""
        return cls.unscoped.filter(person=person)

    @classmethod
    def inside(cls, account: Account):
        """By what people work in the account who have not left it."""
        return cls.unscoped.filter(account=account, started_at__isnull=False, ended_at=None)

    @classmethod
    def live(cls, person: Person, account: Account, sign_in: str) -> Access | None:
        """What the person has entered in this sign-in and not left. Whether it still holds is asked besides."""
        with planned_once() as cursor:
            cursor.execute(
                f"SELECT {columns(x=cls)} FROM accounts_access x"  # noqa: S608
                " WHERE x.person_id = %s AND x.account_id = %s AND x.sign_in = %s"
                " AND x.started_at IS NOT NULL AND x.ended_at IS NULL",
                [person.pk, account.pk, sign_in],
            )
            row = cursor.fetchone()
        return instances(row, cls)[0] if row else None

    @property
    def idle_at(self) -> datetime:
        """When it ends unless something is done before."""
        return self.seen_at + timedelta(minutes=settings.ACCESS_IDLE_MINUTES)

    def over(self, now: datetime) -> str:
        """Why time has ended it, or nothing."""
        if now >= self.expires_at:
            return self.End.EXPIRED
        return self.End.IDLE if now >= self.idle_at else ""


class AuditEventQuerySet(AccountRowQuerySet):
    def told_to(self, actor: Actor):
        """What was done in the acting account, and what others did that concerns it."""
        if actor.account.kind == Account.Kind.SYSTEM:
            return self.all()
        return self.filter(Q(account=actor.account) | Q(concerns=actor.account))

    def history(self):
        """With the folded texts that lists search and sort by."""
        home = Coalesce("person__account__name", Value(""))
        who = Fold(Coalesce("person__name", Value("")))
        return self.annotate(who=who, of=Fold("target"), home=home, home_folded=Fold(home))


class AuditEvent(models.Model):
    """One change, written in its transaction: who, for which account, through which accounts, what, before and after.

    Nobody can alter it: the database refuses (migration ``accounts.0002``).
    """

    at = models.DateTimeField(_("time"), default=timezone.now)
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+")
    # The other account that it happened to, which may read it as well: the customer who was given a number, say, or
    # the VAR whose number a customer gave back.
    concerns = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("concerns"), null=True, related_name="+", db_index=False
    )
    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("person"), null=True, related_name="+")
    # Ids of the accounts from the person's own to the one that was acted in.
    chain = ArrayField(models.BigIntegerField())
    access = models.ForeignKey(Access, models.PROTECT, null=True, related_name="+")
    verb = models.CharField(_("what"), max_length=40)
    target_type = models.CharField(max_length=20)
    target_id = models.BigIntegerField(null=True)
    # How the target was called then.
    target = models.CharField(_("of"), max_length=130)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    request_id = models.CharField(max_length=32, blank=True)

    unscoped = AuditEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        indexes = [
            models.Index("account", F("at").desc(), F("id").desc(), name="accounts_auditevent_account"),
            models.Index(
                "concerns",
                F("at").desc(),
                F("id").desc(),
                name="accounts_auditevent_concerns",
                condition=Q(concerns__isnull=False),
            ),
            models.Index("target_type", "target_id", F("id").desc(), name="accounts_auditevent_target"),
            models.Index("access", name="accounts_auditevent_access", condition=Q(access__isnull=False)),
        ]

    def __str__(self):
        return f"{self.verb} {self.target}"

    @classmethod
    def told_to(cls, actor: Actor):
        return cls.unscoped.told_to(actor)

    @classmethod
    def last_at(cls, account: Account, verb: str) -> datetime | None:
        """When this was last done to an account."""
        done = cls.unscoped.filter(target_type="account", target_id=account.pk, verb=verb)
        return done.order_by("-pk").values_list("at", flat=True).first()

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)
