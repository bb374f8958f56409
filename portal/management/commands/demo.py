"""``manage.py demo``: the whole portal on this computer, with demo data, until Ctrl-C."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account, Person
from accounts.walls import inspection
from numbers.carriers import simulated_server
from numbers.demo import DEMO_CARRIER, PASSWORD, PEOPLE
from numbers.management.commands.demo_data import has_tables, not_a_demo
from numbers.models import Provider
from portal.database import server
from portal.embedded import free_port
from portal.processes import Child, becomes_free, demo_carrier, look_after, web, workers
from webphone.demo import write_demo_telephones

MOST_WORKERS = 8  # each thread has a connection, and the embedded database takes a hundred


class Command(BaseCommand):
    help = "Start the portal with demo data, on the embedded database unless DATABASE_URL is set."

    def add_arguments(self, parser):
        parser.add_argument("--numbers", type=int, default=20_000, help="how many numbers, where there are none yet")

    def handle(self, *args, **options):
        port = os.environ.get("PORT", "8000")
        if not (port.isdigit() and 0 < int(port) < 65536):
            raise CommandError(f"PORT={port} is not a port: use a number from 1 to 65535.")
        if not becomes_free(int(port)):
            raise CommandError(
                f"Port {port} is in use: stop the program that listens on it, or choose another, as in PORT=8080."
            )
        self.refuse(server.problem() or not_a_demo() or inspection.bypass() or others_accounts())
        call_command("migrate", verbosity=0)
        self.refuse(inspection.refusal())
        call_command("demo_data", numbers=options["numbers"], if_empty=True)
        write_demo_telephones()
        call_command("collectstatic", interactive=False, verbosity=0)
        address = f"http://127.0.0.1:{port}"
        width = max(len(email) for email, *_rest in PEOPLE)
        people = "\n".join(f"  {email:<{width}}  {role} of {code}" for email, _name, role, code in PEOPLE)
        greeting = (
            f"\nThe portal is at {address}\n\nSign in as one of these, password {PASSWORD}\n{people}\n"
            f"{self.more_greeting()}\nCtrl-C ends it."
        )
        count = min(os.cpu_count() or 2, MOST_WORKERS)
        with self.more_children(address) as more:
            children = [
                *self.carrier(address),
                *more,
                web("127.0.0.1", int(port), workers=count, threads=settings.THREADS, ends_at_once=True),
                *workers(),
            ]
            ready, farewell = f"{address}/healthz", "The portal has stopped."
            if look_after(children, self.stdout.write, ready=ready, greeting=greeting, farewell=farewell):
                raise CommandError("The portal stopped.")

    def more_greeting(self) -> str:
        """What else people are told at the start."""
        return ""

    @contextmanager
    def more_children(self, address: str) -> Iterator[list[Child]]:
        """What else is started, for the portal at ``address``."""
        yield []

    @staticmethod
    def carrier(address: str) -> list[Child]:
        """A carrier to order numbers from, unless real ones are set up."""
        provider = Provider.objects.filter(name=DEMO_CARRIER).first()
        if os.environ.get("CARRIERS") or provider is None:
            return []
        port = free_port()
        os.environ["CARRIERS"] = simulated_server.address_of(port, DEMO_CARRIER)
        return [demo_carrier(port, f"{address}/carriers/{provider.pk}/")]

    @staticmethod
    def refuse(why: str) -> None:
        if why:
            raise CommandError(why)


def others_accounts() -> str:
    """Why the database is no demonstration's, in a sentence: it has accounts without the demo's people."""
    if not has_tables() or Account.called("SYS") is None or Person.objects.owner_of(PEOPLE[0][0]):
        return ""
    name = settings.DATABASES["default"]["NAME"]
    return f"The database {name} has accounts that are not the demonstration's: unset DATABASE_URL, or name another."
