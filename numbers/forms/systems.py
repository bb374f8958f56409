"""What people fill in about a phone system."""

from django import forms
from django.utils.translation import gettext_lazy

from portal.fields import NameField


class SystemForm(forms.Form):
    name = NameField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("What you call it, such as “Asterisk in Montréal”. Its token is shown once, then."),
    )
