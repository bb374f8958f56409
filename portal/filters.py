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

from portal import texts
from portal.listings import TableListing, blanks_last
from portal.paging import Listed
from portal.phones import readings
from portal.spellings import PUNCTUATION, QUOTES, Odd, plain, spelled

LONGEST_SEARCH = 100
# Numbers shorter than this say too little for their first 0 to be a trunk prefix.
SHORTEST_NATIONAL = 7
MOST_SELECTED = 10_000
#: Apostrophes and hyphens in names, which people leave out or type in another form.
UNSEEN = dict.fromkeys(map(ord, "'’‘ʼ`´‐‑-"))


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
        return texts.visible(text)

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
            raise ValidationError(_("There is no such name here. Choose from: %(names)s.") % {"names": names})
        return found


class DigitsField(SearchField):
    """A piece of a phone number in any spelling, as the spellings of which one must occur in the number."""

    def to_python(self, value):
        return pieces(text) if (text := str(value or "").strip()) else ()


def pieces(typed: str, *, is_beginning: bool = False) -> tuple[str, ...]:
    """The spellings in which ``typed`` may stand inside an E.164 number; with ``*`` for any digits and x for one, they
    are LIKE patterns with % and _.

    ``(514) 555`` is found as it is; ``0044 20`` also as ``+4420``; ``020 7946 0018`` also without its trunk 0. What
    surrounds a number is left out (``portal.spellings``). Of a piece that ``is_beginning`` nothing else is made than
    digits, with + where it is international. Raises ``ValidationError`` for what has no digits, or letters
    between them.
    """
    if len(typed) > LONGEST_SEARCH:
        raise ValidationError(_("This search is too long: %(most)d characters at most.") % {"most": LONGEST_SEARCH})
    if any(unicodedata.category(c) in ("Cs", "Cn", "Co") or (c < " " and c not in "\t\r\n") for c in typed):
        raise ValidationError(_("This search has a character in it that cannot be searched. Type it again."))
    whole = () if is_beginning else readings(typed)
    try:
        text = ("" if is_beginning else wildcards(plain(typed))) or spelled(typed).text
    except Odd as odd:
        raise ValidationError(str(odd)) from odd
    bare = "".join(c for c in re.sub(r"\(\s*0\s*\)", "", text) if c not in PUNCTUATION and c not in QUOTES)
    if re.fullmatch(r"\+?[0-9%_]*[0-9][0-9%_]*", bare) and set(bare) & set("%_"):
        return (bare if bare.startswith(("%", "+")) else f"%{bare}",) if "%" in bare else (f"%{bare}%",)
    if not re.fullmatch(r"\+?[0-9]+", bare):
        if whole:
            return whole
        raise ValidationError(
            _("Type digits of the number, such as 514 555 or +1 514; letters cannot be searched here.")
            if is_beginning
            else _(
                "Type digits of the number, such as 514 555 or +1 514. * stands for any digits and x for one; other"
                " letters cannot be searched here."
            )
        )
    if len(bare) > 25:
        raise ValidationError(_("This is longer than any phone number."))
    found = [bare]
    if bare.startswith("00") and len(bare) > 4:
        found.append("+" + bare[2:])
    elif bare.startswith("0") and len(bare) >= SHORTEST_NATIONAL:
        found.append(bare[1:])
    return tuple(dict.fromkeys([*found, *whole]))


def wildcards(text: str) -> str:
    """The text with % for ``*`` and _ for each x, ? or #; empty where it has none, or where x means an extension."""
    text = text.strip(QUOTES + " ")
    if not re.fullmatch(r"\+?[0-9 ().\-/*x?#]+", text, re.IGNORECASE) or not re.search(r"[*x?#]", text, re.IGNORECASE):
        return ""
    if "*" not in text and spelled(text).extension:
        return ""
    return re.sub(r"[x?#]", "_", re.sub(r"\*+", "%", text), flags=re.IGNORECASE)


class Words(django_filters.CharFilter):
    field_class = WordsField


class Digits(django_filters.CharFilter):
    field_class = DigitsField


class ChoiceWords(django_filters.CharFilter):
    field_class = ChoiceWordsField


def folded(text: str) -> str:
    """As the database's ``fold``, for the few names that live in the code."""
    plain_text = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return plain_text.translate(UNSEEN)


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
    #: column -> when a row has nothing in it: such rows come last, whichever way the list is sorted
    blanks: dict[str, Q] = {}
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
                self.understood[name] = self.cleaned(field, query.get(name, ""))
            except ValidationError as refusal:
                self.refused[name] = " ".join(refusal.messages)
        #: Sentences about the request that belong to no field; the list is shown all the same.
        self.problems: list[str] = []
        #: Sentences about what was found, that keep nothing from being shown or exported.
        self.notes: list[str] = []
        self.state = query.get("filter", "").strip() or "all"
        if self.state not in self.states:
            self.problems.append(_("There is no such filter. Everything is shown."))
            self.state = "all"
        first = f"-{self.default_sort}" if self.descends_at_first else self.default_sort
        sort = query.get("sort", "").strip() or first
        self.descending, self.sort = sort.startswith("-"), sort.removeprefix("-")
        if self.sort not in columns or self.sort in self.unsorted:
            self.sort, self.descending = self.default_sort, self.descends_at_first
            self.problems.append(
                _("The list cannot be sorted by that. It is sorted by %(column)s.")
                % {"column": columns[self.default_sort]}
            )

    def cleaned(self, field: SearchField, typed: str):
        """What is understood of a field. Raises ``ValidationError``."""
        return field.clean(typed)

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
        order = self.orders[self.sort]
        if (is_blank := self.blanks.get(self.sort)) is not None:
            rows, order = blanks_last(rows, is_blank, descending=self.descending), ("filled", *order)
        return TableListing(
            rows,
            fields=fields,
            texts=texts,
            order=order,
            descending=self.descending,
            states=states,
            state=self.state,
            ids=self.selected,
            without=self.without,
            complete=complete,
        )

    @property
    def is_searched(self) -> bool:
        """Whether anything narrows the list, understood or not."""
        return self.state != "all" or any(self.query.get(name, "").strip() for name in self.fields)

    @property
    def searches(self) -> list[tuple[str, str]]:
        """The fields that are filled in, each with its heading and what was typed: for people to read."""
        typed = {name: texts.shown(self.query.get(name, "")[:LONGEST_SEARCH]) for name in self.fields}
        return [(str(self.fields[name].label), text) for name, text in typed.items() if text]

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
        return ids_of(chosen)

    @property
    def without(self) -> tuple[int, ...]:
        """The ids of the rows that are left out where all that match are meant but these."""
        return ids_of(self.query.getlist("without"))


def ids_of(texts: list[str]) -> tuple[int, ...]:
    """The first ``MOST_SELECTED`` of these texts that are ids."""
    return tuple(int(text) for text in texts[:MOST_SELECTED] if text.isascii() and text.isdigit() and len(text) < 19)
