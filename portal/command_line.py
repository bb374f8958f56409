"""Which commands ``manage.py`` offers, and which database each works on."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from django.core.management import ManagementUtility

from portal.database.address import described
from portal.embedded import Server

#: Commands that are a demonstration, whatever they work on.
DEMOS = {"demo", "phone"}
#: Commands that fall back on the embedded database; with ``DEMO=1`` every command but those of production does.
EMBEDDED = DEMOS | {"demo_carrier", "demo_data", "document_roles", "makemigrations"}
PRODUCTION = {"serve"}
#: Commands that need no database.
WITHOUT_DATABASE = {
    "collectstatic", "compilemessages", "findstatic", "help", "makemessages", "startapp", "version", "--help",
    "--version", "-h",
}  # fmt: skip
#: Commands whose standard error is a log of JSON lines: they say there which database they work on, or are said it.
LOGGING = {"demo_carrier", "serve", "worker"}
#: Commands of Django that cannot work here, or would pass by the portal's rules; and what to do instead.
NOT_OFFERED = {
    "changepassword": "People reset a forgotten password on the sign-in page; for a lost administrator there is"
    " create_operator --again.",
    "createcachetable": "migrate makes the table of the cache.",
    "dumpdata": "The portal's role reads no rows of tenants: make a back-up with pg_dump, see docs/install.md.",
    "flush": "The history cannot be emptied: drop the database and make it anew with secure_database and migrate.",
    "loaddata": "The portal's role writes no rows of tenants: restore a back-up with pg_restore, see docs/install.md.",
    "runserver": "Run demo, or serve.",
    "sqlflush": "The history cannot be emptied: drop the database and make it anew with secure_database and migrate.",
    "startproject": "This is a project.",
    "test": "Run make test.",
    "testserver": "Run demo.",
}


class CommandLine(ManagementUtility):
    """Django's command line without the commands that cannot work here."""

    def fetch_command(self, subcommand):
        if instead := NOT_OFFERED.get(subcommand):
            sys.stderr.write(f"manage.py {subcommand} is not offered here. {instead}\n")
            sys.exit(1)
        return super().fetch_command(subcommand)

    def main_help_text(self, commands_only=False):
        lines = super().main_help_text(commands_only).splitlines()
        return "\n".join(line for line in lines if line.strip() not in NOT_OFFERED)


def has_database() -> bool:
    """Whether the environment names a database; an empty value names none."""
    return bool(os.environ.get("DATABASE_URL"))


def is_demo(command: str) -> bool:
    """Whether a command works with the settings of a demonstration: because it is one, or was told so by ``DEMO=1``."""
    if command in DEMOS or os.environ.get("DEMO", "").lower() in ("1", "true", "yes", "on"):
        return True
    return not has_database() and command in EMBEDDED | WITHOUT_DATABASE


def database_for(command: str, server: Server) -> AbstractContextManager[str | None]:
    """What has the embedded database up while a command runs, and yields its address; None where it is not wanted."""
    wanted = is_demo(command) and command not in PRODUCTION | WITHOUT_DATABASE
    return server.running() if wanted and not has_database() else nullcontext()


def tell_database(command: str, *, is_embedded: bool) -> None:
    """Say on standard error which database a command is about to work on."""
    if command in WITHOUT_DATABASE | LOGGING | NOT_OFFERED.keys() or not has_database():
        return
    if is_embedded:
        sys.stderr.write("Database: the embedded one of this checkout, for demonstrations.\n")
    else:
        urls = os.environ["DATABASE_URL"], os.environ.get("MIGRATION_DATABASE_URL", "")
        sys.stderr.write(f"Database: {described(*urls)}.\n")


def hint(command: str) -> str:
    """What to do about settings that are missing, besides setting them; nothing for what runs in production alone."""
    if has_database() or command in PRODUCTION | {"worker"}:
        return ""
    return (
        "Load the portal's settings first (docs/install.md). For a trial on this computer run manage.py demo, or set"
        " DEMO=1 to work on its database.\n"
    )
