"""The list of numbers as it stood at a time."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from numbers.filters.as_of import AsOfFilter
from numbers.forms.as_of import AsOfForm
from numbers.models import PhoneNumber
from numbers.views.phone_numbers import PhoneNumberList
from portal.pages import Address, ListPage, url_of
from portal.times import moment


class AsOfList(PhoneNumberList):
    """The numbers that the actor's account had at a time, with what each rang and what held it back then."""

    addresses = ("numbers:as_of", "numbers:as_of_csv", "numbers:as_of_pdf")
    # Nobody noted then how a number was labelled.
    more_columns = staticmethod(ListPage.more_columns)
    more_label = ""
    template_name = "numbers/as_of.html"
    rows_template = "numbers/_as_of_rows.html"

    def asked(self, request) -> AsOfFilter:
        actor = request.actor
        zone = actor.person.zone
        self.form = AsOfForm(actor, request.GET)
        at = self.at = self.form.time if self.form.is_bound else timezone.now()
        self.title = _("Numbers as of %(time)s") % {"time": moment(at, zone)} if at else _("Numbers as of a time")
        self.csv_name = f"PhoneNumbers {at.astimezone(zone):%Y-%m-%d}.csv" if at else "PhoneNumbers.csv"
        return AsOfFilter(actor, self.columns(actor), request.GET, at, " ".join(self.form.errors.get("at", ())))

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        actor, code = request.actor, request.actor.account.code
        here = set(
            PhoneNumber.visible_to(actor).filter(pk__in=[row["pk"] for row in rows]).values_list("pk", flat=True)
        )
        numbers_url, history_url = url_of("numbers:list", code), reverse("history", args=[code])
        for row in rows:
            # Who does not have it any more reads what became of it.
            own = f"{numbers_url}{row['digits']}/"
            cools = row["cooling_until"] is not None and row["cooling_until"] > self.at
            row |= listing.texts(row) | {
                "url": own if row["pk"] in here else Address(history_url, {"of": row["e164"]}, ["of"]).url(),
                "use_kind": row["kind"],
                "service_type": row["service"],
                "active": not row["pending"],
                "reserved": not row["unreserved"],
                "cooling_until": row["cooling_until"] if cools else None,
                "company_code": row["customer__code"] or "",
                "var_code": row["var__code"],
            }
        return super().present(request, listing, rows)

    def more_context(self, request, found) -> dict:
        return super().more_context(request, found) | {"as_of": self.form}
