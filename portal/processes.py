"""A web server and a worker, looked after: started, watched, begun again when they fall, stopped together."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.error import URLError
from urllib.request import Request, urlopen

from portal.embedded import dies_with_parent, is_free
from portal.tasks import ROOMS

STOP_SECONDS = 15
READY_SECONDS = 10
MOST_FALLS = 5
FALLS_WITHIN_SECONDS = 60
#: A child that keeps falling is started again after twice as long each time, up to this.
LONGEST_PAUSE_SECONDS = 30
#: A process of the web server that does not end when it is told to, as one that is just starting, is killed.
KILL_SECONDS = 8
#: So long where nobody has to be waited for, as in a demonstration.
KILL_AT_ONCE_SECONDS = 2
#: Children of a server that was killed may need so long to end, and to free its port.
PORT_SECONDS = 20
#: Connections with incomplete headers or without a request are closed after this time.
HEADER_SECONDS = 10
#: Connections of one process: a client with hundreds must not exclude others. Each is an open file.
MOST_CONNECTIONS = 8192
OTHER_FILES = 512


@dataclass
class Child:
    """One process to look after, and when it fell lately. ``environment`` yields to what is set outside. Those
    started after it wait until it is ``ready``, some seconds at most. Without an ``essential`` one, nothing goes on."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    essential: bool = False
    process: subprocess.Popen | None = None
    falls: tuple[float, ...] = ()
    #: When it is started again.
    due: float = 0.0

    def start(self) -> None:
        # Only commands work as the owner of the tables; no server is to know how.
        environment = self.environment | os.environ
        environment.pop("MIGRATION_DATABASE_URL", None)
        self.process = subprocess.Popen(  # noqa: S603 - our own programs
            self.command,
            env=environment,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        deadline = time.monotonic() + READY_SECONDS
        while self.ready and not self.ready() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)

    def fell(self, now: float) -> str:
        """Note that it has ended, and when it is started again; a sentence that says so."""
        self.falls = (*(t for t in self.falls if now - t < FALLS_WITHIN_SECONDS), now)
        pause = min(0.5 * 2 ** (len(self.falls) - 1), LONGEST_PAUSE_SECONDS)
        self.due = now + pause
        return f"The {self.name} ended with status {self.process.returncode}; it is started again in {pause:g} s."

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def web(host: str, port: int, *, workers: int, threads: int, ends_at_once: bool = False) -> Child:
    """The web server: as many processes as cores, a few threads each, all but one of which may be busy with exports.

    For ``ends_at_once`` see ``web_command``.
    """
    command = web_command(host, port, workers, ends_at_once=ends_at_once)
    return Child("web server", command, {"THREADS": str(threads)}, essential=True)


def connections() -> int:
    """How many connections a process may have within the system's limit on open files."""
    return max(OTHER_FILES, min(MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - OTHER_FILES))


def allow_open_files() -> None:
    """Raise the limit on open files of this process and its children: the default of a shell is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, connections() + OTHER_FILES)), hard))


def web_command(host: str, port: int, workers: int, *, ends_at_once: bool = False) -> list[str]:
    """The command of the web server. HTTP/1.1 only: it has no timeouts for HTTP/2.

    With ``ends_at_once`` a connection that a browser keeps open does not delay the end, and is no warning.
    """
    seconds = KILL_AT_ONCE_SECONDS if ends_at_once else KILL_SECONDS
    return [
        sys.executable, "-m", "granian", "--interface", "asginl", "--http", "1", "--no-ws", "--loop", "asyncio",
        "--host", host, "--port", str(port), "--workers", str(workers), "--backpressure", str(connections()),
        "--http1-header-read-timeout", str(HEADER_SECONDS * 1000), "--no-access-log",
        "--log-level", "error" if ends_at_once else "warning",
        "--respawn-failed-workers", "--workers-kill-timeout", str(seconds), "portal.server:application",
    ]  # fmt: skip


def workers() -> list[Child]:
    """The workers for what happens in the background: large work has one of its own, so that whatever is wrong with a
    file ends no worker that sends mail and orders numbers."""
    command = [sys.executable, "manage.py", "worker"]
    prompt = [room for room in ROOMS if room != "work"]
    return [Child("worker", [*command, *prompt]), Child("worker for large work", [*command, "work"])]


def demo_carrier(port: int, tells: str) -> Child:
    """A carrier that does not exist; it tells of its orders at the address ``tells``."""
    return Child("demo carrier", [sys.executable, "manage.py", "demo_carrier", "--port", str(port), "--tells", tells])


def becomes_free(port: int) -> bool:
    """Whether nobody listens on ``port``, or soon nobody will: what a killed server has left ends in a moment."""
    deadline = time.monotonic() + PORT_SECONDS
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def answers(url: str, host: str = "") -> bool:
    """Whether a page answers under the host name ``host``: the portal refuses names other than its own."""
    request = Request(url, headers={"Host": host} if host else {})  # noqa: S310 - our own address
    try:
        with urlopen(request, timeout=2) as response:  # noqa: S310 - our own address
            return response.status == 200
    except (URLError, OSError):
        return False


def look_after(
    children: list[Child],
    say: Callable[[str], None],
    *,
    ready: str,
    greeting: str,
    host: str = "",
    farewell: str = "",
) -> int:
    """Run ``children`` until a signal stops all of them; return the exit status.

    ``greeting`` is said once the address ``ready`` answers to ``host``, at once without an address; ``farewell`` when a
    signal has stopped all. A child that falls is started again, later each time. When an essential one falls too often,
    all stop, with status 1.
    """
    stopping = []

    def tell(text: str) -> None:
        say(text)
        sys.stdout.flush()  # into a file or a pipe it would come when all is over

    def stop(number, frame):
        stopping.append(number)

    allow_open_files()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    greeted = False
    try:
        with tempfile.TemporaryDirectory(prefix="portal-metrics-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            for child in children:
                child.start()
            while not stopping:
                if not greeted and (not ready or answers(ready, host)):
                    tell(greeting)
                    greeted = True
                for child in children:
                    now = time.monotonic()
                    if child.process.poll() is None or now < child.due:
                        continue
                    if not child.due:
                        said = child.fell(now)
                        if child.essential and len(child.falls) >= MOST_FALLS:
                            tell(f"The {child.name} keeps ending (status {child.process.returncode}): stopping.")
                            return 1
                        tell(said)
                    else:
                        child.due = 0.0
                        child.start()
                time.sleep(0.2)
            return 0
    finally:
        for child in children:
            child.stop()
        if stopping and farewell:
            tell(farewell)
        for number, handler in before.items():
            signal.signal(number, handler)
