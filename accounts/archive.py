"""Old history is moved from the database into compressed files, which are kept with the back-ups."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from accounts.scope import scope

#: Rows in one file, removed in one transaction.
AT_ONCE = 5_000


@dataclass(frozen=True)
class Kind:
    """Rows that are archived together: as ``rows``, a statement for those with an id above ``%(after)s``, in their
    order, each with whether it is old enough, and the table that they go from. ``trigger`` refuses changes of it.
    ``{unreferenced}`` in the statement is the condition that no row of another table needs one of them."""

    table: str
    rows: str
    trigger: str = ""


#: By the name that files begin with. An access goes after the last event, job and order for which it was the reason.
KINDS = {
    "history": Kind(
        "accounts_auditevent",
        """
        SELECT e.id, e.at < %(before)s, row_to_json(e)::jsonb || jsonb_build_object(
            'account', a.code, 'concerns', c.code, 'person', p.email)
        FROM accounts_auditevent e JOIN accounts_account a ON a.id = e.account_id
        LEFT JOIN accounts_account c ON c.id = e.concerns_id LEFT JOIN accounts_person p ON p.id = e.person_id
        WHERE e.id > %(after)s ORDER BY e.id LIMIT %(most)s
        """,
        "accounts_auditevent_no_change",
    ),
    "accesses": Kind(
        "accounts_access",
        """
        SELECT x.id, coalesce(x.ended_at, x.expires_at, x.asked_at) < %(before)s AND {unreferenced},
               row_to_json(x)::jsonb || jsonb_build_object('account', a.code, 'person', p.email)
        FROM accounts_access x JOIN accounts_account a ON a.id = x.account_id
        JOIN accounts_person p ON p.id = x.person_id
        WHERE x.id > %(after)s ORDER BY x.id LIMIT %(most)s
        """,
    ),
}


#: The columns of other tables that point at the ids of a table.
REFERENCES = """
SELECT DISTINCT c.conrelid::regclass::text, mine.attname
FROM pg_constraint c CROSS JOIN unnest(c.conkey, c.confkey) AS pair (mine, theirs)
JOIN pg_attribute mine ON (mine.attrelid, mine.attnum) = (c.conrelid, pair.mine)
JOIN pg_attribute theirs ON (theirs.attrelid, theirs.attnum) = (c.confrelid, pair.theirs) AND theirs.attname = 'id'
WHERE c.contype = 'f' AND c.confrelid = %s::regclass ORDER BY 1, 2
"""


class NotArchived(Exception):
    """Why it stopped, in a sentence. What was written and removed before is done."""


def archive(before: datetime, folder: Path, remove: Callable[[Kind, list[int]], None]) -> Iterator[tuple[str, int]]:
    """Move the history from before a moment out of the database into files in ``folder``: the name of each file and
    its number of rows, once it is on the disk and its rows are gone.

    A file has one JSON object a line and is compressed with gzip; it is read again before anything is removed. It can
    be stopped at any point and run again: at worst, rows of the last file are in the next one too. ``remove``
    is what only the tables' owner can do. Raises ``NotArchived``.
    """
    system = Account.called("SYS")
    counts = dict.fromkeys(KINDS, 0)
    if system is None:
        return
    try:
        for name, kind in KINDS.items():
            for ids, lines in old_rows(system, kind, before):
                path = folder / f"{name}-{ids[0]:012d}-{ids[-1]:012d}.jsonl.gz"
                write(path, lines)
                remove(kind, ids)
                counts[name] += len(ids)
                yield path.name, len(ids)
    finally:
        # Also of a run that was ended: what has gone, has gone.
        if any(counts.values()):
            actor = Actor(person=None, account=system, chain=(system,))
            audit.record(actor, "history.archived", system, after=counts | {"before": before.isoformat()})


def old_rows(system: Account, kind: Kind, before: datetime) -> Iterator[tuple[list[int], list[str]]]:
    """The ids of old rows and the rows as texts, ``AT_ONCE`` at a time. Ids follow time closely enough: it ends
    at the first batch without an old row."""
    after, ids, lines = 0, [], []
    while True:
        with scope(system), connection.cursor() as cursor:
            cursor.execute(REFERENCES, [kind.table])
            needed = [f"NOT EXISTS (SELECT FROM {of} r WHERE r.{column} = x.id)" for of, column in cursor.fetchall()]
            rows = kind.rows.replace("{unreferenced}", " AND ".join(needed))
            cursor.execute(rows, {"before": before, "after": after, "most": AT_ONCE})
            found = cursor.fetchall()
        old = [(pk, row) for pk, is_old, row in found if is_old]
        ids += [pk for pk, _row in old]
        lines += [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for _pk, row in old]
        is_last = not old or len(found) < AT_ONCE
        while len(ids) >= AT_ONCE or (is_last and ids):
            yield ids[:AT_ONCE], lines[:AT_ONCE]
            ids, lines = ids[AT_ONCE:], lines[AT_ONCE:]
        if is_last:
            return
        after = found[-1][0]


def write(path: Path, lines: list[str]) -> None:
    """Have these lines on the disk, compressed, readable by their owner alone. Raises ``NotArchived``."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            # Without a time in it the same rows make the same file.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                packed.writelines(f"{line}\n".encode() for line in lines)
            file.flush()
            os.fsync(file.fileno())
        with gzip.open(part, "rt", encoding="utf-8") as written:
            if [line.rstrip("\n") for line in written] != lines:
                raise OSError("the file does not read as it was written")
        part.rename(path)
        of_folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(of_folder)
        finally:
            os.close(of_folder)
    except (OSError, EOFError) as error:
        with suppress(OSError):
            part.unlink()
        raise NotArchived(f"{path.name} could not be written, and its rows stay where they are: {error}.") from error
