"""What was changed in an account, by whom."""

from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from accounts.filters import HistoryFilter
from accounts.tables import history_columns
from portal.pages import ListPage
from portal.phones import is_e164


class History(ListPage):
    """Every change in this account, the last first."""

    title = gettext_lazy("History")
    addresses = ("history", "history_csv", "history_pdf")
    csv_name = "History.csv"
    filter_class = HistoryFilter
    rows_template = "accounts/_history_rows.html"
    columns = staticmethod(history_columns)
    parts = {"of": ("of_text",)}
    widths = {"at": 16, "who": 13, "home": 12, "what": 16, "of": 17, "change": 26}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written = request.actor.person.written
        shown = []
        for row in rows:
            texts = listing.texts(row)
            texts["of_text"] = texts["of"]
            if row["target_type"] == "number" and is_e164(row["target"]):
                texts["of_text"] = written(row["target"])
                texts["of"] = format_html(
                    '<span class="number" data-e164="{}">{}</span>', row["target"], texts["of_text"]
                )
            shown.append(row | texts)
        return shown
