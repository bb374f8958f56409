"""The search row of the numbers as of a time."""

from datetime import datetime
from functools import reduce
from operator import and_, or_

from django.db.models import Q, Value

from numbers.filters.phone_numbers import PhoneNumberFilter, Span, status_names
from numbers.models import Destination, NumberAsOf, use_text
from portal.listings import Fold, TableListing, containing, having

#: searched column -> the foreign key of what has the name
NAMED = {"company": "customer", "var": "var", "provider": "provider", "reserved_for": "reserved_for"}
FIELDS = (
    "e164", "digits", "rings", "kind", "service", "customer__name", "customer__code", "var__name", "var__code",
    "provider__name", "reserved_for__name", "reserved_until", "cooling_until", "unreserved", "pending",
)  # fmt: skip


class AsOfFilter(PhoneNumberFilter):
    """The search row and Set Filter of the numbers as they stood at ``at``; None, with the reason as ``problem``, where
    that was not understood."""

    kept = ("at",)
    orders = {
        "number": ("digits",),
        "used_by": ("rings_folded", "digits"),
        "company": ("company_folded", "digits"),
        "var": ("var__name_folded", "digits"),
        "use": ("kind", "service", "rings_folded", "digits"),
        "provider": ("provider__name_folded", "digits"),
        "status": ("pending", "digits"),
        "reserved_for": ("reserved_folded", "digits"),
    }
    blanks = {
        "used_by": Q(unrung=1), "company": Q(unheld=1), "use": Q(unrung=1), "reserved_for": Q(unreserved=1),
    }  # fmt: skip

    def __init__(self, actor, columns, query, at: datetime | None, problem: str = ""):
        super().__init__(actor, columns, query)
        self.at = at
        if at is None:
            self.refused["at"] = problem

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        clean, number = self.understood, self.understood["number"]
        rows = NumberAsOf.visible_to(self.actor).standing(self.at)
        rows = rows.filter(digits__range=number) if isinstance(number, Span) else containing(rows, "e164", number)
        for name, key in NAMED.items():
            if words := clean.get(name):
                model = NumberAsOf._meta.get_field(key).related_model
                rows = rows.filter(**{f"{key}__in": having(model._base_manager.all(), {"name_folded": words})})
        if clean.get("reserved_for"):
            rows = rows.filter(reserved_until__gt=self.at)
        if words := clean["used_by"]:
            # What rings now is looked up by name in its own table; what rang then, here.
            ringing = having(Destination.visible_to(self.actor), {"name_folded": words})
            now = Q(destination_name=None, destination__in=ringing)
            then = reduce(and_, (Q(rang__contains=Fold(Value(word))) for word in words))
            rows = rows.alias(rang=Fold("destination_name")).filter(now | then)
        if clean["use"]:
            rows = rows.filter(reduce(or_, (Q(kind=kind, service=service) for kind, service in clean["use"])))
        if clean["status"] and len(clean["status"]) == 1:
            rows = rows.filter(pending=0 if clean["status"][0] else 1)
        holder = "destination_id" if self.actor.account.is_customer else "customer_id"
        statuses = dict(status_names())

        def texts(row: dict) -> dict[str, str]:
            return {
                "number": row["e164"],
                "used_by": row["rings"],
                "company": row["customer__name"] or "",
                "var": row["var__name"],
                "use": use_text(row["kind"], row["service"]),
                "provider": row["provider__name"],
                "status": str(statuses[not row["pending"]]),
                "reserved_for": "" if row["unreserved"] else row["reserved_for__name"],
            }

        return self.listed(
            rows,
            fields=FIELDS,
            texts=texts,
            states=(
                ("used", Q(**{f"{holder}__isnull": False})),
                ("available", Q(**{f"{holder}__isnull": True})),
                ("reserved", Q(reserved_until__gt=self.at)),
                ("cooling", Q(cooling_until__gt=self.at)),
            ),
        )
