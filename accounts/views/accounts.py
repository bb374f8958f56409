"""The accounts below one: VARs of the system, customers of a VAR."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.filters import AccountFilter
from accounts.models import Account
from portal import phones
from portal.pages import ListPage, plain, url_of


class AccountList(ListPage):
    """The accounts that the actor sees below their own, one kind at a time."""

    title = gettext_lazy("Accounts")
    addresses = ("accounts", "accounts_csv", "accounts_pdf")
    csv_name = "Accounts.csv"
    widths = {
        "code": 8, "name": 22, "var": 16, "companies": 9, "professionals": 11, "used": 8, "available": 8, "numbers": 8,
        "quota": 7, "cooling": 7, "contact": 16, "phone": 14, "status": 9,
    }  # fmt: skip
    template_name = "accounts/accounts.html"

    @property
    def rows_template(self) -> str:
        return "accounts/_var_rows.html" if self.found.kind == Account.Kind.VAR else "accounts/_customer_rows.html"

    def asked(self, request) -> AccountFilter:
        self.found = AccountFilter(request.actor, request.GET)
        return self.found

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {
            "enters": True,
            "accounts_url": url_of("accounts", code),
            "webphone_url": url_of("webphone:phone", code),
            "shows_var": "var" in found.columns,
        }

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        national = request.actor.person.number_format == "national"
        written = phones.national if national else phones.international
        shown = []
        for row in rows:
            texts = listing.texts(row)
            code, is_open = row["code"], row["status"] in (Account.Status.TRIAL, Account.Status.PRODUCTION)
            # The same section of the account: customers have no accounts below them, but numbers.
            landing = reverse("accounts" if self.found.kind == Account.Kind.VAR else "numbers:list", args=[code])
            shown.append(
                row
                | texts
                | {
                    "enter": row["name"] if is_open else "",
                    "shut": "" if is_open else row["name"],
                    "landing": landing,
                    "companies": plain(row["company_count"]),
                    "professionals": plain(row["professional_count"]),
                    "used": plain(row["held"].used),
                    "available": plain(row["held"].available),
                    "numbers": plain(row["held"].total),
                    "quota": _("no limit") if row["number_quota"] is None else plain(row["number_quota"]),
                    "phone_shown": written(row["phone"]) if row["phone"] else "",
                    "phone_digits": row["phone"].lstrip("+"),
                    "state": row["status"],
                }
            )
        return shown
