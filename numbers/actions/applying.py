"""Doing what the lines of a file mean: numbers are added first, and all else is done afterwards."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from accounts.actor import Actor
from numbers.actions.verbs import Verb, perform, verbs_of
from numbers.models import Import, ImportRow, PhoneNumber

#: A batch is one transaction. Lines that only add numbers are quick; others are done as by hand.
ADDED_AT_ONCE = 5_000
CHANGED_AT_ONCE = 200
#: So many lines are looked through at once for those that are to be changed.
LOOKED_THROUGH = 1_000
#: What is done as it stands.
SAME = ImportRow.Verdict.SAME
# The next lines that add numbers: they are added in the order of the numbers, so that whoever adds the same at once
# waits for us, and we never for them as well; an event for each, as ``audit.event`` makes them; and a word in the lines
# whose number was added elsewhere meanwhile. One statement, and nothing is written into the other lines: a file may
# have two million. Lines that want more of their number are done when all are added.
ADD = """
WITH batch AS MATERIALIZED (
    SELECT r.id, r.line, r.e164, (r.plan #>> '{0,1,provider}')::bigint AS provider_id,
           coalesce(r.plan #> '{0,1,options}', '{}') AS options, jsonb_array_length(r.plan) = 1 AS is_all
    FROM numbers_importrow r
    WHERE r.account_id = %(account)s AND r.of_id = %(of)s AND r.verdict = 'add'
      AND r.line > %(after)s AND r.line <= %(to)s
    ORDER BY r.line
), added AS (
    INSERT INTO numbers_phonenumber (e164, var_id, provider_id, label, caller_name, voice, sms, fax)
    SELECT b.e164, %(account)s, p.id, coalesce(options ->> 'label_text', ''), coalesce(options ->> 'caller_name', ''),
           p.supports_voice AND coalesce((options -> 'voice')::bool, true),
           p.supports_sms AND coalesce((options -> 'sms')::bool, false),
           p.supports_fax AND coalesce((options -> 'fax')::bool, false)
    FROM batch b JOIN numbers_provider p ON p.id = b.provider_id ORDER BY b.e164
    ON CONFLICT DO NOTHING RETURNING id, e164, provider_id, label, caller_name, voice, sms, fax
), told AS (
    INSERT INTO accounts_auditevent (at, account_id, person_id, chain, access_id, verb, target_type, target_id, target,
                                     before, after, request_id)
    SELECT clock_timestamp(), %(account)s, %(person)s, %(chain)s, %(access)s, 'number.imported', 'number', a.id, a.e164,
           '{}', jsonb_strip_nulls(jsonb_build_object(
               'provider', p.name, 'label', nullif(a.label, ''), 'caller_name', nullif(a.caller_name, ''),
               'voice', CASE WHEN a.voice <> p.supports_voice THEN a.voice END,
               'sms', CASE WHEN a.sms THEN true END, 'fax', CASE WHEN a.fax THEN true END
           )), %(request)s
    FROM added a JOIN numbers_provider p ON p.id = a.provider_id
), refused AS (
    UPDATE numbers_importrow SET verdict = 'refused', "column" = 'number', reason = %(already)s
    WHERE id = ANY (ARRAY(SELECT id FROM batch WHERE e164 NOT IN (SELECT e164 FROM added)))
    RETURNING id
)
SELECT count(*) FILTER (WHERE is_all AND id NOT IN (SELECT id FROM refused)), (SELECT count(*) FROM refused)
FROM batch
"""

# Lines that want nothing changed, of numbers that are gone since the file was checked.
GONE = """
UPDATE numbers_importrow r SET verdict = 'refused', "column" = 'number', reason = %(reason)s
WHERE r.account_id = %(account)s AND r.of_id = %(of)s AND r.verdict = 'same'
  AND NOT EXISTS (SELECT FROM numbers_phonenumber n WHERE n.e164 = r.e164)
"""


def go_on(actor: Actor, wanted: Import) -> bool:
    """Apply a batch, or where it is all or nothing everything, in the transaction that holds the import's row."""
    if not wanted.all_or_nothing:
        if apply_some(actor, wanted):
            wanted.save(update_fields=["done", "refused", "added_to", "changed_to"])
            return True
        refuse_gone(actor, wanted)
    else:
        with transaction.atomic():
            while apply_some(actor, wanted):
                pass
            refuse_gone(actor, wanted)
            refused = list(refusals(actor, wanted))
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
    count(actor, wanted, SAME, *wanted.applied_verdicts)
    wanted.ended(Import.State.DONE)
    return False


def refuse_gone(actor: Actor, wanted: Import) -> None:
    """Refuse the lines of numbers that are not the account's any more: *No change* would not be true."""
    facts = {"account": actor.account.pk, "of": wanted.pk, "reason": _("It no longer exists.")}
    with connection.cursor() as cursor:
        cursor.execute(GONE, facts)


def refusals(actor: Actor, wanted: Import):
    rows = ImportRow.visible_to(actor).filter(of=wanted, verdict=ImportRow.Verdict.REFUSED)
    return rows.values_list("pk", "column", "reason")


def count(actor: Actor, wanted: Import, *done: str) -> None:
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
    if adds and wanted.added_to < wanted.last_line:
        add(actor, wanted)
        return True
    while wanted.changed_to < wanted.last_line:
        left = ImportRow.between(actor, wanted, wanted.changed_to, LOOKED_THROUGH).filter(verdict__in=verdicts)
        if adds:
            left = left.exclude(verdict=ImportRow.Verdict.ADD, plan__1__isnull=True)
        rows = list(left[:CHANGED_AT_ONCE])
        wanted.changed_to = rows[-1].line if len(rows) == CHANGED_AT_ONCE else wanted.changed_to + LOOKED_THROUGH
        if rows:
            change(actor, rows)
            refused_now = sum(row.verdict == ImportRow.Verdict.REFUSED for row in rows)
            wanted.done += len(rows) - refused_now
            wanted.refused += refused_now
            return True
    return False


def add(actor: Actor, wanted: Import) -> None:
    """Add the numbers of the next lines that want that."""
    facts = {
        "account": actor.account.pk, "person": actor.person.pk, "chain": [account.pk for account in actor.chain],
        "access": actor.access.pk if actor.access else None, "request": wanted.request_id, "of": wanted.pk,
        "already": _("It is already on the system."), "after": wanted.added_to, "to": wanted.added_to + ADDED_AT_ONCE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(ADD, facts)
        done, refused_now = cursor.fetchone()
    wanted.added_to += ADDED_AT_ONCE
    wanted.done += done
    wanted.refused += refused_now


def change(actor: Actor, rows: list[ImportRow]) -> None:
    """Do what the lines want done to numbers that are here: what many want alike, to all of them at once."""
    here = PhoneNumber.visible_to(actor).with_digits([int(row.e164[1:]) for row in rows])
    numbers = dict(here.values_list("e164", "pk"))
    offered = verbs_of(actor, of_files=True)
    by_wish: dict[str, tuple[Verb, list[ImportRow]]] = {}
    for row in rows:
        if row.e164 not in numbers:
            refused(row, "number", _("It no longer exists."))
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
