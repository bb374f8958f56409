"""The entry of the web server."""

import os

from django.core.wsgi import get_wsgi_application

from portal.requests import Utf8Request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()
application.request_class = Utf8Request

# The settings have to be there first.
from portal import logs, security  # noqa: E402
from portal.database import limits, pooler  # noqa: E402
from portal.database.base import DatabaseWrapper  # noqa: E402

DatabaseWrapper.limits = limits.PAGE
pooler.use()
logs.last_resort()
security.tell_weak_settings()
