"""The pages about numbers, and the home page, which is about the stock of them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.http import require_safe

from numbers import documents
from numbers.filters import FILTERS, PhoneNumberFilter, pieces, status_names, use_names
from numbers.listing import BOUND, SORTS, BrokenCursor, Cursor, Listing, Page, use_text
from numbers.models import PhoneNumber
from numbers.stock import regions, stock_of
from numbers.tables import columns_for
from portal import phones
from portal.exports import file_name, streamed
from portal.pages import SIZES, Address, Heading, page_size, plain

CSV_NAME = "PhoneNumbers.csv"
PDF_NAME = "PhoneNumbers.pdf"


def shown_in(person):
    """How this person wants numbers written."""
    return phones.national if person.number_format == "national" else phones.international


def count_text(count: int) -> str:
    return plain(count) if count <= BOUND else _("more than %(bound)s") % {"bound": plain(BOUND)}


class PhoneNumberList(View):
    """The numbers that the actor sees: the page's state is its address."""

    http_method_names = ["get", "head", "options"]

    def get(self, request, code):
        actor = request.actor
        columns = columns_for(actor)
        found = PhoneNumberFilter(actor, list(columns), request.GET)
        problems = found.problems
        size = page_size(request.GET, problems)
        listing = found.listing()
        page, page_number = Page([], {}), None
        if listing is not None:
            cursor, page_number = self.position(request.GET, listing, problems)
            page = listing.page(size, cursor, page_number)
            if not page.rows and (cursor or page_number):
                if page_number:
                    problems.append(_("The list has fewer pages than that; this is its beginning."))
                page = listing.page(size)
        return render(request, "numbers/list.html", self.context(request, columns, found, listing, page, size))

    @staticmethod
    def position(query, listing: Listing, problems: list[str]) -> tuple[Cursor | None, int | None]:
        """Where the page begins: a cursor, or a page's number, or neither."""
        if asked := query.get("page", "").strip():
            if asked.isascii() and asked.isdigit() and int(asked[:12]) > 0 and len(asked) < 10:
                return None, int(asked)
            problems.append(_("Pages are numbered from 1; this is the first."))
        if text := query.get("cursor", "").strip():
            try:
                return Cursor.decode(text, listing.sort, SORTS[listing.sort].key_count), None
            except BrokenCursor:
                problems.append(_("The link to this page is broken or too old; this is the beginning of the list."))
        return None, None

    def context(self, request, columns, found, listing, page, size) -> dict:
        actor, code = request.actor, request.actor.account.code
        list_url = reverse("numbers:list", args=[code])
        address = Address(list_url, request.GET, [*columns, "filter", "sort", "size"])
        matches = page.counts.get(found.state, 0)
        exact = None
        if matches > BOUND and request.GET.get("count") == "exact":
            exact = listing.exact_count()
        total = plain(exact) if exact is not None else count_text(matches)
        sort = found.sort if not found.descending else "-" + found.sort
        link = lambda cursor: address.url(cursor=cursor.encode(found.sort)) if cursor else ""  # noqa: E731
        first = page.first
        last_known = exact if exact is not None else matches if matches <= BOUND else None
        choices = {"use": use_names(), "status": status_names()}
        return {
            "title": _("Phone Numbers"),
            "listing": {
                "columns": [
                    Heading(
                        name=name,
                        heading=heading,
                        sort_url=address.url(sort=f"-{name}" if sort == name else "" if name == "number" else name),
                        direction="" if found.sort != name else "descending" if found.descending else "ascending",
                        value=address.query[name][:200],
                        problem=" ".join(found.form.errors.get(name, ())),
                        suggestions=tuple(label for _choice, label in choices.get(name, ())),
                    )
                    for name, heading in columns.items()
                ],
                "filters": [
                    {
                        "value": value,
                        "label": label,
                        "count": count_text(page.counts[value]) if page.counts else "",
                        "selected": value == found.state,
                    }
                    for value, label in FILTERS.items()
                ],
                "rows": self.rows(page, actor),
                "problems": found.problems,
                "summary": {
                    "first": plain(first) if first else "",
                    "last": plain(first + len(page.rows) - 1) if first else "",
                    "total": total,
                    "total_is_exact": last_known is not None,
                    "exact_url": address.url(count="exact") if last_known is None else "",
                },
                "paging": {
                    "first": address.url() if page.before else "",
                    "previous": link(page.before),
                    "next": link(page.after),
                    "last": link(Cursor(backward=True)) if page.after else "",
                },
                "page_number": (first - 1) // size + 1 if first else None,
                "page_count": -(-last_known // size) if last_known else None,
                "sizes": [
                    {"size": n, "url": address.url(size="" if n == 50 else n), "selected": n == size} for n in SIZES
                ],
                "hidden": [(name, address.query[name]) for name in ("sort", "size") if address.query[name]],
                "reset_url": list_url,
                "is_searched": found.is_searched,
                "searches": found.searches,
                "is_understood": listing is not None,
                "match_count": total,
                "export_query": address.text(),
            },
            "csv_url": reverse("numbers:export_csv", args=[code]),
            "pdf_url": reverse("numbers:export_pdf", args=[code]),
            "csv_name": CSV_NAME,
            "rows_template": "numbers/_rows.html",
            "numbers_url": list_url,
            "webphone_url": reverse("webphone:phone", args=[code]),
            "shows_company": "company" in columns,
            "shows_var": "var" in columns,
            "shows_reserved_for": "reserved_for" in columns,
        }

    @staticmethod
    def rows(page: Page, actor) -> list[dict]:
        """The rows with their texts for people."""
        written = shown_in(actor.person)
        uses = {use: use_text(*use).partition(" (") for use, _name in use_names()}
        active, pending = _("Active"), _("Pending")
        zone = ZoneInfo(actor.person.time_zone)
        for row in page.rows:
            row["display"] = written(row["e164"])
            use = uses.get((row["use_kind"], row["service_type"]), ("", "", ""))
            row["use"], row["use_detail"] = use[0], use[2].rstrip(")")
            row["status"], row["status_label"] = ("active", active) if row["active"] else ("pending", pending)
            row["hold"] = row["hold_label"] = ""
            if row["reserved"]:
                row["hold"] = "reserved"
                row["hold_label"] = _("Reserved until %(day)s") % {"day": day(row["reserved_until"], zone)}
            elif row["cooling_until"]:
                row["hold"] = "cooling"
                row["hold_label"] = _("Cooling until %(day)s") % {"day": day(row["cooling_until"], zone)}
        return page.rows


def day(when: datetime, zone: ZoneInfo) -> str:
    return date_format(when.astimezone(zone), "j M Y")


def moment(when: datetime | None, zone: ZoneInfo) -> str:
    return date_format(when.astimezone(zone), "j M Y, H:i") if when else ""


@require_safe
def find(request, code):
    """Quick search: the number's own page when the typed spelling is one number here, otherwise the list."""
    typed = request.GET.get("q", "")[:200].strip()
    try:
        spellings = pieces(typed)
    except ValidationError:
        spellings = ()
    if spellings:
        exact = {text.lstrip("+") for text in spellings}
        found = PhoneNumber.visible_to(request.actor).filter(digits__in=[d for d in exact if len(d) < 16])[:2]
        if len(found) == 1:
            return redirect("numbers:detail", code=code, digits=found[0].digits)
        page = Listing(request.actor, digits=spellings).page(2)
        if len(page.rows) == 1:
            return redirect("numbers:detail", code=code, digits=page.rows[0]["digits"])
    column = "number" if spellings or not typed else "used_by"
    return redirect(Address(reverse("numbers:list", args=[code]), {column: typed}, [column]).url())


@require_safe
def detail(request, code, digits):
    """One number: who has it, what it rings, its traffic and options."""
    rows = PhoneNumber.visible_to(request.actor).select_related(
        "provider", "var", "customer", "destination", "reserved_for"
    )
    number = rows.filter(digits=digits).first() if digits < 10**15 else None
    if number is None:
        raise Http404
    person, provider, rings, now = request.actor.person, number.provider, number.destination, timezone.now()
    columns = columns_for(request.actor)
    zone = ZoneInfo(person.time_zone)
    calling = phones.country_code(number.e164)
    use, _open, use_detail = (use_text(rings.kind, rings.service_type) if rings else "").partition(" (")
    reserved = number.reserved_until is not None and number.reserved_until > now
    cooling = number.cooling_until is not None and number.cooling_until > now
    shown = {
        "e164": number.e164,
        "digits": number.digits,
        "display": shown_in(person)(number.e164),
        "label": number.label,
        "used_by": rings.name if rings else "",
        "use": use,
        "use_detail": use_detail.rstrip(")"),
        "company": number.customer.name if number.customer else "",
        "var": number.var.name,
        "provider": provider.name,
        "status": "active" if number.first_call_at else "pending",
        "status_label": _("Active") if number.first_call_at else _("Pending"),
        "reserved_for": number.reserved_for.name if reserved and "reserved_for" in columns else "",
        "reserved_until": moment(number.reserved_until, zone) if reserved else "",
        "cooling_until": moment(number.cooling_until, zone) if cooling else "",
        "country": f"+{calling} {regions(str(calling))}" if calling else "",
        "assigned_at": moment(number.assigned_at, zone),
        "first_call": moment(number.first_call_at, zone),
        "last_call": moment(number.last_call_at, zone),
        "caller_name": number.caller_name,
        "features": [
            {"label": _("Voice"), "supported": provider.supports_voice, "on": number.voice},
            {"label": _("SMS"), "supported": provider.supports_sms, "on": number.sms},
            {"label": _("Fax"), "supported": provider.supports_fax, "on": number.fax},
        ],
    }
    context = {
        "number": shown,
        "numbers_url": reverse("numbers:list", args=[code]),
        "webphone_url": reverse("webphone:phone", args=[code]),
        "shows_company": "company" in columns,
        "shows_var": "var" in columns,
    }
    return render(request, "numbers/detail.html", context)


def asked_listing(request) -> PhoneNumberFilter:
    return PhoneNumberFilter(request.actor, list(columns_for(request.actor)), request.GET)


def refusal(request, found: PhoneNumberFilter) -> HttpResponse:
    """An export of something that was not understood would be an export of the wrong numbers."""
    problems = [*found.problems, *(text for errors in found.form.errors.values() for text in errors)]
    return render(request, "numbers/export_refused.html", {"title": _("Export"), "problems": problems}, status=422)


@require_safe
def export_csv(request, code):
    """All that match, or the chosen ones, as CSV; streamed by the database."""
    found = asked_listing(request)
    listing = found.listing()
    if listing is None or found.problems:
        return refusal(request, found)
    name = file_name(request.GET.get("filename", ""), CSV_NAME, ".csv")
    return streamed(
        listing.csv(columns_for(request.actor)),
        interrupted=_("INCOMPLETE: this export broke off here. Download it again."),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


@require_safe
def export_pdf(request, code):
    """All that match, or the chosen ones, as a PDF that opens in the browser; streamed page by page."""
    found = asked_listing(request)
    listing = found.listing()
    if listing is None or found.problems:
        return refusal(request, found)
    name = file_name(request.GET.get("filename", ""), PDF_NAME, ".pdf")
    return streamed(
        documents.numbers_pdf(request.actor, found, listing),
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(False, name)},
    )


@require_safe
def home(request, code):
    """The account's home: its stock at a glance, for those who look after numbers."""
    context = {"title": _("Home"), "stock": None}
    if request.actor.may("numbers.view"):
        stock = stock_of(request.actor)
        widest = max((bar.total for bar in stock.bars), default=0) or 1
        by_var = request.actor.account.kind == "system"
        list_url = reverse("numbers:list", args=[code])
        with timezone.override(request.actor.person.time_zone):
            as_of = date_format(timezone.localtime(stock.as_of), "H:i")
        context |= {
            "stock": {
                name: plain(getattr(stock, name)) for name in ("total", "used", "available", "reserved", "cooling")
            },
            "numbers_url": list_url,
            "breakdown_title": _("By VAR") if by_var else _("By country"),
            "breakdown": [
                {
                    "label": bar.name if by_var else f"{bar.name} {regions(bar.name)}",
                    "used": plain(bar.used),
                    "available": plain(bar.available),
                    "total": plain(bar.total),
                    "url": Address(list_url, {("var" if by_var else "number"): bar.name}, ["var", "number"]).url(),
                    "used_width": round(100 * bar.used / widest, 2),
                    "available_width": round(100 * bar.available / widest, 2),
                }
                for bar in stock.bars
            ],
            "as_of": as_of,
        }
    return render(request, "portal/home.html", context)
