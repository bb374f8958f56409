"""``manage.py note_backup``: the last line of whatever makes back-ups."""

from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account


class Command(BaseCommand):
    help = (
        "Record that a back-up of the database was made just now and can be read. System administrators receive a"
        " notice when 36 hours pass without another."
    )

    def handle(self, *args, **options):
        system = Account.called("SYS")
        if system is None:
            raise CommandError("There is no system account yet: run create_operator first.")
        audit.record(Actor(person=None, account=system, chain=(system,)), "portal.backed_up", system)
        self.stdout.write("The back-up is noted.")
