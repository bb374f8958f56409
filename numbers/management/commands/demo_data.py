"""``manage.py demo_data --numbers N``: an invented operator to look at and to measure."""

import time

from django.core.management.base import BaseCommand, CommandError

from numbers.demo import AlreadyThere, write_demo_data


class Command(BaseCommand):
    help = "Fill an empty database with invented accounts, people and numbers."

    def add_arguments(self, parser):
        parser.add_argument("--numbers", type=int, default=20_000, help="how many phone numbers (at least 100)")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are accounts already")

    def handle(self, *args, **options):
        began = time.monotonic()
        if options["numbers"] < 100:
            raise CommandError("The demo's own cast has 63 numbers: ask for 100 or more.")
        try:
            written = write_demo_data(options["numbers"])
        except AlreadyThere:
            if options["if_empty"]:
                return
            raise CommandError("This database has accounts already; demo data goes into an empty one.") from None
        seconds = time.monotonic() - began
        self.stdout.write(f"{written:,} numbers in {seconds:.1f} s ({written / seconds:,.0f} a second)")
