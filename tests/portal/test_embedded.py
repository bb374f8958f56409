"""The embedded PostgreSQL: made, shared, stopped, and there again after its starter was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from portal.embedded import ROOT_HOME, Server, is_free

ROOT = Path(__file__).resolve().parents[2]
FAST = "fsync = off"


def answer(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0]


# As a full disk, for any user: the system refuses to write files beyond a size. The first is met by copying PostgreSQL
# as root and by making the cluster, the second by making the cluster alone.
@pytest.mark.parametrize("most_bytes", [1_000_000, 12_000_000])
def test_a_disk_that_takes_no_more_is_said_in_one_line_and_nothing_half_is_left(tmp_path, most_bytes):
    code = "import resource, sys; from pathlib import Path; from portal.embedded import CannotStart, Server\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)\n"
    code += "try: Server(Path(sys.argv[1])).start()\nexcept CannotStart as refusal: print(refusal)"
    folder = tmp_path / f"crowded-{os.getpid()}"
    command = [sys.executable, "-c", code, str(folder), str(most_bytes)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S603
    assert len(said) == 1
    assert said[0].startswith("The database cannot be ")
    assert "File too large" in said[0]
    assert list(tmp_path.iterdir()) == [folder.with_name(folder.name + ".lock")]
    assert list(ROOT_HOME.glob(f"{folder.name}*")) == []


@pytest.fixture
def server(tmp_path):
    """In a folder with a space in its name and a long path, below one that only its owner may enter."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    folder = private / "a path with spaces" / ("long" * 25)
    server = Server(folder / "postgres", FAST)
    yield server
    server.stop()
    if folder.joinpath("postgres").is_symlink():
        subprocess.run(["rm", "-rf", str(server.home)], check=True)  # noqa: S603, S607


def test_it_lives_through_starts_sharing_and_kills(server):
    with server.running() as url:
        assert answer(url) is False  # an ordinary role, never the superuser
        with Server(server.folder).running() as shared:
            assert shared == url
        assert answer(url) is False  # the second did not stop it
    assert is_free(server.facts["port"])

    # The process that started it is killed: the server goes too, and the next start finds it well.
    code = "import sys, time; from pathlib import Path; from portal.embedded import Server;"
    code += "Server(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    starter = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code, str(server.folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout.readline() == "up\n"
    starter.kill()
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 20
    while not is_free(server.facts["port"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_free(server.facts["port"])
    with server.running() as url:
        assert answer(url) is False
        # The server itself is killed: it leaves its pid file behind.
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
    with server.running() as url:
        assert answer(url) is False
