"""Who there is: accounts, people, and who acts."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self):
        from allauth.mfa import signals  # noqa: PLC0415 - models can be imported only now

        from accounts import checks  # noqa: F401, PLC0415 - registers itself, and wants the models loaded
        from accounts.sign_in import factor_changed  # noqa: PLC0415

        # Of factors, no hook of allauth's adapters tells.
        for signal in (signals.authenticator_added, signals.authenticator_removed, signals.authenticator_reset):
            signal.connect(factor_changed)
