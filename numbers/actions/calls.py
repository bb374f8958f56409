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
from accounts.sealing import CannotOpen, seal, unseal
from numbers.calls import Calls
from numbers.models import TelephoneSystem

#: What people set about a phone system, besides its auth token. History has them before and after.
SETTINGS = (
    "name", "format", "country", "without_plus", "time_zone", "contexts", "id_column", "number_column", "time_column",
    "public_key",
)  # fmt: skip


@dataclass(frozen=True)
class Recorded:
    """What became of calls: taken down, known before, or to numbers that the account does not have."""

    recorded: int = 0
    repeated: int = 0
    unknown: int = 0

    def __add__(self, other: "Recorded") -> "Recorded":
        return Recorded(self.recorded + other.recorded, self.repeated + other.repeated, self.unknown + other.unknown)


@transaction.atomic
def add_system(actor: Actor, *, name: str, auth_token: str = "", **settings: str) -> tuple[TelephoneSystem, str]:
    """Let a phone system report calls to the account's numbers; with the token that it signs in with. ``settings`` are
    some of ``SETTINGS``. Raises ``ValidationError`` if the name is taken.

    The token is known here and now and never again.
    """
    if not actor.may("systems.change"):
        raise PermissionDenied
    token = secrets.token_urlsafe(32)
    known_by = TelephoneSystem.hash_of(token)
    system = TelephoneSystem(account=actor.account, token_hash=known_by, added_by=actor.person)
    before = settings_of(system)
    set_up(system, settings | {"name": name}, auth_token)
    save(system, force_insert=True)
    audit.record(actor, "system.added", system, after=changed(before, system, auth_token))
    return system, token


@transaction.atomic
def change_system(actor: Actor, system_id: int, *, auth_token: str = "", **settings: str) -> TelephoneSystem:
    """Change the settings of a phone system, some of ``SETTINGS``; its token stays. Without ``auth_token`` the present
    one stays too. Raises ``TelephoneSystem.DoesNotExist``, also for one that was revoked, and ``ValidationError``."""
    if not actor.may("systems.change"):
        raise PermissionDenied
    usable = TelephoneSystem.visible_to(actor).filter(revoked_at=None)
    system = usable.select_for_update(no_key=True).get(pk=system_id)
    before = settings_of(system)
    set_up(system, settings, auth_token)
    after = changed(before, system, auth_token)
    if after:
        save(system, update_fields=[*SETTINGS, "auth_token"])
        audit.record(
            actor, "system.changed", system, before={name: before.get(name, "") for name in after}, after=after
        )
    return system


def settings_of(system: TelephoneSystem) -> dict[str, str]:
    """The settings as history has them."""
    return {name: getattr(system, name) for name in SETTINGS}


def set_up(system: TelephoneSystem, settings: dict[str, str], auth_token: str) -> None:
    """Set some of ``SETTINGS``, and the auth token if there is one; it is kept sealed."""
    if unknown := settings.keys() - set(SETTINGS):
        raise KeyError(*unknown)
    for name, value in settings.items():
        setattr(system, name, value)
    if auth_token:
        system.auth_token = seal(auth_token)


def changed(before: dict[str, str], system: TelephoneSystem, auth_token: str) -> dict[str, str]:
    """What is different now. Of an auth token history has nothing but that it was replaced."""
    after = {name: value for name, value in settings_of(system).items() if before[name] != value}
    return after | ({"auth_token": _("replaced")} if auth_token else {})


def save(system: TelephoneSystem, **how) -> None:
    """Save a phone system. Raises ``ValidationError`` if another one in use has its name."""
    try:
        with transaction.atomic():
            system.save(**how)
    except IntegrityError as clash:
        said = _("There is a phone system called %(name)s already: revoke it first, or choose another name.")
        raise ValidationError({"name": said % {"name": system.name}}) from clash


@transaction.atomic
def seal_token(system_id: int) -> bool:
    """Seal the auth token of a phone system with the present key; whether the old key is still known. For the worker,
    in the scope of its account."""
    system = TelephoneSystem.sealed_before().select_for_update(no_key=True, of=("self",)).filter(pk=system_id).first()
    if system is None:  # somebody has entered it again meanwhile
        return True
    try:
        system.auth_token = seal(unseal(system.auth_token))
    except CannotOpen:
        return False
    system.save(update_fields=["auth_token"])
    return True


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
