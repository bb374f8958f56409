"""Something that is done to many numbers: what was chosen, frozen, and what became of each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.models.acted import Acted
from numbers.models.phone_numbers import Provider
from portal import texts


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

    #: The name of its lines or items.
    PARTS: ClassVar[str]

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
    # When it is taken up by the next worker, unless the one that is at it moves this on; and how often it was taken up
    # since a batch was last done.
    due_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0, db_default=0)

    class Meta:
        abstract = True

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_running(self) -> bool:
        return self.state in (self.State.RUNNING, self.State.CHECKING)

    @property
    def state_in_words(self) -> str:
        """The state, as people read it."""
        return self.in_words(self.state, is_without_change=self.is_without_change)

    @property
    def is_without_change(self) -> bool:
        """Whether it has ended and nothing was changed: everything was refused, or one of all that had to succeed."""
        nothing_done = (self.all_or_nothing and self.refused) or (self.total and not self.done)
        return self.state == self.State.DONE and bool(nothing_done)

    #: The condition of ``is_without_change``.
    WITHOUT_CHANGE = Q(state="done") & (Q(all_or_nothing=True, refused__gt=0) | Q(done=0, total__gt=0))

    @classmethod
    def in_words(cls, state: str, *, is_without_change: bool) -> str:
        """A state, as people read it."""
        return str(_("Nothing changed") if is_without_change else cls.State(state).label)

    @property
    def left(self) -> int:
        """How many nothing has been tried with."""
        return self.total - self.done - self.refused

    def is_forgotten(self, now: datetime) -> bool:
        """Whether it ended so long ago that its lines or numbers are removed; what it did stays in history."""
        kept = settings.WORK_DAYS
        return bool(kept and self.ended_at and self.ended_at < now - timedelta(days=kept))

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    def ended(self, state: Work.State, problem: str = "") -> None:
        """Write down that it is over, and why."""
        self.state, self.ended_at, self.problem = state, timezone.now(), problem[:500]
        self.save()

    @classmethod
    def due(cls, now: datetime):
        """What no worker has been heard of for a while, of all accounts: for the worker, in the system's scope."""
        return cls.under_way().filter(due_at__lte=now)

    @classmethod
    def under_way(cls):
        """Those of all accounts that a worker goes on with, for figures, in the system's scope."""
        return cls.unscoped.filter(state__in=[cls.State.RUNNING, cls.State.CHECKING])

    @classmethod
    def given_up(cls, tries: int, since: datetime):
        """Those of all accounts that were stopped since then because they failed so often."""
        return cls.unscoped.filter(state=cls.State.STOPPED, tries__gte=tries, ended_at__gt=since)

    @classmethod
    def unconfirmed(cls, before: datetime):
        """Drafts of all accounts that were begun before then: for the worker, in the system's scope."""
        return cls.unscoped.filter(state=cls.State.DRAFT, as_of__lt=before)

    @classmethod
    def ended_with_parts(cls, before: datetime):
        """Those of all accounts that ended before then and still have lines or items, found by an index of these."""
        parts = cls._meta.get_field(cls.PARTS)
        left = parts.related_model.unscoped.filter(**{parts.field.name: OuterRef("pk")})
        return cls.unscoped.filter(Exists(left), ended_at__lt=before)

    @classmethod
    def in_account(cls, account: Account):
        """Those of an account, for the worker, who is nobody."""
        return cls.unscoped.filter(account=account)

    @classmethod
    def running_in(cls, account: Account):
        """Those of an account that are to be gone on with, for the worker, who is nobody."""
        return cls.unscoped.filter(account=account, state__in=[cls.State.RUNNING, cls.State.CHECKING])


#: The states in which a worker goes on with it.
UNDER_WAY = [Work.State.CHECKING.value, Work.State.RUNNING.value]


class Job(Work):
    """A verb and the numbers that it is for, as they were chosen at ``as_of``. It begins as a draft."""

    PARTS = "items"

    verb = models.CharField(_("what"), max_length=40)
    params = models.JSONField(default=dict)
    # The numbers that were chosen, in words, and the list that they were chosen in.
    chosen = models.CharField(max_length=500, blank=True)
    back = models.CharField(max_length=2000, blank=True)
    # The last number that it was tried with: they are tried in the order of their ids.
    reached = models.BigIntegerField(default=0, db_default=0)

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
        indexes = [
            models.Index("account", "id", name="numbers_job_of_account"),
            models.Index("due_at", name="numbers_job_due", condition=Q(state__in=UNDER_WAY)),
        ]

    def __str__(self):
        return self.verb

    def may_be_retried(self, now: datetime) -> bool:
        """Whether some of its numbers were refused or not reached, and are still known."""
        return not self.is_running and self.done < self.total and not self.is_forgotten(now)


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
    # Of a number that was changed and can be undone: the changed columns as they were, and as they had to be since.
    was = models.JSONField(null=True)
    made = models.JSONField(null=True)

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

    PARTS = "rows"

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
    # The number of its last line.
    last_line = models.IntegerField(default=0, db_default=0)
    # The last line that was checked, whose number has been added, and that was done after them.
    checked_to = models.IntegerField(default=0, db_default=0)
    added_to = models.IntegerField(default=0, db_default=0)
    changed_to = models.IntegerField(default=0, db_default=0)
    # The file's own headings, by which its columns are remembered, and sentences about how it was read.
    headings = ArrayField(models.CharField(max_length=500), default=list, db_default=[])
    notes = ArrayField(models.CharField(max_length=500), default=list, db_default=[])
    # How digits without + are read (``portal.phones.WithoutPlus``), and whether numbers are taken that no range has.
    without_plus = models.CharField(max_length=8, blank=True, default="", db_default="")
    unusual = models.BooleanField(default=False, db_default=False)
    # The encoding that somebody has chosen instead of the one that the lines were read in.
    read_as = models.CharField(max_length=20, blank=True, default="", db_default="")
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
        indexes = [
            models.Index("account", "id", name="numbers_import_of_account"),
            models.Index("due_at", name="numbers_import_due", condition=Q(state__in=UNDER_WAY)),
        ]

    def __str__(self):
        return self.file_name

    def added(self, actor: Actor) -> models.QuerySet:
        """The lines whose numbers it has added."""
        rows = ImportRow.visible_to(actor).filter(of=self, verdict=ImportRow.Verdict.ADD)
        return rows.filter(line__lte=self.added_to)

    @classmethod
    def added_by(cls, actor: Actor, import_ids: Collection[int]) -> dict[int, int]:
        """How many numbers each of these imports has added."""
        if not import_ids:
            return {}
        rows = ImportRow.visible_to(actor).filter(of__in=import_ids, verdict=ImportRow.Verdict.ADD)
        rows = rows.filter(line__lte=F("of__added_to")).order_by()
        return dict.fromkeys(import_ids, 0) | dict(rows.values_list("of").annotate(n=Count("pk")))

    def text(self, cell: str) -> str:
        """What stands in a cell, in the encoding that somebody has chosen, without characters that nobody sees."""
        if self.read_as and self.read_as != self.encoding:
            try:
                cell = cell.encode(self.encoding).decode(self.read_as)
            except UnicodeError:
                return cell
        return cell if cell.isascii() and cell.isprintable() else texts.shown(cell)

    @property
    def applied_verdicts(self) -> list[str]:
        """The verdicts of the lines that are applied once it is confirmed."""
        return self.applies if self.is_statement else [ImportRow.Verdict.ADD, ImportRow.Verdict.CHANGE]

    @property
    def is_confirmed(self) -> bool:
        """Whether it was begun to be applied, whatever came of it."""
        return self.state not in (self.State.DRAFT, self.State.CHECKING)

    def outcome(self, verdict: str, line: int, *, has_more: bool) -> str:
        """What became of a line, once it is confirmed; ``has_more`` says that its number is more than added.

        Numbers are added first, and all else is done afterwards, both in the order of the lines.
        """
        if verdict not in self.applied_verdicts:
            is_left = self.is_statement and verdict in ImportRow.DIFFERENCES
            return str(_("Left alone") if is_left else ImportRow.Verdict(verdict).label)
        if self.state == self.State.DONE:
            reached, is_added = True, True
        else:
            is_added = verdict == ImportRow.Verdict.ADD and line <= self.added_to
            reached = line <= self.changed_to or (is_added and not has_more)
        if reached:
            return str(ImportRow.DONE[verdict])
        if is_added:
            return str(_("Added, the rest to follow") if self.is_running else _("Added, the rest not done"))
        return str(_("Waiting") if self.is_running else _("Not reached"))

    def not_done(self) -> dict[str, Q]:
        """The conditions of the lines that were not reached, or not with all that they say, by name."""
        of_add, has_more = Q(verdict=ImportRow.Verdict.ADD), Q(plan__1__isnull=False)
        if self.state == self.State.DONE:
            return {"partly": Q(pk=None), "missed": Q(pk=None)}
        later = Q(verdict__in=self.applied_verdicts, line__gt=self.changed_to)
        return {
            "partly": later & of_add & has_more & Q(line__lte=self.added_to),
            "missed": later & ~(of_add & Q(line__lte=self.added_to)),
        }


class ImportRow(models.Model):
    """A line of an imported file, what it means, and what became of it."""

    class Verdict(models.TextChoices):
        UNKNOWN = "", _("Not checked")
        ADD = "add", _("Add")
        CHANGE = "change", _("Change")
        SAME = "same", _("No change")
        ROUTE = "route", _("Calls go elsewhere")
        GONE = "gone", _("Not in the statement")
        REFUSED = "refused", _("Refused")

    #: The line of the file in which a row stands: numbers of a range stand in its line, behind the first one.
    PLACE = Case(When(source=0, then=F("line")), default=F("source"))
    #: What is said of lines that are done, by their verdict; and the verdicts by which a statement differs.
    DONE = {"add": _("Added"), "change": _("Changed"), "route": _("Routed here"), "gone": _("Released")}
    DIFFERENCES = {"add", "change", "route", "gone"}

    # The pair (import, account) is held together by a two-column foreign key; rows go with it, see migration 0008.
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    of = models.ForeignKey(Import, models.DO_NOTHING, related_name="rows", db_constraint=False, db_index=False)
    line = models.IntegerField(_("line"))
    # A line may have several numbers: the others follow as lines after the last, and say which line they stand in.
    source = models.IntegerField(default=0, db_default=0)
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
    def has_parts(cls, actor: Actor, wanted: Import) -> bool:
        """Whether lines of an import have several numbers: these are its last rows, but for what a statement lacks."""
        rows = cls.visible_to(actor).filter(of=wanted).exclude(verdict=cls.Verdict.GONE)
        return bool(rows.order_by("-line").values_list("source", flat=True).first())

    @classmethod
    def between(cls, actor: Actor, wanted: Import, after: int, most: int):
        """The next lines of a file, of ``most`` line numbers after one of them. The planner expects few of any import:
        without the last number it may read all of them, and sort them, to find the next."""
        lines = cls.visible_to(actor).filter(of=wanted, line__gt=after, line__lte=after + most)
        return lines.order_by("line")

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)
