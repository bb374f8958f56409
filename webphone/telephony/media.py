"""The sound of a call: RTP (RFC 3550) with G.711 µ-law, and keys as RFC 4733 has them."""

from __future__ import annotations

import math
import re
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from secrets import randbits
from threading import Event, Thread

RATE, FRAME = 8000, 160  # samples in a second, and in a packet of 20 ms
PCMU, KEYS = 0, 101  # payload types
PRESSED = "0123456789*#"
SILENCE = b"\xff" * RATE


def ulaw(sample: int) -> int:
    """A 16-bit sample as µ-law (ITU-T G.711)."""
    sign, size = (0x80, -sample) if sample < 0 else (0, sample)
    size = min(size, 32635) + 132
    exponent = max(size.bit_length() - 8, 0)
    return ~(sign | exponent << 4 | (size >> exponent + 3) & 0x0F) & 0xFF


def linear(byte: int) -> int:
    """A µ-law byte as a 16-bit sample."""
    byte = ~byte & 0xFF
    size = ((byte & 0x0F) << 3) + 132 << (byte >> 4 & 7)
    return 132 - size if byte & 0x80 else size - 132


LINEAR = [linear(byte) for byte in range(256)]


def tone(*frequencies: int, seconds: float = 1.0, pause: float = 0.0) -> bytes:
    """Frequencies (Hz) sounding together, then a pause (seconds), as µ-law; whole seconds of them can be repeated."""
    loudness = 9000 / len(frequencies)
    sounding = bytes(
        ulaw(round(sum(loudness * math.sin(2 * math.pi * one * at / RATE) for one in frequencies)))
        for at in range(int(RATE * seconds))
    )
    return sounding + SILENCE[:1] * int(RATE * pause)


#: What a caller hears while the other side rings, and before a code is typed.
RING_BACK = tone(440, 480, seconds=2, pause=4)
PROMPT = tone(660, seconds=0.3, pause=1.7)


def strength(sound: bytes, frequency: int) -> float:
    """How much of some µ-law is one frequency: 0 for none, about 1 for a clean tone (Goertzel)."""
    samples = [LINEAR[byte] for byte in sound]
    power = sum(one * one for one in samples)
    if not power:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * frequency / RATE)
    before = last = 0.0
    for one in samples:
        before, last = last, one + turn * last - before
    found = before * before + last * last - turn * before * last
    return 2 * found / (len(samples) * power)


def offer(host: str, port: int, direction: str = "sendrecv", keys: int = KEYS) -> str:
    """A session description (RFC 8866) of one stream of G.711 with keys, which an answer calls as the offer does."""
    lines = [
        "v=0", f"o=- {randbits(31)} 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP {PCMU} {keys}", f"a=rtpmap:{PCMU} PCMU/{RATE}",
        f"a=rtpmap:{keys} telephone-event/{RATE}", f"a=fmtp:{keys} 0-15", "a=ptime:20", f"a={direction}", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def where(description: str) -> tuple[tuple[str, int] | None, int]:
    """Where a session description wants its sound, None for nowhere, and what it calls keys there."""
    host, port = re.search(r"^c=IN IP4 (\S+)", description, re.M), re.search(r"^m=audio (\d+)", description, re.M)
    keys = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", description, re.M)
    called = int(keys[1]) if keys else KEYS
    if not host or not port or host[1] == "0.0.0.0" or not int(port[1]) or "a=inactive" in description:  # noqa: S104
        return None, called
    return (host[1], int(port[1])), called


class Sound:
    """One end of a stream: what is played goes out every 20 ms, what comes in is heard.

    ``play`` is µ-law that is repeated; None plays back what is heard. ``on_key`` is called in a thread of its own.
    """

    def __init__(self, host: str, play: bytes | None = SILENCE, on_key: Callable[[str], None] | None = None):
        self.host, self.play, self.on_key = host, play, on_key
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.settimeout(0.2)
        self.port: int = self.socket.getsockname()[1]
        self.to: tuple[str, int] | None = None
        self.keys_are = KEYS
        self.heard: deque[int] = deque(maxlen=RATE)
        self.packets_in = self.packets_out = 0
        self.keys = ""
        self._to_press: deque[str] = deque()
        self._echo: deque[bytes] = deque(maxlen=10)
        self._stopped = Event()
        for work in (self._listen, self._speak):
            Thread(target=work, daemon=True).start()

    def send_to(self, description: str) -> None:
        """Send to where the other side's session description says."""
        self.to, self.keys_are = where(description)

    @property
    def answer(self) -> str:
        """The session description that answers the one which came last."""
        return offer(self.host, self.port, keys=self.keys_are)

    def press(self, keys: str) -> None:
        self._to_press.extend(keys)

    def stop(self) -> None:
        self._stopped.set()
        self.socket.close()

    def _listen(self) -> None:
        last_key = None
        while not self._stopped.is_set():
            try:
                packet = self.socket.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(packet) < 13 or packet[0] >> 6 != 2:
                continue
            kind, stamp = packet[1] & 0x7F, packet[4:8]
            payload = packet[12 + 4 * (packet[0] & 0x0F) :]
            if kind == PCMU:
                self.packets_in += 1
                self.heard.extend(payload)
                self._echo.append(payload)
            elif kind != self.keys_are or len(payload) < 4 or payload[0] >= len(PRESSED):
                continue
            elif payload[1] & 0x80 and stamp != last_key:
                # The end of a key comes three times, with one time stamp.
                last_key = stamp
                self.keys += PRESSED[payload[0]]
                if self.on_key:
                    self.on_key(PRESSED[payload[0]])

    def _speak(self) -> None:
        source, sequence, stamp, at = randbits(32), randbits(15), randbits(31), 0
        due = time.monotonic()

        def send(kind: int, payload: bytes, when: int, marked: bool = False) -> None:
            nonlocal sequence
            sequence = sequence + 1 & 0xFFFF
            head = struct.pack("!BBHII", 0x80, kind | 0x80 * marked, sequence, when & 0xFFFFFFFF, source)
            if self.to:
                with suppress(OSError):  # nobody listens there yet, or any more
                    self.socket.sendto(head + payload, self.to)
                    self.packets_out += 1

        pressed, ticks = None, 0
        while not self._stopped.wait(max(due - time.monotonic(), 0)):
            due += FRAME / RATE
            stamp += FRAME
            if pressed is None and self._to_press and self.to:
                pressed, ticks, began = self._to_press.popleft(), 0, stamp
            if pressed is not None:
                ticks += 1
                ended = ticks > 5
                if ticks <= 8:
                    payload = struct.pack("!BBH", PRESSED.index(pressed), 10 | 0x80 * ended, FRAME * min(ticks, 6))
                    send(self.keys_are, payload, began, ticks == 1)
                elif ticks > 12:
                    pressed = None
                continue
            if self.play is None:
                payload = self._echo.popleft() if self._echo else SILENCE[:FRAME]
            else:
                payload = (self.play[at : at + FRAME] + self.play[:FRAME])[:FRAME]
                at = (at + FRAME) % len(self.play)
            send(PCMU, payload, stamp)
