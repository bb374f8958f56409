"""Real calls: a SIP server, a media relay, the call-back service, a telephone and a carrier, and a browser that speaks
with a tone. Missing packages fail these tests, and say which they are."""

import math
import os
import struct
import subprocess
import sys
import time
import wave
from threading import Thread

import pytest

from accounts.models import Account, Person
from numbers.models import PhoneNumber, TelephoneSystem
from tests.browser.conftest import CHROMIUM, FLAGS, sign_in_at
from tests.processes import ROOT
from webphone.demo import write_demo_telephones
from webphone.models import Call
from webphone.telephony import servers
from webphone.telephony.media import tone
from webphone.telephony.phones import Phone

SECRET, DOMAIN = "s" * 40, "portal.test"
EXTENSION, CALLS_TOKEN = "C20001-301", "c" * 40
#: Seconds that a call rings.
RINGS = 5
#: What each speaks with (Hz).
BROWSER, TELEPHONE, CARRIER = 1000, 600, 800
SPEAKING = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
PATIENCE = 12.0


def until(found, what, seconds=PATIENCE):
    """What ``found`` returns once that is true."""
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} seconds"
        time.sleep(0.05)
    return value


class Telephony:
    """The stack, with a telephone of Acme's extension 301 and a carrier to call and to be called from."""

    def __init__(self, places, portal):
        self.places, self.portal = places, portal
        proxy, here = (places.host, places.sip), places.host
        self.telephone = Phone(here, servers.free_ports()["sip"], proxy, DOMAIN, plays=tone(TELEPHONE))
        self.carrier = Phone(here, places.carrier[1], proxy, DOMAIN, plays=tone(CARRIER))
        self.telephone.register(EXTENSION, places.phones[EXTENSION])
        Thread(target=self.carrier.stack.loop, daemon=True).start()

    def forget(self):
        """Begin anew, for another test."""
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
    folder = tmp_path_factory.mktemp("telephony")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.TELEPHONY_SECRET", SECRET)
        places = servers.Places(
            portal=live_server.url,
            origin=live_server.url,
            phones={EXTENSION: "pw"},
            calls_token=CALLS_TOKEN,
            rings=RINGS,
            **servers.free_ports(),
        )
        commands = servers.commands(places, folder)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings", "DEMO": "1", "TELEPHONY_SECRET": SECRET,
        "TELEPHONY_DOMAIN": DOMAIN, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }  # fmt: skip
    commands["call-back service"] = [
        sys.executable, "manage.py", "call_back_service", *servers.service_options(places)
    ]  # fmt: skip
    ready = {
        "media relay": lambda: servers.media_answers(places.media),
        "SIP server": lambda: servers.listens(places.web),
        "call-back service": lambda: servers.listens(places.service),
    }
    started = []
    try:
        for name, command in commands.items():
            with (folder / f"{name}.log").open("w") as log:
                process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)  # noqa: S603
            started.append(process)
            servers.wait_until(ready[name], name, process)
        yield Telephony(places, live_server.url)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(20)


@pytest.fixture
def real(telephony, settings):
    """The stack, and a portal that is set up for it."""
    places = telephony.places
    settings.TELEPHONY, settings.TELEPHONY_SECRET, settings.TELEPHONY_DOMAIN = "sip", SECRET, DOMAIN
    settings.TELEPHONY_SIP_URL = f"ws://127.0.0.1:{places.web}"
    settings.TELEPHONY_CALLBACK_URL = f"http://127.0.0.1:{places.service}"
    settings.TELEPHONY_RPC_URL = f"http://127.0.0.1:{places.rpc}"
    settings.CALL_COUNTRIES = "*"
    return telephony


@pytest.fixture(scope="session")
def speaking_chromium(playwright, tmp_path_factory):
    """A browser whose microphone hears a tone."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        turn = 2 * math.pi * BROWSER / 48_000
        sound.writeframes(struct.pack("<48000h", *(round(9000 * math.sin(turn * at)) for at in range(48_000))))
    flags = [*FLAGS, *SPEAKING, f"--use-file-for-fake-audio-capture={path}"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield browser
    browser.close()


@pytest.fixture
def webphone(speaking_chromium, demo, real, live_server):
    """Uma's WebPhone, ready."""
    write_demo_telephones()
    system = Account.called("SYS")
    TelephoneSystem.unscoped.create(
        account=system, name="SIP server", token_hash=TelephoneSystem.hash_of(CALLS_TOKEN),
        added_by=Person.objects.get(email="system@demo.example"),
    )  # fmt: skip
    context = speaking_chromium.new_context(base_url=live_server.url, permissions=["microphone"])
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    sign_in_at(page, "user@acme.example")
    open_webphone(page)
    yield page
    context.close()
    real.forget()
    until(lambda: not Call.unscoped.exclude(state="ended").exists(), "every call has ended")
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
    until(lambda: text in words(page), f"“{text}”, and not “{words(page)}”", seconds)


def number_of_uma():
    """A number that rings extension 301."""
    return PhoneNumber.unscoped.filter(destination__extension="301", customer__code="C20001").first()
