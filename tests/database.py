"""A pytest plugin, loaded before the settings: the tests' own embedded PostgreSQL, unless DATABASE_URL is set."""

import os
from pathlib import Path

import pytest

from portal.embedded import Server

# Tests keep nothing: no need to wait for the disk.
FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 60"
VAR = Path(__file__).resolve().parent.parent / "var"
SERVER = Server(VAR / "test-postgres", FAST)

os.environ["DEMO"] = "1"
# WhiteNoise warns of a missing folder; the tests read static files from where they are built.
(VAR / "static").mkdir(parents=True, exist_ok=True)
if "DATABASE_URL" not in os.environ:
    SERVER.start()
    os.environ["DATABASE_URL"] = SERVER.url


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    SERVER.stop()
