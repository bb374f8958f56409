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


class FileForm(forms.Form):
    """A file of numbers, or its text."""

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
    region = RegionField()
    key = forms.UUIDField(
        widget=forms.HiddenInput, initial=uuid4, error_messages={"invalid": gettext_lazy("Reload this page.")}
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and file.size > settings.IMPORT_BYTES:
            said = {"most": filesizeformat(settings.IMPORT_BYTES)}
            raise ValidationError(_("This file is too large: %(most)s at most. Send it in parts.") % said)
        return file

    def wants_file(self) -> bool:
        """Whether there has to be one."""
        return not self.errors

    def clean(self):
        if self.wants_file() and not self.cleaned_data.get("file") and not self.cleaned_data.get("text", "").strip():
            self.add_error("file", _("Choose a file, or paste its text."))

    @property
    def content(self):
        """The file, or the text as one."""
        return self.cleaned_data["file"] or io.BytesIO(self.cleaned_data["text"].encode())


class ImportForm(FileForm):
    """A file of numbers that are to be added or changed, and what is meant by what it leaves out."""

    provider = ProviderField(
        label=gettext_lazy("Provider of new numbers"),
        empty_label=gettext_lazy("As the file says"),
        required=False,
        help_text=gettext_lazy("Where the file has no column for it."),
    )
    empty = forms.ChoiceField(
        label=gettext_lazy("An empty cell"),
        choices=(
            ("merge", gettext_lazy("Leaves what a number has (merge)")),
            ("overwrite", gettext_lazy("Clears what a number has (overwrite)")),
        ),
        initial="merge",
        widget=forms.RadioSelect,
    )
    field_order = ("file", "text", "provider", "region", "empty")

    def __init__(self, *args, adds: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not adds:
            del self.fields["provider"]


class StatementForm(FileForm):
    """What a carrier holds: as its statement says, or as it says itself, where it can be asked."""

    provider = ProviderField(label=gettext_lazy("Carrier"), empty_label=gettext_lazy("Choose a carrier"))
    source = forms.ChoiceField(
        label=gettext_lazy("What it holds"),
        choices=(("file", gettext_lazy("As its statement says")), ("ask", gettext_lazy("As it says itself, now"))),
        initial="file",
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Carriers with an interface can be asked, where all that they hold is yours."),
    )
    field_order = ("provider", "source", "file", "text", "region")

    def __init__(self, *args, may_ask: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["file"].help_text = _("The carrier’s list of its numbers: with a column for them, or them alone.")
        if not may_ask:
            del self.fields["source"]

    @property
    def asks(self) -> bool:
        return self.cleaned_data.get("source") == "ask"

    def wants_file(self) -> bool:
        return super().wants_file() and not self.asks


class DifferencesForm(forms.Form):
    """What is done about what differs: ``counts`` says how many numbers each of these is."""

    LABELS = {
        "add": gettext_lazy("Add the numbers that are not here ({count})"),
        "change": gettext_lazy("Write down this carrier where another one stands ({count})"),
        "gone": gettext_lazy("Release what is not in the statement ({count})"),
    }

    apply = forms.MultipleChoiceField(
        label=gettext_lazy("What to do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose what to do.")},
        help_text=gettext_lazy("A number that is with a customer is not released: unassign it first."),
    )

    def __init__(self, *args, counts: dict[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        offered = [(kind, label.format(count=counts[kind])) for kind, label in self.LABELS.items() if kind in counts]
        self.fields["apply"].choices = offered
        # What is taken away is chosen by somebody.
        self.fields["apply"].initial = [kind for kind, _label in offered if kind != "gone"]
