"""People's own telephones: added, shown to be theirs by a call with a code, removed."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, limits
from accounts.actor import Actor
from accounts.limits import DAY, Limit
from numbers.models import Destination
from portal import security
from webphone.actions.calls import begin, refuse_elsewhere
from webphone.models import Call, Location
from webphone.rules import as_extension, refuse_unless_allowed, understood

#: So long a code may be typed after the call has begun, and so many telephones somebody has.
CODE_IS_GOOD, MOST = timedelta(minutes=2), 10
#: Calls that verify one phone, of all accounts together.
VERIFICATIONS = (Limit(3, DAY),)


@transaction.atomic
def add_location(actor: Actor, *, kind: str, typed: str) -> Location:
    """Note down a telephone of the person's. It is not rung before ``verify`` has shown that it is theirs.

    Raises ``ValidationError`` for what is no number or extension, and for one that is there already.
    """
    refuse_elsewhere(actor)
    if kind not in Location.Kind:
        raise ValidationError({"kind": _("Choose what kind of telephone it is.")})
    location = Location(account=actor.account, person=actor.person, kind=kind)
    if kind == Location.Kind.EXTENSION:
        location.destination = extension_of(actor, typed)
        location.number = location.destination.extension
    else:
        try:
            location.number = understood(typed, actor.account.home)
            refuse_unless_allowed(location.number)
        except ValidationError as refusal:
            raise ValidationError({"number": refusal.messages}) from refusal
    # Whoever adds two at once waits here: the second sees the first.
    type(actor.person).objects.select_for_update(no_key=True).get(pk=actor.person.pk)
    mine = Location.visible_to(actor)
    if mine.filter(number=location.number).exists():
        raise ValidationError({"number": _("You have this telephone already.")})
    if mine.count() >= MOST:
        raise ValidationError({"number": _("You have %(most)d telephones: remove one first.") % {"most": MOST}})
    location.save(force_insert=True)
    audit.record(actor, "location.added", location)
    return location


def extension_of(actor: Actor, typed: str) -> Destination:
    """The user of the account's who has the extension that was typed. Raises ``ValidationError``."""
    extension = as_extension(typed)
    users = Destination.visible_to(actor).filter(customer=actor.account.pk, kind=Destination.Kind.USER)
    found = users.filter(extension=extension).first() if extension else None
    if found is None:
        raise ValidationError({"number": _("No user here has this extension. It is digits, such as 101.")})
    return found


def locked_location(actor: Actor, location_id: int) -> Location:
    """One of the person's own, held. Raises ``Location.DoesNotExist``."""
    refuse_elsewhere(actor)
    return Location.visible_to(actor).select_for_update().get(pk=location_id)


@transaction.atomic
def verify(actor: Actor, location_id: int) -> Call:
    """Ring a telephone, for the code that the page shows to be typed there; the call, or the one that rings it already.

    Raises ``Location.DoesNotExist``, and ``ValidationError`` beyond the limits of calls: they hold for these as well.
    """
    location = locked_location(actor, location_id)
    if location.is_verified:
        raise ValidationError(_("This telephone is known to be yours already."))
    if rings := Call.visible_to(actor).filter(ref=location.code_call).exclude(state=Call.State.ENDED).first():
        return rings
    count_verification(location)
    code = Location.new_code()
    call = begin(actor, Call.Mode.CODE, number="", own_number=location.number, code=code)
    location.code, location.code_until, location.code_call = code, timezone.now() + CODE_IS_GOOD, call.ref
    location.save()
    return call


def count_verification(location: Location) -> None:
    """A phone is called for its verification three times a day, whoever asks for it: it may be a stranger's.

    Raises ``ValidationError``.
    """
    phone = location.number if location.destination_id is None else f"{location.account_id}-{location.number}"
    try:
        limits.take({f"verify:{limits.hashed(phone)}": VERIFICATIONS})
    except limits.Reached as reached:
        security.log("limit.reached", limit="verifications")
        said = _("This phone was called three times today to verify it. Try again in %(time)s.")
        raise ValidationError(said % {"time": limits.duration(reached.seconds)}) from reached


@transaction.atomic
def remove_location(actor: Actor, location_id: int) -> None:
    """Forget a telephone. Raises ``Location.DoesNotExist``."""
    location = locked_location(actor, location_id)
    audit.record(actor, "location.removed", location)
    location.delete()
