"""Form fields that several apps share."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Control characters, halves of characters, unassigned ones, and the breaks of lines and paragraphs.
UNREADABLE = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
# What turns the direction of the text after it: a name would change how the words around it read (CVE-2021-42574).
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class LineField(forms.CharField):
    """One line of text for people to read, such as a name."""

    def to_python(self, value):
        text = unicodedata.normalize("NFC", super().to_python(value))
        if any(c in TURNING or unicodedata.category(c) in UNREADABLE for c in text):
            raise ValidationError(_("There is a character in it that cannot be shown. Type it again."))
        return " ".join(text.split())
