"""Phone numbers, the carriers they come from and what they ring, as they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Coalesce, Now, NullIf, Substr
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account, FoldedField
from accounts.walls import takeable
from portal.listings import Fold, having
from portal.queries import by_key


class Provider(models.Model):
    """A carrier on which numbers are provisioned. The same for every account, so it has no tenant."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    name_folded = FoldedField()
    supports_voice = models.BooleanField(_("voice"), default=True)
    supports_sms = models.BooleanField(_("SMS"), default=False)
    supports_fax = models.BooleanField(_("fax"), default=False)

    class Meta:
        verbose_name = _("provider")
        indexes = [models.Index("name_folded", "id", name="numbers_provider_by_name")]

    def __str__(self):
        return self.name


def held_by(actor: Actor) -> dict[str, Any]:
    """The column and value that hold a row to the acting account; empty for the system, which sees all.

    This is the one place that says whose rows are whose: querysets and the SQL of lists both begin with it.
    """
    if actor.account.kind == Account.Kind.SYSTEM:
        return {}
    if actor.account.kind == Account.Kind.VAR:
        return {"var_id": actor.account.pk}
    return {"customer_id": actor.account.pk}


class HeldQuerySet(models.QuerySet):
    """Rows that belong to a VAR and, below it, to a customer."""

    def visible_to(self, actor: Actor):
        return self.filter(**held_by(actor))

    def with_ids(self, ids: Collection[int]):
        """Those with these ids, found by the ids alone, whatever the planner believes of other conditions."""
        return by_key(self, pk__in=ids)

    def with_digits(self, digits: Collection[int]):
        """Those with these numbers, found by the numbers alone."""
        return by_key(self, digits__in=digits)


class DestinationQuerySet(HeldQuerySet):
    def listed(self, actor: Actor):
        """With how many of the actor's numbers ring them, and the extension as the whole number that sorts it."""
        ringing = PhoneNumber.visible_to(actor).filter(destination=OuterRef("pk")).order_by().values("destination")
        digits = Cast(NullIf("extension", Value("")), models.BigIntegerField())
        return self.annotate(
            numbers=Coalesce(Subquery(ringing.annotate(n=Count("pk")).values("n")), 0),
            extension_number=Coalesce(digits, Value(-1)),
        )


class Destination(models.Model):
    """What a number rings inside a customer: a user, a group, or a service."""

    class Kind(models.TextChoices):
        GROUP = "group", _("Group")
        SERVICE = "service", _("Service")
        USER = "user", _("User")

    class ServiceType(models.TextChoices):
        CONFERENCE = "conference", _("Conference")
        DUTY_AGENT = "duty_agent", _("Duty agent")
        FAX = "fax", _("Fax")
        OTHER = "other", _("Other")
        VIRTUAL_ASSISTANT = "virtual_assistant", _("Virtual assistant")
        VIRTUAL_RECEPTIONIST = "virtual_receptionist", _("Virtual receptionist")

    # The pair (customer, var) is held together by a two-column foreign key, see migration 0001.
    var = models.ForeignKey(Account, models.PROTECT, related_name="+")
    customer = models.ForeignKey(
        Account, models.PROTECT, verbose_name=_("customer"), related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(_("use"), max_length=8, choices=Kind, db_collation="C")
    service_type = models.CharField(_("service type"), max_length=20, choices=ServiceType, blank=True, db_collation="C")
    name = models.CharField(_("name"), max_length=120)
    name_folded = FoldedField()
    extension = models.CharField(_("extension"), max_length=10, blank=True)

    unscoped = DestinationQuerySet.as_manager()

    class Meta:
        verbose_name = _("destination")
        constraints = [
            models.CheckConstraint(
                name="numbers_destination_service_has_type",
                condition=Q(kind="service", service_type__gt="") | (~Q(kind="service") & Q(service_type="")),
            ),
            models.UniqueConstraint("id", "customer", name="numbers_destination_id_customer"),
            models.UniqueConstraint(
                fields=["customer", "extension"],
                condition=Q(extension__gt=""),
                name="numbers_destination_one_extension",
            ),
            models.CheckConstraint(
                name="numbers_destination_extension_digits", condition=Q(extension__regex="^[0-9]*$")
            ),
        ]
        indexes = [
            models.Index("name_folded", "id", name="numbers_destination_by_name"),
            models.Index("var", "name_folded", "id", name="numbers_destination_var_name"),
            models.Index("customer", "name_folded", "id", name="numbers_destination_cust_name"),
            models.Index("kind", "service_type", "name_folded", "id", name="numbers_destination_by_use"),
            models.Index("var", "kind", "service_type", "name_folded", "id", name="numbers_destination_var_use"),
            models.Index("customer", "kind", "service_type", "name_folded", "id", name="numbers_destination_cust_use"),
        ]

    def __str__(self):
        return self.name

    @property
    def written(self) -> str:
        """As people type it where one of many is meant: with its extension, or else with what it is."""
        return f"{self.name} ({self.extension or self.get_kind_display().lower()})"

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def called(cls, customer: Account, extension: str) -> Destination | None:
        """The one of a customer's that has this extension, whoever asks."""
        return cls.unscoped.filter(customer=customer, extension=extension).first()

    @classmethod
    def own_line(cls, professional: Account) -> Destination:
        """What a professional's numbers ring unless somebody says otherwise: the first of the account's users, made
        where there is none. The caller holds the account, in its scope or in that of its VAR."""
        users = cls.unscoped.filter(customer=professional, kind=cls.Kind.USER)
        found = users.order_by("pk").first()
        if found is None:
            facts = {"var_id": professional.parent_id, "customer": professional, "kind": cls.Kind.USER}
            found = cls.unscoped.create(**facts, name=professional.name[:120])
        return found

    @classmethod
    def meant_by(cls, actor: Actor, text: str, most: int) -> list[Destination]:
        """What somebody means who types ``text``: the one with this extension, also as in ``Reception (101)``;
        otherwise those with this name; otherwise those with all its words in their names.
        """
        here = cls.visible_to(actor).order_by("name_folded", "pk")
        name, _open, rest = text.rpartition("(")
        inside = rest.rstrip(") ")
        kinds = [kind for kind in cls.Kind if kind.label.lower() == inside.lower()]
        ways = (
            here.filter(extension=inside, extension__gt=""),
            here.filter(name_folded=Fold(Value(name.strip())), kind__in=kinds, extension=""),
            here.filter(name_folded=Fold(Value(text))),
            having(here, {"name_folded": text.split()}),
        )
        return next((found for way in ways if (found := list(way[:most]))), [])


#: What there is to ring, as (kind, service type), by name.
USES = [
    (Destination.Kind.GROUP.value, ""),
    *((Destination.Kind.SERVICE.value, service.value) for service in Destination.ServiceType),
    (Destination.Kind.USER.value, ""),
]


def use_text(kind: str | None, service_type: str | None) -> str:
    """A use in words: ``User``, ``Group``, ``Service (Duty agent)``; empty without a destination."""
    if not kind:
        return ""
    text = str(Destination.Kind(kind).label)
    return f"{text} ({Destination.ServiceType(service_type).label})" if service_type else text


class PhoneNumber(models.Model):
    """An E.164 number on the system: one row for as long as the system has it.

    Four things that must not be mixed up: who holds it (``var`` always, ``customer``, ``destination``), what holds it
    back (reserved for somebody until, cooling until), its traffic in this tenure (first and last call),
    and its options.
    """

    # ITU-T E.164: a plus, the country code, at most fifteen digits in all.
    e164 = models.CharField(_("number"), max_length=16, db_collation="C")
    # The same number as a whole number: its order is the numeric one, and it stands in addresses.
    digits = models.GeneratedField(
        expression=Cast(Substr("e164", 2), models.BigIntegerField()),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    provider = models.ForeignKey(Provider, models.PROTECT, verbose_name=_("provider"), related_name="+", db_index=False)

    # Each pair below is held together by a two-column foreign key, see migration 0001.
    var = models.ForeignKey(Account, models.PROTECT, verbose_name=_("VAR"), related_name="+", db_index=False)
    customer = models.ForeignKey(
        Account,
        models.PROTECT,
        verbose_name=_("company"),
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    assigned_at = models.DateTimeField(_("assigned"), null=True)
    destination = models.ForeignKey(
        Destination,
        models.PROTECT,
        verbose_name=_("used by"),
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    reserved_for = models.ForeignKey(
        Account,
        models.PROTECT,
        verbose_name=_("reserved for"),
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    reserved_until = models.DateTimeField(_("reserved until"), null=True)
    last_holder = models.ForeignKey(
        Account,
        models.PROTECT,
        verbose_name=_("last holder"),
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    cooling_until = models.DateTimeField(_("cooling until"), null=True)

    # Since when all of the above is as it is. A trigger keeps it, and what was before in PastNumber (migration 0006).
    since = models.DateTimeField(_("since"), db_default=Now(), editable=False)

    first_call_at = models.DateTimeField(_("first call"), null=True)
    last_call_at = models.DateTimeField(_("last call"), null=True)

    label = models.CharField(_("label"), max_length=80, blank=True)
    caller_name = models.CharField(_("caller name"), max_length=15, blank=True)
    voice = models.BooleanField(_("voice"), default=True)
    sms = models.BooleanField(_("SMS"), default=False)
    fax = models.BooleanField(_("fax"), default=False)

    unscoped = HeldQuerySet.as_manager()

    class Meta:
        verbose_name = _("phone number")
        constraints = [
            models.CheckConstraint(name="numbers_number_e164", condition=Q(e164__regex=r"^\+[1-9][0-9]{3,14}$")),
            models.UniqueConstraint("digits", name="numbers_number_digits"),
            models.CheckConstraint(
                name="numbers_number_customer_since",
                condition=Q(customer=None, assigned_at=None) | Q(customer__isnull=False, assigned_at__isnull=False),
            ),
            models.CheckConstraint(
                name="numbers_number_destination_has_customer",
                condition=Q(destination=None) | Q(customer__isnull=False),
            ),
            models.CheckConstraint(
                name="numbers_number_reserved_until",
                condition=Q(reserved_for=None, reserved_until=None)
                | Q(reserved_for__isnull=False, reserved_until__isnull=False, customer=None),
            ),
            models.CheckConstraint(
                name="numbers_number_cooling_is_free", condition=Q(cooling_until=None) | Q(customer=None)
            ),
            models.CheckConstraint(
                name="numbers_number_calls_of_tenure",
                condition=Q(first_call_at=None, last_call_at=None)
                # A comparison with NULL is unknown, and what is unknown passes: that there is a last call is said too.
                | Q(
                    first_call_at__isnull=False,
                    last_call_at__isnull=False,
                    last_call_at__gte=F("first_call_at"),
                    customer__isnull=False,
                ),
            ),
        ]
        indexes = [
            # With the text of the number: behind row-level security, a piece of it is searched here and nowhere else.
            models.Index("var", "digits", name="numbers_in_var", include=["e164"]),
            models.Index("customer", "digits", name="numbers_number_customer", condition=Q(customer__isnull=False)),
            models.Index(
                "destination", "digits", name="numbers_number_destination", condition=Q(destination__isnull=False)
            ),
            models.Index("provider", "digits", name="numbers_number_provider"),
            models.Index("var", "provider", "digits", name="numbers_number_var_provider"),
            models.Index("digits", name="numbers_number_free", condition=Q(customer=None)),
            models.Index("var", "digits", name="numbers_number_var_free", condition=Q(customer=None)),
            models.Index("digits", name="numbers_number_idle", condition=Q(destination=None)),
            models.Index("var", "digits", name="numbers_number_var_idle", condition=Q(destination=None)),
            models.Index(
                "customer",
                "digits",
                name="numbers_number_cust_idle",
                condition=Q(customer__isnull=False, destination=None),
            ),
            models.Index("digits", name="numbers_number_pending", condition=Q(first_call_at=None)),
            models.Index("var", "digits", name="numbers_number_var_pending", condition=Q(first_call_at=None)),
            models.Index(
                "reserved_for", "digits", name="numbers_number_reserved_for", condition=Q(reserved_for__isnull=False)
            ),
            # With what lists ask of held numbers, so that counting them reads no row.
            *(
                models.Index(*columns, name=f"numbers_{name}", condition=condition, include=[until, "e164", "provider"])
                for until, condition, held in (
                    ("reserved_until", Q(reserved_for__isnull=False), "reserved"),
                    ("cooling_until", Q(cooling_until__isnull=False), "cooling"),
                )
                for columns, name in ((("digits",), held), (("var", "digits"), f"{held}_in_var"))
            ),
        ]

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def held_in(cls, account: Account):
        """The numbers of a VAR or a customer, whoever acts: in its scope."""
        return cls.unscoped.filter(**{"customer" if account.is_customer else "var": account})

    @classmethod
    def in_stock_of(cls, var: Account):
        """The numbers of a VAR, whoever has them: for what carriers deliver, in its scope."""
        return cls.unscoped.filter(var=var)

    @classmethod
    def reached_by(cls, customer: Account):
        """What a customer may take of the stock of its VAR, and what it has: as the buyer's scope shows it."""
        table = f"{cls._meta.db_table}."
        may_take = RawSQL(takeable("%s", table), [customer.pk] * 2, models.BooleanField())  # noqa: S611
        return cls.unscoped.filter(Q(customer=customer) | Q(may_take), var=customer.parent_id)

    @classmethod
    def anywhere(cls, e164s: Collection[str]) -> set[str]:
        """Those of these numbers that the system has, whoever holds them. In the system's scope."""
        rows = cls.unscoped.filter(digits__in=[int(e164[1:]) for e164 in e164s])
        return set(rows.values_list("e164", flat=True))

    @classmethod
    def is_anywhere(cls, e164: str) -> bool:
        """Whether the number is on the system, whoever has it: for the worker, in the system's scope."""
        return cls.unscoped.filter(e164=e164).exists()

    @classmethod
    def rung(cls, e164: str) -> PhoneNumber | None:
        """The number with this E.164 form if it rings something, whosever it is: for a call that comes in, in the
        system's scope."""
        in_use = cls.unscoped.select_related("customer", "destination").exclude(destination=None)
        return in_use.filter(e164=e164).first()

    @classmethod
    def with_customer(cls, customer: Account):
        """The numbers that a customer has, for its own orders and for its VAR that approves them."""
        return cls.unscoped.filter(customer=customer)
