"""Who there is: accounts, people, and who acts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self):
        from accounts import checks  # noqa: F401, PLC0415 - registers itself, and wants the models loaded
