"""``manage.py archive_history``: what keeps the history from growing for ever."""

import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg import sql

from accounts.archive import Kind, NotArchived, archive
from portal.database.owner import as_owner

#: What is newer than this is looked at every day.
FEWEST_DAYS = 90
#: Milliseconds that a removal waits for a table that others use, who wait behind it meanwhile; how often it tries, and
#: the seconds in between.
WAITS, TRIES, PAUSE = 200, 120, 0.5


class Command(BaseCommand):
    help = (
        "Move old history (what was changed, and who worked in which account) out of the database into compressed"
        " files. Requires MIGRATION_DATABASE_URL, as migrate does. Can be stopped and run again."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--days", type=int, required=True, help=f"what is older than so many days goes, {FEWEST_DAYS} at least"
        )
        parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where the files are written")

    def handle(self, *args, **options):
        days, folder = options["days"], options["to"]
        if days < FEWEST_DAYS:
            raise CommandError(f"--days {days} is too few: history of the last {FEWEST_DAYS} days stays in the portal.")
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder. Make it first, on a disk that is backed up.")
        if settings.OWNER_SIGN_IN is None:
            raise CommandError("MIGRATION_DATABASE_URL is missing: only the owner of the tables removes history.")
        rows = 0
        try:
            for name, count in archive(timezone.now() - timedelta(days=days), folder, remove):
                rows += count
                self.stdout.write(f"{name}: {count:,} rows")
        except NotArchived as stopped:
            raise CommandError(str(stopped)) from stopped
        self.stdout.write(f"{rows:,} rows were archived." if rows else f"No history is older than {days} days.")


def remove(kind: Kind, ids: list[int]) -> None:
    """Remove rows that are on the disk. Walls and triggers hold the tables' owner too: they are off in a transaction
    that nobody else can look into. Raises ``NotArchived``."""
    table, trigger = sql.Identifier(kind.table), sql.Identifier(kind.trigger)
    opened, closed = [sql.SQL("NO FORCE ROW LEVEL SECURITY")], [sql.SQL("FORCE ROW LEVEL SECURITY")]
    if kind.trigger:
        opened.append(sql.SQL("DISABLE TRIGGER {}").format(trigger))
        closed.append(sql.SQL("ENABLE TRIGGER {}").format(trigger))

    def alter(changes: list[sql.Composable]) -> sql.Composed:
        return sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(changes))

    for again in reversed(range(TRIES)):
        try:
            with as_owner(), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{WAITS:d}ms'")
                cursor.execute(alter(opened))
                cursor.execute(sql.SQL("DELETE FROM {} WHERE id = ANY(%s)").format(table), [ids])
                # What the removed rows are looked at for is looked at now: no table is altered before.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(alter(closed))
            return
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != "55P03":
                raise
            if not again:
                raise NotArchived(
                    f"{kind.table} has been busy for a minute. Run the command again later: the rows of the last file"
                    " are still in the database."
                ) from error
            time.sleep(PAUSE)
