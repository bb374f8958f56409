"""Times for people, in their own zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format


def day(when: datetime | None, zone: ZoneInfo) -> str:
    """``3 Dec 2026``; empty without a time."""
    return date_format(when.astimezone(zone), "j M Y") if when else ""


def moment(when: datetime | None, zone: ZoneInfo) -> str:
    """``3 Dec 2026, 14:05``; empty without a time."""
    return date_format(when.astimezone(zone), "j M Y, H:i") if when else ""
