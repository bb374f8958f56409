"""``manage.py secure_database``: the roles, grants and policies that keep tenants apart."""

import environ
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from psycopg import sql

from accounts import walls
from portal.database.owner import as_owner, signed_in


class Command(BaseCommand):
    help = (
        "Make the roles of DATABASE_URL and MIGRATION_DATABASE_URL, the roles of the scopes, the database, and what"
        " each role may do. Makes what is missing and puts right what differs; harmless to repeat."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--administrator",
            help="the address of a role that may make roles, such as postgresql://postgres:...@host/postgres;"
            " without it the role of MIGRATION_DATABASE_URL has to be such a one",
        )

    def handle(self, *args, **options):
        if options["administrator"]:
            with signed_in(environ.Env.db_url_config(options["administrator"])):
                walls.make_roles()
                make_owner_and_database()
        with as_owner():
            walls.build()
        self.stdout.write(f"The portal may sign in as {walls.portal_role()}; each scope has a role of its own.")


def make_owner_and_database() -> None:
    """Make the role of MIGRATION_DATABASE_URL and the database of DATABASE_URL, unless they are there."""
    owner, name = settings.OWNER_SIGN_IN, settings.DATABASES["default"]["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [owner["USER"]])
        if cursor.fetchone() is None:
            make = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            cursor.execute(make.format(sql.Identifier(owner["USER"]), sql.Literal(owner["PASSWORD"])))
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            make = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
            cursor.execute(make.format(sql.Identifier(name), sql.Identifier(owner["USER"])))
