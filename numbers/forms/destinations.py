"""What people fill in about numbers and what they ring."""

from django import forms
from django.utils.translation import gettext_lazy as _

from numbers.models import USES, Destination, use_text
from portal.fields import LineField


def written_use(kind: str, service_type: str) -> str:
    """A use as one value of a field: ``user``, ``service:fax``."""
    return f"{kind}:{service_type}".rstrip(":")


def use_choices() -> list[tuple[str, str]]:
    return [(written_use(*use), use_text(*use)) for use in USES]


class DestinationForm(forms.Form):
    """What a destination is: its use, with the type of a service in the same field, name and extension."""

    use = forms.ChoiceField(
        label=_("Use"),
        choices=use_choices,
        initial=Destination.Kind.USER.value,
        error_messages={"invalid_choice": _("Choose what it is: a user, a group, or one of the services.")},
    )
    name = LineField(label=_("Name"), max_length=120)
    extension = forms.RegexField(
        r"^[0-9]{1,10}\Z",
        strip=True,
        label=_("Extension"),
        required=False,
        max_length=10,
        help_text=_("The digits that people in the company dial. Each can be used once."),
        error_messages={"invalid": _("An extension has digits only, ten at most.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    @property
    def described(self) -> dict[str, str]:
        """What was filled in, as the actions take it."""
        kind, _colon, service_type = self.cleaned_data["use"].partition(":")
        rest = {name: self.cleaned_data[name] for name in ("name", "extension")}
        return {"kind": kind, "service_type": service_type, **rest}
