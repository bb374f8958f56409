"""``manage.py migrate``: as the owner of the tables, and with the walls around their rows when it is done."""

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate

from accounts.walls import building
from portal.database import purpose, server
from portal.database.owner import as_owner


class Command(migrate.Command):
    help = f"{migrate.Command.help} Works as the owner of the tables, see MIGRATION_DATABASE_URL."

    def execute(self, *args, **options):
        with as_owner():
            if problem := server.problem():
                raise CommandError(problem)
            return super().execute(*args, **options)

    def handle(self, *args, **options):
        if not (options["plan"] or options["check_unapplied"]):
            building.see_that_roles_can_be_made()
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):
            building.build()
            if not settings.DEMO:
                purpose.declare_production()
