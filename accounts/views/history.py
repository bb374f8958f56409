"""What was changed in an account, by whom."""

from django.utils.translation import gettext_lazy

from accounts.filters import HistoryFilter
from accounts.tables import history_columns
from portal.pages import ListPage


class History(ListPage):
    """Every change in this account, the last first."""

    title = gettext_lazy("History")
    addresses = ("history", "history_csv", "history_pdf")
    csv_name = "History.csv"
    filter_class = HistoryFilter
    rows_template = "accounts/_history_rows.html"
    columns = staticmethod(history_columns)
    widths = {"at": 10, "who": 12, "home": 12, "what": 12, "of": 18, "change": 36}
