"""The record of every change: one event, written by the action in its own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEvent
from accounts.scope import scope
from portal.logs import request_facts

if TYPE_CHECKING:
    from django.db.models import Model

    from accounts.actor import Actor

#: model -> what events call it
TYPES = {"account": "account", "person": "person", "access": "access", "destination": "destination",
         "phonenumber": "number", "grant": "grant", "telephonesystem": "system", "order": "order",
         "location": "location"}  # fmt: skip

#: Every verb there is, as people read it. An event with another verb would have no words.
VERBS = {
    "access.asked": _("asked to be let in"),
    "access.allowed": _("let in"),
    "access.refused": _("did not let in"),
    "access.started": _("entered"),
    "access.ended": _("left"),
    "account.added": _("added the account"),
    "account.changed": _("changed the account"),
    "account.suspended": _("suspended the account"),
    "account.reactivated": _("put the account back into service"),
    "account.closed": _("closed the account"),
    "account.reopened": _("reopened the account"),
    "person.invited": _("invited"),
    "person.changed": _("changed the person"),
    "person.deactivated": _("deactivated"),
    "person.reactivated": _("reactivated"),
    "person.signed_out": _("ended all sessions"),
    "number.added": _("added the number"),
    "number.imported": _("imported the number"),
    "number.reserved": _("reserved the number"),
    "number.reservation_changed": _("changed the reservation"),
    "number.reservation_cancelled": _("cancelled the reservation"),
    "number.assigned": _("assigned the number"),
    "number.recalled": _("gave the number back to its last holder"),
    "number.connected": _("assigned the number to a destination"),
    "number.disconnected": _("unassigned the number from its destination"),
    "number.unassigned": _("unassigned the number"),
    "number.cooling_ended": _("ended the cooling"),
    "number.released": _("released the number"),
    "number.given_up": _("had the carrier let go of the number"),
    "number.not_given_up": _("could not have the carrier let go of the number"),
    "number.kept": _("left the number with the carrier, since it is on the system again"),
    "number.provider_corrected": _("corrected the number’s provider"),
    "number.deleted": _("deleted the number"),
    "number.options_changed": _("changed the options"),
    "number.held": _("put the number into the basket"),
    "number.let_go": _("took the number out of the basket"),
    "number.ordered": _("ordered the number"),
    "order.confirmed": _("ordered"),
    "order.asked": _("asked for numbers"),
    "order.delivered": _("delivered numbers that were asked for"),
    "order.approved": _("approved the order"),
    "order.refused": _("refused the order"),
    "order.cancelled": _("cancelled the order"),
    "destination.added": _("added the destination"),
    "destination.changed": _("changed the destination"),
    "destination.deleted": _("deleted the destination"),
    "system.added": _("added the phone system"),
    "system.revoked": _("revoked the phone system"),
    "location.added": _("noted down a telephone of their own"),
    "location.verified": _("showed that the telephone is theirs"),
    "location.removed": _("removed the telephone"),
    "grant.given": _("granted access"),
    "grant.withdrawn": _("withdrew access"),
}


def event(
    actor: Actor,
    verb: str,
    target: Model,
    before: dict | None = None,
    after: dict | None = None,
    concerns: int | None = None,
) -> AuditEvent:
    """The event that ``actor`` did ``verb`` to ``target``: not yet saved, for those who write many at once.

    ``before`` and ``after`` hold what changed, as texts, numbers and truth values; of both only what differs is kept.
    ``concerns`` is the id of another account that may read it, because it happened to that one as well.
    """
    if verb not in VERBS:
        raise KeyError(verb)
    before, after = before or {}, after or {}
    return AuditEvent(
        account=actor.account,
        concerns_id=concerns,
        person=actor.person,
        chain=[account.pk for account in actor.chain],
        access=actor.access,
        verb=verb,
        target_type=TYPES[target._meta.model_name],
        target_id=target.pk,
        target=str(target)[:130],
        before={name: value for name, value in before.items() if after.get(name) != value or name not in after},
        after={name: value for name, value in after.items() if before.get(name) != value or name not in before},
        request_id=request_facts.get({}).get("request", ""),
    )


def record(
    actor: Actor,
    verb: str,
    target: Model,
    before: dict | None = None,
    after: dict | None = None,
    concerns: int | None = None,
) -> None:
    """Write the event that ``actor`` did ``verb`` (noun.past) to ``target``; see ``event``.

    It belongs to the account that was acted in, whatever account the page is about.
    """
    with scope(actor.account):
        event(actor, verb, target, before, after, concerns).save(force_insert=True)


def record_all(actor: Actor, events: list[AuditEvent]) -> None:
    """Write many events at once; see ``event``."""
    with scope(actor.account):
        AuditEvent.unscoped.bulk_create(events)
