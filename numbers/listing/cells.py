"""The list as CSV: the SELECT list that makes the database write it."""

from django.utils.translation import gettext as _

from numbers.models import USES, use_text
from portal.exports import FORMULA_STARTS


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\r\n') else text


def csv_cells(columns: dict[str, str]) -> tuple[str, dict]:
    """The SELECT list of a CSV and its parameters. Text that people typed is made inert; a number is never touched."""

    def inert(column: str) -> str:
        return (
            f"CASE WHEN {column} <> '' AND strpos(%(formula_starts)s, left({column}, 1)) > 0"
            f" THEN '''' || {column} ELSE {column} END"
        )

    params = {"formula_starts": FORMULA_STARTS, "active": _("Active"), "pending": _("Pending")}
    uses = []
    for kind, service in USES:
        key = f"use_{kind}_{service}"
        params[key] = use_text(kind, service)
        uses.append(f"WHEN d.kind = '{kind}' AND d.service_type = '{service}' THEN %({key})s")
    cells = {
        "number": "n.e164",
        "used_by": inert("d.name"),
        "company": inert("c.name"),
        "var": inert("v.name"),
        "reserved_for": inert("r.name"),
        "use": f"CASE {' '.join(uses)} END",
        "provider": inert("p.name"),
        "status": "CASE WHEN n.first_call_at IS NULL THEN %(pending)s ELSE %(active)s END",
    }
    return ", ".join(cells[name] for name in columns), params
