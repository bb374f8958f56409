"""Commands of the portal in production, each a process of its own, on a database of the tests' server."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "SECRET_KEY": settings.SECRET_KEY, "ALLOWED_HOSTS": "portal.example", "EMAIL_URL": "consolemail://",
    "DEFAULT_FROM_EMAIL": "portal@portal.example",
}  # fmt: skip


def address(role, password, database):
    """An address on the tests' server."""
    parts = urlsplit(os.environ["MIGRATION_DATABASE_URL"])
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{password}@{place}", path=f"/{database}"))


def run(*arguments, **environment):
    """Run a command; every one but those that log says first which database it works on, and that is taken off."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=kept | PRODUCTION | environment,
        capture_output=True,
        text=True,
        timeout=600,  # only so that nothing hangs for ever
        check=False,
    )
    if arguments[0] not in ("serve", "worker") and "DATABASE_URL" in environment:
        told, _line_break, done.stderr = done.stderr.partition("\n")
        place = urlsplit(environment["DATABASE_URL"])
        assert told.startswith(f"Database: {place.path[1:]} on 127.0.0.1, port {place.port}, as {place.username}")
        assert f":{place.password}" not in told
    return done
