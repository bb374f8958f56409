"""The search row of the calls that somebody made."""

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.filters import Digits, ListFilter
from portal.listings import TableListing, containing
from portal.times import moment
from webphone.models import Call


class CallFilter(ListFilter):
    """The search row and Set Filter of the person's own calls."""

    number = Digits(label=gettext_lazy("Number"))

    default_sort = "time"
    descends_at_first = True
    states = {
        "all": gettext_lazy("All"),
        "outgoing": gettext_lazy("Outgoing"),
        "incoming": gettext_lazy("Incoming"),
        "missed": gettext_lazy("Missed"),
    }
    orders = {
        "time": ("placed_at",), "number": ("digits",), "how": ("mode", "own_number"), "outcome": ("outcome",),
        "length": ("seconds",), "caller_id": ("caller_id",),
    }  # fmt: skip

    class Meta:
        model = Call
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        rows = containing(Call.visible_to(self.actor), "number", self.understood["number"])
        zone, modes, outcomes = self.actor.person.zone, dict(Call.Mode.choices), dict(Call.Outcome.choices)

        def texts(row: dict) -> dict[str, str]:
            return {
                "time": moment(row["placed_at"], zone),
                "number": row["number"] or row["own_number"],
                "how": f"{modes[row['mode']]} {row['own_number']}".strip(),
                "caller_id": row["caller_id"] or (_("Withheld") if row["mode"] != Call.Mode.INCOMING else ""),
                "outcome": str(outcomes[row["outcome"]] or _("Under way")),
                "length": length(row["seconds"]),
            }

        return self.listed(
            rows,
            fields=("ref", "placed_at", "number", "own_number", "caller_id", "mode", "outcome", "seconds"),
            texts=texts,
            states=(
                ("outgoing", ~Q(mode=Call.Mode.INCOMING)),
                ("incoming", Q(mode=Call.Mode.INCOMING)),
                ("missed", Q(mode=Call.Mode.INCOMING) & ~Q(outcome__in=("", "answered"))),
            ),
        )


def length(seconds: int) -> str:
    """How long a call took: ``1:05``, ``1:00:00``; nothing where nobody spoke."""
    if not seconds:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
