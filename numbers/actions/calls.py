"""Phone systems, and the calls that they tell of."""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.scope import scope
from numbers.calls import Calls
from numbers.models import TelephoneSystem


@dataclass(frozen=True)
class Recorded:
    """What became of calls: taken down, known before, or to numbers that the account does not have."""

    recorded: int = 0
    repeated: int = 0
    unknown: int = 0

    def __add__(self, other: "Recorded") -> "Recorded":
        return Recorded(self.recorded + other.recorded, self.repeated + other.repeated, self.unknown + other.unknown)


@transaction.atomic
def add_system(actor: Actor, *, name: str) -> tuple[TelephoneSystem, str]:
    """Let a phone system tell of calls to the account's numbers; with the token that it signs in with.

    The token is known here and now and never again.
    """
    if not actor.may("systems.change"):
        raise PermissionDenied
    token = secrets.token_urlsafe(32)
    known_by = TelephoneSystem.hash_of(token)
    system = TelephoneSystem(account=actor.account, name=name, token_hash=known_by, added_by=actor.person)
    try:
        with transaction.atomic():
            system.save(force_insert=True)
    except IntegrityError as clash:
        said = _("There is a phone system called %(name)s already: revoke it first, or choose another name.")
        raise ValidationError({"name": said % {"name": name}}) from clash
    audit.record(actor, "system.added", system, after={"name": name})
    return system, token


@transaction.atomic
def revoke_system(actor: Actor, system_id: int) -> TelephoneSystem:
    """Take a phone system's token away, for ever; what it has told of stays."""
    if not actor.may("systems.change"):
        raise PermissionDenied
    system = TelephoneSystem.visible_to(actor).select_for_update(no_key=True).get(pk=system_id)
    if system.revoked_at is None:
        system.revoked_at = timezone.now()
        system.save(update_fields=["revoked_at"])
        audit.record(actor, "system.revoked", system, before={"name": system.name})
    return system


def record_calls(system: TelephoneSystem, calls: Calls) -> Recorded:
    """Take calls down, each once, however often it is told of; numbers that were called in this tenure are active.

    In one statement and one transaction (migration 0024). Calls are remembered for ``CALL_DAYS`` days: told of again
    within that time, also with a time up to two days apart, they are not counted again.
    """
    if not calls.ids:
        return Recorded()
    with scope(system.account), connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM numbers_record_calls(%s, %s, %s, %s)", [system.pk, calls.ids, calls.digits, calls.times]
        )
        return Recorded(*cursor.fetchone())


def tend_days() -> tuple[int, int]:
    """Make the days of calls that will be needed, and drop those whose time is over; how many days are there after
    today, and how many could not be dropped yet, because somebody reads calls. In the system's scope."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM numbers_call_days(%s)", [settings.CALL_DAYS])
        return cursor.fetchone()
