"""A clean Debian that boots with systemd, in a container with a network of its own (systemd-nspawn)."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

BOOT_SECONDS = 90
#: What a machine has that nobody installed anything on; ``procps`` is for looking at it.
PACKAGES = "systemd,systemd-sysv,dbus,procps"
#: Where this machine keeps what its own pip and certificates need, if it does.
OF_HOST = ("etc/pip.conf", "usr/local/share/ca-certificates")


def clean_debian(kept: Path, suite: str) -> None:
    """Make the archive of a clean machine, unless it is there."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PACKAGES}", suite, f"{kept}.new"]
        subprocess.run([*command, "--format=tar"], check=True, stderr=subprocess.DEVNULL)  # noqa: S603
        Path(f"{kept}.new").rename(kept)


class Machine:
    """The machine whose files are in ``root``."""

    def __init__(self, root: Path):
        self.root, self.process, self.leader = root, None, 0

    @property
    def options(self) -> list[str]:
        return ["systemd-nspawn", "--quiet", "--directory", str(self.root), "--register=no", "--keep-unit"]

    def install(self, script: str) -> str:
        """Run a script before the machine boots, with this machine's network; what it says."""
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        passed_on = [f"--setenv={name}={value}" for name, value in os.environ.items() if name.startswith("PIP_")]
        command = [*self.options, "--pipe", "--setenv=DEBIAN_FRONTEND=noninteractive", *passed_on]
        try:
            return checked([*command, "/bin/bash", "-euo", "pipefail", "-c", script])
        finally:
            policy.unlink()

    @contextmanager
    def booted(self):
        """The machine is up, with no network but its own."""
        log = (self.root.parent / "boot.log").open("wb")
        command = [*self.options, "--boot", "--private-network"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
        try:
            deadline = time.monotonic() + BOOT_SECONDS
            while not (self.find_leader() and self.is_up()):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.root.parent / "boot.log").read_text(errors="replace")[-3000:])
                time.sleep(0.3)
            yield self
        finally:
            self.process.terminate()
            self.process.wait(60)

    def find_leader(self) -> int:
        """The process that is the machine's first."""
        below = [self.process.pid]
        for pid in below:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            below += map(int, children.read_text().split()) if children.exists() else []
            comm = Path(f"/proc/{pid}/comm")
            if pid != self.process.pid and comm.exists() and comm.read_text().strip() == "systemd":
                self.leader = pid
                return pid
        return 0

    def is_up(self) -> bool:
        command = [*self.inside(), "/usr/bin/systemctl", "is-system-running"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout.strip() in ("running", "degraded")

    def inside(self) -> list[str]:
        clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
        return ["nsenter", "--target", str(self.leader), "--all", *clean, "DEBIAN_FRONTEND=noninteractive"]

    def run(self, script: str) -> str:
        """Run a script as root of the machine; what it says. Raises ``RuntimeError`` when a command of it fails."""
        return checked([*self.inside(), "/bin/bash", "-euo", "pipefail", "-c", script])

    def network(self) -> list[str]:
        """The beginning of a command that runs here, with the machine's network."""
        return ["nsenter", "--target", str(self.leader), "--net"]


def checked(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{command[-1]}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout + done.stderr


@contextmanager
def machine(kept: Path, suite: str):
    """A clean machine that is removed in the end."""
    clean_debian(kept, suite)
    folder = Path(tempfile.mkdtemp(prefix="machine-", dir=kept.parent))
    try:
        root = folder / "root"
        root.mkdir()
        subprocess.run(["tar", "--extract", "--file", str(kept), "--directory", str(root)], check=True)  # noqa: S603, S607
        for path in OF_HOST:
            here, there = Path("/") / path, root / path
            if here.is_dir():
                shutil.copytree(here, there, dirs_exist_ok=True)
            elif here.exists():
                shutil.copy(here, there)
        yield Machine(root)
    finally:
        shutil.rmtree(folder)
