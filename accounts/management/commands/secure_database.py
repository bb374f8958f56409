"""``manage.py secure_database``: the roles, grants and policies that keep tenants apart."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from psycopg import sql

from accounts.walls import building, inspection, roles
from portal.database import pooler
from portal.database.address import sign_in_of
from portal.database.owner import as_owner, signed_in

#: The server, and the database on it: however it is reached, these are the same.
PLACE = "SELECT pg_postmaster_start_time(), oid, datname FROM pg_database WHERE datname = current_database()"


class Command(BaseCommand):
    help = (
        "Make the roles of DATABASE_URL and MIGRATION_DATABASE_URL, the roles of the scopes, the database, and what"
        " each role may do. Makes what is missing, puts right what differs, passwords too, and tries each sign-in;"
        " harmless to repeat."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--administrator",
            help="the address of a role that may make roles, such as postgresql://postgres:...@host/postgres;"
            " without it the role of MIGRATION_DATABASE_URL has to be such a one",
        )

    def handle(self, *args, **options):
        if problem := problem_of_addresses():
            raise CommandError(problem)
        place = None
        if options["administrator"]:
            place = self.as_administrator(sign_in_of(options["administrator"]))
        portal, owner = settings.PORTAL_SIGN_IN, settings.OWNER_SIGN_IN
        place = self.prove(owner, "MIGRATION_DATABASE_URL", place, "--administrator")
        with as_owner():
            if not options["administrator"] and why_not(portal):
                roles.make_sign_in(portal)
            building.build()
            is_migrated = has_walls()
        self.prove(portal, "DATABASE_URL", place, "MIGRATION_DATABASE_URL")
        if settings.POOLER_SIGN_IN:
            with signed_in(part_of(portal)):
                pooler.set_defaults()
        if is_migrated and (refusal := inspection.refusal()):
            raise CommandError(refusal)
        if problem := pooler.problem():
            self.stderr.write(problem)
        self.stdout.write(
            f"The portal signs in as {portal['USER']}, and the tables' owner as {owner['USER']}: both were tried. Each"
            " scope has a role of its own."
        )

    def as_administrator(self, administrator: dict) -> tuple:
        """Make roles and database as the administrator; where that was. Raises ``CommandError``."""
        name = settings.DATABASES["default"]["NAME"]
        try:
            with signed_in(administrator):
                roles.make_sign_in(settings.PORTAL_SIGN_IN)
                roles.make_sign_in(settings.OWNER_SIGN_IN, is_owner=True)
                roles.make_roles()
                make_database(settings.OWNER_SIGN_IN["USER"], name)
            with signed_in(administrator | {"NAME": name}), connection.cursor() as cursor:
                take_over_if_empty(cursor, settings.OWNER_SIGN_IN["USER"])
                building.close_functions(cursor, settings.OWNER_SIGN_IN["USER"])
                cursor.execute(PLACE)
                return cursor.fetchone()
        except DatabaseError as error:
            raise CommandError(f"The administrator's address: {first_line(error)}") from None

    def prove(self, sign_in: dict, setting: str, place: tuple | None, other: str) -> tuple:
        """Sign in with an address of the settings; where that is. Raises ``CommandError`` when nobody can, and when it
        is another place than ``place``, to which the address called ``other`` leads."""
        if why := why_not(sign_in):
            raise CommandError(
                f"{setting}: {sign_in['USER']} cannot sign in: {why}. Run this with --administrator, which sets the"
                " password; if it did, pg_hba.conf of the server does not let this role in from here."
            )
        with signed_in(part_of(sign_in)), connection.cursor() as cursor:
            cursor.execute(PLACE)
            found = cursor.fetchone()
        if place and found != place:
            raise CommandError(
                f"{setting} leads to another server or database than {other}, where the database {place[2]} was made"
                " ready. Have both lead to the same."
            )
        return found


def problem_of_addresses() -> str:
    """Why the two addresses do not fit together, in a sentence; nothing when they do."""
    portal, owner = settings.PORTAL_SIGN_IN, settings.OWNER_SIGN_IN
    if owner is None:
        return "MIGRATION_DATABASE_URL is missing: it names the owner of the tables, in the database of DATABASE_URL."
    # Host and port may differ: one of them may be a pooler's. Where they lead is compared after signing in.
    if portal["NAME"] != owner["NAME"]:
        return (
            f"DATABASE_URL names the database {portal['NAME']}, and MIGRATION_DATABASE_URL {owner['NAME']}: both have"
            " to name the same."
        )
    if portal["USER"] == owner["USER"] and not settings.DEMO:
        return (
            f"DATABASE_URL and MIGRATION_DATABASE_URL name the same role, {owner['USER']}: nothing would keep tenants"
            " apart. Name two roles; this command makes both."
        )
    return ""


def make_database(owner: str, name: str) -> None:
    """Make the database of DATABASE_URL for its owner, unless it is there. Raises ``CommandError`` for one that does
    not fit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s", [name]
        )
        present = cursor.fetchone()
        if present is None:
            make = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
            with member_of(cursor, owner):
                cursor.execute(make.format(sql.Identifier(name), sql.Identifier(owner)))
        elif present[1] != "UTF8":
            raise CommandError(f"The database {name} is encoded as {present[1]}, not UTF8: name another one.")


@contextmanager
def member_of(cursor, role: str) -> Iterator[None]:
    """Have the administrator be a member of a role, without which only a superuser hands anything over to it."""
    # Since version 16 who made a role is a member that may not act as it.
    cursor.execute("SELECT pg_has_role(%s, %s)", [role, "SET" if connection.pg_version >= 160000 else "MEMBER"])
    if cursor.fetchone()[0]:
        yield
        return
    cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    try:
        yield
    finally:
        cursor.execute(sql.SQL("REVOKE {} FROM CURRENT_USER").format(sql.Identifier(role)))


def take_over_if_empty(cursor, owner: str) -> None:
    """Have the database belong to the owner of our tables: one that somebody made without telling whose it is.

    Raises ``CommandError`` where others keep tables in it.
    """
    cursor.execute(
        "SELECT current_database(), pg_get_userbyid(datdba),"
        " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
        "  AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'"
        "  AND pg_get_userbyid(c.relowner) <> %s)"
        " FROM pg_database WHERE datname = current_database()",
        [owner],
    )
    name, has, others = cursor.fetchone()
    if has == owner:
        return
    if others:
        raise CommandError(
            f"The database {name} belongs to {has} and has tables of others: name another one in DATABASE_URL and"
            " MIGRATION_DATABASE_URL."
        )
    with member_of(cursor, owner):
        cursor.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(owner)))


def part_of(sign_in: dict) -> dict:
    """Who signs in, and where, of an address of the settings."""
    return {part: sign_in[part] for part in ("USER", "PASSWORD", "HOST", "PORT")}


def why_not(sign_in: dict) -> str:
    """Why nobody can sign in with an address of the settings; nothing when they can."""
    try:
        with signed_in(part_of(sign_in)):
            connection.ensure_connection()
    except DatabaseError as error:
        return first_line(error)
    return ""


def first_line(error: DatabaseError) -> str:
    return str(error).strip().splitlines()[0].removesuffix(".")


def has_walls() -> bool:
    """Whether migrations have made the portal's tables."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('wall.key') IS NOT NULL")
        return cursor.fetchone()[0]
