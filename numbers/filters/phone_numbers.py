"""What people type into the search row of the numbers, understood or refused with a sentence."""

import re
from functools import cache, reduce
from operator import or_
from typing import NamedTuple

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from numbers.listing import Listing
from numbers.models import USES, Destination, PhoneNumber, use_text
from portal import phones
from portal.filters import ChoiceWords, DigitsField, ListFilter, Words
from portal.listings import TableListing, having

# What stands between the two ends of a range. A dash is punctuation here, as inside 514-555.
TO = re.compile(r"\s+to\s+|\s*(?:\.\.\.?|…|→)\s*", re.IGNORECASE)


class Span(NamedTuple):
    """A range of numbers as whole numbers, both ends belonging to it."""

    first: int
    last: int

    @property
    def typed(self) -> str:
        """As it is typed into the search."""
        return f"+{self.first} to +{self.last}"


class NumbersField(DigitsField):
    """A piece of a phone number, or a range of numbers: ``+1 514 555 0100 to 0119``, which is a ``Span``."""

    def to_python(self, value):
        ends = TO.split(str(value or "").strip())
        if len(ends) != 2:
            return super().to_python(value)
        try:
            return Span(*(int(e164[1:]) for e164 in phones.span(*map(self.normal, ends))))
        except phones.NotANumber as refusal:
            raise ValidationError(str(refusal)) from refusal


class Numbers(django_filters.CharFilter):
    field_class = NumbersField


def status_names():
    return [(True, _("Active")), (False, _("Pending"))]


def use_names():
    return names_of_uses(get_language())


@cache
def names_of_uses(language: str) -> list[tuple[tuple[str, str], str]]:
    return [(use, use_text(*use)) for use in USES]


class PhoneNumberFilter(ListFilter):
    """The search row and Set Filter of the numbers."""

    number = Numbers(label=gettext_lazy("Number"))
    used_by = Words(label=gettext_lazy("Used by"))
    company = Words(label=gettext_lazy("Company"))
    var = Words(label=gettext_lazy("VAR"))
    reserved_for = Words(label=gettext_lazy("Reserved for"))
    use = ChoiceWords(label=gettext_lazy("Use"), choices=use_names)
    provider = Words(label=gettext_lazy("Provider"))
    status = ChoiceWords(label=gettext_lazy("Status"), choices=status_names)

    default_sort = "number"
    states = {
        "all": gettext_lazy("All"),
        "used": gettext_lazy("Numbers Used"),
        "available": gettext_lazy("Numbers Available"),
        "reserved": gettext_lazy("Reserved"),
        "cooling": gettext_lazy("Cooling"),
    }

    class Meta:
        model = PhoneNumber
        fields = []

    def listing(self) -> Listing | None:
        if self.refused:
            return None
        clean = self.understood
        words = {name: clean.get(name) or () for name in ("used_by", "company", "var", "reserved_for", "provider")}
        active, number = clean.get("status"), clean["number"]
        is_range = isinstance(number, Span)
        return Listing(
            actor=self.actor,
            digits=() if is_range else number,
            span=number if is_range else None,
            words=tuple((name, found) for name, found in words.items() if found),
            uses=clean["use"],
            active=active[0] if active and len(active) == 1 else None,
            state=self.state,
            sort=self.sort,
            descending=self.descending,
            ids=self.selected,
            columns=tuple(self.columns),
        )


class DestinationFilter(ListFilter):
    """The search row and Set Filter of what a customer's numbers ring."""

    name = Words(label=gettext_lazy("Name"))
    use = ChoiceWords(label=gettext_lazy("Use"), choices=use_names)
    extension = Words(label=gettext_lazy("Extension"))

    default_sort = "name"
    states = {
        "all": gettext_lazy("All"),
        "users": gettext_lazy("Users"),
        "groups": gettext_lazy("Groups"),
        "services": gettext_lazy("Services"),
    }
    kind_of = {"users": "user", "groups": "group", "services": "service"}
    orders = {
        "name": ("name_folded",), "use": ("kind", "service_type", "name_folded"), "extension": ("extension_number",),
        "numbers": ("numbers",),
    }  # fmt: skip

    class Meta:
        model = Destination
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        understood = self.understood
        rows = having(Destination.visible_to(self.actor).listed(self.actor), {"name_folded": understood["name"]})
        for piece in understood["extension"]:
            rows = rows.filter(extension__contains=piece)
        if understood["use"]:
            uses = [Q(kind=kind, service_type=service_type) for kind, service_type in understood["use"]]
            rows = rows.filter(reduce(or_, uses))

        def texts(row: dict) -> dict[str, str]:
            use = use_text(row["kind"], row["service_type"])
            name, _open, detail = use.partition(" (")
            return {
                "name": row["name"],
                "use": use,
                "use_name": name,
                "use_detail": detail.rstrip(")"),
                "extension": row["extension"],
                "numbers": str(row["numbers"]),
            }

        return self.listed(
            rows,
            fields=("name", "kind", "service_type", "extension", "numbers"),
            texts=texts,
            states=tuple((state, Q(kind=kind)) for state, kind in self.kind_of.items()),
        )
