"""Processes of the portal's own, on the database of the test, and how to talk to them."""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


def environment(**more: str) -> dict[str, str]:
    """What such a process finds in its environment: it signs in to the test's database as the portal does."""
    of, name = settings.PORTAL_SIGN_IN, connection.settings_dict["NAME"]
    url = f"postgresql://{of['USER']}:{of['PASSWORD']}@{of['HOST']}:{of['PORT']}/{name}"
    inherited = {name: value for name, value in os.environ.items() if name != "MIGRATION_DATABASE_URL"}
    return (
        inherited
        | {"DJANGO_SETTINGS_MODULE": "portal.settings", "DATABASE_URL": url, "DEMO": "1", "LOG_LEVEL": "ERROR"}
        | more
    )


@contextmanager
def servers(count: int, **more: str):
    """So many web servers, each a process of its own; gives their ports."""
    collect_static_files()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    started = []
    try:
        for port in ports:
            command = [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1",
                "--blocking-threads", "2", "--no-access-log", "--log-level", "error", "portal.wsgi:application",
            ]  # fmt: skip
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment(**more), start_new_session=True))  # noqa: S603
        for port in ports:
            wait_for(port)
        yield ports
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            process.wait(30)


def collect_static_files() -> None:
    """Bring static files to where servers look for them, unless they are there; one process of the tests at a time."""
    built, manifest = ROOT / "static" / "dist" / ".built", ROOT / "var" / "static" / "staticfiles.json"
    with (ROOT / "var" / "collecting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not manifest.exists() or manifest.stat().st_mtime < built.stat().st_mtime:
            command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
            subprocess.run(command, cwd=ROOT, env=environment(), check=True)  # noqa: S603


def wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if ask(port, "GET", "/healthz", Host="localhost")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError


def ask(port: int, method: str, path: str, fields: dict | str | None = None, **headers: str):
    """One request, with the fields of a form or with a text; its status, headers and content."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    body = urlencode(fields, doseq=True) if isinstance(fields, dict) else fields
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    server.request(method, path, body, headers)
    response = server.getresponse()
    content = response.read()
    server.close()
    return response.status, response.headers, content


@contextmanager
def worker(**more: str):
    """A worker, killed in the end; gives its process."""
    command = [sys.executable, "manage.py", "worker"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(**more), start_new_session=True)  # noqa: S603
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
