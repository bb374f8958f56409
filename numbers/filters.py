"""What people type into the search row, understood or refused with a sentence."""

import re
import unicodedata

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from numbers.listing import STATES, USES, Listing, use_text
from numbers.models import PhoneNumber
from portal.phones import PUNCTUATION

LONGEST_SEARCH = 100
MOST_SELECTED = 10_000
# Numbers shorter than this say too little for their first 0 to be a trunk prefix.
SHORTEST_NATIONAL = 7

FILTERS = {
    "all": gettext_lazy("All"),
    "used": gettext_lazy("Numbers Used"),
    "available": gettext_lazy("Numbers Available"),
    "reserved": gettext_lazy("Reserved"),
    "cooling": gettext_lazy("Cooling"),
}


class SearchField(forms.CharField):
    """Words to be searched; normalised, with a plain sentence where they cannot be."""

    def to_python(self, value):
        text = unicodedata.normalize("NFKC", str(value or "")).strip()
        if len(text) > LONGEST_SEARCH:
            raise ValidationError(_("This search is too long: %(most)d characters at most.") % {"most": LONGEST_SEARCH})
        if any(unicodedata.category(c) in ("Cc", "Cs", "Cn", "Co") for c in text):
            raise ValidationError(_("This search has a character in it that cannot be searched. Type it again."))
        return text

    def run_validators(self, value):
        """Nothing beyond ``to_python``: Django's own refuse NUL with an exception of their own wording."""


class DigitsField(SearchField):
    """A piece of a phone number in any punctuation, as the spellings of which one must occur in the number."""

    def to_python(self, value):
        text = super().to_python(value)
        return pieces(text) if text else ()


class WordsField(SearchField):
    """Words that must all occur."""

    def to_python(self, value):
        return tuple(super().to_python(value).split())


class ChoiceWordsField(WordsField):
    """Words that must all occur in the name of a choice; refused when they fit none, and told which there are."""

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


def folded(text: str) -> str:
    """As the database's ``fold``, for the few names that live in the code."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


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


def status_names():
    return [(True, _("Active")), (False, _("Pending"))]


def use_names():
    return [(use, use_text(*use)) for use in USES]


class Words(django_filters.CharFilter):
    field_class = WordsField


class Digits(django_filters.CharFilter):
    field_class = DigitsField


class ChoiceWords(django_filters.CharFilter):
    field_class = ChoiceWordsField


class PhoneNumberFilter(django_filters.FilterSet):
    """The search row and Set Filter. ``listing`` is what they select; no other code turns a request into rows."""

    number = Digits(label=gettext_lazy("Number"))
    used_by = Words(label=gettext_lazy("Used by"))
    company = Words(label=gettext_lazy("Company"))
    var = Words(label=gettext_lazy("VAR"))
    reserved_for = Words(label=gettext_lazy("Reserved for"))
    use = ChoiceWords(label=gettext_lazy("Use"), choices=use_names)
    provider = Words(label=gettext_lazy("Provider"))
    status = ChoiceWords(label=gettext_lazy("Status"), choices=status_names)

    class Meta:
        model = PhoneNumber
        fields = []

    def __init__(self, actor: Actor, columns: list[str], query: QueryDict):
        super().__init__(query, queryset=PhoneNumber.visible_to(actor))
        self.actor, self.columns, self.query = actor, columns, query
        for name in set(self.filters) - set(columns):
            del self.form.fields[name]
        #: Sentences about the request that belong to no field; the list is shown all the same.
        self.problems: list[str] = []
        self.state = self._one_of(
            "filter", ["all", *STATES], "all", _("There is no such filter; all numbers are shown.")
        )
        sort = query.get("sort", "").strip() or "number"
        self.descending = sort.startswith("-")
        self.sort = sort.removeprefix("-")
        if self.sort not in columns:
            self.problems.append(_("The list cannot be sorted by that; it is sorted by number."))
            self.sort, self.descending = "number", False

    def _one_of(self, name: str, choices: list[str], default: str, problem: str) -> str:
        value = self.query.get(name, "").strip() or default
        if value in choices:
            return value
        self.problems.append(problem)
        return default

    @property
    def is_searched(self) -> bool:
        """Whether anything narrows the list, understood or not."""
        return self.state != "all" or any(self.query.get(name, "").strip() for name in self.form.fields)

    @property
    def searches(self) -> list[tuple[str, str]]:
        """The fields that are filled in, each with its heading and what was typed: for people to read."""
        typed = [(str(f.label), self.query.get(name, "").strip()) for name, f in self.form.fields.items()]
        return [(label, text[:LONGEST_SEARCH]) for label, text in typed if text]

    def listing(self) -> Listing | None:
        """What the request selects; None when a field could not be understood. That must never select more."""
        if not self.form.is_valid():
            return None
        clean = self.form.cleaned_data
        words = {name: clean.get(name) or () for name in ("used_by", "company", "var", "reserved_for", "provider")}
        active = clean.get("status")
        return Listing(
            actor=self.actor,
            digits=clean["number"] or (),
            words=tuple((name, found) for name, found in words.items() if found),
            uses=clean["use"],
            active=active[0] if active and len(active) == 1 else None,
            state=self.state,
            sort=self.sort,
            descending=self.descending,
            ids=self._selected(),
        )

    def _selected(self) -> tuple[int, ...] | None:
        """The chosen numbers, for an export; None when none were chosen: then all that match are meant."""
        chosen = self.query.getlist("selected")
        if not chosen:
            return None
        ids = [int(text) for text in chosen[:MOST_SELECTED] if text.isascii() and text.isdigit() and len(text) < 19]
        return tuple(ids)
