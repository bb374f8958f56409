"""Dialling from the browser."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebphoneConfig(AppConfig):
    name = "webphone"
    verbose_name = _("WebPhone")
