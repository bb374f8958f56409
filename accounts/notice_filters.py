"""The search row of the list of notices."""

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Notice
from accounts.notices import KINDS, sentence
from portal.filters import ChoiceWords, ListFilter, Words
from portal.listings import TableListing, having
from portal.times import moment


def kinds():
    return [(name, str(kind.label)) for name, kind in KINDS.items()]


class NoticeFilter(ListFilter):
    """Search of one person's notices."""

    about = ChoiceWords(label=gettext_lazy("About"), choices=kinds)
    account = Words(label=gettext_lazy("Account"))

    default_sort = "at"
    descends_at_first = True
    states = {"all": gettext_lazy("All"), "unread": gettext_lazy("Unread"), "read": gettext_lazy("Read")}
    orders = {"at": ("at",), "about": ("kind", "at"), "account": ("account_folded", "at")}
    unsorted = frozenset({"what", "state"})

    class Meta:
        model = Notice
        fields = []

    def listing(self) -> TableListing | None:
        if self.refused:
            return None
        rows = having(
            Notice.of(self.actor.person).filter(kind__in=KINDS).listed(),
            {"account_folded": self.understood["account"]},
        )
        if self.understood["about"]:
            rows = rows.filter(kind__in=self.understood["about"])
        zone = self.actor.person.zone

        def texts(row: dict) -> dict[str, str]:
            notice = Notice(kind=row["kind"], facts=row["facts"], count=row["count"])
            return {
                "at": moment(row["at"], zone),
                "what": sentence(notice),
                "about": str(KINDS[row["kind"]].label),
                "account": f"{row['account__name']} ({row['account__code']})",
                "state": _("Read") if row["read_at"] else _("Unread"),
            }

        return self.listed(
            rows,
            fields=("at", "kind", "facts", "count", "account__name", "account__code", "read_at"),
            texts=texts,
            states=(("unread", Q(read_at=None)), ("read", Q(read_at__isnull=False))),
        )
