"""What ``manage.py check --database default`` and every migration look at besides Django's own."""

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

from accounts.walls import inspection


@register(Tags.database)
def walls_hold(app_configs, databases=None, **kwargs) -> list[CheckMessage]:
    """Whether the role that the portal signs in with is one that the walls between tenants hold."""
    if not databases or connection.is_owner:
        return []
    if refusal := inspection.refusal():
        return [Error(refusal, id="accounts.E001")]
    warning = inspection.warning()
    return [Warning(warning, id="accounts.W001")] if warning else []
