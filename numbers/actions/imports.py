"""A file of numbers: its lines are kept as they come, checked, and applied when somebody has looked at them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from accounts.actor import Actor
from accounts.models import Account
from accounts.policy import allows
from numbers.actions.checking import Checker, Line, StatementChecker
from numbers.actions.jobs import actor_of, ended
from numbers.actions.verbs import Verb, perform, verbs_of
from numbers.models import Import, ImportRow, PhoneNumber
from portal.logs import request_facts

#: A batch is one transaction. Lines that only add numbers are quick; others are done as by hand.
KEPT_AT_ONCE = 5_000
CHECKED_AT_ONCE = 2_000
ADDED_AT_ONCE = 5_000
CHANGED_AT_ONCE = 200
#: So many lines are checked and applied while somebody waits.
AT_ONCE = 2_000
MOST_LINES = 2_000_000
#: What is done as it stands.
SAME = ImportRow.Verdict.SAME
DRAFTS_KEPT = timedelta(days=7)
#: The worker's task that takes an import up, ``numbers.tasks.run_import``.
TASK = "numbers.run_import"
KEEP = """
INSERT INTO numbers_importrow (account_id, of_id, line, cells, e164, verdict, "column", reason, plan)
SELECT %s, %s, line, string_to_array(cells, chr(1)), '', '', '', '', '[]'
FROM unnest(%s::int[], %s::text[]) AS kept (line, cells)
"""
#: What is here with the carrier and not in its statement comes after the lines, each with who has it.
GONE = """
INSERT INTO numbers_importrow (account_id, of_id, line, cells, e164, verdict, "column", reason, plan)
SELECT %(account)s, %(of)s, %(lines)s + row_number() OVER (ORDER BY n.digits), '{}', n.e164, 'gone', '',
       coalesce(replace(%(with)s, '{customer}', c.name), %(free)s), '[["release", {"said_by_carrier": true}]]'
FROM numbers_phonenumber n LEFT JOIN accounts_account c ON c.id = n.customer_id
WHERE n.var_id = %(account)s AND n.provider_id = %(provider)s
  AND NOT EXISTS (SELECT FROM numbers_importrow r WHERE r.of_id = %(of)s AND r.e164 = n.e164)
"""
#: The second line with a number is refused, and says where the first one is.
TWICE = """
UPDATE numbers_importrow r SET verdict = 'refused', "column" = 'number', plan = '[]',
       reason = replace(%(why)s, '{line}', first.line::text)
FROM (SELECT e164, min(line) AS line FROM numbers_importrow WHERE of_id = %(of)s AND e164 > ''
      GROUP BY e164 HAVING count(*) > 1) first
WHERE r.of_id = %(of)s AND r.e164 = first.e164 AND r.line > first.line AND r.verdict <> 'refused'
"""
VERDICTS = """
UPDATE numbers_importrow r SET e164 = v.e164, verdict = v.verdict, "column" = v.col, reason = v.reason,
       plan = v.plan::jsonb
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
     AS v (id, e164, verdict, col, reason, plan)
WHERE r.id = v.id
"""
# The next lines that add numbers: they are added in the order of the numbers, so that whoever adds the same at once
# waits for us, and we never for them as well; an event for each, as ``audit.event`` makes them; and a word in the lines
# whose number was added elsewhere meanwhile. One statement, and nothing is written into the other lines: a file may
# have two million. Lines that want more of their number are done when all are added.
ADD = """
WITH batch AS MATERIALIZED (
    SELECT r.id, r.line, r.e164, (r.plan #>> '{0,1,provider}')::bigint AS provider_id,
           jsonb_array_length(r.plan) = 1 AS is_all
    FROM numbers_importrow r
    WHERE r.account_id = %(account)s AND r.of_id = %(of)s AND r.verdict = 'add' AND r.line > %(after)s
    ORDER BY r.line LIMIT %(most)s
), added AS (
    INSERT INTO numbers_phonenumber (e164, var_id, provider_id, label, caller_name, voice, sms, fax)
    SELECT b.e164, %(account)s, p.id, '', '', p.supports_voice, false, false
    FROM batch b JOIN numbers_provider p ON p.id = b.provider_id ORDER BY b.e164
    ON CONFLICT DO NOTHING RETURNING id, e164, provider_id
), told AS (
    INSERT INTO accounts_auditevent (at, account_id, person_id, chain, access_id, verb, target_type, target_id, target,
                                     before, after, request_id)
    SELECT clock_timestamp(), %(account)s, %(person)s, %(chain)s, %(access)s, 'number.imported', 'number', a.id, a.e164,
           '{}', jsonb_build_object('provider', p.name), %(request)s
    FROM added a JOIN numbers_provider p ON p.id = a.provider_id
), refused AS (
    UPDATE numbers_importrow SET verdict = 'refused', "column" = 'number', reason = %(already)s
    WHERE id = ANY (ARRAY(SELECT id FROM batch WHERE e164 NOT IN (SELECT e164 FROM added)))
    RETURNING id
)
SELECT max(line), count(*) FILTER (WHERE is_all AND id NOT IN (SELECT id FROM refused)), (SELECT count(*) FROM refused)
FROM batch
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
    forget_drafts(actor)
    wanted = Import.visible_to(actor).create(
        account=account,
        **Import.by(actor),
        key=key,
        state=Import.State.CHECKING,
        **facts,
    )
    keep(wanted, rows)
    if wanted.total <= AT_ONCE:
        while wanted.state == Import.State.CHECKING:
            check(actor, wanted)
    else:
        app.configure_task(TASK, queue="numbers").defer(import_id=wanted.pk, account=account.code)
    return wanted


def keep(wanted: Import, rows: Iterator[tuple[int, list[str]]]) -> None:
    """Write the lines down, some thousands at a time."""
    lines, cells = [], []

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(KEEP, [wanted.account_id, wanted.pk, lines, cells])
        wanted.total += len(lines)
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


def forget_drafts(actor: Actor) -> None:
    """Remove what was read days ago and never applied."""
    old = Import.visible_to(actor).filter(state=Import.State.DRAFT, as_of__lt=timezone.now() - DRAFTS_KEPT)
    for one in old.select_for_update(skip_locked=True):
        one.delete()


@transaction.atomic
def apply_import(
    actor: Actor, import_id: int, *, all_or_nothing: bool = False, verdicts: Collection[str] = ()
) -> Import:
    """Do what the lines mean, of a statement those with these ``verdicts``; few at once, many by the worker. Asked
    twice, it is done once."""
    if not actor.may("numbers.import"):
        raise PermissionDenied
    wanted = Import.visible_to(actor).select_for_update(of=("self",)).select_related("account").get(pk=import_id)
    if not wanted.is_draft:
        return wanted
    wanted.acted_by(actor)
    wanted.all_or_nothing, wanted.state, wanted.started_at = all_or_nothing, Import.State.RUNNING, timezone.now()
    wanted.applies = sorted(verdicts)
    wanted.save()
    counted(actor, wanted, SAME)
    if wanted.total <= AT_ONCE:
        while go_on(actor, wanted):
            pass
    else:
        app.configure_task(TASK, queue="numbers").defer(import_id=wanted.pk, account=actor.account.code)
    return wanted


@transaction.atomic
def cancel_import(actor: Actor, import_id: int) -> Import:
    """Do no more of an import, or forget one that nothing was done of."""
    if not actor.may("numbers.import"):
        raise PermissionDenied
    wanted = Import.visible_to(actor).select_for_update(of=("self",)).get(pk=import_id)
    if wanted.state == Import.State.RUNNING:
        ended(wanted, Import.State.CANCELLED)
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
        said = {"person": wanted.person.name}
        ended(wanted, Import.State.STOPPED, _("Stopped: %(person)s may not do this any more.") % said)
        return False
    token = request_facts.set({"request": wanted.request_id, "person": wanted.person_id, "account": account.code})
    try:
        if wanted.state == Import.State.CHECKING:
            check(actor, wanted)
            return wanted.state == Import.State.CHECKING
        return go_on(actor, wanted)
    finally:
        request_facts.reset(token)


# Checking


def check(actor: Actor, wanted: Import) -> None:
    """Find out what the next lines mean; after the last, which numbers come twice, and that somebody may look at it."""
    rows = ImportRow.visible_to(actor).filter(of=wanted, verdict="").order_by("line")[:CHECKED_AT_ONCE]
    lines = [Line(row) for row in rows]
    if lines:
        checker = StatementChecker if wanted.is_statement else Checker
        checker(actor, wanted).check(lines)
        with connection.cursor() as cursor:
            cursor.execute(
                VERDICTS,
                [
                    [line.row.pk for line in lines],
                    [line.row.e164 for line in lines],
                    [line.verdict for line in lines],
                    [line.column for line in lines],
                    [line.reason[:500] for line in lines],
                    [json.dumps(line.plan) for line in lines],
                ],
            )
        wanted.done += len(lines)
        wanted.save(update_fields=["done"])
    if len(lines) < CHECKED_AT_ONCE:
        with connection.cursor() as cursor:
            why = _("The same number stands in line {line} already.")
            cursor.execute(TWICE, {"of": wanted.pk, "why": why})
        if wanted.is_statement:
            note_gone(actor, wanted)
        wanted.state, wanted.done = Import.State.DRAFT, 0
        wanted.save()


def note_gone(actor: Actor, wanted: Import) -> None:
    """Write down which numbers are here with the carrier, and not in its statement."""
    last = ImportRow.visible_to(actor).filter(of=wanted).aggregate(last=Max("line"))["last"] or 0
    said = {"with": _("It is with {customer}."), "free": _("It is in the stock.")}
    facts = {"account": wanted.account_id, "of": wanted.pk, "provider": wanted.provider_id, "lines": last}
    with connection.cursor() as cursor:
        cursor.execute(GONE, facts | said)
        wanted.total += cursor.rowcount


# Applying


def go_on(actor: Actor, wanted: Import) -> bool:
    """Apply a batch, or where it is all or nothing everything, in the transaction that holds the import's row."""
    if not wanted.all_or_nothing:
        if apply_some(actor, wanted):
            wanted.save(update_fields=["done", "refused", "added_to", "changed_to"])
            return True
    else:
        with transaction.atomic():
            while apply_some(actor, wanted):
                pass
            refused = list(refusals(actor, wanted)[:MOST_LINES])
            if refused:
                transaction.set_rollback(True)
        if refused:
            ids, columns, reasons = zip(*refused, strict=True)
            undone = _("Nothing was done to it, because others were refused.")
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE numbers_importrow r SET verdict = 'refused', \"column\" = v.col, reason = v.reason"
                    " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v (id, col, reason) WHERE r.id = v.id",
                    [list(ids), list(columns), list(reasons)],
                )
            left = ImportRow.visible_to(actor).filter(of=wanted).exclude(verdict__in=["refused", "same"])
            left.update(verdict="refused", reason=undone)
    counted(actor, wanted, SAME, *wanted.applied_verdicts)
    ended(wanted, Import.State.DONE)
    return False


def refusals(actor: Actor, wanted: Import):
    rows = ImportRow.visible_to(actor).filter(of=wanted, verdict=ImportRow.Verdict.REFUSED)
    return rows.values_list("pk", "column", "reason")


def counted(actor: Actor, wanted: Import, *done: str) -> None:
    """Count what became of all lines, which are done by these verdicts: when applying begins and when it has ended. In
    between, batches are added up."""
    rows = ImportRow.visible_to(actor).filter(of=wanted)
    found = rows.aggregate(done=Count("pk", filter=Q(verdict__in=done)),
                           refused=Count("pk", filter=Q(verdict="refused")))  # fmt: skip
    wanted.done, wanted.refused = found["done"], found["refused"]
    wanted.save(update_fields=["done", "refused"])


def apply_some(actor: Actor, wanted: Import) -> bool:
    """Add the next numbers, or when all are added change the next; whether there was anything left to do.

    How far either has come stands in the import, not in its lines.
    """
    verdicts = wanted.applied_verdicts
    adds = ImportRow.Verdict.ADD in verdicts and actor.may("numbers.add")
    if adds and add(actor, wanted):
        return True
    left = ImportRow.visible_to(actor).filter(of=wanted, line__gt=wanted.changed_to, verdict__in=verdicts)
    if adds:
        left = left.exclude(verdict=ImportRow.Verdict.ADD, plan__1__isnull=True)
    rows = list(left.order_by("line")[:CHANGED_AT_ONCE])
    if not rows:
        return False
    change(actor, rows)
    refused_now = sum(row.verdict == ImportRow.Verdict.REFUSED for row in rows)
    wanted.changed_to = rows[-1].line
    wanted.done += len(rows) - refused_now
    wanted.refused += refused_now
    return True


def add(actor: Actor, wanted: Import) -> bool:
    """Add the numbers of the next lines that want that; whether there were any."""
    facts = {
        "account": actor.account.pk, "person": actor.person.pk, "chain": [account.pk for account in actor.chain],
        "access": actor.access.pk if actor.access else None, "request": wanted.request_id, "of": wanted.pk,
        "already": _("It is already on the system."), "after": wanted.added_to, "most": ADDED_AT_ONCE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(ADD, facts)
        last, done, refused_now = cursor.fetchone()
    if last is None:
        return False
    wanted.added_to = last
    wanted.done += done
    wanted.refused += refused_now
    return True


def change(actor: Actor, rows: list[ImportRow]) -> None:
    """Do what the lines want done to numbers that are here: what many want alike, to all of them at once."""
    here = PhoneNumber.visible_to(actor).filter(digits__in=[int(row.e164[1:]) for row in rows])
    numbers = dict(here.values_list("e164", "pk"))
    offered = verbs_of(actor, of_files=True)
    by_wish: dict[str, tuple[Verb, list[ImportRow]]] = {}
    for row in rows:
        if row.e164 not in numbers:
            refused(row, "number", _("It is not here any more."))
            continue
        for slug, params in row.plan:
            if slug == "add":
                continue  # done before all else
            verb = offered[slug](**params)
            by_wish.setdefault(f"{slug}{params}", (verb, []))[1].append(row)
    # Whom a number is with comes before what it is called.
    for verb, wanting in sorted(by_wish.values(), key=lambda wish: wish[0].slug == "options"):
        some = {numbers[row.e164]: row for row in wanting if row.verdict != ImportRow.Verdict.REFUSED}
        try:
            outcomes = perform(actor, verb, some)
        except ValidationError as refusal:
            for row in some.values():
                refused(row, "", " ".join(refusal.messages))
            continue
        for outcome in outcomes:
            if outcome.refusal:
                refused(some[outcome.number_id], "", outcome.refusal)
    of_refused = [row for row in rows if row.verdict == ImportRow.Verdict.REFUSED]
    ImportRow.visible_to(actor).bulk_update(of_refused, ["verdict", "column", "reason"])


def refused(row: ImportRow, column: str, reason: str) -> None:
    row.verdict, row.column, row.reason = ImportRow.Verdict.REFUSED, column, reason[:500]
