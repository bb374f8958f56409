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
from numbers.models import Import
from portal.phones import WithoutPlus


class FileForm(forms.Form):
    """A file of numbers, or its text."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=False,
        max_length=200,
        help_text=gettext_lazy(
            "A list of numbers, a CSV or TSV file, a workbook (XLSX, XLS, ODS), or a ZIP archive with a CSV file."
        ),
        error_messages={"empty": gettext_lazy("This file is empty.")},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx,.xlsm,.xls,.ods,.zip,.gz,text/csv,text/plain"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Or paste its text"),
        required=False,
        max_length=1_000_000,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
    )
    region = RegionField()
    key = forms.UUIDField(
        widget=forms.HiddenInput, initial=uuid4, error_messages={"invalid": gettext_lazy("Reload this page.")}
    )

    def __init__(self, *args, home: str = "", **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["region"].prefer(home)

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


class ReadingForm(forms.Form):
    """How the lines of a file are read that was sent: what somebody may choose otherwise than was found out."""

    region = RegionField()
    without_plus = forms.ChoiceField(
        label=gettext_lazy("Numbers without +"),
        required=False,
        choices=(
            (WithoutPlus.ASK, gettext_lazy("Refuse where it is not clear")),
            (WithoutPlus.CODE, gettext_lazy("They begin with a country code")),
            (WithoutPlus.COUNTRY, gettext_lazy("They are written as inside the country")),
        ),
    )
    provider = ImportForm.base_fields["provider"]
    empty = ImportForm.base_fields["empty"]
    read_as = forms.ChoiceField(label=gettext_lazy("Encoding of the text"), required=False, choices=())
    unusual = forms.BooleanField(
        label=gettext_lazy("Take unusual numbers too"),
        required=False,
        help_text=gettext_lazy("Numbers of the right length that the country’s numbering plan has no range for."),
    )

    def __init__(self, wanted: Import, *args, home: str, adds: bool, encodings: dict[str, str], **kwargs):
        initial = {
            "region": wanted.region, "without_plus": wanted.without_plus, "provider": wanted.provider_id,
            "empty": "overwrite" if wanted.overwrites else "merge", "unusual": wanted.unusual,
            "read_as": wanted.read_as or wanted.encoding,
        }  # fmt: skip
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["region"].prefer(home)
        self.fields["region"].initial = wanted.region
        self.fields["read_as"].choices = list(encodings.items())
        if wanted.encoding not in encodings:  # the file itself says how it is encoded
            del self.fields["read_as"]
        if not adds:
            del self.fields["provider"]

    @property
    def facts(self) -> dict:
        """The fields of the import that this changes."""
        typed = self.cleaned_data
        facts = {name: typed[name] for name in ("region", "without_plus", "unusual")}
        facts |= {name: typed[name] for name in ("provider", "read_as") if name in self.fields}
        return facts | {"overwrites": typed["empty"] == "overwrite"}


#: What somebody may choose for a column, with its name on the page.
OF_COLUMNS = {
    "number": gettext_lazy("Number"),
    "country": gettext_lazy("Country"),
    "area": gettext_lazy("Area code"),
    "company": gettext_lazy("Company"),
    "used_by": gettext_lazy("Used by"),
    "reserved_for": gettext_lazy("Reserved for"),
    "provider": gettext_lazy("Provider"),
    "label": gettext_lazy("Label"),
    "caller_name": gettext_lazy("Caller name"),
    "voice": gettext_lazy("Voice"),
    "sms": gettext_lazy("SMS"),
    "fax": gettext_lazy("Fax"),
}
#: What a file may say and an import does not change.
NOT_CHANGED = {
    "status": gettext_lazy("Status (not changed)"),
    "use": gettext_lazy("Use (not changed)"),
    "var": gettext_lazy("VAR (not changed)"),
}
ONLY_OF_VARS = frozenset(("company", "reserved_for", "provider"))


class ColumnsForm(forms.Form):
    """What stands in each column of a file: a choice above each."""

    def __init__(self, wanted: Import, *args, adds: bool, **kwargs):
        super().__init__(*args, **kwargs)
        offered = {name: label for name, label in OF_COLUMNS.items() if adds or name not in ONLY_OF_VARS}
        for place, column in enumerate(wanted.columns):
            name = wanted.headings[place] if place < len(wanted.headings) else ""
            more = {column: NOT_CHANGED[column]} if column in NOT_CHANGED else {}
            self.fields[f"column_{place}"] = forms.ChoiceField(
                label=name or _("Column %(place)d") % {"place": place + 1},
                choices=[("", _("Ignore")), *(offered | more).items()],
                required=False,
                initial=column,
            )

    def clean(self):
        chosen = [self.cleaned_data.get(name, "") for name in self.fields]
        if "number" not in chosen:
            raise ValidationError(_("Choose the column that the numbers stand in."))
        twice = {column for column in chosen if column not in ("", "number") and chosen.count(column) > 1}
        if twice:
            names = ", ".join(str(OF_COLUMNS.get(column, column)) for column in sorted(twice))
            raise ValidationError(_("Two columns cannot be the same: %(names)s.") % {"names": names})
        self.columns = chosen


class LineForm(forms.Form):
    """The cells of one line, to be corrected."""

    def __init__(self, wanted: Import, cells: list[str], *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.wanted, self.cells = wanted, cells
        for place, column in enumerate(wanted.columns):
            if column in OF_COLUMNS:
                self.fields[f"cell_{place}"] = forms.CharField(
                    label=OF_COLUMNS[column],
                    required=False,
                    max_length=500,
                    initial=wanted.text(cells[place]) if place < len(cells) else "",
                    widget=forms.TextInput(attrs={"autocomplete": "off"}),
                )

    def corrected(self) -> list[str]:
        """The cells as they are typed."""
        cells = self.cells + [""] * (len(self.wanted.columns) - len(self.cells))
        for name in self.changed_data:
            place = int(name.removeprefix("cell_"))
            text = self.cleaned_data[name]
            cells[place] = in_encoding(text, self.wanted)
        return cells


def in_encoding(text: str, wanted: Import) -> str:
    """The text as the cells of a file stand that was read in one encoding and is shown in another."""
    if wanted.read_as and wanted.read_as != wanted.encoding:
        try:
            return text.encode(wanted.read_as).decode(wanted.encoding)
        except UnicodeError:
            return text
    return text


class StatementForm(FileForm):
    """What a carrier holds: as its statement says, or as it says itself, where it can be asked."""

    provider = ProviderField(label=gettext_lazy("Carrier"), empty_label=gettext_lazy("Choose a carrier"))
    source = forms.ChoiceField(
        label=gettext_lazy("What it holds"),
        choices=(("file", gettext_lazy("As its statement says")), ("ask", gettext_lazy("As its interface says now"))),
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
        "change": gettext_lazy("Set this carrier where the portal has another one ({count})"),
        "route": gettext_lazy("Have the carrier route calls of these numbers here ({count})"),
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
