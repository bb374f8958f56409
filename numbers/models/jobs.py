"""Something that is done to many numbers: what was chosen, frozen, and what became of each."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.models.acted import Acted
from numbers.models.phone_numbers import Provider


class OfAccountQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor):
        """Those of the acting account, and of no other."""
        return self.filter(account=actor.account)


class Work(Acted):
    """Something large that somebody began in an account, and that goes on when they have left.

    It is done in batches, each of which is one transaction that holds this row: whatever is killed at whatever time, a
    thing is done once or not at all, and whoever goes on finds what is left.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Not confirmed")
        CHECKING = "checking", _("Being checked")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")
        STOPPED = "stopped", _("Stopped")

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    all_or_nothing = models.BooleanField(default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    problem = models.CharField(max_length=500, blank=True)
    total = models.IntegerField(_("numbers"), default=0)
    done = models.IntegerField(_("done"), default=0)
    refused = models.IntegerField(_("refused"), default=0)
    as_of = models.DateTimeField(_("as of"), default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        abstract = True

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_running(self) -> bool:
        return self.state in (self.State.RUNNING, self.State.CHECKING)

    @property
    def left(self) -> int:
        """How many nothing has been tried with."""
        return self.total - self.done - self.refused

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def running_in(cls, account: Account):
        """Those of an account that are to be gone on with, for the worker, who is nobody."""
        return cls.unscoped.filter(account=account, state__in=[cls.State.RUNNING, cls.State.CHECKING])


class Job(Work):
    """A verb and the numbers that it is for, as they were chosen at ``as_of``. It begins as a draft."""

    verb = models.CharField(_("what"), max_length=40)
    params = models.JSONField(default=dict)
    # The numbers that were chosen, in words, and the list that they were chosen in.
    chosen = models.CharField(max_length=500, blank=True)
    back = models.CharField(max_length=2000, blank=True)

    unscoped = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        constraints = [
            # What the two-column foreign key of items points at.
            models.UniqueConstraint("id", "account", name="numbers_job_id_account"),
            models.CheckConstraint(
                name="numbers_job_started",
                condition=Q(state="draft", started_at=None) | (~Q(state="draft") & Q(started_at__isnull=False)),
            ),
        ]
        indexes = [models.Index("account", "id", name="numbers_job_of_account")]

    def __str__(self):
        return self.verb


class JobItem(models.Model):
    """One number of a job, and what became of it. The number may be gone since."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    # The pair (job, account) is held together by a two-column foreign key; items go with their job, see migration 0007.
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    job = models.ForeignKey(Job, models.DO_NOTHING, related_name="items", db_constraint=False, db_index=False)
    number_id = models.BigIntegerField()
    e164 = models.CharField(_("number"), max_length=16, db_collation="C")
    digits = models.BigIntegerField()
    # Of the number when it was chosen: one that has changed hands since is left alone.
    since = models.DateTimeField()
    state = models.CharField(_("outcome"), max_length=8, choices=State, default=State.WAITING)
    sentence = models.CharField(_("reason"), max_length=500, blank=True)

    unscoped = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("number of a job")
        constraints = [models.UniqueConstraint("job", "number_id", name="numbers_jobitem_once")]
        indexes = [
            models.Index("job", "digits", "id", name="numbers_jobitem_by_number"),
            models.Index("job", "number_id", name="numbers_jobitem_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)


class Import(Work):
    """A file of numbers: read when it comes, checked, looked at by somebody, and then applied.

    ``columns`` says what stands in each column of the file, blank for what is ignored. A *statement* is what a carrier
    says that it holds: the file's numbers against those that are here with this ``provider``.
    """

    file_name = models.CharField(_("file"), max_length=200, blank=True)
    columns = ArrayField(models.CharField(max_length=20, blank=True))
    ignored = ArrayField(models.CharField(max_length=200), default=list)
    encoding = models.CharField(max_length=20, blank=True)
    region = models.CharField(max_length=2, blank=True)
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, related_name="+")
    # Whether an empty cell clears what a number has.
    overwrites = models.BooleanField(default=False)
    # With defaults of the database's too: servers that do not know these columns go on while others do.
    is_statement = models.BooleanField(default=False, db_default=False)
    # What is applied of a statement (``ImportRow.Verdict``); what is not is left as it is.
    applies = ArrayField(models.CharField(max_length=8), default=list, db_default=[])
    # The last line whose number has been added, and the last that was done after them.
    added_to = models.IntegerField(default=0, db_default=0)
    changed_to = models.IntegerField(default=0, db_default=0)
    # Made with the form: the same file, sent twice, is one import.
    key = models.UUIDField(editable=False)

    unscoped = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        constraints = [
            models.UniqueConstraint("id", "account", name="numbers_import_id_account"),
            models.UniqueConstraint("account", "key", name="numbers_import_once"),
            models.CheckConstraint(
                name="numbers_import_statement_of", condition=Q(is_statement=False) | Q(provider__isnull=False)
            ),
        ]
        indexes = [models.Index("account", "id", name="numbers_import_of_account")]

    def __str__(self):
        return self.file_name

    @property
    def applied_verdicts(self) -> list[str]:
        """The verdicts of the lines that are applied once it is confirmed."""
        return self.applies if self.is_statement else [ImportRow.Verdict.ADD, ImportRow.Verdict.CHANGE]


class ImportRow(models.Model):
    """A line of an imported file, what it means, and what became of it."""

    class Verdict(models.TextChoices):
        UNKNOWN = "", _("Not checked")
        ADD = "add", _("Add")
        CHANGE = "change", _("Change")
        SAME = "same", _("No change")
        GONE = "gone", _("Not in the statement")
        REFUSED = "refused", _("Refused")

    # The pair (import, account) is held together by a two-column foreign key; rows go with it, see migration 0008.
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    of = models.ForeignKey(Import, models.DO_NOTHING, related_name="rows", db_constraint=False, db_index=False)
    line = models.IntegerField(_("line"))
    cells = ArrayField(models.TextField())
    e164 = models.CharField(_("number"), max_length=16, blank=True, db_collation="C")
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict, blank=True)
    # What is refused, and why.
    column = models.CharField(_("column"), max_length=40, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # What is done to the number, in order: pairs of a verb and its fields.
    plan = models.JSONField(default=list)

    unscoped = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of an import")
        constraints = [models.UniqueConstraint("of", "line", name="numbers_importrow_line")]
        indexes = [models.Index("of", "verdict", "line", name="numbers_importrow_verdict")]

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)
