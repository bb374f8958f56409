"""The phone numbers themselves."""

from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _


class NumbersConfig(AppConfig):
    name = "numbers"
    verbose_name = _("Phone numbers")

    def ready(self):
        # What is wrong with the setting is said at the start, and not to whoever orders first.
        import_string("numbers.carriers.configured")()
        import_string("numbers.notices.register")
        import_string("portal.figures.add")(import_string("numbers.figures.of_numbers"))
