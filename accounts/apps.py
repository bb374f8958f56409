"""Who there is: accounts, people, and who acts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self):
        # Both register themselves, with checks and with allauth's signals, and want the models loaded.
        from accounts import checks, sign_in  # noqa: F401, PLC0415
