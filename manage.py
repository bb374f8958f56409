#!/usr/bin/env python
"""The portal's command line. Which commands may work on the embedded database stands in ``portal.command_line``."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from portal.command_line import CommandLine, database_for, hint, is_demo, tell_database
from portal.embedded import CannotStart, Server


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    server = Server(Path(__file__).resolve().parent / "var" / "postgres")
    if is_demo(command):
        os.environ["DEMO"] = "1"
    try:
        with database_for(command, server) as url:
            if url:
                os.environ |= {"DATABASE_URL": url, "MIGRATION_DATABASE_URL": server.owner_url}
            tell_database(command, is_embedded=bool(url))
            CommandLine(sys.argv).execute()
    except ImproperlyConfigured as refusal:
        sys.stderr.write(f"{refusal}\n{hint(command)}")
        return 2
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") is not None:  # a statement failed, with a state of its own
            raise
        sys.stderr.write(f"The database cannot be reached: {str(error).strip().splitlines()[0]}\n")
        return 1
    except CannotStart as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
