"""What happened to a number, and how it stood at any time: for those whose it was then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.audit import VERBS, told
from accounts.filters import differences
from accounts.models import AuditEvent
from numbers.models import NumberAsOf, PastNumber, PhoneNumber, use_text
from portal.times import moment

#: So much of it is shown on the number's page; the history has all.
SHOWN = 50


@dataclass(frozen=True)
class Entry:
    """One thing that happened: when, who did it and where they are at home, what, and what was different then."""

    at: datetime
    moment: str
    what: str
    who: str = ""
    home: str = ""
    change: str = ""


def timeline(actor: Actor, number: PhoneNumber) -> list[Entry]:
    """What happened to the number that the actor may know, the last first, ``SHOWN`` things at most.

    A number that was removed and came back has its earlier events too.
    """
    zone = actor.person.zone
    lives = PastNumber.visible_to(actor).filter(digits=number.digits).values_list("number_id", flat=True).distinct()
    events = AuditEvent.told_to(actor).filter(target_type="number", target_id__in={number.pk, *lives})
    entries = [
        Entry(
            at=event.at,
            moment=moment(event.at, zone),
            what=str(VERBS[event.verb]),
            who=event.person.name if event.person else _("the portal itself"),
            home=event.person.account.name if event.person else "",
            change=differences(event.before, told(actor, event.account_id, event.verb, event.after), zone),
        )
        for event in events.select_related("person__account").order_by("-id")[:SHOWN]
    ]
    if number.first_call_at:
        entries.append(Entry(number.first_call_at, moment(number.first_call_at, zone), _("first call")))
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:SHOWN]


def standing_at(actor: Actor, number: PhoneNumber, at: datetime) -> list[tuple[str, str]] | None:
    """How the number stood at a time, as pairs of a name and a text; None when the actor's account did not have it."""
    stood = NumberAsOf.visible_to(actor).standing(at).filter(digits=number.digits)
    then = stood.select_related("customer", "reserved_for", "provider").first()
    if then is None:
        return None
    zone = actor.person.zone
    found = [(_("Provider"), then.provider.name)]
    if then.rings:
        found.insert(0, (_("Used by"), f"{then.rings}, {use_text(then.kind, then.service)}"))
    if not actor.account.is_customer:
        found.insert(0, (_("Company"), then.customer.name if then.customer else "–"))
        if then.reserved_until and then.reserved_until > at:
            said = {"customer": then.reserved_for.name, "time": moment(then.reserved_until, zone)}
            found.append((_("Reserved"), _("for %(customer)s until %(time)s") % said))
        if then.cooling_until and then.cooling_until > at:
            found.append((_("Cooling"), _("until %(time)s") % {"time": moment(then.cooling_until, zone)}))
    return found
