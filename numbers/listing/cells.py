"""The list as CSV: the SELECT list that makes the database write it."""

from django.utils.translation import gettext as _

from numbers.models import USES, use_text
from portal import exports
from portal.exports import FORMULA_STARTS, NUMBER, SEPARATORS


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",\r\n') else text


#: The values of ``inert``.
INERT_PARAMS = {
    **{f"separated_{place}": f"%{mark}%" for place, mark in enumerate(SEPARATORS)},
    "is_number": NUMBER,
    "formula_starts": FORMULA_STARTS,
}
UNSEPARATED = " AND ".join(f"{{0}} NOT LIKE %(separated_{place})s" for place in range(len(SEPARATORS)))


def inert(column: str) -> str:
    """What ``portal.exports.inert`` does, as an expression with ``INERT_PARAMS``. Regular expressions are slow: most
    texts are seen to be harmless by their first letter, and because no separator of cells is in them."""
    return (
        f"CASE WHEN ascii({column}) BETWEEN 65 AND 122 AND {UNSEPARATED.format(column)} THEN {column}"
        f" WHEN {column} ~ %(is_number)s THEN {column}"
        f" ELSE regexp_replace({column}, %(formula_starts)s, '\\1''', 'g') END"
    )


#: Columns whose names are few: the statement that finds them, with the ids of their rows.
FEW = {
    "var": "SELECT id, name FROM accounts_account WHERE kind = 'var'",
    "provider": "SELECT id, name FROM numbers_provider",
}


def odd_names(cursor) -> dict[str, dict[int, str]]:
    """Of columns with few names, those that ``inert`` changes, by id. To ask for each of a million rows takes long."""
    found = {}
    for name, statement in FEW.items():
        cursor.execute(statement)
        found[name] = {pk: safe for pk, text in cursor.fetchall() if (safe := exports.inert(text)) != text}
    return found


def csv_cells(columns: dict[str, str], odd: dict[str, dict[int, str]]) -> tuple[str, dict]:
    """The SELECT list of a CSV and its parameters. Text that people typed is made inert; a number is never touched.

    ``odd`` is what ``odd_names`` has found.
    """
    params = {**INERT_PARAMS, "active": _("Active"), "pending": _("Pending"), "on": _("yes"), "off": _("no")}

    def one_of_few(name: str, alias: str) -> str:
        cases = []
        for pk, text in odd[name].items():
            params[f"{name}_{pk}"] = text
            cases.append(f"WHEN {pk} THEN %({name}_{pk})s")
        return f"CASE {alias}.id {' '.join(cases)} ELSE {alias}.name END" if cases else f"{alias}.name"

    uses = []
    for kind, service in USES:
        key = f"use_{kind}_{service}"
        params[key] = use_text(kind, service)
        uses.append(f"WHEN d.kind = '{kind}' AND d.service_type = '{service}' THEN %({key})s")
    cells = {
        "number": "n.e164",
        "used_by": inert("d.name"),
        "company": inert("c.name"),
        "var": one_of_few("var", "v"),
        "reserved_for": inert("r.name"),
        "use": f"CASE {' '.join(uses)} END",
        "provider": one_of_few("provider", "p"),
        "label": inert("n.label"),
        "caller_name": inert("n.caller_name"),
        **{feature: f"CASE WHEN n.{feature} THEN %(on)s ELSE %(off)s END" for feature in ("voice", "sms", "fax")},
        "status": "CASE WHEN n.first_call_at IS NULL THEN %(pending)s ELSE %(active)s END",
    }
    return ", ".join(cells[name] for name in columns), params
