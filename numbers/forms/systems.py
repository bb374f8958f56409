"""What people fill in about a phone system."""

from django import forms
from django.utils.translation import gettext_lazy

from portal.fields import LineField


class SystemForm(forms.Form):
    name = LineField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("A name, such as “Asterisk in Montréal”. The next page shows its token, once."),
    )
