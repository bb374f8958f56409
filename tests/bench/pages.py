"""Whole responses of the portal and of its peers, through granian over HTTP, in turns."""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.data import ROOT, run

SESSION = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.conf import settings
user = get_user_model().objects.get({who})
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
import sys; sys.stdout.write(session.session_key)
"""
SETUP = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.bench.settings'; django.setup()\n"
SYS, ADMIN, PLAIN = "/SYS/numbers/", "/admin/peers/number/", "/plain/"
#: name, ours, peer, least ratio
CASES = [
    ("first page, admin", SYS, ADMIN, 15),
    ("first page, tables2", SYS, PLAIN, 9),
    ("last page, admin", SYS + "?page={last}", ADMIN + "?p={last}", 200),
    ("middle page, admin", SYS + "?page={middle}", ADMIN + "?p={middle}", 20),
    ("sort by company, admin", SYS + "?sort=company", ADMIN + "?o=3", 80),
    ("sort by company down, admin", SYS + "?sort=-company", ADMIN + "?o=-3", 80),
    ("7 digits, admin", SYS + "?number=5142345", ADMIN + "?q=5142345", 100),
    ("7 digits, tables2", SYS + "?number=5142345", PLAIN + "?e164=5142345", 20),
    ("a name, admin", SYS + "?used_by=tremblay", ADMIN + "?q=tremblay", 20),
    ("a name, tables2", SYS + "?used_by=tremblay", PLAIN + "?used_by=tremblay", 5),
    ("two names", SYS + "?used_by=tremblay&company=dental", PLAIN + "?used_by=tremblay&company=dental", 5),
    ("name and digits", SYS + "?used_by=tremblay&number=514", PLAIN + "?used_by=tremblay&e164=514", 2.5),
]


@contextmanager
def serving(application: str, address: str) -> Iterator[int]:
    """A granian of one worker; yields its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DEMO": "1",
        "DATABASE_URL": address,
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws", application]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        for _try in range(200):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def get(port: int, path: str, cookie: str) -> float:
    """Milliseconds of a whole response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    start = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"sessionid={cookie}"})
    response = connection.getresponse()
    response.read()
    taken = (time.perf_counter() - start) * 1000
    connection.close()
    if response.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path} answered {response.status}.")
    return taken


def measure(ours: str, peers: str, numbers: int) -> Iterator[tuple[str, float, float, float]]:
    """For each case its name, our and the peer's median milliseconds, and the least ratio."""
    our_cookie = run(["-c", SETUP + SESSION.format(who="email='system@demo.example'")], ours)
    peer_cookie = run(["-c", "import tests.bench.peers\n" + SESSION.format(who="username='admin'")], peers)
    last = max(1, -(-numbers // 50))
    pages = {"last": last, "middle": max(1, last // 2)}
    with serving("portal.wsgi:application", ours) as us, serving("tests.bench.peers:application", peers) as them:
        for name, path, peer_path, goal in CASES:
            mine, other = [], []
            for turn in range(8):
                taken = get(us, path.format(**pages), our_cookie)
                mine += [taken] if turn else []
                if sum(other) < 10_000:
                    taken = get(them, peer_path.format(**pages), peer_cookie)
                    other += [taken] if turn else []
            yield name, statistics.median(mine), statistics.median(other), goal
