"""Form fields that pages share: what people type, cleaned, or refused with a sentence."""

from datetime import datetime
from functools import partial

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from portal import machines, phones, texts

#: how a browser's field for a day and a time writes them
MOMENT = "%Y-%m-%dT%H:%M"


class LineField(forms.CharField):
    """A text that others read: anything that can be written on one line (``portal.texts``)."""

    def to_python(self, value):
        return self.understood(self.short(str(value or "")))

    understood = staticmethod(texts.line)

    def short(self, text: str) -> str:
        """The text, where it could be short enough once what nobody sees is taken out of it. Raise
        ``ValidationError``."""
        if self.max_length and len(text) > 4 * self.max_length:
            self.run_validators(text)
        return text


class NameField(LineField):
    """What a person or an account is called: it stands in mail, so there is no link in it."""

    understood = staticmethod(texts.name)


class LinesField(LineField):
    """A text of several lines that others read."""

    widget = forms.Textarea
    understood = staticmethod(partial(texts.line, breaks=True))


class AnswerField(forms.JSONField):
    """JSON that a script puts into a form; what is none is refused, and never shown again."""

    widget = forms.HiddenInput

    def to_python(self, value):
        if value in self.empty_values:
            return None
        try:
            return machines.shown(machines.of_json(value))
        except ValueError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def bound_data(self, data, initial):
        return None


class AddressField(forms.EmailField):
    """An e-mail address, as people have them: Django takes quoted ones too, with anything between the quotes, and
    domains with marks that nobody sees."""

    def to_python(self, value):
        address = super().to_python(value)
        if '"' in address or not address.isprintable() or texts.shown(address) != address:
            raise ValidationError(self.default_validators[0].message, code="invalid")
        return address


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
            "error_messages": {"invalid": gettext_lazy("Enter date and time as 2027-01-31 17:00.")},
            "widget": MomentInput(format=MOMENT),
        }
        super().__init__(**options | kwargs)
