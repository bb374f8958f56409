"""What a verb is, and those that VARs and customers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.models import Account
from accounts.scope import scope
from numbers.models import HeldQuerySet, PhoneNumber
from numbers.rules import cools_until, in_words

#: What stands on a number, and does not say whose it is.
OPTIONS = ("label", "caller_name", "voice", "sms", "fax")


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
    #: Whether something is lost by it that nobody can bring back.
    is_final: ClassVar[bool] = False
    #: What the button says that does it, where that is not its label.
    button: ClassVar[str] = ""
    #: Whether history has it although no column of the number is different.
    notes: ClassVar[bool] = False
    #: What undoing it does to selected numbers, in a sentence; empty where it cannot be undone.
    undoing: ClassVar[str] = ""

    @classmethod
    def is_open_to(cls, actor: Actor) -> bool:
        """Whether the policy lets the actor do this here."""
        return actor.may(cls.permission)

    def prepare(self, actor: Actor) -> None:  # noqa: B027 - most verbs need nothing
        """Lock what all the numbers will have in common, before any number is: always in this order.

        Raises ``ValidationError`` where nothing can be done to any number.
        """

    def meet(self, actor: Actor, number_ids: Collection[int], *, locks: bool) -> None:  # noqa: B027 - most need nothing
        """Read what it needs to know about these numbers, and with ``locks`` lock what is not a number, before any
        number is locked."""

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

    @classmethod
    def consequences_of_many(cls) -> list[str]:
        """What will happen to selected numbers, for people to read before they confirm."""
        return []

    def event_for(self, number: PhoneNumber, now: datetime) -> str:
        """What history calls it."""
        return self.event

    def follow(self, actor: Actor, numbers: list[PhoneNumber]) -> None:  # noqa: B027 - most verbs end with the numbers
        """What else is written in the same transaction, when it is done to these numbers."""

    def receivers(self, actor: Actor) -> set[int]:
        """The ids of the customers to whom it gives numbers."""
        return set()

    def told(self) -> dict[str, Any]:
        """What history keeps besides what the number was before and after."""
        return {}

    def reach(self, actor: Actor) -> AbstractContextManager:
        """The scope in which numbers are looked for, locked and changed."""
        return scope(actor.account)

    def numbers(self, actor: Actor) -> HeldQuerySet:
        """The numbers that this may be done to at all."""
        return PhoneNumber.visible_to(actor)

    def missing(self) -> str:
        """Says that a number is not among those, whatever became of it."""
        return _("It no longer exists.")

    def save(self, actor: Actor, rows: HeldQuerySet, changes: dict[str, Any]) -> None:
        """Change these rows, or remove them."""
        if self.removes:
            rows.delete()
        else:
            rows.update(**changes)

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


def given_to(customer: Account, now: datetime) -> dict[str, Any]:
    """What becomes of a number that a customer gets: what held it back is over, and the VAR's label stays its own."""
    return {
        "label": "",
        "customer": customer,
        "assigned_at": now,
        "reserved_for": None,
        "reserved_until": None,
        "last_holder": None,
        "cooling_until": None,
    }


def told_of_label(number: PhoneNumber) -> list[str]:
    """What ``given_to`` does to a label, in sentences."""
    if number.customer is not None or not number.label:
        return []
    return [_("Its label “%(label)s” is removed: the customer does not see it.") % {"label": number.label}]


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
        told.append(_("It cools until %(time)s. Until then it can be assigned only to %(customer)s.") % said)
    else:
        told.append(_("It can be assigned to anybody at once."))
    return told


def told_of_tearing_many_down() -> list[str]:
    """What ``torn_down`` means for selected numbers, in sentences."""
    return [
        _("Numbers that ring somebody stop ringing: calls to them are not answered."),
        _("Labels, caller names and options are cleared."),
        _(
            "Each number cools for the days set in its customer's account. Until "
            "then it cannot be assigned to anybody else."
        ),
    ]


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
    button = gettext_lazy("Save")
    permission = "numbers.options"
    event = "number.options_changed"
    undoing = gettext_lazy("Labels, caller names and features are what they were before the job.")

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
