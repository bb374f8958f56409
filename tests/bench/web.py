"""The portal and its peers as servers, and people signed in to them."""

import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from portal.processes import web_command
from tests.bench import data

#: Prints the cookie of a new session of ``user``.
SIGN_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
user = {who}
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.save()
import sys; sys.stdout.write(session.session_key)
"""
#: And notes it in the list of the person's sessions, as signing in to the portal does.
LISTED = """
from allauth.usersessions.models import UserSession
UserSession.objects.create(user=user, session_key=session.session_key, ip="127.0.0.1")
"""
SETTINGS = "tests.bench.settings"
SETUP = f"import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = '{SETTINGS}'; django.setup()\n"
ADMINISTRATOR = (
    "get_user_model().objects.get_or_create(email='{code}@bench.example', defaults=dict(name='Bench',"
    " role='administrator', account=import_module('accounts.models').Account.unscoped.get(code='{code}')))[0]"
)
#: A peer that took so long in all is believed after fewer rounds.
ENOUGH_MS = 10_000
ROUNDS = 7
#: So many rounds in a row, unless they take so long.
IN_A_ROW = 5
ROW_MS = 300


def cookies(session: str) -> str:
    """What a browser sends that has been here before."""
    return f"csrftoken={'c' * 32}; sessionid={session}"


@dataclass(frozen=True)
class Site:
    """A server on this machine, as somebody who is signed in sees it."""

    port: int
    process: int
    cookie: str = ""

    def seen_by(self, cookie: str) -> "Site":
        return replace(self, cookie=cookie)

    def open(self, path: str) -> http.client.HTTPResponse:
        """The answer to a GET, its body still to be read. Raises ``RuntimeError`` for any but a good one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request("GET", path, headers={"Cookie": cookies(self.cookie)})
            response = connection.getresponse()
        except http.client.HTTPException as error:
            raise RuntimeError(f"{path}: {error!r}") from error
        if response.status != http.HTTPStatus.OK:
            response.close()
            raise RuntimeError(f"{path} answered {response.status}")
        return response

    def get(self, path: str) -> float:
        """Milliseconds of a whole response."""
        start = time.perf_counter()
        with self.open(path) as response:
            response.read()
        return (time.perf_counter() - start) * 1000

    def text(self, path: str) -> str:
        with self.open(path) as response:
            return response.read().decode()

    def understood(self, path: str) -> str:
        """The path. Raises ``RuntimeError`` when our page complains of it, and so shows something else."""
        found = re.search(r'<div class="alert alert-warning list-problems".*?<p[^>]*>(.*?)</p>|aria-invalid="true"',
                          self.text(path), re.DOTALL)  # fmt: skip
        if found:
            raise RuntimeError(f"{path}: {found[1] or 'a field was refused'}")
        return path


def administrator(address: str, code: str) -> str:
    """The cookie of a session of an administrator of an account, who is made where there is none."""
    return data.run(["-c", SETUP + SIGN_IN.format(who=ADMINISTRATOR.format(code=code)) + LISTED], address)


def peer_administrator(address: str) -> str:
    who = "get_user_model().objects.get(username='admin')"
    return data.run(["-c", "import tests.bench.peers\n" + SIGN_IN.format(who=who)], address)


@contextmanager
def serving(command: Callable[[int], list[str]], address: str) -> Iterator[Site]:
    """The server that ``command`` starts at a port: one worker process with one thread, as each thread has a connection
    of its own, and who asks one thing after the other should find it as warm as a server in use is.

    Raises ``RuntimeError`` when it does not come up.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | data.environment(address) | {"DJANGO_SETTINGS_MODULE": SETTINGS, "THREADS": "1"}
    command = command(port)
    process = subprocess.Popen(command, cwd=data.ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        for _try in range(300):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"{command[-1]} does not come up")
        yield Site(port, process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def portal(address: str) -> Iterator[Site]:
    """The portal as ``serve`` runs it, and as the system's administrator sees it."""
    cookie = administrator(address, "SYS")
    with serving(lambda port: web_command("127.0.0.1", port, workers=1), address) as site:
        yield site.seen_by(cookie)


def peers_command(port: int) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "1",
        "--no-ws", "tests.bench.peers:application",
    ]  # fmt: skip


@contextmanager
def peers(address: str) -> Iterator[Site]:
    cookie = peer_administrator(address)
    with serving(peers_command, address) as site:
        yield site.seen_by(cookie)


def in_turns(ours: Callable[[], float], peer: Callable[[], float]) -> tuple[float, float]:
    """The medians of both, after one round of each that does not count.

    Each asks a few times before it is the other's turn, and the first of these does not count where there are more: a
    peer that goes through a million rows leaves nothing in the processor's caches of what a busy server has there.
    """
    ours(), peer()
    mine, other = [], []
    for _turn in range(ROUNDS):
        mine += in_a_row(ours)
        if sum(other) < ENOUGH_MS:
            other += in_a_row(peer)
    return statistics.median(mine), statistics.median(other)


def in_a_row(ask: Callable[[], float]) -> list[float]:
    """A few rounds one after the other, without the first; of something slow only that one."""
    taken = [ask()]
    while len(taken) <= IN_A_ROW and sum(taken) < ROW_MS:
        taken.append(ask())
    return taken[1:] or taken
