"""Telephony without telephones, for the demo: calls go through their states by the clock, and nothing rings.

How a call goes depends on the last two digits of the number: 86 is busy, 80 does not answer, 04 cannot be reached.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from webphone.models import Call, Location
from webphone.telephony import News

CODES = {"86": 486, "80": 480, "04": 404}
#: Seconds after which each thing happens.
YOURS = [("ringing_you", 0.5), ("answered_you", 2.0)]
OTHERS = [("ringing", 0.6), ("ended_unanswered", 1.8), ("talking", 2.5)]
TYPED = 4.0
#: So long nobody talks.
LONGEST = 600.0


class DemoTelephony:
    """The states of a call, made up."""

    speaks_sip = False

    def ring(self, call: Call, code: str) -> None:
        """Nothing: the clock does it."""

    def hang_up(self, call: Call) -> list[News]:
        return [News("ended", timezone.now(), cancelled=True)]

    def sign_out(self, people) -> None:
        """Nothing: nobody is registered anywhere."""

    def live(self) -> None:
        return None

    def news(self, call: Call, now: datetime) -> list[News]:
        """All that has happened by ``now``; what was told before changes nothing."""
        return [one for one in self.course(call) if one.at <= now]

    @staticmethod
    def course(call: Call) -> list[News]:
        def at(seconds: float) -> datetime:
            return call.placed_at + timedelta(seconds=seconds)

        rings_you = call.mode != Call.Mode.COMPUTER
        course = [News(event, at(seconds)) for event, seconds in YOURS if rings_you]
        if call.mode == Call.Mode.CODE:
            rung = Location.rung_by(call)
            return [
                *course,
                News("digits", at(TYPED), digits=rung.code if rung else ""),
                News("ended", at(TYPED + 0.5)),
            ]
        later = YOURS[-1][1] if rings_you else 0
        code = CODES.get(call.number[-2:])
        for event, seconds in OTHERS:
            if event != "ended_unanswered":
                course.append(News(event, at(later + seconds)))
            elif code:
                return [*course, News("ended", at(later + seconds), code=code)]
        return [*course, News("ended", at(LONGEST))]
