"""A file of numbers: its lines are kept as they come, checked, and applied when somebody has looked at them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import Account
from accounts.policy import allows
from numbers.actions import applying, turns, verdicts
from numbers.actions.checking import Line
from numbers.actions.jobs import actor_of, not_allowed
from numbers.actions.verbs import Delete
from numbers.actions.work_ends import notify_of_work
from numbers.models import Import, ImportRow, Job
from portal.logs import request_facts

#: So many lines are written in one statement.
KEPT_AT_ONCE = 5_000
#: So many lines are checked and applied while somebody waits.
AT_ONCE = 2_000
MOST_LINES = 2_000_000
KEEP = """
INSERT INTO numbers_importrow (account_id, of_id, line, cells, e164, verdict, "column", reason, plan)
SELECT %s, %s, line, string_to_array(cells, chr(1)), '', '', '', '', '[]'
FROM unnest(%s::int[], %s::text[]) AS kept (line, cells)
"""


@transaction.atomic
def begin_import(actor: Actor, key: UUID, rows: Iterator[tuple[int, list[str]]], **facts: Any) -> Import:
    """Keep a file's lines and have them checked; of a form that was sent before, the import that it made then.

    Raises ``ValidationError`` for too many lines.
    """
    if not actor.may("numbers.import"):
        raise PermissionDenied
    account = Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)
    if made := Import.visible_to(actor).filter(key=key).first():
        return made
    wanted = Import.visible_to(actor).create(
        account=account,
        **Import.by(actor),
        key=key,
        state=Import.State.CHECKING,
        **facts,
    )
    keep(wanted, rows)
    start_checking(actor, wanted)
    return wanted


def remembered_columns(actor: Actor, headings: list[str], columns: list[str]) -> list[str]:
    """What stands in each column of a file with these headings: as somebody has chosen for the last file that had them,
    otherwise ``columns``."""
    if not headings:
        return columns
    same = Import.visible_to(actor).filter(headings=headings, is_statement=False).exclude(state=Import.State.CHECKING)
    last = same.order_by("-pk").values_list("columns", flat=True).first()
    return last if last and "number" in last and len(last) == len(columns) else columns


@transaction.atomic
def check_again(actor: Actor, import_id: int, **facts: Any) -> Import:
    """Have the lines of a file checked again that was not applied, with other columns, country or provider."""
    if not actor.may("numbers.import"):
        raise PermissionDenied
    wanted = Import.visible_to(actor).select_for_update(of=("self",)).select_related("account").get(pk=import_id)
    if not wanted.is_draft or wanted.is_statement:
        return wanted
    for name, value in facts.items():
        setattr(wanted, name, value)
    wanted.state, wanted.done, wanted.checked_to = Import.State.CHECKING, 0, 0
    wanted.save()
    start_checking(actor, wanted)
    return wanted


@transaction.atomic
def correct_line(actor: Actor, import_id: int, line: int, cells: list[str]) -> Import:
    """Change the cells of one line of a file that was not applied, and check that line again."""
    if not actor.may("numbers.import"):
        raise PermissionDenied
    wanted = Import.visible_to(actor).select_for_update(of=("self",)).select_related("account").get(pk=import_id)
    if not wanted.is_draft or wanted.is_statement:
        return wanted
    rows = ImportRow.visible_to(actor).filter(of=wanted)
    row = rows.get(line=line, source=0)
    before = [e164 for e164 in rows.filter(Q(line=line) | Q(source=line)).values_list("e164", flat=True) if e164]
    wanted.total -= rows.filter(source=line).delete()[0]
    row.cells, row.e164 = cells, ""
    row.save(update_fields=["cells", "e164"])
    # Other lines with its numbers were refused because of it.
    others = rows.filter(e164__in=before, source=0, verdict=ImportRow.Verdict.REFUSED).exclude(pk=row.pk)
    verdicts.check_lines(actor, wanted, [Line(one) for one in (row, *others[: verdicts.CHECKED_AT_ONCE])])
    verdicts.mark_repeated(wanted)
    wanted.save()
    return wanted


def start_checking(actor: Actor, wanted: Import) -> None:
    """Check a short file at once, and have the worker check a long one."""
    if wanted.total <= AT_ONCE:
        while wanted.state == Import.State.CHECKING:
            verdicts.check(actor, wanted)
    else:
        turns.queue(wanted, actor.account)


def keep(wanted: Import, rows: Iterator[tuple[int, list[str]]]) -> None:
    """Write the lines down, some thousands at a time."""
    lines, cells = [], []

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(KEEP, [wanted.account_id, wanted.pk, lines, cells])
        wanted.total += len(lines)
        wanted.last_line = lines[-1]
        lines.clear()
        cells.clear()

    for line, texts in rows:
        lines.append(line)
        cells.append("\1".join(text.replace("\1", " ") for text in texts))
        if len(lines) >= KEPT_AT_ONCE:
            write()
            if wanted.total > MOST_LINES:
                said = {"most": MOST_LINES}
                raise ValidationError(_("A file has %(most)d lines at most: send it in parts.") % said)
    if lines:
        write()
    wanted.save()


@transaction.atomic
def apply_import(
    actor: Actor, import_id: int, *, all_or_nothing: bool = False, applies: Collection[str] = ()
) -> Import:
    """Do what the lines mean, of a statement those with these verdicts; few at once, many by the worker. Asked
    twice, it is done once."""
    if not actor.may("numbers.import"):
        raise PermissionDenied
    wanted = Import.visible_to(actor).select_for_update(of=("self",)).select_related("account").get(pk=import_id)
    if not wanted.is_draft:
        return wanted
    wanted.acted_by(actor)
    wanted.all_or_nothing, wanted.state, wanted.started_at = all_or_nothing, Import.State.RUNNING, timezone.now()
    wanted.applies = sorted(applies)
    wanted.save()
    applying.count(actor, wanted, applying.SAME)
    if wanted.total <= AT_ONCE:
        while applying.go_on(actor, wanted):
            pass
    else:
        turns.queue(wanted, actor.account)
    return wanted


@transaction.atomic
def cancel_import(actor: Actor, import_id: int) -> Import:
    """Do no more of an import, or forget one that nothing was done of."""
    if not actor.may("numbers.import"):
        raise PermissionDenied
    wanted = Import.visible_to(actor).select_for_update(of=("self",)).get(pk=import_id)
    if wanted.state == Import.State.RUNNING:
        wanted.ended(Import.State.CANCELLED)
    elif wanted.state in (Import.State.DRAFT, Import.State.CHECKING):
        wanted.delete()
    return wanted


@transaction.atomic
def take_up(account: Account, import_id: int) -> bool:
    """Do the next batch of an import; whether there is more to do. Somebody else who is at it is left alone."""
    found = Import.running_in(account).select_for_update(skip_locked=True, of=("self",))
    wanted = found.select_related("account", "access", "provider").filter(pk=import_id).first()
    if wanted is None:
        return False
    actor = actor_of(wanted)
    if actor is None or not allows(actor.role, "numbers.import", inside=actor.is_inside, viewing=actor.is_viewing):
        not_allowed(wanted)
        return False
    token = request_facts.set({"request": wanted.request_id, "person": wanted.person_id, "account": account.code})
    try:
        if wanted.state == Import.State.CHECKING:
            verdicts.check(actor, wanted)
            more = wanted.state == Import.State.CHECKING
        else:
            more = applying.go_on(actor, wanted)
        if more:
            turns.heard(wanted)
        else:
            notify_of_work(wanted)
        return more
    finally:
        request_facts.reset(token)


# Undoing

#: Numbers that an import has added, and that nothing was done to since by anything else.
ADDED = """
SELECT n.id, n.e164, n.digits, n.since FROM numbers_phonenumber n
WHERE n.var_id = %(account)s AND n.customer_id IS NULL
  AND EXISTS (SELECT FROM numbers_importrow r WHERE r.of_id = %(of)s AND r.e164 = n.e164 AND r.verdict = 'add')
  AND EXISTS (SELECT FROM accounts_auditevent e WHERE e.target_type = 'number' AND e.target_id = n.id
              AND e.verb = 'number.imported' AND e.request_id = %(request)s)
  AND NOT EXISTS (SELECT FROM accounts_auditevent e WHERE e.target_type = 'number' AND e.target_id = n.id
                  AND e.request_id <> %(request)s)
"""


@dataclass(frozen=True)
class Undone:
    """How far an import was undone: the last job that did that, and how many of its numbers were deleted by all."""

    job: Job
    deleted: int

    def in_words(self, added: int) -> str:
        """The state of an import that has added so many numbers."""
        if self.job.is_running:
            return _("Being undone")
        return _("Undone") if self.deleted >= added else _("Partly undone")


def undone(actor: Actor, pages: Collection[str]) -> dict[str, Undone]:
    """Of the imports with these pages those that were undone, by their pages: a job that undoes an import leads back to
    it, and no other job does."""
    found: dict[str, Undone] = {}
    undos = Job.visible_to(actor).filter(verb=Delete.slug, back__in=pages).exclude(state=Job.State.DRAFT)
    for job in undos.select_related("person").order_by("pk"):
        before = found.get(job.back)
        found[job.back] = Undone(job, job.done + (before.deleted if before else 0))
    return {page: one for page, one in found.items() if one.deleted or one.job.is_running}


class Added:
    """The numbers that an import has added and that can be taken away again, as a choice for a job."""

    def __init__(self, actor: Actor, wanted: Import):
        self.params = {"account": actor.account.pk, "of": wanted.pk, "request": wanted.request_id}

    def chosen(self) -> tuple[str, dict]:
        """A statement for them, with its values: id, number, digits, and since when it stands so."""
        return ADDED, self.params

    def exist(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS ({ADDED})", self.params)
            return cursor.fetchone()[0]
