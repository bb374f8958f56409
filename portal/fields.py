"""Form fields that pages share: what people type, cleaned, or refused with a sentence."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from portal import phones

# Control characters, halves of characters, private and unassigned ones, and the breaks of lines and paragraphs.
UNREADABLE = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
# What turns the direction of the text after it: a name would change how the words around it read (CVE-2021-42574).
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class NameField(forms.CharField):
    """A name: anything that can be written on one line."""

    def to_python(self, value):
        text = unicodedata.normalize("NFC", str(value or "")).strip()
        if any(c in TURNING or unicodedata.category(c) in UNREADABLE for c in text):
            raise ValidationError(_("There is a character in it that cannot be shown. Type it again, on one line."))
        return " ".join(text.split())


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
