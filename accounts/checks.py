"""What ``manage.py check --database default`` and every migration look at besides Django's own."""

from django.core.checks import Error, Tags, register
from django.db import connection

from accounts import walls


@register(Tags.database)
def walls_hold(app_configs, databases=None, **kwargs) -> list[Error]:
    """Whether the role that the portal signs in with is one that the walls between tenants hold."""
    if not databases or connection.is_owner:
        return []
    refusal = walls.refusal()
    return [Error(refusal, id="accounts.E001")] if refusal else []
