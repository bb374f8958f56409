"""Form fields that pages share: what people type, cleaned, or refused with a sentence."""

import unicodedata
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import phones

#: how a browser's field for a day and a time writes them
MOMENT = "%Y-%m-%dT%H:%M"


class NameField(forms.CharField):
    """A name: anything that can be written on one line."""

    def to_python(self, value):
        text = unicodedata.normalize("NFC", str(value or "")).strip()
        if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
            raise ValidationError(_("There is a character in it that cannot be shown. Type it again, on one line."))
        return text


class PhoneField(forms.CharField):
    """A phone number in international form; clean, it is E.164, or empty."""

    widget = forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})

    def prepare_value(self, value):
        return phones.international(value) if value and phones.E164.fullmatch(value) else value

    def to_python(self, value):
        text = str(value or "").strip()
        if not text:
            return ""
        try:
            return phones.parse(text[:100])
        except phones.NotANumber as refusal:
            raise ValidationError(str(refusal)) from refusal


class MomentInput(forms.DateTimeInput):
    """The browser's own field for a day and a time; a field of text once something else was sent, which a browser
    would not show again in its own."""

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        kept = context["widget"]["value"]
        try:
            own = not kept or datetime.fromisoformat(kept).strftime(MOMENT) == kept
        except ValueError:
            own = False
        context["widget"]["type"] = "datetime-local" if own else "text"
        return context


class MomentField(forms.DateTimeField):
    """A day and a time, in the current time zone."""

    def __init__(self, **kwargs):
        options = {
            "input_formats": [MOMENT, "%Y-%m-%d %H:%M", "%Y-%m-%d"],
            "error_messages": {"invalid": gettext_lazy("Write day and time as 2027-01-31 17:00.")},
            "widget": MomentInput(format=MOMENT),
        }
        super().__init__(**options | kwargs)
