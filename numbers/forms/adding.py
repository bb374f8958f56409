"""What people type to add numbers: one, a list in any spelling, ranges."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.actions.stock import MOST_ADDED
from numbers.models import Provider
from portal import countries
from portal.number_lists import Piece, read_list
from portal.pages import first_of

#: Of the lines that are refused, so many are named.
NAMED = 20


def complaint(piece: Piece) -> str:
    """Where a refused piece stands, and why it is refused."""
    said = {"number": piece.line, "text": piece.text[:60], "why": piece.refusal}
    return _("Line %(number)d, %(text)s: %(why)s") % said


class RegionField(forms.ChoiceField):
    """The country of numbers that are written as people do inside it."""

    def __init__(self, **kwargs):
        options = {
            "label": gettext_lazy("Country of numbers without a country code"),
            "choices": lambda: [("", _("None: with country codes only")), *countries.choices()],
            "required": False,
        }
        super().__init__(**options | kwargs)

    def prefer(self, home: str) -> None:
        """Offer a country before all others, and as the one that is meant."""
        self.initial = home
        self.choices = [*countries.choices(home)[: bool(home)], ("", _("None: with country codes only")),
                        *countries.choices(home)[bool(home) :]]  # fmt: skip


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
    """Numbers for the stock. ``home`` is the account's home country."""

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
    unusual = forms.BooleanField(
        label=gettext_lazy("Add unusual numbers too"),
        required=False,
        help_text=gettext_lazy("Numbers of the right length that the country’s numbering plan has no range for."),
    )
    others = forms.BooleanField(
        label=gettext_lazy("Add the others"),
        required=False,
        help_text=gettext_lazy("Although some lines could not be understood."),
    )

    def __init__(self, *args, home: str = "", **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["region"].prefer(home)

    def clean(self):
        typed = self.cleaned_data
        pieces = read_list(
            typed.get("numbers", ""), typed.get("region", ""), most=MOST_ADDED, strict=not typed.get("unusual")
        )
        #: Sentences about the pieces that are not added.
        self.left_out = [complaint(piece) for piece in pieces if piece.refusal]
        # A few ranges may mean more numbers than are added at once.
        total = sum(piece.count for piece in pieces)
        self.e164s = (
            list(dict.fromkeys(e164 for piece in pieces for e164 in piece.e164s)) if total <= 20 * MOST_ADDED else []
        )
        if total > 20 * MOST_ADDED:
            self.add_error("numbers", _("These are more numbers than can be added at once. Import a file instead."))
        elif self.left_out and (not typed.get("others") or not self.e164s):
            self.add_error("numbers", ValidationError(first_of(self.left_out, NAMED)))
        elif not self.e164s and "numbers" not in self.errors:
            self.add_error("numbers", _("Type at least one number."))
