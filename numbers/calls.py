"""Incoming calls as phone systems report them: which number was called, and when.

``numbers.reports`` takes reports apart, whatever their format. Here each call is understood or refused.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import phones

#: The most calls in one report, and its most bytes.
MOST = 10_000
MOST_BYTES = 8_000_000
LONGEST_ID = 200
# Clocks differ; a call that comes later than that is a mistake.
AHEAD = timedelta(minutes=5)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
#: A time since 1970 as text; and below which it counts seconds, or milliseconds.
EPOCH = re.compile(r"[0-9]{1,16}(\.[0-9]{1,9})?", re.ASCII)
SECONDS_BELOW, MILLISECONDS_BELOW = 10**11, 10**14
#: Of calls that are refused, so many are named.
NAMED = 100


class Format(TextChoices):
    """What a phone system sends. Without a choice, each report is recognized by its contents."""

    PORTAL = "portal", gettext_lazy("JSON of this portal")
    JSON_CDR = "json_cdr", gettext_lazy("FreeSWITCH mod_json_cdr")
    XML_CDR = "xml_cdr", gettext_lazy("FreeSWITCH mod_xml_cdr")
    CDR = "cdr", gettext_lazy("Asterisk CDR (CSV)")
    CEL = "cel", gettext_lazy("Asterisk CEL (CSV)")
    ACC = "acc", gettext_lazy("Kamailio acc (JSON or CSV)")
    CUCM = "cucm", gettext_lazy("Cisco CUCM CDR files")
    TELNYX = "telnyx", gettext_lazy("Telnyx call webhooks")
    TWILIO = "twilio", gettext_lazy("Twilio call webhooks")
    CSV = "csv", gettext_lazy("CSV with a heading line")


@dataclass(frozen=True)
class Reading:
    """How the reports of a phone system are read: its settings, as the readers need them."""

    format: str = ""
    #: The country of numbers without a country code, and how digits without + are read (``phones.WithoutPlus``).
    country: str = ""
    without_plus: str = phones.WithoutPlus.ASK
    #: The zone of times that name none. Without it such times are refused.
    zone: tzinfo | None = None
    #: The headings of id, number and time in a CSV file.
    columns: tuple[str, str, str] = ("id", "number", "time")
    #: The dialplan contexts of incoming calls (Asterisk); without any, every call counts.
    contexts: frozenset[str] = frozenset()
    #: What signatures are checked with: Telnyx's public key, and Twilio's auth token, sealed.
    public_key: str = ""
    sealed_token: str = ""


#: A phone system whose settings nobody has changed.
PLAIN = Reading()


class NotCalls(ValueError):
    """What was sent is no list of calls; the text says what is expected."""


@dataclass
class Calls:
    """Calls that were understood, as three lists of one length: ids, numbers as whole numbers, times.

    ``refused`` are the places of the others, counted from 1, each with the sentence that says why. ``skipped`` counts
    what is no incoming call: outgoing legs, and events of calls that are counted by another event.
    """

    reading: Reading = PLAIN
    ids: list[str] = field(default_factory=list)
    digits: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    skipped: int = 0
    latest: datetime = field(default_factory=lambda: timezone.now() + AHEAD)
    first: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    #: Numbers that were read, or the sentences with which they were refused: many calls are to the same few numbers.
    numbers: dict[str, int | str] = field(default_factory=dict)

    def take(self, place: int, call_id: Any, number: Any, at: Any) -> None:
        """Add one call, or the reason why it is none."""
        try:
            known_as, digits, moment = understood(call_id, number, at, self.latest, self.reading, self.numbers)
        except ValueError as refusal:
            self.refuse(place, str(refusal))
            return
        self.add(known_as, digits, moment)

    def add(self, known_as: str, digits: int, moment: datetime) -> None:
        """Add a call that was understood.

        Legs of one call share its id. The first leg that can be read says which number was called: later ones are
        where the call went from there.
        """
        digits, moment = self.first.setdefault(known_as, (digits, moment))
        for kept, value in zip((self.ids, self.digits, self.times), (known_as, digits, moment), strict=True):
            kept.append(value)

    def refuse(self, place: int, why: str) -> None:
        """Note why the call at a place is not counted."""
        self.refused.append((place, why))

    def __len__(self) -> int:
        return len(self.ids)


def understood(
    call_id: Any,
    number: Any,
    at: Any,
    latest: datetime,
    reading: Reading = PLAIN,
    numbers: dict[str, int | str] | None = None,
) -> tuple[str, int, datetime]:
    """A call's id, number and time; ``numbers`` are those that were read before (``digits_of``).

    Raises ``ValueError`` with a sentence.
    """
    text = str(call_id).strip() if isinstance(call_id, str | int) and not isinstance(call_id, bool) else ""
    # Half of a pair of surrogates is something that JSON can write and a database cannot.
    if not text or len(text) > LONGEST_ID or any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise ValueError(_("A call has an id: a text of %(most)d characters at most.") % {"most": LONGEST_ID})
    if not isinstance(number, str):
        raise ValueError(_("A call has a number: a text, with + and the country code."))
    return text, digits_of(number, reading, {} if numbers is None else numbers), moment_of(at, latest, reading.zone)


def digits_of(number: str, reading: Reading, known: dict[str, int | str]) -> int:
    """A number as a whole number, from ``known`` or put into it. Raises ``ValueError`` with a sentence."""
    if e164 := phones.quick(number):
        return int(e164[1:])
    found = known.get(number)
    if found is None:
        try:
            found = int(phones.parse(number, reading.country, without_plus=reading.without_plus)[1:])
        except phones.NotANumber as refusal:
            found = str(refusal)
        known[number] = found
    if isinstance(found, str):
        raise ValueError(found)
    return found


def moment_of(at: Any, latest: datetime, zone: tzinfo | None = None) -> datetime:
    """A time as ISO 8601 or RFC 5322 (3.3) with its zone, or since 1970 in seconds, also with decimals, milliseconds or
    microseconds: how many digits it has tells them apart. ISO times that name no zone are in ``zone``.

    Raises ``ValueError`` with a sentence.
    """
    is_text = isinstance(at, str)
    since_1970 = float(at) if is_text and EPOCH.fullmatch(at) else at
    found = None
    with suppress(ValueError, OverflowError, OSError):  # no date, or one that no calendar has
        if isinstance(since_1970, int | float) and not isinstance(since_1970, bool):
            found = datetime.fromtimestamp(since_1970 / unit_of(since_1970), UTC)
        elif is_text and "," in at:
            found = parsedate_to_datetime(at)
        elif is_text:
            found = datetime.fromisoformat(at.strip())
            if found.tzinfo is None and zone is not None:
                # Of the two hours before clocks are set back it is the first: never later than it was.
                found = found.replace(tzinfo=zone).astimezone(UTC)
    if found is None or found.tzinfo is None:
        raise ValueError(_("A call has a time with its zone, such as 2027-01-31T17:00:00Z."))
    if not EARLIEST <= found <= latest:
        raise ValueError(_("The time of this call is impossible. Check the clock of the phone system."))
    return found


def unit_of(since_1970: float) -> int:
    """How many of its units a second has: seconds have ten digits until the year 2286."""
    if abs(since_1970) < SECONDS_BELOW:
        return 1
    return 1000 if abs(since_1970) < MILLISECONDS_BELOW else 1_000_000
