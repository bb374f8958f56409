"""What the lines of a file of numbers mean, and what becomes of that when others mean the same number."""

from __future__ import annotations

import json

from django.db import connection
from django.utils.translation import gettext as _

from accounts.actor import Actor
from numbers.actions.checking import Checker, Line, StatementChecker
from numbers.models import Import, ImportRow

#: A batch is one transaction.
CHECKED_AT_ONCE = 2_000
#: Numbers of lines that have several.
PARTS_AT_ONCE = 20_000
# The planner knows nothing of the lines of this import: a statement reads each of them once, whatever it chooses.
#: Numbers with the carrier that its statement does not list come after its lines, each with its customer.
GONE = """
INSERT INTO numbers_importrow (account_id, of_id, line, cells, e164, verdict, "column", reason, plan)
SELECT %(account)s, %(of)s, %(lines)s + row_number() OVER (ORDER BY n.digits), '{}', n.e164, 'gone', '',
       coalesce(replace(%(with)s, '{customer}', c.name), %(free)s), '[["release", {"said_by_carrier": true}]]'
FROM (
    SELECT e164, max(digits) AS digits, max(customer_id) AS customer_id
    FROM (
        SELECT e164, digits, customer_id, false AS is_listed FROM numbers_phonenumber
        WHERE var_id = %(account)s AND provider_id = %(provider)s
        UNION ALL
        SELECT e164, NULL, NULL, true FROM numbers_importrow WHERE of_id = %(of)s AND e164 > ''
    ) both_sides
    GROUP BY e164 HAVING NOT bool_or(is_listed)
) n LEFT JOIN accounts_account c ON c.id = n.customer_id
"""
#: The second line with a number is refused, and says where the first one is.
TWICE = """
WITH placed AS MATERIALIZED (
    SELECT id, row_number() OVER numbers AS turn, first_value(at) OVER numbers AS first
    -- The numbers of a range stand in its line, and have rows behind the last one.
    FROM (SELECT *, CASE source WHEN 0 THEN line ELSE source END AS at FROM numbers_importrow) x
    WHERE of_id = %(of)s AND e164 > '' WINDOW numbers AS (PARTITION BY e164 ORDER BY at, line)
)
UPDATE numbers_importrow r SET verdict = 'refused', "column" = 'number', plan = '[]',
       reason = replace(%(why)s, '{line}', placed.first::text)
FROM placed WHERE r.id = placed.id AND placed.turn > 1 AND r.verdict <> 'refused'
"""
VERDICTS = """
UPDATE numbers_importrow r SET e164 = v.e164, verdict = v.verdict, "column" = v.col, reason = v.reason,
       plan = v.plan::jsonb
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
     AS v (id, e164, verdict, col, reason, plan)
WHERE r.id = v.id
"""


def check(actor: Actor, wanted: Import) -> None:
    """Find out what the next lines mean; after the last, which numbers come twice, and that somebody may look at it."""
    if not wanted.checked_to:
        parts = ImportRow.visible_to(actor).filter(of=wanted).exclude(source=0).delete()[0]
        wanted.total -= parts
        wanted.last_line -= parts
    read = ImportRow.between(actor, wanted, wanted.checked_to, CHECKED_AT_ONCE).filter(source=0)
    lines = [Line(row) for row in read]
    done = check_lines(actor, wanted, lines) if lines else 0
    wanted.done += done
    wanted.checked_to = lines[done - 1].row.line if done < len(lines) else wanted.checked_to + CHECKED_AT_ONCE
    if wanted.checked_to < wanted.last_line:
        wanted.save(update_fields=["done", "total", "checked_to", "last_line"])
    else:
        mark_repeated(wanted)
        if wanted.is_statement:
            note_gone(actor, wanted)
        wanted.state, wanted.done = Import.State.DRAFT, 0
        wanted.save()


def check_lines(actor: Actor, wanted: Import, lines: list[Line]) -> int:
    """Find out what these lines mean, and write it down; returns how many were checked. Lines with many numbers leave
    the others to the next batch."""
    checker = (StatementChecker if wanted.is_statement else Checker)(actor, wanted)
    checked = checker.read(lines, PARTS_AT_ONCE)
    parts = [part for line in lines[:checked] for part in (line, *line.others)]
    checker.check(parts)
    with connection.cursor() as cursor:
        cursor.execute(
            VERDICTS,
            [
                [line.row.pk for line in lines[:checked]],
                [line.row.e164 for line in lines[:checked]],
                [line.verdict for line in lines[:checked]],
                [line.column for line in lines[:checked]],
                [line.reason[:500] for line in lines[:checked]],
                [json.dumps(line.plan) for line in lines[:checked]],
            ],
        )
    others = [part for line in lines[:checked] for part in line.others]
    for line, part in enumerate(others, wanted.last_line + 1):
        part.row.line, part.row.verdict, part.row.plan = line, part.verdict, part.plan
        part.row.column = part.column
        part.row.reason = (part.reason or _("It stands in line %(line)d.") % {"line": part.row.source})[:500]
    ImportRow.visible_to(actor).bulk_create([part.row for part in others], batch_size=CHECKED_AT_ONCE)
    wanted.total += len(others)
    wanted.last_line += len(others)
    return checked


def mark_repeated(wanted: Import) -> None:
    """Refuse each number of a file that stands in an earlier line of it."""
    with connection.cursor() as cursor:
        why = _("The same number stands in line {line} already.")
        cursor.execute(TWICE, {"of": wanted.pk, "why": why})


def note_gone(actor: Actor, wanted: Import) -> None:
    """Write down which numbers are here with the carrier, and not in its statement."""
    said = {"with": _("It is with {customer}."), "free": _("It is in the stock.")}
    facts = {"account": wanted.account_id, "of": wanted.pk, "provider": wanted.provider_id, "lines": wanted.last_line}
    with connection.cursor() as cursor:
        cursor.execute(GONE, facts | said)
        wanted.total += cursor.rowcount
        wanted.last_line += cursor.rowcount
