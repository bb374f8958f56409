"""The search row of numbers in a row."""

import django_filters
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.listing.runs import Runs
from numbers.models import PhoneNumber
from portal import plans
from portal.filters import DigitsField, ListFilter, SearchField, pieces
from portal.plans import LONGEST

FEWEST, MOST = 2, 1_000_000


class BeginningField(DigitsField):
    """How numbers begin, with the country code; as digits, empty where nothing was typed."""

    def to_python(self, value):
        spellings = pieces(text, is_beginning=True) if (text := str(value or "").strip()) else ()
        found = next((text[1:] for text in spellings if text.startswith("+")), "")
        # Without a plus, 514 would be Peru as well as Montréal.
        if spellings and not (found and plans.country_code(found) and len(found) <= LONGEST):
            raise ValidationError(_("Begin with + and the country code, such as +1 514."))
        return found


class AtLeastField(SearchField):
    """How many in a row."""

    def to_python(self, value):
        text = super().to_python(value)
        if not text:
            return FEWEST
        if not (text.isascii() and text.isdigit() and len(text) < 10 and FEWEST <= int(text) <= MOST):
            raise ValidationError(_("Type how many consecutive numbers you need, such as 20."))
        return int(text)


class Beginning(django_filters.CharFilter):
    field_class = BeginningField


class AtLeast(django_filters.CharFilter):
    field_class = AtLeastField


class RunFilter(ListFilter):
    """The search row of the free numbers that follow one another."""

    first = Beginning(label=gettext_lazy("First"))
    length = AtLeast(label=gettext_lazy("Numbers, at least"))

    default_sort = "first"
    unsorted = frozenset({"last"})

    class Meta:
        model = PhoneNumber
        fields = []

    def listing(self) -> Runs | None:
        if self.refused:
            return None
        return Runs(
            self.actor,
            beginning=self.understood["first"],
            at_least=self.understood["length"],
            sort=self.sort,
            descending=self.descending,
            ids=self.selected,
            without=self.without,
        )
