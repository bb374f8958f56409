"""Free numbers that follow one another."""

from django.utils.translation import gettext_lazy

from numbers.filters.phone_numbers import Span
from numbers.filters.runs import RunFilter
from numbers.listing.runs import Runs
from numbers.tables import run_columns
from portal.pages import Address, ListPage, plain, url_of


class RunList(ListPage):
    """The runs of free numbers in the actor's stock, each of which leads to its numbers in the list of numbers."""

    title = gettext_lazy("Consecutive numbers")
    addresses = ("numbers:runs", "numbers:runs_csv", "numbers:runs_pdf")
    csv_name = "NumbersInARow.csv"
    filter_class = RunFilter
    template_name = "numbers/runs.html"
    rows_template = "numbers/_run_rows.html"
    columns = staticmethod(run_columns)
    figures = frozenset({"length"})
    widths = {"first": 30, "last": 30, "length": 15, "var": 25}

    def present(self, request, listing: Runs, rows: list[dict]) -> list[dict]:
        written = request.actor.person.written
        list_url = url_of("numbers:list", request.actor.account.code)
        shown = []
        for row in rows:
            wanted = listing.at_least if request.GET.get("length", "").strip() else row["length"]
            span = Span(row["first"], row["first"] + wanted - 1)
            query = {"number": span.typed, "var": row["var"] if "var" in self.columns(request.actor) else ""}
            shown.append(
                {
                    "pk": row["pk"],
                    "e164": f"+{row['first']}",
                    "first": written(f"+{row['first']}"),
                    "last": written(f"+{row['last']}"),
                    "length": plain(row["length"]),
                    "var": row["var"],
                    "wanted": plain(wanted),
                    "url": Address(list_url, query, ["number", "var"]).url(),
                }
            )
        return shown

    def more_context(self, request, found) -> dict:
        return {
            "numbers_url": url_of("numbers:list", request.actor.account.code),
            "shows_var": "var" in found.columns,
        }
