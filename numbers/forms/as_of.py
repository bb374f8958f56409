"""Asking how things stood."""

from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from portal.fields import MomentField


class AsOfForm(forms.Form):
    """A moment that is asked about, in the actor's time zone; not one to come."""

    at = MomentField(label=gettext_lazy("As of"))

    def __init__(self, actor: Actor, query):
        self.zone = actor.person.zone
        now = timezone.localtime(timezone=self.zone).replace(tzinfo=None)
        super().__init__(query if "at" in query else None, initial={"at": now})

    def full_clean(self):
        with timezone.override(self.zone):
            super().full_clean()

    def clean_at(self):
        if self.cleaned_data["at"] > timezone.now():
            raise ValidationError(_("This time is in the future. Choose a time in the past."))
        return self.cleaned_data["at"]

    @property
    def time(self) -> datetime | None:
        """The moment, None where none was asked about or it was not understood."""
        return self.cleaned_data["at"] if self.is_valid() else None
