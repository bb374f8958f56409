"""What people type into a list's first row, understood or refused with a sentence."""

import re
import unicodedata
from collections.abc import Callable

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.listings import TableListing
from portal.paging import Listed
from portal.phones import PUNCTUATION

LONGEST_SEARCH = 100
# Numbers shorter than this say too little for their first 0 to be a trunk prefix.
SHORTEST_NATIONAL = 7
MOST_SELECTED = 10_000


class SearchField(forms.CharField):
    """Words to be searched; normalised, with a plain sentence where they cannot be."""

    def to_python(self, value):
        return self.normal(value)

    @staticmethod
    def normal(value) -> str:
        """The text as it is compared, in its compatible form. Raises ``ValidationError``."""
        text = unicodedata.normalize("NFKC", str(value or "")).strip()
        if len(text) > LONGEST_SEARCH:
            raise ValidationError(_("This search is too long: %(most)d characters at most.") % {"most": LONGEST_SEARCH})
        if any(unicodedata.category(c) in ("Cc", "Cs", "Cn", "Co") for c in text):
            raise ValidationError(_("This search has a character in it that cannot be searched. Type it again."))
        return text

    def run_validators(self, value):
        """Nothing beyond ``to_python``: Django's own refuse NUL with an exception of their own wording."""


class WordsField(SearchField):
    """Words that must all occur."""

    def to_python(self, value):
        return tuple(super().to_python(value).split())


class ChoiceWordsField(WordsField):
    """Words that must all occur in the name of a choice; refused when they fit none, and told which there are.

    ``choices`` is called for pairs of a value and its name; clean are the values of those that fit, None where nothing
    was typed.
    """

    def __init__(self, *, choices, **kwargs):
        self.choices = choices
        super().__init__(**kwargs)

    def to_python(self, value):
        words = super().to_python(value)
        if not words:
            return None
        named = [(choice, folded(name)) for choice, name in self.choices()]
        found = tuple(choice for choice, name in named if all(folded(word) in name for word in words))
        if not found:
            names = ", ".join(name for _choice, name in self.choices())
            raise ValidationError(_("Nothing is called that here. There is: %(names)s.") % {"names": names})
        return found


class DigitsField(SearchField):
    """A piece of a phone number in any punctuation, as the spellings of which one must occur in the number."""

    def to_python(self, value):
        text = super().to_python(value)
        return pieces(text) if text else ()


def pieces(text: str) -> tuple[str, ...]:
    """The spellings in which ``text`` may stand inside an E.164 number.

    ``(514) 555`` is found as it is; ``0044 20`` also as ``+4420``; ``020 7946 0018`` also without its trunk 0. Raises
    ``ValidationError`` for what has no digits, or letters between them.
    """
    bare = "".join(c for c in text.replace("(0)", "") if c not in PUNCTUATION)
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in bare)
    if not re.fullmatch(r"\+?[0-9]+", digits):
        raise ValidationError(
            _("Type digits of the number, such as 514 555 or +1 514; letters cannot be searched here.")
        )
    if len(digits) > 25:
        raise ValidationError(_("This is longer than any phone number."))
    found = [digits]
    if digits.startswith("00") and len(digits) > 4:
        found.append("+" + digits[2:])
    elif digits.startswith("0") and len(digits) >= SHORTEST_NATIONAL:
        found.append(digits[1:])
    return tuple(found)


class Words(django_filters.CharFilter):
    field_class = WordsField


class Digits(django_filters.CharFilter):
    field_class = DigitsField


class ChoiceWords(django_filters.CharFilter):
    field_class = ChoiceWordsField


def folded(text: str) -> str:
    """As the database's ``fold``, for the few names that live in the code."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


class ListFilter(django_filters.FilterSet):
    """The search row, Set Filter and sort of a list. ``listing`` is what they select: nothing else turns a request into
    rows, so that page, counts, CSV and PDF cannot differ.

    ``columns`` are the names of the columns that this actor sees, with their headings; ``states`` the entries of Set
    Filter, ``all`` among them. Filters are declared as django-filter has them; their fields are asked directly, because
    they keep nothing of a request and copying them for each would cost more than drawing the page.
    """

    default_sort = ""
    #: Whether the list begins with the last, as a history does.
    descends_at_first = False
    states: dict[str, str] = {"all": gettext_lazy("All")}
    #: Columns whose heading does not sort: to order by them, all that match would have to be worked out first.
    unsorted: frozenset[str] = frozenset()
    #: column -> the fields of the queryset that its heading sorts by
    orders: dict[str, tuple[str, ...]] = {}
    #: Tabs: what the list shows one kind of at a time, by the value of ``kind`` in its address.
    kinds: dict[str, str] = {}
    kind = ""
    #: Parameters that say which list this is: a tab, a time. They stay when its search is reset.
    kept: tuple[str, ...] = ()

    def __init__(self, actor, columns: dict[str, str], query: QueryDict):
        self.actor, self.columns, self.query = actor, columns, query
        self.fields: dict[str, SearchField] = {
            name: self.base_filters[name].field for name in columns if name in self.base_filters
        }
        #: What was understood of each field, and the sentence for each that was not.
        self.understood: dict = {}
        self.refused: dict[str, str] = {}
        for name, field in self.fields.items():
            try:
                self.understood[name] = field.clean(query.get(name, ""))
            except ValidationError as refusal:
                self.refused[name] = " ".join(refusal.messages)
        #: Sentences about the request that belong to no field; the list is shown all the same.
        self.problems: list[str] = []
        self.state = query.get("filter", "").strip() or "all"
        if self.state not in self.states:
            self.problems.append(_("There is no such filter; everything is shown."))
            self.state = "all"
        first = f"-{self.default_sort}" if self.descends_at_first else self.default_sort
        sort = query.get("sort", "").strip() or first
        self.descending, self.sort = sort.startswith("-"), sort.removeprefix("-")
        if self.sort not in columns or self.sort in self.unsorted:
            self.sort, self.descending = self.default_sort, self.descends_at_first
            self.problems.append(
                _("The list cannot be sorted by that; it is sorted by %(column)s.")
                % {"column": columns[self.default_sort]}
            )

    def listing(self) -> Listed | None:
        """What the request selects; None when a field could not be understood. That must never select more."""
        raise NotImplementedError

    def listed(
        self,
        rows: QuerySet,
        *,
        fields: tuple[str, ...],
        texts: Callable[[dict], dict[str, str]],
        states: tuple[tuple[str, Q], ...] = (),
        complete: Callable[[list[dict]], None] | None = None,
    ) -> TableListing:
        """The rows of a queryset, scoped and searched already, in the state and the order that the request asks for;
        see ``TableListing``."""
        return TableListing(
            rows,
            fields=fields,
            texts=texts,
            order=self.orders[self.sort],
            descending=self.descending,
            states=states,
            state=self.state,
            ids=self.selected,
            complete=complete,
        )

    @property
    def is_searched(self) -> bool:
        """Whether anything narrows the list, understood or not."""
        return self.state != "all" or any(self.query.get(name, "").strip() for name in self.fields)

    @property
    def searches(self) -> list[tuple[str, str]]:
        """The fields that are filled in, each with its heading and what was typed: for people to read."""
        typed = [(str(f.label), self.query.get(name, "").strip()) for name, f in self.fields.items()]
        return [(label, text[:LONGEST_SEARCH]) for label, text in typed if text]

    def suggestions(self, name: str) -> tuple[str, ...]:
        """What can be typed into a field where only so much can."""
        field = self.fields.get(name)
        return tuple(label for _choice, label in field.choices()) if isinstance(field, ChoiceWordsField) else ()

    @property
    def selected(self) -> tuple[int, ...] | None:
        """The ids of the chosen rows, for an export; None when none were chosen: then all that match are meant."""
        chosen = self.query.getlist("selected")
        if not chosen:
            return None
        return tuple(
            int(text) for text in chosen[:MOST_SELECTED] if text.isascii() and text.isdigit() and len(text) < 19
        )
