"""A file of numbers, as it is sent."""

import io
from uuid import uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.forms.adding import ProviderField, RegionField


class ImportForm(forms.Form):
    """A file, or its text; what is meant by what it leaves out."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=False,
        max_length=200,
        help_text=gettext_lazy("A list of numbers, a CSV file with headings, or an export of this portal."),
        error_messages={"empty": gettext_lazy("There is nothing in this file.")},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Or its text"),
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
    )
    provider = ProviderField(
        label=gettext_lazy("Provider of new numbers"),
        empty_label=gettext_lazy("As the file says"),
        required=False,
        help_text=gettext_lazy("Where the file has no column for it."),
    )
    region = RegionField()
    empty = forms.ChoiceField(
        label=gettext_lazy("An empty cell"),
        choices=(
            ("merge", gettext_lazy("Leaves what a number has (merge)")),
            ("overwrite", gettext_lazy("Clears what a number has (overwrite)")),
        ),
        initial="merge",
        widget=forms.RadioSelect,
    )
    key = forms.UUIDField(
        widget=forms.HiddenInput, initial=uuid4, error_messages={"invalid": gettext_lazy("Reload this page.")}
    )

    def __init__(self, *args, adds: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not adds:
            del self.fields["provider"]

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > settings.IMPORT_BYTES:
            said = {"most": filesizeformat(settings.IMPORT_BYTES)}
            raise ValidationError(_("This file is too large: %(most)s at most. Send it in parts.") % said)
        return file

    def clean(self):
        if not self.errors and not self.cleaned_data.get("file") and not self.cleaned_data.get("text", "").strip():
            self.add_error("file", _("Choose a file, or paste its text."))

    @property
    def content(self):
        """The file, or the text as one."""
        return self.cleaned_data["file"] or io.BytesIO(self.cleaned_data["text"].encode())
