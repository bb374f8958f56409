"""A web server and a worker, looked after: started, watched, begun again when they fall, stopped together."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.error import URLError
from urllib.request import urlopen

from portal.embedded import dies_with_parent

#: A process is no faster with more, and its exports, however slowly they are read, leave one for pages.
THREADS = 4
STOP_SECONDS = 15
READY_SECONDS = 10
MOST_FALLS = 5
FALLS_WITHIN_SECONDS = 60


@dataclass
class Child:
    """One process to look after, and when it fell lately. ``environment`` yields to what is set outside. Those
    started after it wait until it is ``ready``, some seconds at most."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    process: subprocess.Popen | None = None
    falls: tuple[float, ...] = ()

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

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def web(host: str, port: int, *, workers: int, threads: int) -> Child:
    """The web server: as many processes as cores, a few threads each, all but one of which may be busy with exports."""
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(threads), "--no-access-log", "--log-level", "warning",
        "--respawn-failed-workers", "portal.wsgi:application",
    ]  # fmt: skip
    return Child("web server", command, {"EXPORTS_AT_ONCE": str(max(1, threads - 1))})


def worker() -> Child:
    """The worker for what happens in the background."""
    return Child("worker", [sys.executable, "manage.py", "worker"])


def demo_carrier(port: int, tells: str) -> Child:
    """A carrier that does not exist; it tells of its orders at the address ``tells``."""
    return Child("demo carrier", [sys.executable, "manage.py", "demo_carrier", "--port", str(port), "--tells", tells])


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as response:  # noqa: S310 - our own address
            return response.status == 200
    except (URLError, OSError):
        return False


def look_after(children: list[Child], say: Callable[[str], None], *, ready: str, greeting: str) -> int:
    """Run ``children`` until a signal stops all of them; return the exit status.

    ``greeting`` is said once the address ``ready`` answers. A child that falls is started again, until it falls too
    often: then all stop, with status 1.
    """
    stopping = []

    def tell(text: str) -> None:
        say(text)
        sys.stdout.flush()  # into a file or a pipe it would come when all is over

    def stop(number, frame):
        stopping.append(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    greeted = False
    try:
        with tempfile.TemporaryDirectory(prefix="portal-metrics-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            for child in children:
                child.start()
            while not stopping:
                if not greeted and answers(ready):
                    tell(greeting)
                    greeted = True
                for child in children:
                    if child.process.poll() is None:
                        continue
                    now = time.monotonic()
                    child.falls = (*(t for t in child.falls if now - t < FALLS_WITHIN_SECONDS), now)
                    if len(child.falls) >= MOST_FALLS:
                        tell(f"The {child.name} keeps ending (status {child.process.returncode}): stopping.")
                        return 1
                    tell(f"The {child.name} ended with status {child.process.returncode}; it is started again.")
                    time.sleep(0.5 * len(child.falls))
                    child.start()
                time.sleep(0.2)
            return 0
    finally:
        for child in children:
            child.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
