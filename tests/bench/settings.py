"""The portal's settings with static files that need no building."""

from portal.settings import *  # noqa: F403

#: Straight from where they are built, without being collected first.
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
