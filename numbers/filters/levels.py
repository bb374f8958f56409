"""The search row of stock levels."""

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.models import StockLevel
from portal.filters import Digits, ListFilter
from portal.listings import TableListing, containing
from portal.pages import plain


class LevelFilter(ListFilter):
    """The search row and Set Filter of stock levels."""

    prefix = Digits(label=gettext_lazy("Numbers that begin with"))

    default_sort = "prefix"
    states = {"all": gettext_lazy("All"), "low": gettext_lazy("Low"), "enough": gettext_lazy("Enough")}
    unsorted = frozenset({"available", "state"})
    orders = {"prefix": ("prefix",), "least": ("least", "prefix")}

    class Meta:
        model = StockLevel
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        rows = containing(StockLevel.visible_to(self.actor), "prefix", self.understood["prefix"])

        def complete(found: list[dict]) -> None:
            """How many are available, up to what is looked for."""
            for row in found:
                level = StockLevel(account=self.actor.account, prefix=row["prefix"])
                row["available"] = level.available(row["least"] * 2)

        def texts(row: dict) -> dict[str, str]:
            left, most = row["available"], row["least"] * 2
            return {
                "prefix": StockLevel(prefix=row["prefix"]).written,
                "least": plain(row["least"]),
                "available": plain(left) if left < most else _("%(count)s or more") % {"count": plain(most)},
                "state": _("Low") if row["notified_at"] else _("Enough"),
            }

        return self.listed(
            rows,
            fields=("prefix", "least", "notified_at"),
            texts=texts,
            states=(("low", Q(notified_at__isnull=False)), ("enough", Q(notified_at=None))),
            complete=complete,
        )
