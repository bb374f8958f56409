"""SIP by hand (RFC 3261), for what no phone would send: a browser's WebSocket, and a phone or a trunk over UDP."""

import base64
import hashlib
import os
import re
import socket
import struct
import time
from contextlib import suppress
from threading import Condition, Thread

PATIENCE = 60.0
ICE = (
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=mid:0\r\na=rtcp-mux\r\n"
    f"a=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\na=candidate:1 1 udp 2130706431 127.0.0.1 55555 typ host\r\n"
)


def description(profile="RTP/AVP", codecs="0 101", port=40_000, more=""):
    """A session description with sound alone (RFC 8866)."""
    names = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000", "101": "telephone-event/8000", "111": "opus/48000/2"}
    maps = "".join(f"a=rtpmap:{codec} {names[codec]}\r\n" for codec in codecs.split())
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} {profile} {codecs}\r\n{maps}a=sendrecv\r\n{more}"
    )


OF_BROWSER = description("UDP/TLS/RTP/SAVPF", "111 0 101", more=ICE)


def status(message):
    """The status of a response; 0 for a request."""
    return int(message.split(" ", 2)[1]) if message.startswith("SIP/2.0 ") else 0


def method(message):
    """The method of a request; of a response, that of its request."""
    return header(message, "CSeq").split()[1]


def headers(message, name):
    return re.findall(rf"(?mi)^{name} *: *(.*?)\r$", message.partition("\r\n\r\n")[0] + "\r\n")


def header(message, name):
    return next(iter(headers(message, name)), "")


def names(message):
    """The names of all headers, in small letters."""
    return {line.partition(":")[0].strip().lower() for line in message.partition("\r\n\r\n")[0].split("\r\n")[1:]}


def tag(message, name):
    found = re.search(r";tag=([^;>\s]+)", header(message, name))
    return found[1] if found else ""


def address(message, name):
    """The address between angle brackets in a header."""
    return re.search(r"<([^>]+)>", header(message, name))[1]


def response(request, code, body="", more="", tagged="far"):
    """The response to a request, with what it has to repeat of it (RFC 3261, 8.2.6)."""
    kept = "".join(
        f"{name}: {value}\r\n"
        for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq")
        for value in headers(request, name)
    )
    if not tag(request, "To") and code > 100:
        kept = re.sub(r"(?m)^(To: .*?)\r$", rf"\1;tag={tagged}\r", kept)
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return f"SIP/2.0 {code} X\r\n{kept}{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"


def authorization(challenge, verb, uri, user, password):
    """The header that answers a challenge (RFC 2617)."""
    name = "Proxy-Authorization" if status(challenge) == 407 else "Authorization"
    asked = dict(re.findall(r'(\w+)="?([^",]+)"?', header(challenge, "(?:WWW|Proxy)-Authenticate")))

    def md5(text):
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    ha1, ha2 = md5(f"{user}:{asked['realm']}:{password}"), md5(f"{verb}:{uri}")
    answer = md5(f"{ha1}:{asked['nonce']}:{ha2}")
    return (
        f'{name}: Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{uri}",'
        f' response="{answer}", algorithm=MD5\r\n'
    )


def new_branch():
    return f"z9hG4bK{os.urandom(8).hex()}"


class Peer:
    """Somebody who speaks SIP: what they have ``heard``, and how they answer requests (``answers``)."""

    transport = ""

    def __init__(self, domain, name, user="", password=""):
        self.domain, self.name, self.user, self.password = domain, name, user or name, password
        self.heard, self.news, self.number, self.is_open = [], Condition(), 0, True
        #: What is done with a request: a function of this peer and the message.
        self.answers = lambda _peer, _message: None
        Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with suppress(OSError):
            while self.is_open and (message := self.receive()) is not None:
                with self.news:
                    self.heard.append(message)
                    self.news.notify_all()
                if not status(message):
                    self.answers(self, message)

    def wait(self, wanted, seconds=PATIENCE, since=0):
        """The first message heard that is ``wanted``; None where there is none in time."""
        deadline = time.monotonic() + seconds
        with self.news:
            while True:
                if found := next((one for one in self.heard[since:] if wanted(one)), None):
                    return found
                if not self.news.wait(max(deadline - time.monotonic(), 0)) and time.monotonic() >= deadline:
                    return None

    def via(self, branch):
        return f"SIP/2.0/{self.transport} {self.at};branch={branch};rport"

    def requests(self, verb):
        return [one for one in self.heard if one.startswith(f"{verb} ")]

    def send(self, verb, uri, call, *, more="", body="", kind="application/sdp", number=None):
        """Send a request of a call; returns its branch."""
        if number is None:
            self.number += 1
            number = self.number
        branch = new_branch()
        self.write(
            f"{verb} {uri} SIP/2.0\r\nVia: {self.via(branch)}\r\nMax-Forwards: 70\r\n"
            f"{call.route}From: {call.caller}\r\nTo: {call.callee}\r\nCall-ID: {call.id}\r\nCSeq: {number} {verb}\r\n"
            f"Contact: <{self.contact}>\r\n{more}"
            + (f"Content-Type: {kind}\r\n" if body else "")
            + f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        return branch

    def ask(self, verb, uri, call, *, seconds=PATIENCE, **more):
        """Send a request, sign in if asked to, and return the final response; "" where there is none."""
        for turn in (0, 1):
            since = len(self.heard)
            branch = self.send(verb, uri, call, **more)

            def final(one, branch=branch):
                return status(one) >= 200 and f"branch={branch}" in header(one, "Via")

            answer = self.wait(final, seconds, since) or ""
            if verb == "INVITE" and status(answer) >= 300:
                self.acknowledge(uri, call, answer, branch)
            if status(answer) not in (401, 407) or turn:
                return answer
            more["more"] = more.get("more", "") + authorization(answer, verb, uri, self.user, self.password)
        return ""

    def acknowledge(self, uri, call, answer, branch=None, body=""):
        number = header(answer, "CSeq").split()[0]
        self.write(
            f"ACK {uri} SIP/2.0\r\nVia: {self.via(branch or new_branch())}\r\nMax-Forwards: 70\r\n{call.route}"
            f"From: {call.caller}\r\nTo: {header(answer, 'To')}\r\nCall-ID: {call.id}\r\nCSeq: {number} ACK\r\n"
            + ("Content-Type: application/sdp\r\n" if body else "")
            + f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def register(self, seconds=5):
        """The status with which a registration is answered; 0 where nobody answers."""
        call = Talk(f"<sip:{self.name}@{self.domain}>;tag=r", f"<sip:{self.name}@{self.domain}>")
        return status(self.ask("REGISTER", f"sip:{self.domain}", call, more="Expires: 60\r\n", seconds=seconds))

    def call(self, target, *, more="", body="", display=""):
        """Place a call; returns it, with ``answer`` the final response. One that is answered is acknowledged."""
        uri = f"sip:{target}@{self.domain}"
        talk = Talk(f"{display}<sip:{self.name}@{self.domain}>;tag={os.urandom(4).hex()}", f"<{uri}>")
        talk.answer = self.ask("INVITE", uri, talk, more=more, body=body or self.offers)
        if status(talk.answer) == 200:
            talk.begun(talk.answer)
            self.acknowledge(talk.target, talk, talk.answer)
        return talk


class Talk:
    """What the requests of one call have in common."""

    def __init__(self, caller, callee):
        self.caller, self.callee, self.id, self.route, self.target, self.answer = (
            caller, callee, os.urandom(8).hex(), "", "", "",
        )  # fmt: skip

    def begun(self, answer):
        """Learn from a response that began it."""
        self.callee, self.target = header(answer, "To"), address(answer, "Contact")
        self.route = "".join(f"Route: {one}\r\n" for one in reversed(headers(answer, "Record-Route")))

    @staticmethod
    def of_callee(request, tagged="far"):
        """A call from the side of the one who was called with ``request``."""
        other = Talk(f"{header(request, 'To')};tag={tagged}", header(request, "From"))
        other.id, other.target = header(request, "Call-ID"), address(request, "Contact")
        other.route = "".join(f"Route: {one}\r\n" for one in headers(request, "Record-Route"))
        return other


class Udp(Peer):
    """A phone or a trunk."""

    transport, offers = "UDP", description()

    def __init__(self, domain, name, server, *, host="127.0.0.1", port=0, **more):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.server = server
        self.at = f"{host}:{self.socket.getsockname()[1]}"
        self.contact = f"sip:{name}@{self.at}"
        super().__init__(domain, name, **more)

    def receive(self):
        while True:
            message = self.socket.recv(65_536).decode(errors="replace")
            if message.strip():
                return message

    def write(self, message):
        self.socket.sendto(message.encode(), self.server)

    def close(self):
        self.is_open = False
        self.socket.close()


class Web(Peer):
    """A browser's connection (RFC 7118)."""

    transport, offers = "WS", OF_BROWSER

    def __init__(self, domain, name, port, origin, **more):
        self.socket, self.buffer = socket.create_connection(("127.0.0.1", port)), b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\nOrigin: {origin}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(4096)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101"), head
        self.at = f"{os.urandom(6).hex()}.invalid"
        self.contact = f"sip:{os.urandom(4).hex()}@{self.at};transport=ws"
        super().__init__(domain, name, **more)

    def exactly(self, size):
        while len(self.buffer) < size:
            more = self.socket.recv(65_536)
            if not more:
                raise OSError("closed")
            self.buffer += more
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def receive(self):
        while True:
            kind, size = self.exactly(2)
            size &= 127
            if size == 126:
                size = struct.unpack(">H", self.exactly(2))[0]
            frame = self.exactly(size)
            if kind & 15 in (1, 2) and frame.strip():
                return frame.decode(errors="replace")

    def write(self, message):
        content, mask = message.encode(), os.urandom(4)
        size = bytes([0x80 | len(content)]) if len(content) < 126 else b"\xfe" + struct.pack(">H", len(content))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(content))
        self.socket.sendall(b"\x81" + size + mask + masked)

    def close(self):
        self.is_open = False
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def answering(body=None, code=200, rings=True):
    """A peer that answers every call with ``code``, and every other request with 200."""

    def answers(peer, message):
        verb = message.split(" ", 1)[0]
        contact = f"Contact: <{peer.contact}>\r\nServer: Evil\r\nP-Asserted-Identity: <sip:evil@x>\r\n"
        if verb == "INVITE":
            is_first = not tag(message, "To")
            if is_first and rings:
                peer.write(response(message, 180, more=contact))
            told = body or peer.offers
            peer.write(response(message, code if is_first else 200, told if code == 200 else "", contact))
        elif verb != "ACK":
            peer.write(response(message, 200))

    return answers
