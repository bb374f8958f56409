"""Processes of the portal's own, on the database of the test."""

import os
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def environment(**more: str) -> dict[str, str]:
    """What such a process finds in its environment."""
    of = connection.settings_dict
    url = f"postgresql://{of['USER']}:{of['PASSWORD']}@{of['HOST']}:{of['PORT']}/{of['NAME']}"
    return os.environ | {"DATABASE_URL": url, "DEMO": "1", "LOG_LEVEL": "ERROR"} | more
