"""What people type to add numbers: one, a list in any spelling, ranges."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.actions.stock import MOST_ADDED
from numbers.models import Provider
from portal import phones
from portal.pages import first_of

#: Of the lines that are refused, so many are named.
NAMED = 20
# What stands between the first and the last number of a range: a dash with blanks, dots, an arrow, or a word.
BETWEEN = re.compile(
    r"\s+[-–—]\s+|\s*(?:\.\.\.?|…|→|->)\s*|\s+(?:to|through)\s+|(?<=[0-9)])[–—](?=\+)|(?<=[0-9])-(?=\+)"
)


@dataclass(frozen=True)
class Line:
    """One piece of what was typed: the numbers that it means, or the sentence that says why it means none."""

    number: int
    text: str
    e164s: tuple[str, ...] = ()
    refusal: str = ""

    @property
    def complaint(self) -> str:
        """Where the refused piece stands, and why it is refused."""
        said = {"number": self.number, "text": self.text[:60], "why": self.refusal}
        return _("Line %(number)d, %(text)s: %(why)s") % said


def read_lines(typed: str, region: str = "") -> list[Line]:
    """What each piece of ``typed`` means; pieces are on lines of their own, or apart by commas and semicolons.

    ``region`` is the country (ISO 3166, two letters) of what is written without a country code; without one that is
    refused. Nothing is guessed.
    """
    found = []
    for at, line in enumerate(unicodedata.normalize("NFKC", typed).splitlines(), 1):
        for piece in re.split(r"[,;\t]", line):
            if text := piece.strip().strip("'\""):
                try:
                    found.append(Line(at, text, tuple(meant_by(text, region))))
                except phones.NotANumber as refusal:
                    found.append(Line(at, text, refusal=str(refusal)))
    return found


def meant_by(text: str, region: str) -> list[str]:
    """The numbers that one piece means: itself, or a range from its first number to its last.

    Raises ``NotANumber``.
    """
    if re.fullmatch(r"[+0-9() .–-]*[0-9][ .-]?[xX]{1,4}", text):  # +1 514 555 01xx
        blanks = len(text) - len(text.rstrip("xX"))
        first, last = text[:-blanks] + "0" * blanks, text[:-blanks] + "9" * blanks
    else:
        first, *rest = BETWEEN.split(text)
        if len(rest) > 1:
            raise phones.NotANumber(_("This has more than a first and a last number."))
        last = rest[0] if rest else ""
    if not last:
        return [phones.parse(first, region)]
    begin, end = phones.span(first, last, region)
    count = int(end[1:]) - int(begin[1:]) + 1
    if count > MOST_ADDED:
        raise phones.NotANumber(_("This range has more than %(most)d numbers.") % {"most": MOST_ADDED})
    numbers = [f"+{digits}" for digits in range(int(begin[1:]), int(end[1:]) + 1)]
    return [phones.parse(e164) for e164 in numbers]


def regions() -> list[tuple[str, str]]:
    """The countries that a number without a country code may be of."""
    codes = {region: phonenumbers.country_code_for_region(region) for region in phonenumbers.SUPPORTED_REGIONS}
    return [("", _("None: with country codes only")), *((r, f"{r} +{code}") for r, code in sorted(codes.items()))]


class RegionField(forms.ChoiceField):
    """The country of numbers that are written as people do inside it."""

    def __init__(self, **kwargs):
        options = {
            "label": gettext_lazy("Country of numbers without a country code"),
            "choices": regions,
            "required": False,
        }
        super().__init__(**options | kwargs)


class ProviderField(forms.ModelChoiceField):
    """The carrier that numbers are provisioned on."""

    def __init__(self, **kwargs):
        options = {
            "label": gettext_lazy("Provider"),
            "queryset": Provider.objects.order_by("name_folded", "pk"),
            "empty_label": gettext_lazy("Choose a provider"),
        }
        super().__init__(**options | kwargs)


class AddForm(forms.Form):
    """Numbers for the stock."""

    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        widget=forms.Textarea(attrs={"rows": 8, "autocomplete": "off", "spellcheck": "false"}),
        max_length=400_000,
        help_text=gettext_lazy(
            "One on each line, in any spelling: +1 514 555 0123. Ranges too: +1 514 555 0100 - 0199, +1 514 555 01xx."
        ),
    )
    provider = ProviderField()
    region = RegionField()
    others = forms.BooleanField(
        label=gettext_lazy("Add the others"),
        required=False,
        help_text=gettext_lazy("Although some lines could not be understood."),
    )

    def clean(self):
        lines = read_lines(self.cleaned_data.get("numbers", ""), self.cleaned_data.get("region", ""))
        self.e164s = list(dict.fromkeys(e164 for line in lines for e164 in line.e164s))
        refused = [line for line in lines if line.refusal]
        if refused and not self.cleaned_data.get("others"):
            self.add_error("numbers", ValidationError(first_of([line.complaint for line in refused], NAMED)))
        elif not self.e164s and "numbers" not in self.errors:
            self.add_error("numbers", _("Type at least one number."))
