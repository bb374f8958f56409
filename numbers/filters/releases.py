"""The search row of numbers that were given up, with what their carriers have done."""

from django.db.models import Q
from django.utils.translation import gettext_lazy

from numbers.models import Release
from portal.filters import Digits, ListFilter, Words
from portal.listings import Fold, TableListing, containing, having
from portal.times import moment


class ReleaseFilter(ListFilter):
    """The search row and Set Filter of what a VAR has given up and its carriers are told of."""

    number = Digits(label=gettext_lazy("Number"))
    provider = Words(label=gettext_lazy("Provider"))
    who = Words(label=gettext_lazy("Who"))
    reason = Words(label=gettext_lazy("Reason"))

    default_sort = "when"
    descends_at_first = True
    states = {
        "all": gettext_lazy("All"),
        "ready": gettext_lazy("Carrier to be notified"),
        "manual": gettext_lazy("Notify the carrier"),
        "failed": gettext_lazy("Failed"),
        "ended": gettext_lazy("Ended"),
    }
    orders = {
        "number": ("digits",), "provider": ("provider__name_folded",), "when": ("begun_at",), "who": ("who",),
        "state": ("state",), "reason": ("told",),
    }  # fmt: skip
    blanks = {"reason": Q(told="")}

    class Meta:
        model = Release
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        rows = Release.visible_to(self.actor).annotate(who=Fold("person__name"), told=Fold("reason"))
        searched = {
            "who": self.understood["who"],
            "told": self.understood["reason"],
            "provider__name_folded": self.understood["provider"],
        }
        rows = containing(having(rows, searched), "e164", self.understood["number"])
        states, zone = dict(Release.State.choices), self.actor.person.zone

        def texts(row: dict) -> dict[str, str]:
            return {
                "number": row["e164"],
                "provider": row["provider__name"],
                "when": moment(row["begun_at"], zone),
                "who": row["person__name"],
                "state": str(states[row["state"]]),
                "reason": row["reason"],
            }

        return self.listed(
            rows,
            fields=("e164", "digits", "provider__name", "begun_at", "person__name", "state", "reason"),
            texts=texts,
            states=(
                ("ready", Q(state=Release.State.READY)),
                ("manual", Q(state=Release.State.MANUAL)),
                ("failed", Q(state=Release.State.FAILED)),
                ("ended", Q(state__in=[Release.State.DONE, Release.State.KEPT])),
            ),
        )
