"""The record of every change: one event, written by the action in its own transaction."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, AuditEvent, Grant
from accounts.scope import scope
from portal import security
from portal.logs import request_facts

if TYPE_CHECKING:
    from django.db.models import Model

    from accounts.actor import Actor

#: model -> what events call it
TYPES = {"account": "account", "person": "person", "access": "access", "destination": "destination",
         "phonenumber": "number", "grant": "grant", "telephonesystem": "system", "order": "order",
         "location": "location", "stocklevel": "level"}  # fmt: skip

#: Every verb there is, as people read it. An event with another verb would have no words.
VERBS = {
    "access.asked": _("requested access"),
    "access.withdrawn": _("withdrew the access request"),
    "access.allowed": _("let in"),
    "access.refused": _("refused access"),
    "access.started": _("entered"),
    "access.ended": _("left"),
    "portal.backed_up": _("recorded a back-up of the database"),
    "history.archived": _("archived old history"),
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
    "person.factors_removed": _("removed the second factors"),
    "person.linked": _("linked the sign-in of an identity provider"),
    "person.unlinked": _("removed the link to an identity provider"),
    "person.made_administrator": _("made a system administrator, on the server"),
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
    "number.routing_asked": _("had the carrier route the number"),
    "number.given_up": _("released the number at the carrier"),
    "number.not_given_up": _("could not release the number at the carrier"),
    "number.kept": _("kept the number at the carrier, because it was added again"),
    "number.provider_corrected": _("corrected the number’s provider"),
    "number.deleted": _("deleted the number"),
    "number.options_changed": _("changed the options"),
    "number.change_undone": _("undid a change of the number"),
    "number.held": _("put the number into the basket"),
    "number.let_go": _("took the number out of the basket"),
    "number.kept_in_basket": _("kept the number in the basket for longer"),
    "number.order_requested": _("ordered the number; it waits for approval"),
    "number.ordered": _("ordered the number"),
    "number.order_approved": _("approved the order of the number"),
    "order.confirmed": _("ordered"),
    "order.asked": _("requested numbers"),
    "order.delivered": _("delivered requested numbers"),
    "order.approved": _("approved the order"),
    "order.refused": _("refused the order"),
    "order.given_up": _("cancelled the undelivered numbers of the order"),
    "order.cancelled": _("cancelled the order"),
    "destination.added": _("added the destination"),
    "destination.changed": _("changed the destination"),
    "destination.deleted": _("deleted the destination"),
    "system.added": _("added the phone system"),
    "system.changed": _("changed the phone system"),
    "system.revoked": _("revoked the phone system"),
    "level.added": _("set the stock level"),
    "level.removed": _("removed the stock level"),
    "location.added": _("added a telephone of their own"),
    "location.verified": _("verified a telephone of their own"),
    "location.removed": _("removed the telephone"),
    "grant.given": _("granted access"),
    "grant.withdrawn": _("withdrew access"),
}


#: What is done to another account for a reason that is said to that account. All other reasons are for one's own.
REASONS_FOR_OTHERS = frozenset({"order.refused"})


def told(actor: Actor, account_id: int, verb: str, after: dict) -> dict:
    """What was different after an event of the account ``account_id``, as far as ``actor`` may read it: a reason is
    read in the account that wrote it."""
    if account_id == actor.account.pk or verb in REASONS_FOR_OTHERS:
        return after
    return {name: value for name, value in after.items() if name != "reason"}


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

    It belongs to the account that was acted in, whatever account the page is about. The owner of the tables, who works
    in no scope, writes it as well.
    """
    with nullcontext() if connection.is_owner else scope(actor.account):
        written = event(actor, verb, target, before, after, concerns)
        written.save(force_insert=True)
    tell(written, target)


def tell(written: AuditEvent, target: Model) -> None:
    """Have the security log say it too, where it is an event there, once the change is there for good."""
    name = written.verb
    if name == "person.changed" and "role" in written.after:
        name = "person.role_changed"
    elif name == "account.changed" and "asks_consent" in written.after:
        name = "account.consent_changed"
    if (of := security.EVENTS.get(name)) is None:
        return
    known = {"provider": written.before.get("provider")} if name == "person.unlinked" else {}
    known |= written.after | {"target": f"{written.target_type} {written.target_id}"}
    if isinstance(target, Account):
        known["target"] = target.code
    elif isinstance(target, Grant):
        known = written.before | known | {"agent": target.user_id, "granted": target.content_object.code}
    fields = {field: known[field] for field in of.fields if field in known}
    facts = {"person": written.person_id, "account": written.account.code} | fields
    transaction.on_commit(partial(security.log, name, **facts), robust=True)


def record_all(actor: Actor, events: list[AuditEvent]) -> None:
    """Write many events at once; see ``event``."""
    with scope(actor.account):
        AuditEvent.unscoped.bulk_create(events)
