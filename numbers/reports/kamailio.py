"""Transactions that Kamailio's ``acc`` modules note, as JSON or as the rows of their table."""

from __future__ import annotations

from typing import Any

from numbers.calls import Reading
from numbers.reports.kit import Layout, Leg, cell

IDS, CODES = ("callid", "call_id"), ("sip_code", "code")
TIMES = ("time_hires", "timestamp", "time_unix", "time_epoch", "time")
#: The number that was called is an extra column, as the configuration names it.
NUMBERS = ("dst_user", "dst_ouser", "ruri_user", "to_user", "ruri")
#: Answers after which there is no call: another request follows, with a password, or the caller was kept out.
NO_CALL = {"401", "403", "407"}


def is_record(sent: dict[str, Any]) -> bool:
    """Whether a JSON object is a transaction."""
    return "method" in sent and any(name in sent for name in IDS)


def of_json(sent: dict[str, Any]) -> Leg:
    """The call of a transaction; None for any other request than the one that begins a call."""
    said = {str(name).lower(): value for name, value in sent.items()}

    def value(names: tuple[str, ...]) -> Any:
        return next((said[name] for name in names if said.get(name) not in (None, "")), None)

    if str(said.get("method")).upper() != "INVITE" or str(value(CODES)) in NO_CALL:
        return None
    return value(IDS), value(NUMBERS), value(TIMES)


def table(first: list[str], _reading: Reading) -> Layout | None:
    """How rows of the table are read; None if the first row does not name its columns."""
    names = [name.strip().lower() for name in first]
    if "method" not in names or not any(name in names for name in IDS):
        return None
    return Layout(lambda row: of_json({name: cell(row, place) for place, name in enumerate(names)}))
