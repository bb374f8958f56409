"""What people fill in about a phone system."""

from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.calls import Format
from numbers.models import TelephoneSystem
from portal import countries, signatures
from portal.fields import LineField


def zones() -> list[tuple[str, str]]:
    """The time zones, UTC first."""
    names = sorted(available_timezones() - {"UTC"})
    return [("", _("None: times need their zone")), ("UTC", "UTC"), *((name, name) for name in names)]


class SystemForm(forms.Form):
    """The settings of a phone system. ``home`` is the account's home country, for a new one."""

    #: Fields that only some formats need, and those formats.
    FORMATS = {
        "contexts": (Format.CDR, Format.CEL),
        "id_column": (Format.CSV,),
        "number_column": (Format.CSV,),
        "time_column": (Format.CSV,),
        "public_key": (Format.TELNYX,),
        "auth_token": (Format.TWILIO,),
    }
    name = LineField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("A name, such as “Asterisk in Montréal”."),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Format of its reports"),
        required=False,
        choices=lambda: [("", _("Recognize the format")), *Format.choices],
        help_text=gettext_lazy("With a format, reports in any other format are refused."),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        required=False,
        help_text=gettext_lazy("The country of numbers that it reports without a country code."),
    )
    without_plus = forms.ChoiceField(
        label=gettext_lazy("Digits without +"), required=False, choices=TelephoneSystem.Bare.choices
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        choices=zones,
        help_text=gettext_lazy("The zone of times that it reports without a zone."),
    )
    contexts = LineField(
        label=gettext_lazy("Contexts of incoming calls"),
        max_length=200,
        required=False,
        help_text=gettext_lazy(
            "Asterisk: the contexts of the dialplan in which calls come in, with spaces between them. Other calls are"
            " not counted. If empty, all are."
        ),
    )
    id_column = LineField(
        label=gettext_lazy("Column of the id"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("CSV with a heading line: the headings of its columns. If empty: id, number and time."),
    )
    number_column = LineField(label=gettext_lazy("Column of the number"), max_length=80, required=False)
    time_column = LineField(label=gettext_lazy("Column of the time"), max_length=80, required=False)
    public_key = LineField(
        label=gettext_lazy("Telnyx public key"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("Telnyx: the key with which its webhooks are checked."),
    )
    auth_token = LineField(
        label=gettext_lazy("Twilio auth token"),
        max_length=64,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *sent, home: str = "", system: TelephoneSystem | None = None, initial: dict | None = None):
        super().__init__(*sent, initial=initial or {"country": home, "time_zone": "UTC"})
        first = self.initial.get("country", "") or home
        self.fields["country"].choices = [("", _("None: numbers need their country code")), *countries.choices(first)]
        for name, formats in self.FORMATS.items():
            self.fields[name].widget.attrs["data-formats"] = " ".join(formats)
        self.has_auth_token = bool(system and system.auth_token)
        self.fields["auth_token"].help_text = (
            _("Leave it empty to keep the present one.")
            if self.has_auth_token
            else _("Twilio: the token with which its webhooks are checked. It is kept encrypted.")
        )

    @property
    def common(self) -> list[forms.BoundField]:
        """The fields of every format."""
        return [self[name] for name in self.fields if name not in self.FORMATS]

    @property
    def particular(self) -> list[forms.BoundField]:
        """The fields of some formats."""
        return [self[name] for name in self.FORMATS]

    @property
    def shows_particular(self) -> bool:
        """Whether the chosen format has fields of its own, or one of them is refused."""
        chosen = self["format"].value()
        return any(chosen in self.FORMATS[field.name] or field.errors for field in self.particular)

    def clean_public_key(self) -> str:
        key = self.cleaned_data["public_key"]
        if key and not signatures.is_public_key(key):
            raise ValidationError(_("This is not an Ed25519 public key. Copy it from the Telnyx portal."))
        return key

    def clean_auth_token(self) -> str:
        token = self.cleaned_data["auth_token"]
        if not (token.isascii() and token.isprintable()):
            raise ValidationError(_("Copy the auth token from the Twilio console."))
        return token

    def clean(self) -> dict:
        found = super().clean()
        for name, default in (("id_column", "id"), ("number_column", "number"), ("time_column", "time")):
            found[name] = found.get(name) or default
        columns = [found[name].lower() for name in ("id_column", "number_column", "time_column")]
        if len(set(columns)) < len(columns):
            self.add_error("id_column", _("Id, number and time are three different columns."))
        if found.get("without_plus") == TelephoneSystem.Bare.COUNTRY and not found.get("country"):
            self.add_error("country", _("Choose the country of the national numbers."))
        if found.get("format") == Format.TELNYX and "public_key" not in self.errors and not found.get("public_key"):
            self.add_error("public_key", _("Enter the key: webhooks of Telnyx are read only if it has signed them."))
        has_token = found.get("auth_token") or self.has_auth_token
        if found.get("format") == Format.TWILIO and "auth_token" not in self.errors and not has_token:
            self.add_error("auth_token", _("Enter the token: webhooks of Twilio are read only if it has signed them."))
        return found
