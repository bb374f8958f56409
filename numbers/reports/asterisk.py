"""Call records of Asterisk: the CDR file ``Master.csv`` and channel events (CEL), with or without a heading."""

from __future__ import annotations

import re
from itertools import pairwise

from numbers.calls import Reading
from numbers.reports.kit import Layout, Leg, cell, column

#: ``loguniqueid`` and ``loguserfield`` each add a column to these, and ``newcdrcolumns`` three more.
FEWEST, MOST_COLUMNS, ADDED = 16, 21, 3
DST, CONTEXT, CHANNEL, START, DURATION = 2, 3, 5, 9, 12
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?")
#: An id of a channel: perhaps the name of the system, then seconds and a counter.
UNIQUE = re.compile(r"(.+-)?[0-9]{9,11}\.[0-9]+")
#: The event that begins a channel, as a name and as a number.
BEGINS = {"CHAN_START", "1"}
EVENTS = re.compile(r"(CHAN|APP|BRIDGE|PARK|LINKEDID|LOCAL|STREAM)_[A-Z_]+|ANSWER|HANGUP|(BLIND|ATTENDED)TRANSFER"
                    r"|PICKUP|FORWARD|USER_DEFINED")  # fmt: skip
#: From so many columns on, an event has those of the sample file; otherwise the shorter list, without RDNIS and DNID.
LONG = 16


def cdr(first: list[str], reading: Reading) -> Layout | None:
    """How call records are read; None if the first row is none of them and no heading either."""
    names = [name.strip().lower() for name in first]
    if ("dst" in names or "did" in names) and ("calldate" in names or "start" in names):
        places = [column(names, "linkedid"), column(names, "uniqueid"), column(names, "channel")]
        did, dst = column(names, "did"), column(names, "dst")
        start, context = column(names, "calldate", "start"), column(names, "dcontext")

        def of_table(row: list[str]) -> Leg:
            if not is_incoming(cell(row, context), reading):
                return None
            at = cell(row, start)
            call_id = cell(row, places[1]) or cell(row, places[0]) or f"{cell(row, places[2])} {at}"
            return call_id, cell(row, did) or cell(row, dst), at

        return Layout(of_table)
    if FEWEST <= len(first) <= MOST_COLUMNS and STAMP.fullmatch(cell(first, START)) and cell(first, DURATION).isdigit():
        return Layout(lambda row: of_file(row, reading), has_heading=False)
    return None


def of_file(row: list[str], reading: Reading) -> Leg:
    """A row of ``Master.csv``. Its id is that of its channel (``uniqueid``), or else the name of the channel with the
    time: names of channels are used again. ``linkedid`` is not for this: calls that were bridged later share one."""
    if not is_incoming(cell(row, CONTEXT), reading):
        return None
    more = row[FEWEST:]
    linked = more[-2].strip() if len(more) >= ADDED else ""
    unique = more[0].strip() if more and UNIQUE.fullmatch(more[0].strip()) else ""
    return unique or linked or f"{cell(row, CHANNEL)} {cell(row, START)}", cell(row, DST), cell(row, START)


def cel(first: list[str], reading: Reading) -> Layout | None:
    """How channel events are read; None if the first row is none and no heading either."""
    names = [name.strip().lower() for name in first]
    if "eventtype" in names and "exten" in names:
        places = [column(names, name) for name in ("eventtype", "eventtime", "exten", "cid_dnid", "context")]
        ids = [column(names, name) for name in ("uniqueid", "linkedid")]

        def of_table(row: list[str]) -> Leg:
            return event(*(cell(row, place) for place in (*places, *ids)), reading)

        return Layout(of_table)
    if EVENTS.fullmatch(cell(first, 0)) and len(first) >= 13:
        return Layout(lambda row: of_events(row, reading), has_heading=False)
    return None


def of_events(row: list[str], reading: Reading) -> Leg:
    """A row of a file of events. The two ids stand side by side, at a place that depends on the configuration."""
    pairs = pairwise(row[9:])
    ids = next(((one, other) for one, other in pairs if UNIQUE.fullmatch(one) and UNIQUE.fullmatch(other)), ("", ""))
    dnid, exten, context = (6, 7, 8) if len(row) >= LONG else (None, 4, 5)
    return event(cell(row, 0), cell(row, 1), cell(row, exten), cell(row, dnid), cell(row, context), *ids, reading)


def event(kind: str, at: str, exten: str, dnid: str, context: str, unique: str, linked: str, reading: Reading) -> Leg:
    """A channel that begins a call, as its id is that of the call; the channels after it are where the call went."""
    if kind.upper() not in BEGINS or (unique != linked and unique) or not is_incoming(context, reading):
        return None
    return linked, exten if exten and exten != "s" else dnid or exten, at


def is_incoming(context: str, reading: Reading) -> bool:
    """Whether calls of a dialplan context come in. Records do not say it otherwise."""
    return not reading.contexts or context in reading.contexts
