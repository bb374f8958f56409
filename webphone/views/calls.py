"""The person's own calls."""

from urllib.parse import urlencode

from django.utils.html import format_html
from django.utils.translation import gettext as _
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
    figures = frozenset({"length"})
    parts = {"number": ("shown",)}
    widths = {"time": 18, "number": 20, "how": 24, "outcome": 16, "length": 8, "caller_id": 16}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written, phone_url = request.actor.person.written, url_of("webphone:phone", request.actor.account.code)
        rows = [
            row | listing.texts(row) | {"shown": shown(row["number"] or row["own_number"], written)} for row in rows
        ]
        for row in rows:
            row["called"] = row["shown"]
            if e164 := row["number"]:
                row["called"] = format_html(
                    '<span data-e164="{}">{}</span><a class="dial" href="{}?{}" title="{}"></a>',
                    e164, row["shown"], phone_url, urlencode({"number": e164}), f"{_('Dial')} {row['shown']}",
                )  # fmt: skip
        return rows

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {"calls_url": url_of("webphone:calls", code)}
