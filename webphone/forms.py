"""What people fill in about their telephones."""

from django import forms
from django.utils.translation import gettext_lazy as _

from webphone.models import Location


class LocationForm(forms.Form):
    """A telephone of the person's own."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Location.Kind.choices, initial=Location.Kind.MOBILE.value)
    number = forms.CharField(
        label=_("Number or extension"),
        max_length=64,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "placeholder": "+1 514 555 0123"}),
    )
