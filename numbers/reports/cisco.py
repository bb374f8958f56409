"""CDR files of Cisco Unified Communications Manager: two heading lines, the names and the types of the columns."""

from __future__ import annotations

from numbers.calls import Reading
from numbers.reports.kit import Layout, Leg, cell, column

#: Names of phones begin like this: desk phones, and Jabber on computers, phones and tablets. Their calls go out.
PHONES = ("SEP", "CSF", "TCT", "BOT", "TAB")
#: Records of other types, such as those of quality, are about calls that have one of this type.
CALL = "1"


def table(first: list[str], _reading: Reading) -> Layout | None:
    """How records are read; None if the first row does not name their columns."""
    names = [name.strip().lower() for name in first]
    if "cdrrecordtype" not in names:
        return None
    kind, device = column(names, "cdrrecordtype"), column(names, "origdevicename")
    ids = [column(names, f"globalcallid_{name}") for name in ("callmanagerid", "callid", "clusterid")]
    number, time = column(names, "originalcalledpartynumber"), column(names, "datetimeorigination")

    def leg(row: list[str]) -> Leg:
        if cell(row, kind) != CALL or cell(row, device).upper().startswith(PHONES):
            return None
        known_as = [cell(row, place) for place in ids]
        # Translation patterns may leave the backslash before a plus sign.
        return "_".join(known_as) if all(known_as[:2]) else "", cell(row, number).replace("\\+", "+"), cell(row, time)

    return Layout(leg, is_heading=lambda row: cell(row, kind).upper() == "INTEGER")
