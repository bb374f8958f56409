"""Calls outlive connections, pages and servers."""

import selectors
import socket
from contextlib import suppress
from threading import Event, Thread

import pytest

from tests.browser.calls.conftest import (
    BROWSER,
    CARRIER,
    call,
    hears,
    line_of,
    number_of_uma,
    open_webphone,
    page_hears,
    says,
    until,
    webphone_of_uma,
    words,
)
from webphone.models import Call

NUMBER = "+15145550123"


class Relay:
    """What a browser reaches the SIP server through: cut, its connections are gone and no new one is made."""

    def __init__(self, port):
        self.port, self.is_open, self.pairs = port, Event(), []
        self.is_open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}"
        Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with suppress(OSError):
            while True:
                outside, _address = self.listener.accept()
                if not self.is_open.is_set():
                    outside.close()
                    continue
                inside = socket.create_connection(("127.0.0.1", self.port))
                self.pairs.append((outside, inside))
                Thread(target=self.pass_on, args=(outside, inside), daemon=True).start()

    @staticmethod
    def pass_on(outside, inside):
        with suppress(OSError, ValueError), selectors.DefaultSelector() as ready:
            ready.register(outside, selectors.EVENT_READ, inside)
            ready.register(inside, selectors.EVENT_READ, outside)
            while True:
                for key, _events in ready.select(30):
                    content = key.fileobj.recv(65_536)
                    if not content:
                        raise OSError("closed")
                    key.data.sendall(content)

    def cut(self):
        self.is_open.clear()
        for pair in self.pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self.pairs.clear()

    def mend(self):
        self.is_open.set()


@pytest.fixture
def relay(real):
    return Relay(real.places.web)


@pytest.fixture
def roaming(speaking_chromium, demo, real, relay, live_server, settings):
    """Uma's WebPhone, whose connection can be cut."""
    settings.TELEPHONY_SIP_URL = relay.url
    with webphone_of_uma(speaking_chromium, real, live_server) as page:
        yield page


def talks(page, line, other=NUMBER):
    """Wait until both hear each other."""
    says(page, f"Connected with {other}", 30)
    line.sound.heard.clear()
    hears(line, BROWSER)
    page_hears(page, CARRIER)


def heard_more(line, seconds):
    """Wait until so many more seconds of sound have arrived."""
    wanted = line.sound.packets_in + 50 * seconds
    until(lambda: line.sound.packets_in >= wanted, "sound goes on", 3 * seconds + 10)


def test_a_call_goes_on_while_the_connection_is_lost_and_the_page_says_so(roaming, real, relay):
    call(roaming, NUMBER)
    says(roaming, "Connected")
    line = line_of(real.carrier)
    relay.cut()
    says(roaming, "Reconnecting")
    heard_more(line, 25)
    assert line.state == "talking"
    assert words(roaming) == "Reconnecting …"
    relay.mend()
    talks(roaming, line)
    # The far end hangs up over the connection that there is now.
    line.hang_up()
    says(roaming, "The call has ended.")


def test_a_connection_may_blink_again_and_again(roaming, real, relay):
    call(roaming, NUMBER)
    says(roaming, "Connected")
    line = line_of(real.carrier)
    for _turn in range(3):
        relay.cut()
        says(roaming, "Reconnecting")
        relay.mend()
        says(roaming, "Connected", 30)
    talks(roaming, line)
    roaming.keyboard.press("Escape")
    until(lambda: line.state == "ended", "the other side is hung up")


def test_who_does_not_come_back_is_hung_up_for(roaming, real, relay):
    call(roaming, NUMBER)
    says(roaming, "Connected")
    line = line_of(real.carrier)
    relay.cut()
    until(lambda: line.state == "ended", "the other side is hung up", 60)
    relay.mend()
    says(roaming, "has ended", 30)
    until(lambda: not Call.unscoped.exclude(state="ended").exists(), "the record is closed")


def test_a_call_that_rings_is_cancelled_with_the_connection(roaming, real, relay):
    real.carrier.rings = 30
    call(roaming, NUMBER)
    says(roaming, "Ringing")
    relay.cut()
    until(lambda: line_of(real.carrier).state == "ended", "it rings no longer")
    relay.mend()


@pytest.mark.parametrize("comes_in", [False, True])
def test_a_call_goes_on_in_a_page_that_is_loaded_again(webphone, real, comes_in):
    other = NUMBER
    if comes_in:
        real.telephone.answers, other = False, "+15145559999"
        line = real.carrier.call(number_of_uma().e164, other)
        says(webphone, "is calling")
        webphone.get_by_role("button", name="Answer").click()
    else:
        call(webphone, NUMBER)
        line = line_of(real.carrier)
    says(webphone, "Connected")
    for _turn in range(2):
        webphone.on("dialog", lambda dialog: dialog.accept())
        webphone.reload()
        talks(webphone, line, other)
    webphone.get_by_role("button", name="Hold").click()
    says(webphone, "On hold")
    webphone.get_by_role("button", name="Hold").click()
    talks(webphone, line, other)
    line.hang_up()
    says(webphone, "The call has ended.")


def test_a_call_goes_on_after_another_page_was_looked_at(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    line = line_of(real.carrier)
    webphone.on("dialog", lambda dialog: dialog.accept())
    webphone.goto("/C20001/webphone/calls/")
    open_webphone(webphone)
    talks(webphone, line)
    webphone.keyboard.press("Escape")
    until(lambda: line.state == "ended", "the other side is hung up")


def test_a_call_outlives_the_sip_server(webphone, real):
    call(webphone, NUMBER)
    says(webphone, "Connected")
    line = line_of(real.carrier)
    heard_more(line, 3)  # calls are written down once a second
    real.restart("SIP server")
    heard_more(line, 2)
    talks(webphone, line)
    webphone.keyboard.press("Escape")
    until(lambda: line.state == "ended", "the other side is hung up")
    says(webphone, "The call has ended.")


def test_a_call_back_is_found_again_by_a_page_that_is_loaded_again(webphone, real):
    call(webphone, NUMBER, "Extension 301")
    says(webphone, "Connected")
    webphone.reload()
    says(webphone, "Connected")
    webphone.get_by_role("button", name="Hang up").click()
    says(webphone, "The call has ended.")
    until(lambda: line_of(real.carrier).state == "ended", "the other side is hung up")
