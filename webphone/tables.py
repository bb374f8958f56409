"""The columns of the list of calls."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from portal.pages import columns_of


class CallTable(tables.Table):
    """The calls that somebody made, or got."""

    time = tables.Column(_("Time"))
    number = tables.Column(_("Number"))
    how = tables.Column(_("Talk with"))
    outcome = tables.Column(_("Outcome"))
    length = tables.Column(_("Length"))
    caller_id = tables.Column(_("Caller id"))


def call_columns(actor: Actor) -> dict[str, str]:
    return columns_of(CallTable)
