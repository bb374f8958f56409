"""Numbers come into a VAR's stock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from numbers.models import PhoneNumber, Provider

#: So many numbers can be added at once; more come by import.
MOST_ADDED = 10_000
# In order: two who add the same numbers at once wait for each other, and never both for the other.
ADD = """
INSERT INTO numbers_phonenumber (e164, var_id, provider_id, label, caller_name, voice, sms, fax)
SELECT e164, %s, %s, '', '', %s, false, false FROM unnest(%s::text[]) AS e164 ORDER BY e164
ON CONFLICT DO NOTHING RETURNING id, e164
"""


@dataclass(frozen=True)
class Added:
    """What became of numbers that were to be added: those that are new here, and those that were on the system."""

    new: list[str]
    already: list[str]


@transaction.atomic
def add_numbers(actor: Actor, numbers: Iterable[str], provider_id: int, verb: str = "number.added") -> Added:
    """Add E.164 numbers to the VAR's stock; those that are on the system already, with whomever, stay where they are.

    Raises ``ValidationError`` for too many, for none, for an unknown provider, and where the account is not in service.
    """
    if not actor.may("numbers.add") or actor.account.kind != Account.Kind.VAR:
        raise PermissionDenied
    wanted = sorted(set(numbers))
    if not wanted:
        raise ValidationError({"numbers": _("Type at least one number.")})
    if len(wanted) > MOST_ADDED:
        said = {"count": len(wanted), "most": MOST_ADDED}
        raise ValidationError(
            {"numbers": _("These are %(count)d numbers; %(most)d can be added at once. Import a file instead.") % said}
        )
    var = Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)
    if not var.is_open:
        raise ValidationError(_("%(account)s is not in service: no number can be added.") % {"account": var.name})
    provider = Provider.objects.filter(pk=provider_id).first()
    if provider is None:
        raise ValidationError({"provider": _("There is no such provider.")})
    with connection.cursor() as cursor:
        cursor.execute(ADD, [var.pk, provider.pk, provider.supports_voice, wanted])
        added = [PhoneNumber(pk=pk, e164=e164) for pk, e164 in cursor.fetchall()]
    after = {"provider": provider.name}
    audit.record_all(actor, [audit.event(actor, verb, number, after=after) for number in added])
    new = {number.e164 for number in added}
    return Added(sorted(new), [e164 for e164 in wanted if e164 not in new])
