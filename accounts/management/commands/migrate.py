"""``manage.py migrate``: as the owner of the tables, and with the walls around their rows when it is done."""

from django.core.management.commands import migrate

from accounts import walls
from portal.database.owner import as_owner


class Command(migrate.Command):
    help = f"{migrate.Command.help} Works as the owner of the tables, see MIGRATION_DATABASE_URL."

    def execute(self, *args, **options):
        with as_owner():
            return super().execute(*args, **options)

    def handle(self, *args, **options):
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):
            walls.build()
