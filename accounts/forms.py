"""What people change about themselves."""

from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Person


class ProfileForm(forms.ModelForm):
    """Name, time zone and the way numbers are written. The address is the sign-in and is not changed here."""

    time_zone = forms.ChoiceField(label=_("Time zone"), choices=lambda: [(z, z) for z in sorted(available_timezones())])

    class Meta:
        model = Person
        fields = ["name", "time_zone", "number_format"]
