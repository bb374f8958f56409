"""The search rows of orders and of the numbers in them."""

from django.db.models import Case, F, Q, SmallIntegerField, Value, When
from django.db.models.functions import Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.models import Order, OrderLine
from numbers.prices import price
from portal.filters import Digits, ListFilter, Words
from portal.listings import Fold, TableListing, containing, having
from portal.times import moment

#: Sorts orders that have ended as ``Order.in_words`` tells them apart: delivered, partly delivered, failed.
OUTCOME = Case(
    When(Order.NOT_ALL_DELIVERED & Q(failed__lt=F("total")), then=1),
    When(Order.NOT_ALL_DELIVERED, then=2),
    default=0,
    output_field=SmallIntegerField(),
)


class OrderFilter(ListFilter):
    """The search row and Set Filter of what was ordered: by the account itself, or by a VAR's customers."""

    company = Words(label=gettext_lazy("Company"))
    who = Words(label=gettext_lazy("Who"))

    default_sort = "order"
    descends_at_first = True
    states = {
        "all": gettext_lazy("All"),
        "waiting": gettext_lazy("Waiting for approval"),
        "running": gettext_lazy("Being delivered"),
        "ended": gettext_lazy("Ended"),
        "failed": gettext_lazy("Failed or partly delivered"),
    }
    orders = {
        "order": (), "ordered": ("confirmed_at",), "company": ("company",), "who": ("who",), "total": ("total",),
        "active": ("active",), "failed": ("failed",), "state": ("state", "outcome"),
    }  # fmt: skip

    class Meta:
        model = Order
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        confirmed = Order.visible_to(self.actor).exclude(state=Order.State.BASKET).annotate(outcome=OUTCOME)
        rows = confirmed.annotate(who=Fold("person__name"), company=Fold("customer__name"))
        rows = having(rows, {name: self.understood.get(name, ()) for name in ("who", "company")})
        zone = self.actor.person.zone

        def texts(row: dict) -> dict[str, str]:
            return {
                "order": str(row["pk"]),
                "ordered": moment(row["confirmed_at"], zone),
                "company": row["customer__name"] or _("Own stock"),
                "who": row["person__name"],
                "state": Order.in_words(row["state"], row["total"], row["failed"]),
                **{name: str(row[name]) for name in ("total", "active", "failed")},
            }

        return self.listed(
            rows,
            fields=("confirmed_at", "customer__name", "person__name", "total", "active", "failed", "state"),
            texts=texts,
            states=(
                ("waiting", Q(state__in=Order.UNDECIDED)),
                ("running", Q(state=Order.State.RUNNING)),
                ("ended", ~Q(state__in=Order.OPEN)),
                ("failed", Order.NOT_ALL_DELIVERED),
            ),
        )


def reason_of(row: dict) -> str:
    """Why the number of a line is not delivered, in a sentence."""
    if row["state"] == OrderLine.State.UNROUTED and not row["reason"]:
        return _("The carrier has delivered it, but does not route its calls yet.")
    return row["reason"]


class OrderLineFilter(ListFilter):
    """The search row and Set Filter of the numbers of an order, with what became of each."""

    number = Digits(label=gettext_lazy("Number"))
    provider = Words(label=gettext_lazy("Provider"))
    reason = Words(label=gettext_lazy("Reason"))

    default_sort = "number"
    unsorted = frozenset({"price"})  # there may be several currencies
    states = {
        "all": gettext_lazy("All"),
        "pending": gettext_lazy("Pending"),
        "unrouted": gettext_lazy("Not connected"),
        "active": gettext_lazy("Delivered"),
        "failed": gettext_lazy("Failed"),
    }
    orders = {
        "number": ("digits",), "provider": ("provider__name_folded",), "outcome": ("state",), "reason": ("told",),
    }  # fmt: skip
    blanks = {"reason": Q(told="")}

    class Meta:
        model = OrderLine
        fields = []

    def __init__(self, actor, columns, query, order: Order):
        self.order = order
        super().__init__(actor, columns, query)

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        # Operators read the carrier's own words besides; they may name an account there that is not the customer's.
        is_operator = not self.actor.account.is_customer
        told = Concat("reason", Value(" "), "detail") if is_operator else F("reason")
        rows = OrderLine.visible_to(self.actor).filter(order=self.order).annotate(told=Fold(told))
        searched = {"told": self.understood["reason"], "provider__name_folded": self.understood["provider"]}
        rows = containing(having(rows, searched), "e164", self.understood["number"])
        states = dict(OrderLine.State.choices)

        def texts(row: dict) -> dict[str, str]:
            return {
                "number": row["e164"],
                "provider": row["provider__name"],
                "price": price(row["setup"], row["monthly"], row["currency"]),
                "outcome": str(states[row["state"]]),
                "reason": " ".join(filter(None, [reason_of(row), row["detail"] if is_operator else ""])),
            }

        return self.listed(
            rows,
            fields=("e164", "digits", "provider__name", "setup", "monthly", "currency", "state", "reason", "detail"),
            texts=texts,
            states=tuple((state.value, Q(state=state)) for state in OrderLine.State if state != "chosen"),
        )
