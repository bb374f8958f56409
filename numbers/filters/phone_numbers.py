"""What people type into the search row of the numbers, understood or refused with a sentence."""

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
from portal import number_lists, phones
from portal.filters import ChoiceWords, DigitsField, ListFilter, Words, pieces
from portal.listings import TableListing, having
from portal.pages import first_of, plain

#: A list may be so long, and has so many numbers.
LONGEST_LIST, MOST_LISTED = 4_000, 10_000
#: Of the numbers that were not found, so many are named.
NAMED = 10


class Span(NamedTuple):
    """A range of numbers as whole numbers, both ends belonging to it."""

    first: int
    last: int

    @property
    def typed(self) -> str:
        """As it is typed into the search."""
        return f"+{self.first} to +{self.last}"


class Several(NamedTuple):
    """The numbers of a list, as whole numbers."""

    numbers: tuple[int, ...]


def numbers_meant(found) -> dict:
    """What ``NumbersField`` has understood, as ``Listing`` takes it."""
    return {
        "digits": () if isinstance(found, Span | Several) else found,
        "span": found if isinstance(found, Span) else None,
        "numbers": found.numbers if isinstance(found, Several) else (),
    }


class NumbersField(DigitsField):
    """A piece of a phone number; a range of numbers, ``+1 514 555 0100 to 0119``, which is a ``Span``; or a list of
    numbers and ranges, which is ``Several``."""

    LONGEST = LONGEST_LIST

    def to_python(self, value):
        return self.understood(str(value or ""), "")

    @classmethod
    def searched(cls, typed: str, home: str):
        """What is meant by a text that may be something else; empty where it has no digits of a number."""
        digits, letters = sum(c.isdigit() for c in typed), sum(c.isalpha() for c in typed)
        if not digits or (digits < 3 and letters):
            return ()
        try:
            return cls.understood(typed, home)
        except ValidationError:
            return ()

    @staticmethod
    def understood(typed: str, home: str):
        """What is meant by ``typed``, its numbers without a country code being of ``home``. Raises
        ``ValidationError``."""
        if len(typed) > LONGEST_LIST:
            raise ValidationError(_("This search is too long: %(most)d characters at most.") % {"most": LONGEST_LIST})
        found = number_lists.read_list(typed, home, most=10**15)
        if sum(c.isdigit() for c in typed) > 15 and len(found) == 1 and found[0].refusal:
            # Numbers pasted from a column, apart by blanks.
            words = typed.split()
            if len(words) > 1 and all(sum(c.isdigit() for c in word) >= 7 for word in words):
                found = number_lists.read_list("\n".join(words), home, most=10**15)
        if len(found) == 1:
            first, last = found[0].first, found[0].last
            if first != last:
                return Span(int(first[1:]), int(last[1:]))
        if len(found) < 2:
            if found and found[0].refusal and number_lists.STRONG.search(typed):
                raise ValidationError(found[0].refusal)
            return pieces(typed.strip()) if typed.strip() else ()
        numbers: dict[int, None] = {}
        refused = []
        for piece in found:
            meant = list(piece.e164s) if 0 < piece.count <= MOST_LISTED else list(phones.readings(piece.text, home))
            numbers |= dict.fromkeys(int(e164[1:]) for e164 in meant)
            refused += [] if meant else [piece.text[:40]]
        if refused:
            said = {"texts": ", ".join(first_of(refused, NAMED))}
            raise ValidationError(
                _("These are not complete numbers: %(texts)s. A list can contain only numbers.") % said
            )
        if len(numbers) > MOST_LISTED:
            raise ValidationError(_("This list has more than %(most)d numbers.") % {"most": MOST_LISTED})
        return Several(tuple(numbers))


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

    def cleaned(self, field, typed: str):
        if typed and isinstance(field, NumbersField):
            return field.understood(typed, self.actor.account.home)
        return super().cleaned(field, typed)

    def name_missing(self, listed: Several) -> None:
        """Say which numbers of a list are not here."""
        here = PhoneNumber.visible_to(self.actor).filter(digits__in=listed.numbers)
        found = set(here.values_list("digits", flat=True))
        missing = [self.actor.person.written(f"+{number}") for number in listed.numbers if number not in found]
        if missing:
            named = ", ".join(missing[:NAMED]) + (" …" if len(missing) > NAMED else "")
            said = {"count": plain(len(missing)), "numbers": named}
            self.notes.append(_("Not found, %(count)s of the list: %(numbers)s.") % said)

    def listing(self) -> Listing | None:
        if self.refused:
            return None
        clean = self.understood
        words = {name: clean.get(name) or () for name in ("used_by", "company", "var", "reserved_for", "provider")}
        active, number = clean.get("status"), clean["number"]
        if isinstance(number, Several):
            self.name_missing(number)
        return Listing(
            actor=self.actor,
            **numbers_meant(number),
            words=tuple((name, found) for name, found in words.items() if found),
            uses=clean["use"],
            active=active[0] if active and len(active) == 1 else None,
            state=self.state,
            sort=self.sort,
            descending=self.descending,
            ids=self.selected,
            without=self.without,
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
    blanks = {"extension": Q(extension="")}

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
