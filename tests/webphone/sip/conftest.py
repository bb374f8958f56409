"""A SIP server and a media relay by themselves, as `manage.py telephony_config` sets them up. The portal is a program
that answers what a test wants, and may hang; trunks, phones and browsers speak SIP by hand."""

import base64
import os
import shutil
import signal
import subprocess
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from tests.webphone.sip.raw import Udp, Web, answering
from webphone.models import Call
from webphone.telephony import credentials, key_for, servers, signature, sip_data, sip_user
from webphone.telephony.sip import SipTelephony

SECRET, DOMAIN, ORIGIN, PASSWORD = "s" * 40, "pbx.test", "https://portal.test", "password of every phone"
PHONES = ("C1001-101", "C1001-102", "C2002-101")
RINGS = 8


class Portal:
    """Answers where calls go; ``answers`` cleared, it takes questions and says nothing."""

    def __init__(self):
        self.answers, self.rings, self.asked = Event(), {}, []
        self.answers.set()
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                told = self.rfile.read(int(self.headers["Content-Length"])).decode()
                portal.asked.append((self.path, told))
                portal.answers.wait(30)
                number = told.partition('"number": "')[2].partition('"')[0]
                content = portal.rings.get(number, "").encode() if self.path == "/telephony/route/" else b""
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments):
                """Nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 200

            def handle_error(self, *_request):
                """The SIP server does not wait for ever."""

        self.server = Server(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def in_memory(name):
    """A file that is gone with the computer, where there is such a place."""
    place = Path("/dev/shm")  # noqa: S108
    return tempfile.mkdtemp(prefix=name, dir=place if place.is_dir() else None)


class Stack:
    def __init__(self, folder):
        self.folder, self.portal, self.open = folder, Portal(), []
        self.memory = in_memory("portal-sip-")
        self.trunk = Udp(DOMAIN, "carrier", None)
        host, port = self.trunk.at.split(":")
        ports = servers.free_ports() | {"carrier": (host, int(port))}
        self.places = servers.Places(
            portal=self.portal.url, origin=ORIGIN, domain=DOMAIN, data=str(folder / "data.sqlite"),
            state=f"{self.memory}/state.sqlite", rings=RINGS,
            flood=2000, calls_token="c" * 40, **ports,
        )  # fmt: skip
        self.server = self.trunk.server = ("127.0.0.1", self.places.sip)
        self.commands = servers.commands(self.places, folder)
        for name in PHONES:
            sip_data.set_phone(Path(self.places.data), name, DOMAIN, PASSWORD)
        self.processes = {}

    def start(self, name):
        ready = {
            "media relay": lambda: servers.media_answers(self.places.media),
            "SIP server": lambda: servers.listens(self.places.web),
        }
        with (self.folder / f"{name}.log").open("a") as log:
            process = self.processes[name] = subprocess.Popen(  # noqa: S603
                self.commands[name], stdout=log, stderr=log, start_new_session=True
            )
        servers.wait_until(ready[name], name, process)

    def stop(self, name, *, kill=False):
        """End a server, or kill it with all its processes."""
        process = self.processes[name]
        if kill:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.terminate()
        process.wait(20)
        servers.wait_until(lambda: not servers.listens(self.places.web) or name != "SIP server", f"end of the {name}")

    def log(self):
        return (self.folder / "SIP server.log").read_text(errors="replace")

    def browser(self, person, seconds=600):
        """The connection of a person's browser."""
        known = credentials(person, int(time.time()) + seconds)
        peer = Web(DOMAIN, known["name"], self.places.web, ORIGIN, user=known["user"], password=known["password"])
        self.open.append(peer)
        return peer

    def phone(self, name, password=PASSWORD, host="127.0.0.1"):
        peer = Udp(DOMAIN, name, self.server, host=host, password=password)
        self.open.append(peer)
        return peer

    def written(self, rows):
        """How many rows the server has written into its file."""
        with sip_data.opened(Path(self.places.state)) as state:
            return state.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]

    def dialogs(self):
        return SipTelephony().dialogs()


def token(person, number, *, account="C1001", caller_id="", seconds=600, ref=None):
    """The header with which the portal lets a call out."""
    ref = ref or Call.new_ref(SimpleNamespace(code=account))
    expires = int(time.time()) + 30
    signed = f"{expires}|{sip_user(person)}|{number}|{ref}|{caller_id}|{seconds}"
    mac = base64.urlsafe_b64encode(signature(key_for("dial"), signed)).decode().rstrip("=")
    return f"X-Dial-Token: {expires}.{ref}.{caller_id}.{seconds}.{mac}\r\n"


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    assert servers.missing_packages() == [], "Install these Debian packages: .ci/run does."
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.TELEPHONY_SECRET", SECRET)
        stack = Stack(tmp_path_factory.mktemp("sip"))
    try:
        for name in stack.commands:
            stack.start(name)
        yield stack
    finally:
        for name in reversed(list(stack.processes)):
            stack.stop(name)
        shutil.rmtree(stack.memory)


@pytest.fixture
def sip(running, settings):
    """The servers, with a trunk that answers every call."""
    settings.TELEPHONY, settings.TELEPHONY_SECRET, settings.TELEPHONY_DOMAIN = "sip", SECRET, DOMAIN
    settings.TELEPHONY_RPC_URL = f"http://127.0.0.1:{running.places.rpc}"
    settings.TELEPHONY_SIP_URL = f"ws://127.0.0.1:{running.places.web}"
    for table in ("portal", "routes"):
        SipTelephony().command("htable.flush", [table])
    running.portal.answers.set()
    running.portal.rings.clear()
    running.trunk.heard.clear()
    running.trunk.answers = answering()
    yield running
    running.portal.answers.set()
    for peer in running.open:
        peer.close()
    running.open.clear()
    way = SipTelephony()
    deadline = time.monotonic() + 15
    while dialogs := way.dialogs():
        for dialog in dialogs:
            way.end(dialog)
        assert time.monotonic() < deadline, "calls are left"
        time.sleep(0.1)
    for name in PHONES:
        way.command("ul.rm", ["location", f"{name}@{DOMAIN}"])


PEOPLE = count(8)


@pytest.fixture
def person():
    """Somebody; of people the SIP server knows the id alone."""
    return SimpleNamespace(pk=next(PEOPLE))


@pytest.fixture
def other():
    return SimpleNamespace(pk=next(PEOPLE))
