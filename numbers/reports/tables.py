"""CSV files of calls: with a heading that names the columns, or in a layout that is known."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from django.utils.translation import gettext as _

from numbers.calls import MOST, PLAIN, Calls, Format, NotCalls, Reading
from numbers.reports import asterisk, cisco, kamailio
from numbers.reports.kit import Layout, cell

DELIMITERS = ",;\t"


def generic(first: list[str], reading: Reading) -> Layout | None:
    """How a file with a heading is read; None if the heading lacks a column."""
    heading = [name.strip().lower() for name in first]
    if missing(heading, reading):
        return None
    places = [heading.index(name.lower()) for name in reading.columns]
    return Layout(lambda row: tuple(cell(row, place) for place in places))


def missing(heading: list[str], reading: Reading) -> list[str]:
    """The columns that a heading lacks."""
    return [name for name in reading.columns if name.lower() not in heading]


#: format -> how its rows are read, or None if the first row shows that they are none of it
LAYOUTS: dict[str, Callable[[list[str], Reading], Layout | None]] = {
    Format.CUCM: cisco.table,
    Format.ACC: kamailio.table,
    Format.CEL: asterisk.cel,
    Format.CDR: asterisk.cdr,
    Format.CSV: generic,
}
ASTERISK = {Format.CDR, Format.CEL}
#: Formats that are CSV and nothing else.
ONLY = {Format.CUCM, Format.CEL, Format.CDR, Format.CSV}


def layout_of(first: list[str], reading: Reading) -> Layout:
    """How the rows of a file are read that begins with the row ``first``. Raises ``NotCalls``."""
    if reading.format and reading.format not in LAYOUTS:
        said = {"format": Format(reading.format).label}
        raise NotCalls(_("This is CSV, but this phone system is set to “%(format)s”.") % said)
    candidates = [LAYOUTS[reading.format]] if reading.format else LAYOUTS.values()
    for candidate in candidates:
        if layout := candidate(first, reading):
            return layout
    if reading.format not in ("", Format.CSV):
        said = {"format": Format(reading.format).label}
        raise NotCalls(_("The first line does not fit “%(format)s”, to which this phone system is set.") % said)
    named = ", ".join(missing([name.strip().lower() for name in first], reading))
    said = {"columns": ", ".join(reading.columns), "missing": named}
    raise NotCalls(_("The first line names the columns %(columns)s; missing: %(missing)s.") % said)


def of_lines(lines: Iterable[str], reading: Reading = PLAIN) -> Iterator[Calls]:
    """The calls of a CSV file, ``MOST`` at a time; the place of a call is its line.

    Raises ``NotCalls`` where the layout is unknown, and ``csv.Error`` for what is no CSV.
    """
    lines = iter(lines)
    line, blank = next(lines, "").lstrip("\ufeff"), 0
    while line and not line.strip():
        line, blank = next(lines, ""), blank + 1
    # Of the characters that separate columns, the first line has the one that it needs most; but Asterisk, which writes
    # commas, has anything in the texts of a call. Strict: after a quote that stays open, lines would be lost unnoticed.
    how = {"delimiter": max(DELIMITERS, key=line.count), "strict": True}
    if line.count(",") >= asterisk.FEWEST - 1 and reading.format in (*ASTERISK, ""):
        of_commas = next(csv.reader([line]), [])
        how["delimiter"] = (
            "," if asterisk.cdr(of_commas, reading) or asterisk.cel(of_commas, reading) else how["delimiter"]
        )
    rows = csv.reader(chain([line], lines), **how)
    first = next(rows, [])
    layout = layout_of(first, reading)
    numbered = ((rows.line_num + blank, row) for row in (rows if layout.has_heading else chain([first], rows)))
    while some := list(islice(numbered, MOST)):
        calls = Calls(reading)
        for place, row in some:
            if not row or layout.is_heading(row):
                continue
            leg = layout.leg(row)
            if leg is None:
                calls.skipped += 1
            else:
                calls.take(place, *leg)
        yield calls


def of_text(text: str, reading: Reading) -> Calls:
    """The calls of a CSV file that came as one text. Raises ``NotCalls``."""
    try:
        parts = list(islice(of_lines(io.StringIO(text, newline=""), reading), 2))
    except csv.Error as error:
        raise NotCalls(_("This is not CSV: %(reason)s.") % {"reason": error}) from error
    if len(parts) > 1:
        raise NotCalls(_("These are more than %(most)d calls: send them in parts.") % {"most": MOST})
    return parts[0] if parts else Calls(reading)
