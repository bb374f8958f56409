"""The form for a stock level."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.forms.orders import beginning, is_national
from portal.fields import LineField

#: Digits that the database keeps.
LONGEST = 11


class LevelForm(forms.Form):
    prefix = LineField(
        label=gettext_lazy("Numbers that begin with"),
        max_length=30,
        help_text=gettext_lazy(
            "The country code, with an area code if you like: +44 or +1 514. Without +, your home country is meant."
        ),
    )
    least = forms.IntegerField(
        label=gettext_lazy("Minimum"),
        min_value=1,
        max_value=1_000_000,
        help_text=gettext_lazy("Your administrators get a notice when fewer are available."),
    )

    def __init__(self, *sent, home: str):
        super().__init__(*sent)
        self.home = home

    def clean_prefix(self) -> str:
        typed = self.cleaned_data["prefix"]
        region = ""
        if is_national(typed):
            if not self.home:
                raise ValidationError(_("Begin with + and a country code, such as +44 or +1 514."))
            region = self.home
        code, area = beginning(typed, region)
        if len(code + area) > LONGEST:
            said = {"most": LONGEST, "typed": len(code + area)}
            raise ValidationError(_("Enter at most %(most)d digits: these are %(typed)d.") % said)
        return f"+{code}{area}"
