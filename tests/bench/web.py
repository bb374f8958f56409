"""The portal and its peers as servers, and somebody signed in to them."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench import data
from tests.bench.data import ROOT, run

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
SETUP = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.bench.settings'; django.setup()\n"
#: The administrator of an account, who is made where there is none.
ADMINISTRATOR = (
    "get_user_model().objects.get_or_create(account=import_module('accounts.models').Account.unscoped.get(code='{code}'),"
    " role='administrator', defaults={{'email': '{code}@bench.example', 'name': 'Bench'}})[0]"
)


def administrator(address: str, code: str) -> str:
    """The cookie of a session of the administrator of an account of the portal."""
    return run(["-c", SETUP + SIGN_IN.format(who=ADMINISTRATOR.format(code=code))], address)


def peer_administrator(address: str) -> str:
    """The cookie of a session of the peers' superuser."""
    who = "get_user_model().objects.get(username='admin')"
    return run(["-c", "import tests.bench.peers\n" + SIGN_IN.format(who=who)], address)


def environment(address: str) -> dict[str, str]:
    return data.environment(address) | {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"}


@dataclass(frozen=True)
class Site:
    """A server on this machine, as somebody who is signed in sees it."""

    port: int
    cookie: str
    process: int

    def open(self, path: str) -> http.client.HTTPResponse:
        """The answer to a GET, its body still to be read. Raises ``RuntimeError`` for any but a good one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request("GET", path, headers={"Cookie": f"sessionid={self.cookie}; csrftoken={'a' * 32}"})
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answered {response.status}.")
        return response

    def get(self, path: str) -> float:
        """Milliseconds of a whole response."""
        start = time.perf_counter()
        self.open(path).read()
        return (time.perf_counter() - start) * 1000


@contextmanager
def serving(application: str, address: str, cookie: str) -> Iterator[Site]:
    """A granian of one worker process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws", application]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(address), stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        for _try in range(300):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield Site(port, cookie, process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def portal(address: str, code: str = "SYS") -> Iterator[Site]:
    with serving("portal.wsgi:application", address, administrator(address, code)) as site:
        yield site


@contextmanager
def peers(address: str) -> Iterator[Site]:
    with serving("tests.bench.peers:application", address, peer_administrator(address)) as site:
        yield site
