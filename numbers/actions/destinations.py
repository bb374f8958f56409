"""Every change to what numbers ring inside a customer: users, groups and services."""

import re

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.actor import Actor
from numbers.models import Destination, PhoneNumber
from portal.phones import international

#: A refusal names so many numbers.
NAMED = 5


@transaction.atomic
def add_destination(actor: Actor, *, kind: str, service_type: str, name: str, extension: str) -> Destination:
    """Add something that numbers of the actor's account can ring."""
    if not actor.may("destinations.change"):
        raise PermissionDenied
    destination = Destination(customer=actor.account, var=actor.account.parent)
    describe(actor, destination, kind, service_type, name, extension)
    audit.record(actor, "destination.added", destination, after=facts(destination))
    return destination


@transaction.atomic
def change_destination(
    actor: Actor, destination_id: int, *, kind: str, service_type: str, name: str, extension: str
) -> Destination:
    """Change what a destination is and how it is called; the numbers that ring it go on doing so."""
    if not actor.may("destinations.change"):
        raise PermissionDenied
    destination = locked_destination(actor, destination_id)
    before = facts(destination)
    describe(actor, destination, kind, service_type, name, extension)
    audit.record(actor, "destination.changed", destination, before, facts(destination))
    return destination


@transaction.atomic
def delete_destination(actor: Actor, destination_id: int) -> None:
    """Remove a destination that no number rings. The lock keeps numbers from being given to it meanwhile."""
    if not actor.may("destinations.change"):
        raise PermissionDenied
    destination = locked_destination(actor, destination_id)
    if ringing := still_ringing(actor, destination):
        raise ValidationError(ringing)
    audit.record(actor, "destination.deleted", destination, before=facts(destination))
    destination.delete()


def still_ringing(actor: Actor, destination: Destination) -> str:
    """The sentence that names the numbers which ring the destination; nothing when there are none."""
    numbers = PhoneNumber.visible_to(actor).filter(destination=destination)
    if not (count := numbers.count()):
        return ""
    named = ", ".join(map(international, numbers.order_by("digits").values_list("e164", flat=True)[:NAMED]))
    if count > NAMED:
        named = _("%(numbers)s and %(count)d more") % {"numbers": named, "count": count - NAMED}
    sentence = ngettext(
        "%(name)s cannot be deleted while a number rings it: %(numbers)s. Let it ring something else first.",
        "%(name)s cannot be deleted while numbers ring it: %(numbers)s. Let them ring something else first.",
        count,
    )
    return sentence % {"name": destination.name, "numbers": named}


def locked_destination(actor: Actor, destination_id: int) -> Destination:
    """One of the account's destinations, locked. Raises ``Destination.DoesNotExist`` for everybody else's."""
    return Destination.visible_to(actor).select_for_update().get(pk=destination_id)


def facts(destination: Destination) -> dict[str, str]:
    """What the history says of a destination."""
    return {
        "use": destination.kind,
        "service_type": destination.service_type,
        "name": destination.name,
        "extension": destination.extension,
    }


def describe(actor: Actor, destination: Destination, kind: str, service_type: str, name: str, extension: str) -> None:
    """Set what a destination is and save it. Raises ``ValidationError`` where that cannot be."""
    if kind not in Destination.Kind or (kind == Destination.Kind.SERVICE) != (service_type in Destination.ServiceType):
        raise ValidationError({"use": _("Choose what it is: a user, a group, or one of the services.")})
    if not re.fullmatch(r"[0-9]{0,10}", extension):
        raise ValidationError({"extension": _("An extension has digits only, ten at most.")})
    new = destination.pk is None
    changed = {"kind": kind, "service_type": service_type, "name": name, "extension": extension}
    for field, value in changed.items():
        setattr(destination, field, value)
    try:
        with transaction.atomic():
            destination.save(force_insert=new, update_fields=None if new else list(changed))
    except IntegrityError as clash:
        if "numbers_destination_one_extension" not in str(clash):
            raise
        other = Destination.visible_to(actor).filter(extension=extension).exclude(pk=destination.pk).first()
        owner = {"extension": extension, "name": other.name if other else _("another destination")}
        raise ValidationError(
            {"extension": _("%(extension)s is the extension of %(name)s already.") % owner}
        ) from clash
