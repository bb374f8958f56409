"""What can be done to numbers that are here: each verb is a value, and ``perform`` does it, to one number or to many.

A verb says what it needs (``prepare``), why it cannot be done to a number (``refusal``), and what it makes of one
(``changes``). Locks, scope, writing and history are the same for all of them and stand in ``perform`` alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.actor import Actor
from accounts.models import Account
from accounts.scope import scope
from numbers.models import Destination, PhoneNumber
from numbers.rules import (
    cools_until,
    in_words,
    is_cooling,
    is_reserved,
    kept_for_somebody,
    still_cooling,
    with_somebody,
)
from portal.phones import international


@dataclass
class Verb(ABC):
    """Something to do to numbers. Its fields are what people fill in, and can be written down as JSON."""

    #: How the verb is called in addresses, and on buttons.
    slug: ClassVar[str]
    label: ClassVar[str]
    permission: ClassVar[str]
    event: ClassVar[str]
    #: Whether the number is gone afterwards.
    removes: ClassVar[bool] = False

    @classmethod
    def is_open_to(cls, actor: Actor) -> bool:
        """Whether the policy lets the actor do this here."""
        return actor.may(cls.permission)

    def prepare(self, actor: Actor) -> None:  # noqa: B027 - most verbs need nothing
        """Lock what all the numbers will have in common, before any number is: always in this order.

        Raises ``ValidationError`` where nothing can be done to any number.
        """

    @abstractmethod
    def refusal(self, number: PhoneNumber, now: datetime) -> str:
        """Why this cannot be done to the number as it stands, and what to do first; nothing when it can."""

    def changes(self, number: PhoneNumber, now: datetime) -> dict[str, Any]:
        """The columns of the number that will be different."""
        return {}

    @classmethod
    def suits(cls, number: PhoneNumber, now: datetime) -> bool:
        """Whether it makes sense to offer this for the number as it stands."""
        return True

    @classmethod
    def consequences(cls, number: PhoneNumber, now: datetime) -> list[str]:
        """What will happen to the number, for people to read before they confirm."""
        return []

    def event_for(self, number: PhoneNumber, now: datetime) -> str:
        """What history calls it."""
        return self.event

    def told(self) -> dict[str, Any]:
        """What history keeps besides what the number was before and after."""
        return {}

    def written_in(self, actor: Actor) -> Account:
        """The account whose rows are changed."""
        return actor.account

    @abstractmethod
    def done(self) -> str:
        """That it is done to a number, with a place for ``number``."""

    def typed(self, actor: Actor) -> dict[str, Any]:
        """The fields as somebody types them, to begin a form with."""
        return self.params

    @property
    def params(self) -> dict[str, Any]:
        """The fields, to be kept as JSON."""
        kept = asdict(self)
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in kept.items()
            if not name.startswith("_")
        }

    @classmethod
    def of(cls, params: dict[str, Any]) -> Verb:
        """The verb that ``params`` were kept of."""
        times = {f.name for f in fields(cls) if "datetime" in str(f.type)}
        return cls(**{n: parse_datetime(v) if n in times and v else v for n, v in params.items()})


@dataclass(frozen=True)
class Outcome:
    """What became of one number: done, or refused with a sentence. ``number`` is None when it is not here."""

    number_id: int
    number: PhoneNumber | None
    refusal: str = ""


@dataclass
class OfCustomer(Verb):
    """A verb that gives numbers to one of the VAR's customers, or keeps them for it."""

    customer_id: int
    _customer: Account = field(init=False, repr=False, default=None)

    def typed(self, actor):
        found = Account.below(actor).filter(pk=self.customer_id).first()
        return super().typed(actor) | {"customer": found.written if found else ""}

    def prepare(self, actor: Actor) -> None:
        # Whoever closes or suspends the account waits for us, or we for them.
        found = Account.below(actor).select_for_update(no_key=True).filter(pk=self.customer_id).first()
        if found is None:
            raise ValidationError({"customer": _("There is no such customer here.")})
        if not found.is_open:
            said = {"customer": found.name, "status": found.get_status_display().lower()}
            raise ValidationError(
                {"customer": _("%(customer)s is %(status)s: it can be given no numbers. Put it back first.") % said}
            )
        self._customer = found


@dataclass
class Reserve(OfCustomer):
    """Keep numbers for a customer until a time, or change until when."""

    until: datetime
    slug = "reserve"
    label = gettext_lazy("Reserve")
    permission = "numbers.reserve"
    event = "number.reserved"

    def typed(self, actor):
        return super().typed(actor) | {"until": timezone.localtime(self.until).replace(tzinfo=None)}

    def prepare(self, actor: Actor) -> None:
        super().prepare(actor)
        if self.until <= timezone.now():
            raise ValidationError({"until": _("A reservation ends in the future: choose a later time.")})

    @classmethod
    def suits(cls, number, now):
        return not number.customer_id and not is_cooling(number, now)

    def refusal(self, number, now):
        return (
            with_somebody(number)
            or still_cooling(number, now, _("Wait, or end the cooling first."))
            or kept_for_somebody(number, now, besides=self.customer_id)
        )

    def changes(self, number, now):
        return {"reserved_for": self._customer, "reserved_until": self.until}

    def event_for(self, number, now):
        return "number.reservation_changed" if is_reserved(number, now) else self.event

    def done(self):
        return _("{number} is reserved for %(customer)s.") % {"customer": self._customer.name}


@dataclass
class CancelReservation(Verb):
    """Let reserved numbers go before their time."""

    slug = "cancel-reservation"
    label = gettext_lazy("Cancel reservation")
    permission = "numbers.reserve"
    event = "number.reservation_cancelled"

    @classmethod
    def suits(cls, number, now):
        return is_reserved(number, now)

    def refusal(self, number, now):
        return "" if is_reserved(number, now) else _("It is not reserved.")

    def changes(self, number, now):
        return {"reserved_for": None, "reserved_until": None}

    def done(self):
        return _("{number} is not reserved any more.")


@dataclass
class AssignToCustomer(OfCustomer):
    """Give available numbers, or those reserved for it, to a customer.

    A cooling number goes back to its last holder, and to nobody else unless there is a ``reason``.
    """

    despite_cooling: bool = False
    reason: str = ""
    slug = "assign"
    label = gettext_lazy("Assign")
    permission = "numbers.assign"
    event = "number.assigned"

    def prepare(self, actor: Actor) -> None:
        super().prepare(actor)
        if self.despite_cooling and not self.reason.strip():
            raise ValidationError({"reason": _("Say why a cooling number should go to somebody else now.")})

    @classmethod
    def suits(cls, number, now):
        return not number.customer_id

    def refusal(self, number, now):
        if number.customer_id == self.customer_id:
            return _("It is with %(customer)s already.") % {"customer": self._customer.name}
        if number.last_holder_id == self.customer_id or self.despite_cooling:
            cooling = ""
        else:
            cooling = still_cooling(number, now, _("Wait, end the cooling, or give a reason to assign it now."))
        return with_somebody(number) or kept_for_somebody(number, now, besides=self.customer_id) or cooling

    def changes(self, number, now):
        return {
            "customer": self._customer,
            "assigned_at": now,
            "reserved_for": None,
            "reserved_until": None,
            "last_holder": None,
            "cooling_until": None,
        }

    def event_for(self, number, now):
        recalled = is_cooling(number, now) and number.last_holder_id == self.customer_id
        return "number.recalled" if recalled else self.event

    def told(self):
        return {"reason": self.reason} if self.despite_cooling else {}

    def done(self):
        return _("{number} is assigned to %(customer)s.") % {"customer": self._customer.name}


@dataclass
class AssignToDestination(Verb):
    """Let numbers of a company ring one of its users, groups or services."""

    destination_id: int
    slug = "assign"
    label = gettext_lazy("Assign")
    permission = "numbers.assign"
    event = "number.connected"
    _destination: Destination = field(init=False, repr=False, default=None)

    def typed(self, actor):
        found = Destination.visible_to(actor).filter(pk=self.destination_id).first()
        return {"destination": found.written if found else ""}

    def prepare(self, actor: Actor) -> None:
        # Whoever deletes the destination waits for us, or we for them.
        found = Destination.visible_to(actor).select_for_update(no_key=True).filter(pk=self.destination_id).first()
        if found is None:
            raise ValidationError({"destination": _("There is no such user, group or service here.")})
        self._destination = found

    def refusal(self, number, now):
        if number.destination_id == self.destination_id:
            return _("It rings %(name)s already.") % {"name": self._destination.name}
        return ""

    def changes(self, number, now):
        return {"destination": self._destination}

    def done(self):
        return _("{number} rings %(name)s now.") % {"name": self._destination.name}


@dataclass
class UnassignFromDestination(Verb):
    """Take numbers of a company from what they ring, back to its own pool."""

    slug = "unassign"
    label = gettext_lazy("Unassign")
    permission = "numbers.assign"
    event = "number.disconnected"

    @classmethod
    def suits(cls, number, now):
        return bool(number.destination_id)

    @classmethod
    def consequences(cls, number, now):
        return [_("Calls to it are not answered until it rings something else. Its options stay.")]

    def refusal(self, number, now):
        return "" if number.destination_id else _("It rings nothing.")

    def changes(self, number, now):
        return {"destination": None}

    def done(self):
        return _("{number} rings nothing now.")


def torn_down(number: PhoneNumber, now: datetime) -> dict[str, Any]:
    """What becomes of a number that leaves its customer: nothing of them stays with it, and it cools."""
    return {
        "customer": None,
        "assigned_at": None,
        "destination": None,
        "last_holder": number.customer,
        "cooling_until": cools_until(number.customer, now),
        "first_call_at": None,
        "last_call_at": None,
        "label": "",
        "caller_name": "",
        "voice": number.provider.supports_voice,
        "sms": False,
        "fax": False,
    }


def told_of_tearing_down(number: PhoneNumber, now: datetime) -> list[str]:
    """What ``torn_down`` means, in sentences; nothing for a number that is with nobody."""
    told = []
    if number.customer is None:
        return told
    if number.destination:
        told.append(_("It stops ringing %(name)s.") % {"name": number.destination.name})
    told.append(_("Its label, caller name and options are cleared."))
    if until := cools_until(number.customer, now):
        said = {"time": in_words(until), "customer": number.customer.name}
        told.append(_("It cools until %(time)s: until then it goes to nobody but %(customer)s.") % said)
    else:
        told.append(_("It can go to anybody at once."))
    return told


@dataclass
class UnassignFromCustomer(Verb):
    """Take numbers from customers, back to the VAR's stock, where they cool."""

    slug = "unassign"
    label = gettext_lazy("Unassign")
    permission = "numbers.assign"
    event = "number.unassigned"

    @classmethod
    def suits(cls, number, now):
        return bool(number.customer_id)

    @classmethod
    def consequences(cls, number, now):
        return told_of_tearing_down(number, now)

    def refusal(self, number, now):
        return "" if number.customer_id else _("It is with no customer.")

    def changes(self, number, now):
        return torn_down(number, now)

    def done(self):
        return _("{number} is back in the stock.")


@dataclass
class EndCooling(Verb):
    """Let cooling numbers go to anybody at once."""

    slug = "end-cooling"
    label = gettext_lazy("End cooling")
    permission = "numbers.reserve"
    event = "number.cooling_ended"

    @classmethod
    def suits(cls, number, now):
        return is_cooling(number, now)

    @classmethod
    def consequences(cls, number, now):
        return [_("It can go to anybody at once. Calls for whoever had it before will reach them.")]

    def refusal(self, number, now):
        return "" if is_cooling(number, now) else _("It is not cooling.")

    def changes(self, number, now):
        return {"cooling_until": None, "last_holder": None}

    def done(self):
        return _("{number} can go to anybody now.")


@dataclass
class SetOptions(Verb):
    """Change label, caller name and features; what is None stays as it is."""

    FEATURES: ClassVar[dict[str, str]] = {
        "voice": gettext_lazy("voice"),
        "sms": gettext_lazy("SMS"),
        "fax": gettext_lazy("fax"),
    }

    label_text: str | None = None
    caller_name: str | None = None
    voice: bool | None = None
    sms: bool | None = None
    fax: bool | None = None
    slug = "options"
    label = gettext_lazy("Options")
    permission = "numbers.options"
    event = "number.options_changed"

    def refusal(self, number, now):
        missing = [
            str(name)
            for feature, name in self.FEATURES.items()
            if getattr(self, feature) and not getattr(number.provider, f"supports_{feature}")
        ]
        if not missing:
            return ""
        said = {"provider": number.provider.name, "features": ", ".join(missing)}
        return _("%(provider)s does not offer %(features)s for this number. Leave that off.") % said

    def changes(self, number, now):
        wanted = {"label": self.label_text, **{n: getattr(self, n) for n in ("caller_name", *self.FEATURES)}}
        return {n: value for n, value in wanted.items() if value is not None and value != getattr(number, n)}

    def typed(self, actor):
        texts = {"label_text": self.label_text, "caller_name": self.caller_name}
        switches = {feature: {None: "", True: "on", False: "off"}[getattr(self, feature)] for feature in self.FEATURES}
        return (
            texts
            | switches
            | {"clear_label": texts["label_text"] == "", "clear_caller_name": texts["caller_name"] == ""}
        )

    def done(self):
        return _("The options of {number} are saved.")


@dataclass
class GiveBack(Verb):
    """Release a customer's numbers to the VAR's stock, where they cool."""

    confirmed: bool = False
    slug = "release"
    label = gettext_lazy("Release")
    permission = "numbers.release"
    event = "number.released"

    @classmethod
    def consequences(cls, number, now):
        return [_("You hold it no longer, and may not get it back."), *told_of_tearing_down(number, now)]

    def refusal(self, number, now):
        if number.destination_id and not self.confirmed:
            said = {"name": number.destination.name}
            return _("It rings %(name)s. Confirm that it may be released although it is in use.") % said
        return ""

    def changes(self, number, now):
        return torn_down(number, now)

    def written_in(self, actor: Actor) -> Account:
        # Whom a number was with, and how long it cools, is the VAR's to write.
        return actor.account.parent

    def done(self):
        return _("{number} is released.")


@dataclass
class GiveUp(Verb):
    """Release a VAR's numbers to their provider: the portal has them no longer."""

    confirmed: bool = False
    slug = "release"
    label = gettext_lazy("Release")
    permission = "numbers.release"
    event = "number.released"
    removes = True

    @classmethod
    def consequences(cls, number, now):
        said = {"provider": number.provider.name}
        return [
            _("The portal has it no longer; its history stays."),
            _("Tell %(provider)s that you give it up: the portal does not.") % said,
        ]

    def refusal(self, number, now):
        if number.customer_id and not self.confirmed:
            said = {"customer": number.customer.name}
            return _("It is with %(customer)s. Confirm that it may be released although it is in use.") % said
        return kept_for_somebody(number, now)

    def done(self):
        return _("{number} is released to its provider.")


@dataclass
class Delete(Verb):
    """Remove numbers that should not be here. Only available ones; their history stays."""

    slug = "delete"
    label = gettext_lazy("Delete")
    permission = "numbers.delete"
    event = "number.deleted"
    removes = True

    @classmethod
    def suits(cls, number, now):
        return not cls().refusal(number, now)

    @classmethod
    def consequences(cls, number, now):
        return [_("For a number that should not be here. The portal has it no longer; its history stays.")]

    def refusal(self, number, now):
        return (
            with_somebody(number)
            or kept_for_somebody(number, now)
            or still_cooling(number, now, _("Wait, or end the cooling first."))
        )

    def done(self):
        return _("{number} is deleted.")


#: What the account of each kind offers, in the order of the buttons.
OF_VARS = (AssignToCustomer, UnassignFromCustomer, Reserve, CancelReservation, EndCooling, SetOptions, GiveUp, Delete)
OF_CUSTOMERS = (AssignToDestination, UnassignFromDestination, SetOptions, GiveBack)


def verbs_of(actor: Actor) -> dict[str, type[Verb]]:
    """The verbs that the actor may do here, by slug."""
    kinds = {Account.Kind.VAR: OF_VARS, Account.Kind.SYSTEM: ()}
    return {verb.slug: verb for verb in kinds.get(actor.account.kind, OF_CUSTOMERS) if verb.is_open_to(actor)}


def refuse_unless_offered(actor: Actor, verb: Verb) -> None:
    if type(verb) is not verbs_of(actor).get(verb.slug):
        raise PermissionDenied


@transaction.atomic
def perform(
    actor: Actor, verb: Verb, number_ids: Collection[int], since: dict[int, datetime] | None = None
) -> list[Outcome]:
    """Do ``verb`` to the numbers with these ids and return an ``Outcome`` for each, in the order of the ids.

    A number that is refused stays as it was and does not keep the others from being done. With ``since`` (when each
    number last changed hands, by id) a number that has changed since is refused. Raises ``PermissionDenied``, and
    ``ValidationError`` where nothing can be done to any number.
    """
    refuse_unless_offered(actor, verb)
    verb.prepare(actor)
    outcomes = outcomes_of(actor, verb, number_ids, since, locks=True)
    write(actor, verb, [outcome.number for outcome in outcomes if not outcome.refusal], timezone.now())
    return outcomes


def outcomes_of(
    actor: Actor, verb: Verb, number_ids: Collection[int], since: dict[int, datetime] | None, *, locks: bool = False
) -> list[Outcome]:
    """What would become of each number, or with ``locks`` what will, in the order of the ids."""
    numbers = PhoneNumber.visible_to(actor).filter(pk__in=number_ids).order_by("pk")
    if locks:
        # In the order of their ids: so does whoever locks many. What they are joined with is read afterwards: who had
        # to wait for a lock sees the number as it is now, beside what had been joined to it as it was.
        list(numbers.select_for_update().values_list("pk"))
    related = ("provider", "customer", "destination", "reserved_for", "last_holder")
    found = {number.pk: number for number in numbers.select_related(*related)}
    # Read when all locks are held: whoever had to wait may have waited for the end of a reservation.
    now = timezone.now()
    outcomes = []
    with timezone.override(actor.person.zone):
        for pk in sorted(set(number_ids)):
            number = found.get(pk)
            if number is None:
                refusal = _("It is not here any more.")
            elif since and since.get(pk) not in (None, number.since):
                refusal = _("It has changed meanwhile, and was left as it is.")
            else:
                refusal = verb.refusal(number, now)
            outcomes.append(Outcome(pk, number, refusal))
    return outcomes


@transaction.atomic
def perform_on(actor: Actor, verb: Verb, digits: int) -> PhoneNumber:
    """Do ``verb`` to one number, as it was when this returns (or before it was removed).

    Raises ``ValidationError`` with the sentence when it is refused, ``PhoneNumber.DoesNotExist`` when it is not here.
    """
    refuse_unless_offered(actor, verb)
    pk = PhoneNumber.visible_to(actor).values_list("pk", flat=True).get(digits=digits)
    (outcome,) = perform(actor, verb, [pk])
    if outcome.number is None:
        raise PhoneNumber.DoesNotExist
    if outcome.refusal:
        raise ValidationError(outcome.refusal)
    return outcome.number


def write(actor: Actor, verb: Verb, numbers: list[PhoneNumber], now: datetime) -> None:
    """Change the numbers, those that change alike in one statement, and write an event for each."""
    events, alike = [], {}
    for number in numbers:
        before, held = facts(number), number.customer_id
        event = verb.event_for(number, now)
        changes = {name: new for name, new in verb.changes(number, now).items() if getattr(number, name) != new}
        if not changes and not verb.removes:
            continue
        for name, value in changes.items():
            setattr(number, name, value)
        alike.setdefault(tuple(changes.items()), []).append(number.pk)
        other = number.var_id if actor.account.is_customer else held or number.customer_id
        after = {} if verb.removes else facts(number)
        events.append(audit.event(actor, event, number, before, after | verb.told(), concerns=other))
    with scope(verb.written_in(actor)):
        for changes, ids in alike.items():
            rows = PhoneNumber.visible_to(actor).filter(pk__in=ids)
            if verb.removes:
                rows.delete()
            else:
                rows.update(**dict(changes))
    audit.record_all(actor, events)


def facts(number: PhoneNumber) -> dict[str, Any]:
    """What the history says of a number."""

    def named(account: Account | None) -> str | None:
        return f"{account.name} ({account.code})" if account else None

    def at(when: datetime | None) -> str | None:
        return when.isoformat() if when else None

    return {
        "customer": named(number.customer),
        "destination": str(number.destination) if number.destination else None,
        "reserved_for": named(number.reserved_for),
        "reserved_until": at(number.reserved_until),
        "cooling_until": at(number.cooling_until),
        "provider": number.provider.name,
        "label": number.label,
        "caller_name": number.caller_name,
        "voice": number.voice,
        "sms": number.sms,
        "fax": number.fax,
    }


def said_of(verb: Verb, number: PhoneNumber) -> str:
    """The sentence that ``verb`` is done to ``number``."""
    return verb.done().replace("{number}", international(number.e164))
