"""What is done to the portal. Each fault begins, lasts, and is over: what it has broken nobody mends by hand."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import psycopg

from tests.chaos.gate import GARBAGE, GONE, OPEN, SLOW
from tests.chaos.site import Site

#: Room that a full disk has left for a file, in bytes.
ROOM = 8192


@dataclass(frozen=True)
class Fault:
    """``act`` is a context that lasts for ``seconds``; in its end only the fault itself is taken away."""

    name: str
    act: Callable[[Site], object]
    seconds: float = 0


def killed(what: str) -> Callable[[Site], object]:
    @contextmanager
    def act(site: Site) -> Iterator[None]:
        site.signal(signal.SIGKILL, *site.pids(what))
        yield

    return act


def one_killed(what: str) -> Callable[[Site], object]:
    @contextmanager
    def act(site: Site) -> Iterator[None]:
        site.signal(signal.SIGKILL, site.pids(what)[0])
        yield

    return act


@contextmanager
def postmaster_killed(site: Site) -> Iterator[None]:
    site.signal(signal.SIGKILL, *site.pids("postmaster"))
    yield
    site.start_database()


@contextmanager
def database_restarted(site: Site) -> Iterator[None]:
    site.server.process.send_signal(signal.SIGINT)
    yield
    site.start_database()


@contextmanager
def backends_ended(site: Site) -> Iterator[None]:
    site.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'portal_web'")
    yield


def frozen(what: str) -> Callable[[Site], object]:
    @contextmanager
    def act(site: Site) -> Iterator[None]:
        pids = site.pids(what)
        site.signal(signal.SIGSTOP, *pids)
        try:
            yield
        finally:
            site.signal(signal.SIGCONT, *pids)

    return act


def locked(*statements: str) -> Callable[[Site], object]:
    """Somebody else holds locks."""

    @contextmanager
    def act(site: Site) -> Iterator[None]:
        with site.superuser() as connection, connection.transaction():
            for statement in statements:
                connection.execute(statement)
            yield

    return act


@contextmanager
def connections_used_up(site: Site) -> Iterator[None]:
    """Others have all that are left, and a web process that is started meanwhile gets none."""
    with ExitStack() as held:
        with suppress(psycopg.OperationalError):
            while True:
                held.enter_context(psycopg.connect(site.server.url, connect_timeout=5))
        site.signal(signal.SIGKILL, site.pids("web")[0])
        yield


def gate(name: str, mode: str) -> Callable[[Site], object]:
    @contextmanager
    def act(site: Site) -> Iterator[None]:
        one = getattr(site, name)
        one.mode = mode
        try:
            yield
        finally:
            one.mode = OPEN

    return act


@contextmanager
def carrier_mishears(site: Site) -> Iterator[None]:
    """Orders of which the carrier does not say, or says wrongly, whether it has taken them."""
    site.carrier.faults += [
        "taken without an answer",
        "taken with an error",
        "taken with nonsense",
        "not taken without an answer",
        "not taken with an error",
        "too much to do",
    ]
    until = time.monotonic() + 120
    yield
    while site.carrier.faults and time.monotonic() < until:
        time.sleep(0.2)


def limited(what: str, kind: int, limit: Callable[[int], int]) -> Callable[[Site], object]:
    """Processes have less of something; those that are started afterwards have all of it again."""

    @contextmanager
    def act(site: Site) -> Iterator[None]:
        before = {}
        for pid in site.pids(what):
            before[pid] = resource.prlimit(pid, kind)
            resource.prlimit(pid, kind, (limit(pid), before[pid][1]))
        try:
            yield
        finally:
            for pid, own in before.items():
                with suppress(ProcessLookupError):
                    resource.prlimit(pid, kind, own)

    return act


def memory_of(pid: int) -> int:
    """What a process has now, and a little more."""
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123 - not a file
        return int(file.read().split()[0]) * resource.getpagesize() + 2 * 1024 * 1024


WORK = (
    "SELECT FROM numbers_import WHERE ended_at IS NULL FOR UPDATE",
    "SELECT FROM numbers_job WHERE ended_at IS NULL FOR UPDATE",
)
FAULTS = [
    Fault("all workers killed", killed("workers")),
    Fault("a web process killed", one_killed("web")),
    Fault("the web master killed", killed("master")),
    Fault("serve killed", killed("serve")),
    Fault("a database backend killed: it starts anew", one_killed("backends")),
    Fault("all connections to the database ended", backends_ended),
    Fault("the database killed for 3 s", postmaster_killed, 3),
    Fault("the database restarted within 3 s", database_restarted, 3),
    Fault("the worker of large work frozen for 60 s", frozen("large"), 60),
    Fault("all workers frozen for 45 s", frozen("workers"), 45),
    Fault("a web process frozen for 10 s", lambda site: frozen_first(site), 10),
    Fault("the database frozen for 12 s", frozen("database"), 12),
    Fault("a table of numbers locked for 8 s", locked("LOCK TABLE numbers_phonenumber"), 8),
    Fault("rows of all work locked for 20 s", locked(*WORK), 20),
    Fault("connections used up for 8 s", connections_used_up, 8),
    Fault("mail server gone for 10 s", gate("mail", GONE), 10),
    Fault("mail server silent for 15 s", gate("mail", SLOW), 15),
    Fault("mail server answers garbage for 10 s", gate("mail", GARBAGE), 10),
    Fault("carrier gone for 10 s", gate("carriers", GONE), 10),
    Fault("carrier silent for 15 s", gate("carriers", SLOW), 15),
    Fault("carrier answers garbage for 10 s", gate("carriers", GARBAGE), 10),
    Fault("carrier does not say what it has done", carrier_mishears, 5),
    Fault("no room for files and logs for 10 s", limited("web", resource.RLIMIT_FSIZE, lambda _pid: ROOM), 10),
    Fault("no file handles left for 8 s", limited("web", resource.RLIMIT_NOFILE, lambda _pid: 3), 8),
    Fault("no memory left for the workers for 10 s", limited("workers", resource.RLIMIT_AS, memory_of), 10),
]


@contextmanager
def frozen_first(site: Site) -> Iterator[None]:
    pid = site.pids("web")[0]
    site.signal(signal.SIGSTOP, pid)
    try:
        yield
    finally:
        site.signal(signal.SIGCONT, pid)
