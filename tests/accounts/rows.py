"""Events and accesses as the database has them."""

from accounts.models import Access, AuditEvent


def verbs() -> list[str]:
    """The events of the history, in order."""
    return list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True))


def live():
    """Accesses that have begun and not ended."""
    return Access.unscoped.filter(started_at__isnull=False, ended_at=None)
