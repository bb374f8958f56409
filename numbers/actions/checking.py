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
from numbers.models import USES, Destination, Import, ImportRow, PhoneNumber, Provider, use_text
from portal import phones
from portal.exports import FORMULA_STARTS
from portal.filters import folded

#: What people write for on and off.
SWITCHES = {
    **dict.fromkeys(("yes", "y", "on", "true", "1", "x", "oui", "vrai"), True),
    **dict.fromkeys(("no", "n", "off", "false", "0", "-", "non", "faux"), False),
}


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


class Checker:
    """Finds out what lines mean, against what is here now. Names are looked up once for all lines of a batch."""

    def __init__(self, actor: Actor, wanted: Import):
        self.actor, self.wanted = actor, wanted
        self.is_var = not actor.account.is_customer
        self.providers = {folded(p.name): p for p in Provider.objects.all()}
        self.meant: dict[tuple[str, str], list] = {}
        self.uses = {use: use_text(*use) for use in USES}
        self.verbs = verbs_of(actor)

    def check(self, lines: list[Line]) -> None:
        """Give each line its verdict."""
        for line in lines:
            self.understood(line, self.number)
        wanted = [int(line.row.e164[1:]) for line in lines if line.row.e164]
        numbers = PhoneNumber.visible_to(self.actor).filter(digits__in=wanted)
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
        try:
            line.row.e164 = phones.from_cell(self.cell(line, "number"), self.wanted.region)
        except phones.NotANumber as refusal:
            raise Refused("number", str(refusal)) from refusal

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
        place = self.wanted.columns.index(column)
        text = line.row.cells[place] if place < len(line.row.cells) else ""
        return text[1:] if text[:1] == "'" and text[1:2] in FORMULA_STARTS else text

    def clears(self, column: str) -> bool:
        """Whether an empty cell of this column means that there should be nothing."""
        return self.wanted.overwrites and column in self.wanted.columns

    def added(self, line: Line) -> PhoneNumber:
        """A number that is to be added, as it will be."""
        name = self.cell(line, "provider")
        provider = self.providers.get(folded(name)) if name else self.wanted.provider
        if provider is None:
            raise Refused("provider", _("No provider is called that.") if name else _("A new number needs a provider."))
        for column in ("used_by", "reserved_for"):
            if self.cell(line, column):
                raise Refused(column, self.not_here(column))
        line.plan = [["add", {"provider": provider.pk}]]
        return PhoneNumber(provider=provider, voice=provider.supports_voice)

    def fixed(self, line: Line, number: PhoneNumber) -> None:
        """What no file changes: it may say what is so."""
        rings = number.destination
        reserved = number.reserved_for if number.reserved_until and number.reserved_until > timezone.now() else None
        facts = {
            "provider": number.provider.name,
            "use": self.uses.get((rings.kind, rings.service_type), "") if rings else "",
            "status": _("Active") if number.first_call_at else _("Pending"),
            "reserved_for": reserved.name if reserved else "",
        }
        if self.is_var:
            facts["used_by"] = str(rings or "")
        for column, text in facts.items():
            said = self.cell(line, column)
            if said and folded(said) != folded(text):
                raise Refused(column, self.not_here(column))

    @staticmethod
    def not_here(column: str) -> str:
        return {
            "provider": _("The provider of a number that is here cannot be changed."),
            "use": _("The use comes from what the number rings, and cannot be set."),
            "status": _("The status is set by calls, and cannot be imported."),
            "reserved_for": _("Reservations have an end: reserve the number in the portal."),
            "used_by": _("What a number rings is set inside the company."),
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
                raise Refused("used_by", _("What your number rings is not set here."))
            found = self.one_of("used_by", name, lambda: Destination.meant_by(self.actor, name, 2))
            line.plan.append(["assign", {"destination_id": found.pk}])

    def one_of(self, column: str, name: str, look_up: Callable[[], list]) -> Any:
        """The one that is called ``name``. Raises ``Refused`` where it is none, or several."""
        key = (column, name)
        if key not in self.meant:
            self.meant[key] = look_up()
        found = self.meant[key]
        if len(found) > 1:
            raise Refused(column, _("Several are called that: write the code, or the extension."))
        if not found:
            unknown = {
                "company": _("No customer of yours is called that."),
                "used_by": _("No user, group or service here is called that."),
            }
            raise Refused(column, unknown[column])
        return found[0]

    def options(self, line: Line, number: PhoneNumber) -> None:
        """Label, caller name and features."""
        wanted: dict[str, Any] = {}
        for column, name, longest in (("label", "label_text", 80), ("caller_name", "caller_name", 15)):
            text = self.cell(line, column)
            if len(text) > longest:
                raise Refused(column, _("This is too long: %(most)d characters at most.") % {"most": longest})
            if (text or self.clears(column)) and text != getattr(number, column):
                wanted[name] = text
        for feature in ("voice", "sms", "fax"):
            text = self.cell(line, feature)
            if not text:
                continue
            on = SWITCHES.get(folded(text))
            if on is None:
                raise Refused(feature, _("Write yes or no."))
            if on and not getattr(number.provider, f"supports_{feature}"):
                said = {"provider": number.provider.name}
                raise Refused(feature, _("%(provider)s does not offer it for this number.") % said)
            if on != getattr(number, feature):
                wanted[feature] = on
        if wanted:
            line.plan.append(["options", wanted])


class StatementChecker(Checker):
    """Finds out what a carrier's statement says that is not so here: nothing but who provides a number is looked at."""

    def wish(self, line: Line, number: PhoneNumber | None) -> None:
        carrier = self.wanted.provider_id
        if number is None:
            line.verdict, line.plan = ImportRow.Verdict.ADD, [["add", {"provider": carrier}]]
        elif number.provider_id == carrier:
            line.verdict = ImportRow.Verdict.SAME
        else:
            line.verdict, line.plan = ImportRow.Verdict.CHANGE, [["correct-provider", {"provider_id": carrier}]]
            line.reason = _("Here it is with %(provider)s.") % {"provider": number.provider.name}
