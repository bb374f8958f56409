"""Telephones and a carrier that do not exist, for calls on this computer and for tests.

What is called says what happens: a number that ends in 86 is busy, one in 80 does not answer, one in 04 is not there,
one in 03 declines, one in 99 hangs up after two seconds, one in 88 refuses to be put on hold; all others answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Timer
from typing import Any

from webphone.telephony.media import Sound, offer, tone
from webphone.telephony.stack import (
    CCEventConnect,
    CCEventDisconnect,
    CCEventFail,
    CCEventRing,
    CCEventTry,
    CCEventUpdate,
    Stack,
    body,
    code_of,
    sound_of,
)

RINGS = 0.8
FAILS = {"86": (486, "Busy Here"), "04": (404, "Not Found"), "03": (603, "Decline")}


@dataclass
class Line:
    """One call of a telephone's: what it hears, and how it stands."""

    phone: Phone
    called: str
    caller: str
    leg: Any = None
    sound: Sound | None = None
    state: str = "ringing"
    ended_with: int = 0
    #: The session description that came last.
    wanted: str = ""

    def hang_up(self) -> None:
        Stack.soon(lambda: self.leg.recvEvent(CCEventDisconnect()))
        self.end()

    def end(self) -> None:
        """Be over. Who went on speaking would speak into the next call that the media relay has at that port."""
        self.state = "ended"
        if self.sound:
            self.sound.stop()

    def hold(self) -> None:
        """Stop hearing the other side, as a telephone does that puts it on hold."""
        description = offer(self.phone.host, self.sound.port, "sendonly")
        Stack.soon(lambda: self.leg.recvEvent(CCEventUpdate(body(description))))


class Phone:
    """A telephone with as many lines as are asked for. ``plays`` is µ-law; None gives back what is heard."""

    def __init__(self, host: str, port: int, proxy: tuple[str, int], domain: str, plays: bytes | None = None):
        self.host, self.plays, self.lines, self.answers = host, plays, [], True
        self.rings = RINGS
        self.stack = Stack(host, port, proxy, domain, self.rung)

    def register(self, user: str, password: str) -> None:
        self.stack.register(user, password)

    def rung(self, leg: Any):
        line = Line(self, "", "", leg)
        self.lines.append(line)
        return lambda event, _leg: self.heard(line, event)

    def heard(self, line: Line, event: Any) -> None:
        leg = line.leg
        line.wanted = sound_of(event) or line.wanted
        if isinstance(event, CCEventTry):
            _call_id, line.caller, line.called, *_rest = event.getData()
            if line.called[-2:] in FAILS:
                line.state, line.ended_with = "ended", FAILS[line.called[-2:]][0]
                leg.recvEvent(CCEventFail(FAILS[line.called[-2:]]))
                return
            leg.recvEvent(CCEventRing((180, "Ringing", None)))
            if self.answers and not line.called.endswith("80"):
                self.later(self.rings, lambda: self.answer(line, sound_of(event)))
        elif isinstance(event, CCEventUpdate) and line.called.endswith("88"):
            leg.recvEvent(CCEventFail((488, "Not Acceptable Here")))
        elif isinstance(event, CCEventUpdate):
            line.sound.send_to(sound_of(event))
            leg.recvEvent(CCEventConnect((200, "OK", body(line.sound.answer))))
        elif isinstance(event, CCEventConnect):
            line.state = "talking"
            if line.sound and sound_of(event):
                line.sound.send_to(sound_of(event))
        elif isinstance(event, CCEventRing):
            return
        elif isinstance(event, CCEventFail | CCEventDisconnect):
            line.ended_with = code_of(event)
            line.end()

    def answer(self, line: Line, description: str) -> None:
        if line.state != "ringing":
            return
        line.sound = Sound(self.host, self.plays)
        line.sound.send_to(description)
        line.state = "talking"
        line.leg.recvEvent(CCEventConnect((200, "OK", body(line.sound.answer))))
        if line.called.endswith("99"):
            self.later(2.0, line.hang_up)

    @staticmethod
    def later(seconds: float, act) -> None:
        timer = Timer(seconds, Stack.soon, (act,))
        timer.daemon = True
        timer.start()

    def call(self, called: str, caller: str, login: tuple[str, str] | None = None) -> Line:
        """Call somebody through the proxy."""
        line = Line(self, called, caller)
        line.sound = Sound(self.host, self.plays)
        self.lines.append(line)

        def begin() -> None:
            line.leg = self.stack.invite(
                called, caller, offer(self.host, line.sound.port), lambda event, _leg: self.heard(line, event),
                login=login,
            )  # fmt: skip

        Stack.soon(begin)
        return line


MELODY = b"".join(tone(note, seconds=0.25) for note in (440, 554, 659, 880))
