"""Orders of numbers: a basket with held numbers, confirmed once, and what became of each."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from numbers.models.acted import Acted
from numbers.models.phone_numbers import HeldQuerySet, Provider

#: What is neither a basket nor over.
STATES_UNDER_WAY = ["asked", "running", "waiting"]


class Order(Acted):
    """Numbers that a customer orders, or without a customer the VAR itself, for its stock. It begins as somebody's
    basket; confirmed twice, it is one order still."""

    class State(models.TextChoices):
        BASKET = "basket", _("Not confirmed")
        WAITING = "waiting", _("Waiting for approval")
        ASKED = "asked", _("To be delivered")  # nobody offers it: the VAR types in what it has got elsewhere
        RUNNING = "running", _("Being delivered")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        CANCELLED = "cancelled", _("Cancelled")

    #: What is not over.
    OPEN = (State.BASKET, State.WAITING, State.ASKED, State.RUNNING)
    #: What has ended with numbers that were not delivered.
    NOT_ALL_DELIVERED = Q(state="done", failed__gt=0)
    #: What the VAR has to decide about.
    UNDECIDED = (State.WAITING, State.ASKED)

    # The pairs (customer, var) and (access, customer) are held together by two-column foreign keys, see migration 0011.
    var = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.BASKET)
    # What the VAR says when it refuses.
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    # Until when the numbers of the basket are kept, and those of an order that waits.
    held_until = models.DateTimeField(_("held until"))
    # Whether the account's own address gets a message when the order has ended, besides whoever confirmed it.
    informs = models.BooleanField(_("inform the customer"), default=False)
    # What is asked for, in words, by a form that may be sent twice; and what the customer says to it.
    wish = models.CharField(_("asked for"), max_length=300, blank=True, db_default="")
    note = models.CharField(_("note"), max_length=300, blank=True, db_default="")
    key = models.UUIDField(null=True, editable=False)
    begun_at = models.DateTimeField(_("begun"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("ordered"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    total = models.IntegerField(_("numbers"), default=0)
    active = models.IntegerField(_("delivered"), default=0)
    failed = models.IntegerField(_("failed"), default=0)

    unscoped = HeldQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        constraints = [
            models.UniqueConstraint("customer", "person", condition=Q(state="basket"), name="numbers_order_one_basket"),
            models.UniqueConstraint(
                "var", "person", condition=Q(state="basket", customer=None), name="numbers_order_one_basket_of_var"
            ),
            # What the foreign keys of lines and of orders with carriers point at; a VAR's own have no customer.
            models.UniqueConstraint("id", "var", name="numbers_order_id_var"),
            models.UniqueConstraint("id", "customer", "var", name="numbers_order_id_customer_var"),
            models.CheckConstraint(
                name="numbers_order_confirmed",
                condition=Q(state="basket", confirmed_at=None) | (~Q(state="basket") & Q(confirmed_at__isnull=False)),
            ),
            models.UniqueConstraint("customer", "key", name="numbers_order_of_form"),
            models.CheckConstraint(name="numbers_order_asked", condition=~Q(state="asked") | ~Q(wish="")),
        ]
        indexes = [
            models.Index("customer", "id", name="numbers_order_of_customer"),
            models.Index("var", "id", name="numbers_order_of_var"),
            # Few are open, and lists say how many of each.
            *(
                models.Index(
                    whose, "id", name=f"numbers_order_open_of_{whose}", condition=Q(state__in=STATES_UNDER_WAY)
                )
                for whose in ("var", "customer")
            ),
        ]

    def __str__(self):
        return str(self.pk)

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def own(cls, actor: Actor):
        """Those of the acting account itself: a VAR sees the orders of its customers besides."""
        customer = actor.account if actor.account.is_customer else None
        return cls.unscoped.visible_to(actor).filter(customer=customer)

    @classmethod
    def in_var(cls, var: Account):
        """Those of a VAR and of its customers, whoever asks: the worker is nobody."""
        return cls.unscoped.filter(var=var)

    @classmethod
    def still_asked_by(cls, customer: Account) -> int:
        """How many numbers a customer has asked for and not got yet."""
        asked = cls.unscoped.filter(customer=customer, state=cls.State.ASKED)
        return asked.aggregate(left=Coalesce(Sum(F("total") - F("active")), 0))["left"]

    @property
    def buyer(self) -> Account:
        """The account that the numbers are for: a customer, or the VAR."""
        return self.customer or self.var

    @classmethod
    def in_words(cls, state: str, total: int, failed: int) -> str:
        """A state, as people read it: one that has ended says whether everything was delivered."""
        if state == cls.State.DONE and failed:
            return str(_("Failed") if failed >= total else _("Partly delivered"))
        return str(cls.State(state).label)

    @property
    def state_in_words(self) -> str:
        """The state, as people read it."""
        return self.in_words(self.state, self.total, self.failed)

    @property
    def is_basket(self) -> bool:
        return self.state == self.State.BASKET

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING

    @property
    def is_asked(self) -> bool:
        return self.state == self.State.ASKED

    @property
    def is_under_way(self) -> bool:
        return self.state in STATES_UNDER_WAY

    @property
    def is_undecided(self) -> bool:
        return self.state in self.UNDECIDED

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING


class CarrierOrder(models.Model):
    """What a carrier is to deliver of an order: written before the carrier is called, and called once with its key.

    Whoever is killed at whatever time leaves one of these states, and each says what is to be done next.
    """

    class State(models.TextChoices):
        READY = "ready", _("To be sent")  # the carrier has not been called
        SENDING = "sending", _("Being sent")  # it may have been
        UNKNOWN = "unknown", _("Outcome unknown")  # the carrier is asked, and never ordered from again
        PLACED = "placed", _("With the carrier")
        ENDED = "ended", _("Ended")

    # Held to its order by a foreign key of three columns, see migration 0012.
    var = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    order = models.ForeignKey(Order, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    key = models.UUIDField(unique=True, editable=False)
    reference = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.READY)
    attempts = models.IntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    # When there is something to do again.
    next_at = models.DateTimeField(default=timezone.now)
    problem = models.CharField(max_length=500, blank=True)
    # Whether somebody has given it up: the carrier is asked to deliver no more of it.
    given_up = models.BooleanField(default=False, db_default=False)

    unscoped = HeldQuerySet.as_manager()

    class Meta:
        verbose_name = _("order with a carrier")
        constraints = [
            # What the foreign key of lines points at.
            models.UniqueConstraint("id", "order", name="numbers_carrierorder_id_order"),
        ]
        indexes = [
            models.Index("next_at", name="numbers_carrierorder_due", condition=~Q(state="ended")),
            models.Index("order", name="numbers_carrierorder_of_order"),
        ]

    def __str__(self):
        return str(self.key)

    @classmethod
    def in_order(cls, order: Order):
        """Those of an order that somebody may see."""
        return cls.unscoped.filter(order=order, customer=order.customer_id)

    @classmethod
    def open_in(cls, order: Order):
        """Those of an order that have not ended."""
        return cls.in_order(order).exclude(state=cls.State.ENDED)

    @classmethod
    def in_work(cls, var: Account):
        """Those of a VAR and of its customers that have not ended, for the worker, who is nobody."""
        return cls.unscoped.filter(var=var).exclude(state=cls.State.ENDED)

    @classmethod
    def due(cls, now):
        """Those with something to do, of all VARs: for the worker, in the system's scope."""
        return cls.unscoped.filter(next_at__lte=now).exclude(state=cls.State.ENDED)

    @classmethod
    def troubled(cls):
        """Those of all VARs whose last step failed, for figures, in the system's scope."""
        return cls.unscoped.exclude(state=cls.State.ENDED).exclude(problem="")

    @classmethod
    def keyed(cls, key, provider: Provider):
        """A provider's with this key, whosever it is: for a message of its carrier, in the system's scope."""
        return cls.unscoped.select_related("var").filter(key=key, provider=provider).first()


class OrderLine(models.Model):
    """One number of an order, and what became of it."""

    class State(models.TextChoices):
        CHOSEN = "chosen", _("Chosen")
        PENDING = "pending", _("Pending")
        # The carrier has delivered it, but does not route its calls yet.
        UNROUTED = "unrouted", _("Not connected")
        ACTIVE = "active", _("Delivered")
        FAILED = "failed", _("Failed")

    #: What the carrier, or the stock, has delivered.
    DELIVERED = (State.UNROUTED, State.ACTIVE)

    # Held to its order by a foreign key of three columns, see migration 0011; lines go with their order.
    var = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    order = models.ForeignKey(Order, models.DO_NOTHING, related_name="lines", db_constraint=False, db_index=False)
    e164 = models.CharField(_("number"), max_length=16, db_collation="C")
    digits = models.BigIntegerField()
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    # Of the VAR's stock; None for what a carrier is to deliver.
    number_id = models.BigIntegerField(null=True)
    carrier_order = models.ForeignKey(
        CarrierOrder, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    # As offered, in units of the currency (ISO 4217); None where nothing was said of a price.
    setup = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    monthly = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    # The reservation that choosing it made; None where it was reserved for the customer already.
    held_until = models.DateTimeField(null=True)
    state = models.CharField(_("outcome"), max_length=8, choices=State, default=State.CHOSEN)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # What only operators are shown: the carrier's own words, which may name their account there.
    detail = models.CharField(max_length=500, blank=True, db_default="")
    ended_at = models.DateTimeField(null=True)

    unscoped = HeldQuerySet.as_manager()

    class Meta:
        verbose_name = _("number of an order")
        constraints = [
            models.UniqueConstraint("order", "e164", name="numbers_orderline_once"),
            # Of a carrier's number there is one: two who order it at once would both pay.
            models.UniqueConstraint(
                "e164",
                condition=Q(state="pending", carrier_order__isnull=False),
                name="numbers_orderline_one_buyer",
            ),
        ]
        indexes = [
            models.Index("order", "digits", "id", name="numbers_orderline_by_number"),
            models.Index(
                "number_id",
                name="numbers_orderline_delivered",
                condition=Q(state__in=["active", "unrouted"], carrier_order__isnull=False),
            ),
        ]

    def __str__(self):
        return self.e164

    @classmethod
    def visible_to(cls, actor: Actor):
        return cls.unscoped.visible_to(actor)

    @classmethod
    def in_order(cls, order: Order):
        """The lines of an order that somebody may see, by number."""
        return cls.unscoped.filter(order=order, customer=order.customer_id).order_by("digits")

    @classmethod
    def delivered_in(cls, var: Account, number_ids: Collection[int]) -> set[tuple[int, int]]:
        """Of these numbers of a VAR those that a carrier has delivered, as pairs of their ids and the carrier's."""
        lines = cls.delivered_to(var).filter(number_id__in=number_ids)
        return set(lines.filter(carrier_order__isnull=False).values_list("number_id", "provider_id"))

    @classmethod
    def delivered_to(cls, var: Account):
        """What carriers and the stock have delivered to a VAR and its customers, for the worker, who is nobody."""
        return cls.unscoped.filter(var=var, state__in=cls.DELIVERED)

    @classmethod
    def is_on_its_way(cls, e164: str) -> bool:
        """Whether a carrier is to deliver this number to anybody: for the worker, in the system's scope."""
        return cls.unscoped.filter(e164=e164, state=cls.State.PENDING, carrier_order__isnull=False).exists()

    @classmethod
    def under_way(cls, customer: Account):
        """What a customer has ordered and not got yet."""
        return cls.unscoped.filter(customer=customer, state=cls.State.PENDING)
