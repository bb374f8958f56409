"""Calls from a network that lets no UDP out: sound goes through the TURN server, and nothing else does."""

import hashlib
import hmac
import os
import socket
import struct
import subprocess
import time

import pytest

from accounts.models import Person
from portal.embedded import free_port
from tests.browser.calls.conftest import (
    BROWSER,
    CARRIER,
    DOMAIN,
    call,
    hears,
    line_of,
    page_hears,
    says,
    until,
    webphone_of_uma,
)
from tests.browser.conftest import CHROMIUM
from webphone.telephony import ice_servers, servers

NUMBER = "+1 514-555-0123"
#: The browser sends no UDP, wherever to.
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"


@pytest.fixture(scope="session")
def turn_port(telephony, tmp_path_factory):
    """A TURN server that passes on to the media relay's address alone."""
    path, port = tmp_path_factory.mktemp("turn") / "turnserver.conf", free_port()
    path.touch(mode=0o600)
    media = telephony.places.media_ports
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.TELEPHONY_SECRET", "s" * 40)
        path.write_text(
            servers.turn_configuration(
                host="127.0.0.1", port=port, media_host="127.0.0.1", domain=DOMAIN, ports=(media[0] - 5000, media[0])
            )
        )
    with (path.parent / "log").open("w") as log:
        command = ["turnserver", "-c", str(path), f"--pidfile={path.parent / 'pid'}", f"--userdb={path.parent / 'db'}"]
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
    servers.wait_until(lambda: servers.listens(port), "TURN server", process)
    yield port
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="session")
def walled_in_chromium(playwright, speaking):
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*speaking, NO_UDP])
    yield browser
    browser.close()


@pytest.fixture
def turn(turn_port, real, settings):
    settings.TELEPHONY_TURN_URLS = [f"turn:127.0.0.1:{turn_port}?transport=tcp"]
    return turn_port


def test_where_no_udp_gets_out_sound_goes_through_the_turn_server(walled_in_chromium, demo, turn, real, live_server):
    with webphone_of_uma(walled_in_chromium, real, live_server) as webphone:
        call(webphone, NUMBER)
        says(webphone, "Connected")
        hears(line_of(real.carrier), BROWSER)
        page_hears(webphone, CARRIER)
        webphone.keyboard.press("Escape")
        says(webphone, "The call has ended.")


def test_without_a_turn_server_nothing_is_heard_there(walled_in_chromium, demo, real, live_server):
    with webphone_of_uma(walled_in_chromium, real, live_server) as webphone:
        call(webphone, NUMBER)
        line = line_of(real.carrier)
        until(lambda: line.state == "talking", "the telephone is answered")
        time.sleep(1)
        assert line.sound.packets_out > 0
        assert line.sound.packets_in == 0
        webphone.keyboard.press("Escape")


# By hand, as no browser would (RFC 8489, RFC 8656)

ALLOCATE, PERMIT = 0x0003, 0x0008
USERNAME, INTEGRITY, ERROR, PEER, REALM, NONCE, TRANSPORT = 0x06, 0x08, 0x09, 0x12, 0x14, 0x15, 0x19
COOKIE = 0x2112A442
UDP = b"\x11\0\0\0"


class Turn:
    """A client of a TURN server; ``ask`` returns 0, or the code of the refusal."""

    def __init__(self, port, user, password):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.user, self.password, self.nonce = user, password, b""

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.socket.close()

    def ask(self, method, *attributes):
        if self.nonce:
            attributes += ((USERNAME, self.user.encode()), (REALM, DOMAIN.encode()), (NONCE, self.nonce))
        content = b"".join(
            struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4) for kind, value in attributes
        )
        more = 24 if self.nonce else 0
        message = struct.pack("!HHI", method, len(content) + more, COOKIE) + os.urandom(12) + content
        if self.nonce:
            key = hashlib.md5(f"{self.user}:{DOMAIN}:{self.password}".encode(), usedforsecurity=False).digest()
            message += struct.pack("!HH", INTEGRITY, 20) + hmac.new(key, message, hashlib.sha1).digest()
        self.socket.sendall(message)
        head = self.socket.recv(20, socket.MSG_WAITALL)
        answer = self.socket.recv(struct.unpack("!H", head[2:4])[0], socket.MSG_WAITALL)
        found = {}
        while answer:
            kind, size = struct.unpack("!HH", answer[:4])
            found[kind], answer = answer[4 : 4 + size], answer[4 + size + -size % 4 :]
        self.nonce = found.get(NONCE, self.nonce)
        return found[ERROR][2] * 100 + found[ERROR][3] if ERROR in found else 0

    def allocate(self):
        """Sign in: the first question is answered with what to sign."""
        assert self.ask(ALLOCATE, (TRANSPORT, UDP)) == 401
        return self.ask(ALLOCATE, (TRANSPORT, UDP))

    def permit(self, host):
        address = struct.unpack("!I", socket.inet_aton(host))[0] ^ COOKIE
        return self.ask(PERMIT, (PEER, struct.pack("!BBHI", 0, 1, 0, address)))


def allowed(person, seconds=60):
    known = ice_servers(person, int(time.time()) + seconds)[0]
    return known["username"], known["credential"]


@pytest.fixture
def person(demo):
    return Person.objects.get(email="user@acme.example")


def test_the_turn_server_passes_on_to_the_media_relay_and_to_nothing_else(turn, person):
    with Turn(turn, *allowed(person)) as client:
        assert client.allocate() == 0
        assert client.permit("127.0.0.1") == 0
        for elsewhere in ("127.0.0.2", "10.0.0.1", "192.168.0.1", "169.254.169.254", "8.8.8.8"):
            assert client.permit(elsewhere) == 403


def test_the_turn_server_lets_in_whom_the_portal_has_let_in_and_for_minutes(turn, person):
    user, password = allowed(person)
    longer = f"{int(user.partition(':')[0]) + 3600}:{user.partition(':')[2]}"
    for strange in ((user, "x"), (user, ""), (longer, password), ("x", password), allowed(person, -5)):
        with Turn(turn, *strange) as client:
            assert client.allocate() == 401
