"""Where people can be rung, and the calls that they made from the portal or got there."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account, Person
from numbers.models import Destination


class OwnQuerySet(models.QuerySet):
    """Rows that are one person's. Nobody else reads them, whatever they may do in the account."""

    def visible_to(self, actor: Actor):
        return self.filter(account=actor.person.account_id, person=actor.person.pk)


class LocationQuerySet(OwnQuerySet):
    def verified(self):
        """Those that may be rung: shown to be the person's, and an extension still that of the same user."""
        still = Q(destination=None) | Q(destination__extension=F("number"))
        return self.exclude(verified_at=None).filter(still)


class Location(models.Model):
    """A telephone of somebody's: an extension of the office, or a private one. It is rung once a call with a code has
    shown that it is theirs: otherwise anybody could have anybody's telephone rung."""

    class Kind(models.TextChoices):
        EXTENSION = "extension", _("Extension")
        MOBILE = "mobile", _("Mobile")
        HOME = "home", _("Home")
        OTHER = "other", _("Other number")

    # The pair (person, account) is held together by a two-column foreign key, so is an extension with its account; see
    # migration 0001.
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    # In E.164 form, or an extension's digits.
    number = models.CharField(_("number"), max_length=16, db_collation="C")
    destination = models.ForeignKey(
        Destination, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    verified_at = models.DateTimeField(_("verified"), null=True)
    # What is to be typed on the telephone that rings, until when, and the call that rings it.
    code = models.CharField(max_length=4, blank=True)
    code_until = models.DateTimeField(null=True)
    code_call = models.CharField(max_length=60, blank=True)

    unscoped = LocationQuerySet.as_manager()

    class Meta:
        verbose_name = _("telephone")
        constraints = [
            models.UniqueConstraint("person", "number", name="webphone_location_once"),
            models.CheckConstraint(
                name="webphone_location_form",
                condition=Q(kind="extension", destination__isnull=False, number__regex=r"^[0-9]{1,10}$")
                | (~Q(kind="extension") & Q(destination=None, number__regex=r"^\+[1-9][0-9]{3,14}$")),
            ),
        ]
        indexes = [models.Index("destination", name="webphone_location_of_ext", condition=~Q(destination=None))]

    def __str__(self):
        # As histories name it, which others read: a private number is nobody else's business.
        return f"{self.get_kind_display()} …{self.number[-4:]}"

    @classmethod
    def visible_to(cls, actor: Actor):
        """The person's telephones, extensions first."""
        return cls.unscoped.visible_to(actor).order_by("kind", "number")

    @classmethod
    def any_at_all(cls) -> bool:
        """Whether anybody has one; in the system's scope."""
        return cls.unscoped.exists()

    @classmethod
    def verified_at_extension(cls, destination: Destination):
        """Whose this extension was shown to be, of a customer's; for calls that come in, which are nobody's yet."""
        found = cls.unscoped.filter(account=destination.customer_id, destination=destination).verified()
        return found.select_related("person").filter(person__is_active=True)

    @classmethod
    def rung_by(cls, call: Call) -> Location | None:
        """The one that a call with a code rings."""
        return cls.unscoped.filter(account=call.account_id, person=call.person_id, code_call=call.ref).first()

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None

    @staticmethod
    def new_code() -> str:
        return f"{secrets.randbelow(10_000):04}"


class Call(models.Model):
    """One call that somebody made with the WebPhone, or got there. How it went is told by the telephony, not by pages.

    It is its own record: placing it writes no event into the account's history, where others would read whom people
    call.
    """

    class Mode(models.TextChoices):
        COMPUTER = "computer", _("This computer")
        CALL_BACK = "call_back", _("Call-back")
        CODE = "code", _("Call with a code")
        INCOMING = "incoming", _("Incoming")

    class State(models.TextChoices):
        PLACED = "placed", _("Calling")
        RINGING_YOU = "ringing_you", _("Ringing your telephone")
        ANSWERED_YOU = "answered_you", _("You answered")
        RINGING = "ringing", _("Ringing")
        TALKING = "talking", _("Talking")
        ENDED = "ended", _("Ended")

    class Outcome(models.TextChoices):
        NONE = "", ""
        ANSWERED = "answered", _("Answered")
        BUSY = "busy", _("Busy")
        NO_ANSWER = "no_answer", _("No answer")
        CANCELLED = "cancelled", _("Cancelled")
        NOT_YOU = "not_you", _("Your telephone did not answer")
        YOUR_BUSY = "your_busy", _("Your telephone was busy")
        UNREACHABLE = "unreachable", _("Not reachable")
        FAILED = "failed", _("Failed")
        UNKNOWN = "unknown", _("Unknown")

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    # What the telephony calls it by.
    ref = models.CharField(max_length=60, editable=False)
    mode = models.CharField(_("with"), max_length=9, choices=Mode)
    # Who was called, or who called: in E.164 form, an extension, or empty where it was withheld.
    number = models.CharField(_("number"), max_length=16, db_collation="C", blank=True)
    digits = models.BigIntegerField(default=0)
    # The telephone of the person's that was rung, and the number that the other side saw.
    own_number = models.CharField(_("your telephone"), max_length=16, blank=True)
    caller_id = models.CharField(_("caller id"), max_length=16, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PLACED)
    outcome = models.CharField(_("outcome"), max_length=11, choices=Outcome, blank=True)
    placed_at = models.DateTimeField(_("time"), default=timezone.now)
    heard_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    seconds = models.IntegerField(_("seconds"), default=0)
    # For the budgets: how many of its legs leave to a trunk, what a minute of them together costs, how long the call
    # may last, when the first of its legs was answered, and how long that took.
    trunk_legs = models.SmallIntegerField(default=0, db_default=0)
    rate = models.DecimalField(max_digits=9, decimal_places=4, default=0, db_default=0)
    most_seconds = models.IntegerField(default=0, db_default=0)
    billed_from = models.DateTimeField(null=True)
    billed_seconds = models.IntegerField(default=0, db_default=0)
    # For support: the SIP status with which it ended.
    code = models.SmallIntegerField(_("SIP status"), default=0, db_default=0)

    unscoped = OwnQuerySet.as_manager()

    #: A sentence for the person about the budget, when the call is placed.
    notice = ""

    class Meta:
        verbose_name = _("call")
        constraints = [
            # Whoever an incoming call rings has it under the same name.
            models.UniqueConstraint("ref", "person", name="webphone_call_ref"),
            models.CheckConstraint(
                name="webphone_call_ended",
                condition=Q(state="ended", ended_at__isnull=False, outcome__gt="")
                | (~Q(state="ended") & Q(ended_at=None, outcome="")),
            ),
        ]
        indexes = [
            models.Index("person", "placed_at", "id", name="webphone_call_of_person"),
            models.Index("account", "placed_at", name="webphone_call_of_account"),
            models.Index("heard_at", name="webphone_call_open", condition=~Q(state="ended")),
        ]

    def __str__(self):
        return self.number

    @classmethod
    def visible_to(cls, actor: Actor):
        """The person's own calls."""
        return cls.unscoped.visible_to(actor)

    @classmethod
    def in_account(cls, account: Account):
        """The calls of all its people: for limits, and for the telephony, which is nobody."""
        return cls.unscoped.filter(account=account)

    @classmethod
    def called(cls, ref: str):
        """What the telephony calls so; in the scope of the account that the name begins with."""
        return cls.unscoped.select_related("account", "person__account").filter(ref=ref)

    @classmethod
    def open_since(cls, moment):
        """Calls of all accounts that have not ended and were last heard of before ``moment``; in the system's scope."""
        return cls.unscoped.filter(heard_at__lt=moment).exclude(state=cls.State.ENDED)

    @staticmethod
    def new_ref(account: Account) -> str:
        return f"{account.code}-{secrets.token_hex(16)}"

    @property
    def is_over(self) -> bool:
        return self.state == self.State.ENDED
