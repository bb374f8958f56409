"""What phone systems tell of incoming calls, read: which number was called, and when."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from portal import machines, phones

#: So many calls are told of at once, in a document of so many bytes.
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


class NotCalls(ValueError):
    """What was sent is no list of calls; the text says what is expected."""


@dataclass
class Calls:
    """Calls that were understood, as three lists of one length: ids, numbers as whole numbers, times.

    ``refused`` are the places of the others, counted from 1, each with the sentence that says why.
    """

    ids: list[str] = field(default_factory=list)
    digits: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    latest: datetime = field(default_factory=lambda: timezone.now() + AHEAD)

    def take(self, place: int, call_id: Any, number: Any, at: Any) -> None:
        """Add one call, or the reason why it is none."""
        try:
            call = understood(call_id, number, at, self.latest)
        except ValueError as refusal:
            self.refused.append((place, str(refusal)))
            return
        for kept, value in zip((self.ids, self.digits, self.times), call, strict=True):
            kept.append(value)

    def __len__(self) -> int:
        return len(self.ids)


def understood(call_id: Any, number: Any, at: Any, latest: datetime) -> tuple[str, int, datetime]:
    """A call's id, number and time. Raises ``ValueError`` with a sentence."""
    text = str(call_id).strip() if isinstance(call_id, str | int) and not isinstance(call_id, bool) else ""
    # Half of a pair of surrogates is something that JSON can write and a database cannot.
    if not text or len(text) > LONGEST_ID or any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise ValueError(_("A call has an id: a text of %(most)d characters at most.") % {"most": LONGEST_ID})
    if not isinstance(number, str):
        raise ValueError(_("A call has a number: a text, with + and the country code."))
    e164 = phones.quick(number) or phones.parse(number)
    return text, int(e164[1:]), moment_of(at, latest)


def moment_of(at: Any, latest: datetime) -> datetime:
    """A time as ISO 8601 or RFC 5322 (3.3) with its zone, or since 1970 in seconds, also with decimals, milliseconds or
    microseconds: how many digits it has tells them apart. Raises ``ValueError`` with a sentence."""
    is_text = isinstance(at, str)
    since_1970 = float(at) if is_text and EPOCH.fullmatch(at) else at
    found = None
    with suppress(ValueError, OverflowError, OSError):  # no date, or one that no calendar has
        if isinstance(since_1970, int | float) and not isinstance(since_1970, bool):
            found = datetime.fromtimestamp(since_1970 / unit_of(since_1970), UTC)
        elif is_text and "," in at:
            found = parsedate_to_datetime(at)
        elif is_text:
            found = datetime.fromisoformat(at)
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


def of_json(body: bytes) -> Calls:
    """The calls of a JSON document: one, a list, or an object with a list of them as ``calls``.

    Raises ``NotCalls``.
    """
    if len(body) > MOST_BYTES:
        raise NotCalls(_("The request is larger than %(most)d bytes. Send it in parts.") % {"most": MOST_BYTES})
    try:
        sent = machines.of_json(body)
    except ValueError as error:
        raise NotCalls(
            _("This is not valid JSON. Send an object with id, number and time, or a list of such objects.")
        ) from error
    if isinstance(sent, dict):
        sent = sent.get("calls", [sent])
    if not isinstance(sent, list):
        raise NotCalls(_("Send an object with id, number and time, or a list of such."))
    if len(sent) > MOST:
        raise NotCalls(_("These are more than %(most)d calls: send them in parts.") % {"most": MOST})
    calls = Calls()
    for place, one in enumerate(sent, 1):
        one = one if isinstance(one, dict) else {}
        calls.take(place, one.get("id"), one.get("number"), one.get("time"))
    return calls


def of_lines(lines: Iterable[str]) -> Iterator[Calls]:
    """The calls of a CSV file with the columns id, number and time, ``MOST`` at a time.

    Raises ``NotCalls`` where a column is missing, and ``csv.Error`` for what is no CSV.
    """
    rows = csv.reader(lines)
    heading = [name.strip().lower().lstrip("\ufeff") for name in next(rows, [])]
    if missing := [name for name in ("id", "number", "time") if name not in heading]:
        raise NotCalls(_("The first line names the columns id, number and time; missing: %s.") % ", ".join(missing))
    places = [heading.index(name) for name in ("id", "number", "time")]
    count = 1
    while some := list(islice(rows, MOST)):
        calls = Calls()
        for row in some:
            count += 1
            if row:
                calls.take(count, *(row[place] if place < len(row) else "" for place in places))
        yield calls
