"""Processes of the portal's own, on the database of the test, and how to talk to them."""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection

from portal.processes import web_command

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
def servers(count: int, *, ends_at_once: bool = False, **more: str):
    """So many web servers, each a process of its own; gives their ports."""
    collect_static_files()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    started = []
    try:
        for port in ports:
            command = web_command("127.0.0.1", port, workers=1, ends_at_once=ends_at_once)
            own = environment(**{"THREADS": "2"} | more)
            started.append(subprocess.Popen(command, cwd=ROOT, env=own, start_new_session=True))  # noqa: S603
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


def ask(port: int, method: str, path: str, fields: dict | str | bytes | None = None, **headers: str):
    """One request, with the fields of a form or with a body; its status, headers and content."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    body = urlencode(fields, doseq=True) if isinstance(fields, dict) else fields
    if body:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    server.request(method, path, body, headers)
    response = server.getresponse()
    content = response.read()
    server.close()
    return response.status, response.headers, content


@contextmanager
def worker(*rooms: str, **more: str):
    """A worker for these kinds of work, for all unless some are named; killed in the end; gives its process."""
    command = [sys.executable, "manage.py", "worker", *rooms]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(**more), start_new_session=True)  # noqa: S603
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has started (Linux)."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(one) for one in task.read_text().split()]
    return found


def command_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""
