"""``manage.py demo_data --numbers N``: an invented operator to look at and to measure."""

import time

from django.core.management.base import BaseCommand, CommandError

from numbers.demo import AlreadyThere, write_demo_data
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
        try:
            with as_owner():
                write_demo_data(numbers)
        except AlreadyThere:
            if options["if_empty"]:
                return
            raise CommandError("This database has accounts already; demo data goes into an empty one.") from None
        seconds = time.monotonic() - began
        self.stdout.write(f"{numbers:,} numbers in {seconds:.1f} s ({numbers / seconds:,.0f} a second)")
