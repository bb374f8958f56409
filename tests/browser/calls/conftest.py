"""Real calls: a SIP server, a media relay, the call-back service, a telephone and a carrier, and a browser that speaks
with a tone. Missing packages fail these tests, and say which they are."""

import math
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import wave
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from urllib.parse import urlsplit

import pytest
from django.core.signals import request_finished, request_started

from accounts.models import Account, Person
from numbers.models import PhoneNumber, TelephoneSystem
from tests.browser.conftest import CHROMIUM, FLAGS, be_signed_in
from tests.processes import ROOT
from tests.webphone.sip.conftest import in_memory
from webphone.demo import write_demo_telephones
from webphone.models import Call
from webphone.telephony import servers, sip_data
from webphone.telephony.media import strength, tone
from webphone.telephony.phones import Phone

SECRET, DOMAIN = "s" * 40, "portal.test"
EXTENSION, PASSWORD, CALLS_TOKEN = "C20001-301", "password of the desk phone", "c" * 40
#: Seconds that a call rings.
RINGS = 5
#: What each speaks with (Hz).
BROWSER, TELEPHONE, CARRIER = 1000, 600, 800
SPEAKING = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
PATIENCE = 60.0


def until(found, what, seconds=PATIENCE):
    """What ``found`` returns once that is true. ``what`` is waited for, as a text or as what makes one at the end."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what() if callable(what) else what}: not within {seconds:.0f} seconds"
        time.sleep(0.05)
    return value


class Door:
    """What the servers reach the portal through: shut, it is away; it may keep them waiting for some seconds."""

    def __init__(self, portal):
        self.portal, self.is_open, self.seconds = urlsplit(portal), True, 0.0
        door, self.answering, self.counting = self, 0, Lock()
        request_started.connect(self.begun, weak=False)
        request_finished.connect(self.over, weak=False)

        class Handler(BaseRequestHandler):
            def handle(self):
                if not door.is_open:
                    return
                time.sleep(door.seconds)
                with socket.create_connection((door.portal.hostname, door.portal.port)) as inside:
                    Thread(target=door.pass_on, args=(inside, self.request), daemon=True).start()
                    door.pass_on(self.request, inside)

        self.server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, source, target):
        """Until there is no more, or the door is shut."""
        with suppress(OSError):
            while (told := source.recv(65_536)) and self.is_open:
                target.sendall(told)
            target.shutdown(socket.SHUT_WR)

    def begun(self, **_facts):
        with self.counting:
            self.answering += 1

    def over(self, **_facts):
        with self.counting:
            self.answering -= 1

    def shut(self):
        self.is_open = False

    def shut_for_good(self):
        """Shut, and nobody is inside any more: whatever the portal was told is written down."""
        self.shut()
        until(lambda: self.answering <= 0, "the portal has answered everybody")

    def open(self):
        self.is_open, self.seconds = True, 0.0


class Telephony:
    """The stack, with a telephone of Acme's extension 301 and a carrier to call and to be called from."""

    def __init__(self, places, door, folder):
        self.places, self.door, self.folder = places, door, folder
        self.processes = {}
        self.commands = servers.commands(places, folder) | {
            "call-back service": [
                sys.executable, "manage.py", "call_back_service", *servers.service_options(places)
            ],
        }  # fmt: skip

    def start(self, name):
        ready = {
            "media relay": lambda: servers.media_answers(self.places.media),
            "SIP server": lambda: servers.listens(self.places.web),
            "call-back service": lambda: servers.listens(self.places.service),
        }
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings", "DEMO": "1", "TELEPHONY_SECRET": SECRET,
            "TELEPHONY_DOMAIN": DOMAIN, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        }  # fmt: skip
        with (self.folder / f"{name}.log").open("a") as log:
            process = self.processes[name] = subprocess.Popen(  # noqa: S603
                self.commands[name], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        servers.wait_until(ready[name], name, process)

    def restart(self, name):
        """End a server as a crash would, and start it anew."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()
        self.start(name)

    def stop(self):
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            process.wait(20)

    def be_called(self):
        """Have somebody there to be called."""
        places = self.places
        proxy, here = (places.host, places.sip), places.host
        self.telephone = Phone(here, servers.unused(1)[0], proxy, DOMAIN, plays=tone(TELEPHONE))
        self.carrier = Phone(here, places.carrier[1], proxy, DOMAIN, plays=tone(CARRIER))
        self.telephone.register(EXTENSION, PASSWORD)
        Thread(target=self.carrier.stack.loop, daemon=True).start()

    def forget(self):
        """Begin anew, for another test."""
        self.door.open()
        for phone in (self.telephone, self.carrier):
            for line in phone.lines:
                if line.state != "ended" and line.leg is not None:
                    line.hang_up()
            phone.lines.clear()
            phone.answers, phone.rings = True, 0.8


def line_of(phone, turn=0):
    """A line of a telephone that rang."""
    return until(lambda: len(phone.lines) > turn and phone.lines[turn], "a telephone rings")


@pytest.fixture(scope="session")
def telephony(live_server, tmp_path_factory):
    assert servers.missing_packages() == [], "Install these Debian packages: .ci/run does."
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.TELEPHONY_SECRET", SECRET)
        door, folder = Door(live_server.url), tmp_path_factory.mktemp("telephony")
        memory = in_memory("portal-calls-")
        places = servers.Places(
            portal=door.url,
            origin=live_server.url,
            calls_token=CALLS_TOKEN,
            rings=RINGS,
            data=str(folder / "data.sqlite"),
            state=f"{memory}/state.sqlite",
            flood=3000,  # everybody here has one address
            **servers.free_ports(),
        )
        stack = Telephony(places, door, folder)
        sip_data.set_phone(folder / "data.sqlite", EXTENSION, DOMAIN, PASSWORD)
    try:
        for name in stack.commands:
            stack.start(name)
        stack.be_called()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(memory)


@pytest.fixture
def real(telephony, settings):
    """The stack, and a portal that is set up for it."""
    places = telephony.places
    settings.TELEPHONY, settings.TELEPHONY_SECRET, settings.TELEPHONY_DOMAIN = "sip", SECRET, DOMAIN
    settings.TELEPHONY_SIP_URL = f"ws://127.0.0.1:{places.web}"
    settings.TELEPHONY_CALLBACK_URL = f"http://127.0.0.1:{places.service}"
    settings.TELEPHONY_RPC_URL = f"http://127.0.0.1:{places.rpc}"
    settings.CALL_COUNTRIES = "*"
    telephony.door.open()
    return telephony


@pytest.fixture(scope="session")
def speaking(tmp_path_factory):
    """The flags of a browser whose microphone hears a tone."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        turn = 2 * math.pi * BROWSER / 48_000
        sound.writeframes(struct.pack("<48000h", *(round(9000 * math.sin(turn * at)) for at in range(48_000))))
    return [*FLAGS, *SPEAKING, f"--use-file-for-fake-audio-capture={path}"]


@pytest.fixture(scope="session")
def speaking_chromium(playwright, speaking):
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=speaking)
    yield browser
    browser.close()


@pytest.fixture
def webphone(speaking_chromium, demo, real, live_server):
    """Uma's WebPhone, ready."""
    with webphone_of_uma(speaking_chromium, real, live_server) as page:
        yield page


@contextmanager
def webphone_of_uma(browser, real, live_server):
    write_demo_telephones()
    system = Account.called("SYS")
    TelephoneSystem.unscoped.create(
        account=system, name="SIP server", token_hash=TelephoneSystem.hash_of(CALLS_TOKEN),
        added_by=Person.objects.get(email="system@demo.example"),
    )  # fmt: skip
    context = browser.new_context(base_url=live_server.url, permissions=["microphone"])
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    be_signed_in(page, "user@acme.example")
    open_webphone(page)
    yield page
    context.close()
    real.forget()
    until(lambda: not Call.unscoped.exclude(state="ended").exists(), "every call has ended")
    # What the servers have to tell of this test is not told while the tables are emptied.
    real.door.shut_for_good()
    assert page.complaints == []


def open_webphone(page, number=""):
    page.goto(f"/C20001/webphone/?number={number.replace('+', '%2B')}")
    until(lambda: page.locator("#line-state").inner_text() == "Ready", "the WebPhone registers")


def words(page):
    return page.locator("#call-state").inner_text()


def call(page, number, talk_with="This computer"):
    page.get_by_label("Number to call").fill(number)
    page.get_by_label("Talk with").select_option(label=talk_with)
    page.get_by_role("button", name="Call", exact=True).click()


def says(page, text, seconds=PATIENCE):
    seen = []

    def said():
        if (now := words(page)) not in seen[-1:]:
            seen.append(now)
        return text in now

    until(said, lambda: f"“{text}” is said, but {seen}", seconds)


def number_of_uma():
    """A number that rings extension 301."""
    return PhoneNumber.unscoped.filter(destination__extension="301", customer__code="C20001").first()


#: The loudest frequency in what the page plays, measured in the page (Hz).
LISTENS = """
async () => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  context.createMediaStreamSource(document.getElementById("remote-audio").srcObject).connect(analyser);
  await new Promise((resolve) => setTimeout(resolve, 700));
  const bins = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(bins);
  const loudest = bins.indexOf(Math.max(...bins));
  const found = bins[loudest] > -60 ? (loudest * context.sampleRate) / analyser.fftSize : 0;
  await context.close();
  return found;
}
"""


def hears(line, frequency):
    """Wait until a telephone has heard this tone, and nothing else, for a second."""
    before, heard = line.sound.packets_in, {}

    def is_heard():
        heard.update({hertz: strength(bytes(line.sound.heard), hertz) for hertz in (BROWSER, TELEPHONE, CARRIER)})
        return heard[frequency] > 0.8

    until(is_heard, lambda: f"{frequency} Hz are heard, but {heard} in {line.sound.packets_in - before} packets")


def page_hears(page, frequency):
    until(lambda: abs(page.evaluate(LISTENS) - frequency) < 10, f"the browser plays {frequency} Hz")
