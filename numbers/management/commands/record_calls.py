"""``manage.py record_calls FILE``: take down the calls of a file, as a phone system would report them."""

import csv
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from numbers.actions.calls import Recorded, record_calls
from numbers.calls import NAMED, NotCalls
from numbers.models import TelephoneSystem
from numbers.reports import of_file


class Command(BaseCommand):
    help = (
        "Record incoming calls from a file in a format that phone systems report: CSV with the columns id, number and"
        " time, Asterisk CDR and CEL, Kamailio acc, Cisco CDR, or reports of FreeSWITCH. - reads the standard input."
    )

    def add_arguments(self, parser):
        parser.add_argument("file")
        parser.add_argument("--account", default="SYS", help="the code of the account whose phone system it was")
        parser.add_argument("--system", required=True, help="the name of the phone system")

    def handle(self, *args, file, account, system, **options):
        found = TelephoneSystem.called(account, system)
        if found is None:
            raise CommandError(f"{account} has no phone system in use that is called {system}: add it there first.")
        done, refused, skipped = Recorded(), 0, 0
        try:
            with (
                sys.stdin
                if file == "-"
                else Path(file).open(encoding="utf-8-sig", newline="", errors="replace") as lines
            ):
                for calls in of_file(lines, found.reading):
                    done += record_calls(found, calls)
                    for line, why in calls.refused[: max(NAMED - refused, 0)]:
                        self.stderr.write(f"line {line}: {why}")
                    refused += len(calls.refused)
                    skipped += calls.skipped
        except (OSError, UnicodeDecodeError, csv.Error, NotCalls) as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(
            f"{done.recorded} calls taken down, {done.repeated} known before, {done.unknown} to other numbers,"
            f" {refused} refused" + (f", {skipped} skipped (no incoming calls)" if skipped else "")
        )
