"""The command line's refusals: one clear sentence, no traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, done.stderr


def test_serve_names_every_setting_that_it_misses():
    status, said = run("serve", ALLOWED_HOSTS="portal.example")
    assert status == 2
    named = [line.split(":")[0].strip() for line in said.splitlines()[1:]]
    assert named == ["SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL"]


def test_a_taken_port_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, said = run("demo", PORT=port, DATABASE_URL=os.environ["DATABASE_URL"])
    assert status == 1
    assert said.splitlines() == [
        f"CommandError: Port {port} is taken: stop what listens there, or choose another, as in PORT=8080."
    ]


def test_a_port_that_is_none_is_refused():
    status, said = run("demo", PORT="eighty", DATABASE_URL=os.environ["DATABASE_URL"])
    assert status == 1
    assert "PORT=eighty is not a port" in said
