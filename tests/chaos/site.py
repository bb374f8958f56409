"""The portal as it is in production, on a database of its own, with a carrier and a mail server behind gates."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import psycopg

from numbers.carriers import simulated_server
from portal.embedded import ADMIN, DATABASE, CannotStart, Server, dies_with_parent
from tests.chaos.gate import Gate, Mailbox
from tests.processes import children, command_of

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
CARRIER = "Simulated"
#: What watches ``serve`` starts it again after so long, as the unit does.
RESTART_SECONDS = 1
#: Few connections, so that all can be used up; otherwise as it is in production, so that a crash loses nothing.
DATABASE_SETTINGS = "max_connections = 80"


class Site:
    """Everything that runs. ``pids`` find its processes by what they are."""

    def __init__(self):
        self.server = Server(VAR / f"chaos-postgres-{os.getpid()}", DATABASE_SETTINGS)
        self.mailbox = Mailbox()
        self.mail = Gate(self.mailbox.server_address[1])
        self.carrier_server = simulated_server.serve(0, seconds=0.2)
        self.carrier = self.carrier_server.carrier
        threading.Thread(target=self.carrier_server.serve_forever, daemon=True).start()
        self.carriers = Gate(self.carrier_server.server_port)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.log = VAR / "chaos.log"
        self.key = secrets.token_urlsafe(50)
        self.process: subprocess.Popen | None = None
        self.stops = threading.Event()
        self.supervisor = threading.Thread(target=self.supervise, daemon=True)

    # Life

    @contextmanager
    def running(self) -> Iterator[dict]:
        """Make all of it from nothing; yield what is there. Raises ``CannotStart``."""
        VAR.mkdir(exist_ok=True)
        self.remove()
        self.log.write_text("")
        self.server.start()
        try:
            self.run("manage.py", "migrate", "--verbosity", "0")
            facts = json.loads(self.run("-m", "tests.chaos.seed", CARRIER))
            self.supervisor.start()
            self.wait_until_ready(60)
            yield facts
        finally:
            self.stops.set()
            if self.supervisor.ident:
                self.supervisor.join()
            self.stop_portal()
            self.server.stop()
            self.carrier_server.shutdown()
            self.mailbox.shutdown()
            self.remove()

    def remove(self) -> None:
        """The database's files; also of runs that were killed."""
        for folder in VAR.glob("chaos-postgres-*"):
            owner = int(folder.name.partition(".")[0].rpartition("-")[2])
            if owner != os.getpid() and Path(f"/proc/{owner}").exists():
                continue
            if folder.is_symlink():
                shutil.rmtree(folder.resolve(), ignore_errors=True)
            if folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)

    def environment(self, *, owner: bool = False) -> dict[str, str]:
        """What the portal is told; the owner of the tables only where they are made."""
        own = {
            "DATABASE_URL": self.server.url,
            "SECRET_KEY": self.key,
            "ALLOWED_HOSTS": "localhost",
            "PLAIN_HTTP": "1",
            "STAFF_SECOND_FACTOR": "0",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "DEFAULT_FROM_EMAIL": "portal@chaos.example",
            "CARRIERS": simulated_server.address_of(self.carriers.port, CARRIER),
            "PORT": str(self.port),
            "WORKERS": "2",
            "LOG_LEVEL": "WARNING",
        }
        if owner:
            own["MIGRATION_DATABASE_URL"] = self.server.owner_url
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("DEMO", "MIGRATION_DATABASE_URL")
        }
        return inherited | own

    def run(self, *command: str) -> str:
        done = subprocess.run(  # noqa: S603
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment(owner=True),
            check=True,
            stdout=subprocess.PIPE,
        )
        return done.stdout.decode()

    def supervise(self) -> None:
        """What systemd does: ``serve`` is started again when it has ended."""
        while not self.stops.is_set():
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "manage.py", "serve"],
                    cwd=ROOT,
                    env=self.environment(),
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=dies_with_parent(signal.SIGTERM),
                )
            while self.process.poll() is None and not self.stops.wait(0.05):
                pass
            self.stops.wait(RESTART_SECONDS)

    def stop_portal(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(60)

    def wait_until_ready(self, seconds: float) -> None:
        """Until all of it is well. Raises ``CannotStart``."""
        until = time.monotonic() + seconds
        while not self.is_well():
            if time.monotonic() > until:
                raise CannotStart(f"The portal does not start: see {self.log}.")
            time.sleep(0.2)

    def is_well(self) -> bool:
        """Whether ``/readyz`` has nothing to say."""
        request = Request(f"http://127.0.0.1:{self.port}/readyz", headers={"Host": "localhost"})
        try:
            with urlopen(request, timeout=5) as answer:  # noqa: S310 - our own address
                return json.load(answer) == {"status": "ok"}
        except (URLError, OSError, ValueError):
            return False

    # Its processes

    def pids(self, what: str) -> list[int]:
        """The processes of a kind: ``serve``, ``master``, ``web``, ``workers``, ``large``, ``postmaster``,
        ``database`` (all of it), ``backends`` (those of the portal)."""
        serve = self.process.pid if self.process else 0
        master = [pid for pid in children(serve) if "granian" in command_of(pid)]
        if what == "serve":
            return [serve]
        if what == "master":
            return master
        if what == "web":
            # The master's other child is Python's own, which looks after what processes share.
            return [pid for one in master for pid in children(one) if "resource_tracker" not in command_of(pid)]
        if what == "workers":
            return [pid for pid in children(serve) if "manage.py worker" in command_of(pid)]
        if what == "large":
            return [pid for pid in self.pids("workers") if command_of(pid).endswith("worker work")]
        postmaster = self.server.process.pid
        if what == "postmaster":
            return [postmaster]
        if what == "database":
            return [postmaster, *children(postmaster)]
        return [pid for pid in children(postmaster) if "portal_web" in command_of(pid)]

    def signal(self, number: int, *pids: int) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def start_database(self) -> None:
        """Start it again after it was killed: the backends that are left have to end first."""
        self.server.process.wait()
        until = time.monotonic() + 60
        while True:
            try:
                return self.server.start()
            except CannotStart:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    # Its database, as a superuser who has nothing to do with the portal

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection]:
        password = (self.server.home / "admin").read_text()
        with psycopg.connect(
            host="127.0.0.1",
            port=self.server.facts["port"],
            user=ADMIN,
            password=password,
            dbname=DATABASE,
            autocommit=True,
            connect_timeout=5,
        ) as connection:
            yield connection

    def rows(self, statement: str, *values: object) -> list[tuple]:
        """The rows of a statement, once the database answers. Raises ``psycopg.OperationalError`` after a minute."""
        until = time.monotonic() + 60
        while True:
            try:
                with self.superuser() as connection:
                    return connection.execute(statement, values or None).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
