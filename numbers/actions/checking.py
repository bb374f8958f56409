"""What the lines of a file of numbers mean, against what is here now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions.verbs import verbs_of
from numbers.models import Destination, Import, ImportRow, PhoneNumber, Provider
from portal import countries, number_lists, phones, plans
from portal.exports import without_guards
from portal.filters import folded

#: What people write for on and off.
SWITCHES = {
    **dict.fromkeys(("yes", "y", "on", "true", "1", "x", "enabled", "active", "oui", "vrai", "ja", "si", "sim"), True),
    **dict.fromkeys(("no", "n", "off", "false", "0", "-", "disabled", "inactive", "non", "faux", "nein", "nao"), False),
}


#: The column of a statement that says why calls to a number do not arrive, and how its texts begin: the carrier cannot
#: use the number, or leads its calls elsewhere. No file has it: only a carrier that is asked.
CARRIER_STATE, UNUSABLE, ELSEWHERE = "carrier_state", "unusable ", "elsewhere "


def with_area(area: str, text: str) -> str:
    """A number with the area code that a column of its own has, unless it is there already."""
    digits, code = ("".join(c for c in part if c.isdigit()) for part in (text, area))
    has_it = "+" in text or (digits.lstrip("0").startswith(code.lstrip("0")) and len(digits) >= 10)
    return text if has_it or not digits or not code else f"{area} {text}"


class Refused(Exception):
    """A line that cannot be done: which of its columns is why, and a sentence."""

    def __init__(self, column: str, reason: str):
        self.column, self.reason = column, reason


@dataclass
class Line:
    """What a line is found to mean."""

    row: ImportRow
    verdict: str = ""
    column: str = ""
    reason: str = ""
    #: What is done to the number, in order: pairs of a verb and its fields.
    plan: list = field(default_factory=list)
    #: What the other numbers of a line with several mean.
    others: list[Line] = field(default_factory=list)


class Checker:
    """Finds out what lines mean, against what is here now. Names are looked up once for all lines of a batch."""

    def __init__(self, actor: Actor, wanted: Import):
        self.actor, self.wanted = actor, wanted
        self.is_var = not actor.account.is_customer
        self.providers = {folded(p.name): p for p in Provider.objects.all()}
        self.meant: dict[tuple[str, str], list] = {}
        self.verbs = verbs_of(actor)
        self.places = [place for place, column in enumerate(wanted.columns) if column == "number"]

    def read(self, lines: list[Line], most: int) -> int:
        """Read the numbers of these lines; returns how many lines were read, the last one with about the ``most``-th
        number."""
        count = 0
        for at, line in enumerate(lines, 1):
            self.understood(line, self.number)
            count += 1 + len(line.others)
            if count >= most:
                return at
        return len(lines)

    def check(self, lines: list[Line]) -> None:
        """Give each line its verdict, whose numbers are read."""
        wanted = [int(line.row.e164[1:]) for line in lines if line.row.e164]
        numbers = PhoneNumber.visible_to(self.actor).with_digits(wanted)
        related = ("provider", "customer", "destination", "reserved_for")
        here = {number.e164: number for number in numbers.select_related(*related)}
        for line in lines:
            if not line.verdict:
                self.understood(line, self.wish, here.get(line.row.e164))

    @staticmethod
    def understood(line: Line, understand: Callable, *facts: Any) -> None:
        try:
            understand(line, *facts)
        except Refused as refusal:
            line.verdict, line.column, line.reason = ImportRow.Verdict.REFUSED, refusal.column, refusal.reason
            line.plan = []

    def number(self, line: Line) -> None:
        """Read the number of a line, or its numbers: lists and ranges stand in files too."""
        line.row.e164 = ""
        text = "\n".join(filter(None, (self.text_at(line, place) for place in self.places)))
        if fast := phones.quick(text):
            line.row.e164 = fast
            return
        how = {"without_plus": self.wanted.without_plus, "strict": not self.wanted.unusual}
        region, prefix = self.country(line) if "+" not in text else (self.wanted.region, "")
        if area := self.cell(line, "area").strip():
            text = with_area(area, text)
        has_digits = any(c.isdigit() for c in text)
        # With a 0 before it, it is written as inside the country of the calling code.
        if prefix and has_digits and "+" not in text and not text.lstrip(" (").startswith("0"):
            text = f"+{prefix} {text}"
        pieces = number_lists.read_list(text, region, **how)
        if not pieces:
            raise Refused("number", _("There is no number in this line."))
        if len(pieces) == 1 and pieces[0].refusal:
            raise Refused("number", pieces[0].refusal)
        found: dict[str, str] = {}
        for piece in pieces:
            found |= dict.fromkeys(piece.e164s, "")
            if piece.refusal:
                found[piece.text] = f"{piece.text[:60]}: {piece.refusal}"
        if len(found) > number_lists.MOST_IN_RANGE:
            said = {"most": number_lists.MOST_IN_RANGE}
            raise Refused("number", _("This line has more than %(most)d numbers.") % said)
        parts = [line]
        for _other in range(1, len(found)):
            row = ImportRow(of=self.wanted, account_id=self.wanted.account_id, source=line.row.line)
            row.cells = line.row.cells
            parts.append(Line(row))
        line.others = parts[1:]
        for part, (e164, refusal) in zip(parts, found.items(), strict=True):
            if refusal:
                part.verdict, part.column, part.reason = ImportRow.Verdict.REFUSED, "number", refusal
            else:
                part.row.e164 = e164

    def country(self, line: Line) -> tuple[str, str]:
        """The country of a line's number, and the calling code that a column of its own has. Raises ``Refused``."""
        said = self.cell(line, "country").strip()
        if not said:
            return self.wanted.region, ""
        found = countries.understood(said)
        if found is None:
            raise Refused("country", _("This country is not known: “%(text)s”.") % {"text": said[:60]})
        region, code = found
        return region or plans.main_region(code), code

    def wish(self, line: Line, number: PhoneNumber | None) -> None:
        """What should be different: of a number that is here, or of one that is to be added."""
        if number is not None:
            self.fixed(line, number)
            new = False
        elif self.is_var:
            number, new = self.added(line), True
        else:
            raise Refused("number", _("It is not one of your numbers."))
        if self.is_var:
            self.company(line, number)
        else:
            self.used_by(line, number)
        self.options(line, number)
        same = ImportRow.Verdict.CHANGE if line.plan else ImportRow.Verdict.SAME
        line.verdict = ImportRow.Verdict.ADD if new else same

    def cell(self, line: Line, column: str) -> str:
        """What stands in a column, without what keeps a spreadsheet from running it; blank where there is none."""
        if column not in self.wanted.columns:
            return ""
        return self.text_at(line, self.wanted.columns.index(column))

    def text_at(self, line: Line, place: int) -> str:
        return without_guards(self.wanted.text(line.row.cells[place])) if place < len(line.row.cells) else ""

    def clears(self, column: str) -> bool:
        """Whether an empty cell of this column means that there should be nothing."""
        return self.wanted.overwrites and column in self.wanted.columns

    def added(self, line: Line) -> PhoneNumber:
        """A number that is to be added, as it will be."""
        name = self.cell(line, "provider")
        # A column of a carrier's or another system's names what we may call otherwise.
        provider = self.providers.get(folded(name)) or self.wanted.provider
        if provider is None:
            raise Refused(
                "provider", _("There is no provider with this name.") if name else _("A new number needs a provider.")
            )
        for column in ("used_by", "reserved_for"):
            if self.cell(line, column):
                raise Refused(column, self.not_here(column))
        line.plan = [["add", {"provider": provider.pk}]]
        return PhoneNumber(provider=provider, voice=provider.supports_voice)

    def fixed(self, line: Line, number: PhoneNumber) -> None:
        """What no file changes: it may say what is so. Status and use are not compared: they change by themselves, and
        the columns that carriers call so say something else."""
        reserved = number.reserved_for if number.reserved_until and number.reserved_until > timezone.now() else None
        facts = {"reserved_for": reserved.name if reserved else ""}
        if folded(self.cell(line, "provider")) in self.providers:
            facts["provider"] = number.provider.name
        if self.is_var:
            facts["used_by"] = str(number.destination or "")
        for column, text in facts.items():
            said = self.cell(line, column)
            if said and folded(said) != folded(text):
                raise Refused(column, self.not_here(column))

    @staticmethod
    def not_here(column: str) -> str:
        return {
            "provider": _("The provider of an existing number cannot be changed."),
            "reserved_for": _("Reservations have an end: reserve the number in the portal."),
            "used_by": _("A company sets itself what its numbers ring."),
        }[column]

    def company(self, line: Line, number: PhoneNumber) -> None:
        """Whom the number should be with."""
        name, holder = self.cell(line, "company"), number.customer
        if not name:
            if self.clears("company") and holder:
                line.plan.append(["unassign", {}])
            return
        if holder and (folded(name) == folded(holder.name) or name.upper().rstrip(")").endswith(holder.code)):
            return
        found = self.one_of("company", name, lambda: Account.meant_by(self.actor, name, 2))
        if holder:
            raise Refused("company", _("It is with %(customer)s. Unassign it first.") % {"customer": holder.name})
        if not found.is_open:
            raise Refused("company", _("%(customer)s is not in service.") % {"customer": found.name})
        line.plan.append(["assign", {"customer_id": found.pk}])

    def used_by(self, line: Line, number: PhoneNumber) -> None:
        """What the number should ring."""
        name, rings = self.cell(line, "used_by"), number.destination
        if name == "" and rings and self.clears("used_by"):
            line.plan.append(["unassign", {}])
        elif name and not (rings and folded(name) == folded(rings.name)):
            if "assign" not in self.verbs:
                raise Refused("used_by", _("A professional's number always rings their own line."))
            found = self.one_of("used_by", name, lambda: Destination.meant_by(self.actor, name, 2))
            line.plan.append(["assign", {"destination_id": found.pk}])

    def one_of(self, column: str, name: str, look_up: Callable[[], list]) -> Any:
        """The one that is called ``name``. Raises ``Refused`` where it is none, or several."""
        key = (column, name)
        if key not in self.meant:
            self.meant[key] = look_up()
        found = self.meant[key]
        if len(found) > 1:
            raise Refused(column, _("Several have this name. Enter the code or the extension."))
        if not found:
            unknown = {
                "company": _("You have no customer with this name."),
                "used_by": _("There is no user, group or service with this name."),
            }
            raise Refused(column, unknown[column])
        return found[0]

    def options(self, line: Line, number: PhoneNumber) -> None:
        """Label, caller name and features."""
        wanted: dict[str, Any] = {}
        # A label does not go along to a customer: a line that assigns the number says it of the new holder.
        changes_hands = any("customer_id" in fields for _slug, fields in line.plan)
        had = {"label": "" if changes_hands else number.label, "caller_name": number.caller_name}
        for column, name, longest in (("label", "label_text", 80), ("caller_name", "caller_name", 15)):
            text = self.cell(line, column)
            if len(text) > longest:
                raise Refused(column, _("This is too long: %(most)d characters at most.") % {"most": longest})
            if (text or self.clears(column)) and text != had[column]:
                wanted[name] = text
        for feature in ("voice", "sms", "fax"):
            text = self.cell(line, feature)
            if not text:
                continue
            on = SWITCHES.get(folded(text))
            if on is None:
                raise Refused(feature, _("Enter yes or no."))
            if on == getattr(number, feature):
                continue  # also of a provider that does not offer it any more
            if on and not getattr(number.provider, f"supports_{feature}"):
                said = {"provider": number.provider.name}
                raise Refused(feature, _("%(provider)s does not offer it for this number.") % said)
            wanted[feature] = on
        if not wanted:
            return
        if len(line.plan) == 1 and line.plan[0][0] == "add":
            line.plan[0][1]["options"] = wanted  # it is added with them, in one statement
        else:
            line.plan.append(["options", wanted])


class StatementChecker(Checker):
    """Finds out what a carrier's statement says that is not so here: nothing but who provides a number is looked at."""

    def wish(self, line: Line, number: PhoneNumber | None) -> None:
        carrier = self.wanted.provider_id
        said = self.cell(line, CARRIER_STATE)
        if said.startswith(UNUSABLE):
            reason = _("The carrier cannot use this number: %(state)s.") % {"state": said.removeprefix(UNUSABLE)}
            raise Refused("number", reason)
        if said.startswith(ELSEWHERE):
            found = {"found": said.removeprefix(ELSEWHERE)}
            line.reason = _("The carrier routes its calls elsewhere: %(found)s.") % found
        if number is None:
            line.verdict, line.plan = ImportRow.Verdict.ADD, [["add", {"provider": carrier}]]
        elif number.provider_id == carrier:
            line.verdict = ImportRow.Verdict.ROUTE if line.reason else ImportRow.Verdict.SAME
            line.plan = [["route", {}]] if line.reason else []
        else:
            line.verdict, line.plan = ImportRow.Verdict.CHANGE, [["correct-provider", {"provider_id": carrier}]]
            line.reason = _("In the portal its provider is %(provider)s.") % {"provider": number.provider.name}
