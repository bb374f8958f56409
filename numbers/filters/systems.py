"""The search row of phone systems."""

from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import LONG_AGO
from numbers.models import TelephoneSystem
from portal.filters import ListFilter, Words
from portal.listings import Fold, TableListing, having
from portal.times import moment


class SystemFilter(ListFilter):
    """The search row and Set Filter of the account's phone systems."""

    name = Words(label=gettext_lazy("Name"))
    by = Words(label=gettext_lazy("Added by"))

    default_sort = "name"
    states = {"all": gettext_lazy("All"), "in_use": gettext_lazy("In use"), "revoked": gettext_lazy("Revoked")}
    orders = {
        "name": ("name_folded",), "state": ("ended",), "heard": ("heard",), "calls": ("calls",),
        "unknown": ("unknown",), "by": ("by",),
    }  # fmt: skip

    class Meta:
        model = TelephoneSystem
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        rows = TelephoneSystem.visible_to(self.actor).annotate(
            by=Fold("added_by__name"),
            heard=Coalesce("heard_at", Value(LONG_AGO)),
            ended=Coalesce("revoked_at", Value(LONG_AGO)),
        )
        rows = having(rows, {"name_folded": self.understood["name"], "by": self.understood["by"]})
        zone = self.actor.person.zone

        def texts(row: dict) -> dict[str, str]:
            return {
                "name": row["name"],
                "state": _("Revoked") if row["revoked_at"] else _("In use"),
                "heard": moment(row["heard_at"], zone),
                "calls": str(row["calls"]),
                "unknown": str(row["unknown"]),
                "by": row["added_by__name"],
            }

        return self.listed(
            rows,
            fields=("name", "revoked_at", "heard_at", "calls", "unknown", "added_by__name"),
            texts=texts,
            states=(("in_use", Q(revoked_at=None)), ("revoked", Q(revoked_at__isnull=False))),
        )
