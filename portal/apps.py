"""The page kit and the frame."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self):
        from portal import deployment  # noqa: F401, PLC0415 - registers its check
