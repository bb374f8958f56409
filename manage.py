#!/usr/bin/env python
"""The portal's command line. Without DATABASE_URL it works on the embedded database, as a demonstration."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from portal.embedded import CannotStart, Server

#: Commands that are a demonstration, whatever they work on.
DEMOS = {"demo", "phone"}
#: Commands that must not fall back on the embedded database, and those that need none.
PRODUCTION = {"serve"}
WITHOUT_DATABASE = {"collectstatic", "help", "makemessages", "compilemessages", "--help", "--version", "version"}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    server, database = Server(Path(__file__).resolve().parent / "var" / "postgres"), nullcontext()
    if command in DEMOS or ("DATABASE_URL" not in os.environ and command not in PRODUCTION):
        os.environ["DEMO"] = "1"
    if "DATABASE_URL" not in os.environ and command not in PRODUCTION | WITHOUT_DATABASE:
        database = server.running()
    try:
        with database as url:
            if url:
                os.environ |= {"DATABASE_URL": url, "MIGRATION_DATABASE_URL": server.owner_url}
            execute_from_command_line(sys.argv)
    except (CannotStart, ImproperlyConfigured) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
