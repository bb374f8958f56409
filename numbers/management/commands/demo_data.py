"""``manage.py demo_data --numbers N``: an invented operator to look at and to measure."""

import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from numbers.demo import AlreadyThere, write_demo_data
from portal.database import purpose
from portal.database.owner import as_owner

FEWEST, MOST = 100, 10_000_000


class Command(BaseCommand):
    help = "Fill an empty database with invented accounts, people and numbers."

    def add_arguments(self, parser):
        parser.add_argument("--numbers", type=int, default=20_000, help=f"how many phone numbers, {FEWEST} to {MOST:,}")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are accounts already")

    def handle(self, *args, **options):
        began = time.monotonic()
        numbers = options["numbers"]
        if not FEWEST <= numbers <= MOST:
            raise CommandError(f"--numbers {numbers}: ask for {FEWEST} (the demo's cast has 63) to {MOST:,}.")
        if problem := not_a_demo():
            raise CommandError(problem)
        try:
            with as_owner():
                if not has_tables():
                    call_command("migrate", verbosity=0)
                write_demo_data(numbers)
        except AlreadyThere:
            if options["if_empty"]:
                return
            raise CommandError("This database has accounts already; demo data goes into an empty one.") from None
        seconds = time.monotonic() - began
        self.stdout.write(f"{numbers:,} numbers in {seconds:.1f} s ({numbers / seconds:,.0f} a second)")


def not_a_demo() -> str:
    """Why demo data does not belong into this database, in a sentence; nothing when it does."""
    name = connection.settings_dict["NAME"]
    if not settings.DEMO:
        return (
            f"Demo data comes with people whose password is published, and {name} is not a demonstration: unset"
            " DATABASE_URL to use the embedded database, or set DEMO=1 and the DATABASE_URL of one for demonstrations."
        )
    with as_owner():
        if purpose.is_production():
            return f"The database {name} is in production: demo data comes with people whose password is published."
    return ""


def has_tables() -> bool:
    """Whether migrations have been here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('numbers_phonenumber') IS NOT NULL")
        return cursor.fetchone()[0]
