"""Dialling from the browser."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from accounts import endings


class WebphoneConfig(AppConfig):
    name = "webphone"
    verbose_name = _("WebPhone")

    def ready(self):
        from webphone.sign_out import sign_out  # noqa: PLC0415 - models are loaded now

        endings.register(sign_out)
