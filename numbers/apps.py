"""The phone numbers themselves."""

from pathlib import Path

from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    name = "numbers"
    verbose_name = _("Phone numbers")
    path = str(Path(__file__).parent)  # Django cannot find it: the package is the standard library's module

    def ready(self):
        # What is wrong with the setting is said at the start, and not to whoever orders first.
        import_string("numbers.carriers.configured")()
