"""The person's own calls."""

from django.utils.translation import gettext_lazy

from portal.pages import ListPage, url_of
from webphone.filters import CallFilter
from webphone.tables import call_columns
from webphone.words import shown


class CallList(ListPage):
    """Whom the person called, and who called them."""

    title = gettext_lazy("My calls")
    addresses = ("webphone:calls", "webphone:calls_csv", "webphone:calls_pdf")
    csv_name = "Calls.csv"
    filter_class = CallFilter
    template_name = "webphone/calls.html"
    rows_template = "webphone/_call_rows.html"
    columns = staticmethod(call_columns)
    widths = {"time": 18, "number": 20, "how": 24, "outcome": 16, "length": 8, "caller_id": 16}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written = request.actor.person.written
        return [
            row | listing.texts(row) | {"shown": shown(row["number"] or row["own_number"], written)} for row in rows
        ]

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {"webphone_url": url_of("webphone:phone", code), "calls_url": url_of("webphone:calls", code)}
