"""The form for a stock level."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.fields import LineField
from portal.plans import country_code


class LevelForm(forms.Form):
    prefix = LineField(
        label=gettext_lazy("Numbers that begin with"),
        max_length=30,
        help_text=gettext_lazy("The country code, with an area code if you like: +44 or +1 514."),
    )
    least = forms.IntegerField(
        label=gettext_lazy("Minimum"),
        min_value=1,
        max_value=1_000_000,
        help_text=gettext_lazy("Your administrators get a notice when fewer are available."),
    )

    def clean_prefix(self) -> str:
        typed = re.sub(r"[\s().\-/]", "", self.cleaned_data["prefix"])
        if not re.fullmatch(r"\+[1-9][0-9]{0,10}", typed, re.ASCII) or not country_code(typed):
            raise ValidationError(_("Begin with + and a country code, such as +44 or +1 514; eleven digits at most."))
        return typed
