"""The pages about numbers, and the home page, which is about the stock of them."""

from functools import cache
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.views.grants import granted_accounts
from numbers.actions.verbs import verbs_of
from numbers.filters.phone_numbers import NumbersField, PhoneNumberFilter, Span, use_names
from numbers.forms.as_of import AsOfForm
from numbers.listing import Listing
from numbers.models import Destination, PhoneNumber, use_text
from numbers.stock import regions, stock_of
from numbers.tables import columns_for
from numbers.timeline import standing_at, timeline
from numbers.views.verbs import number_of, offered
from portal import phones
from portal.filters import pieces
from portal.pages import Address, ListPage, plain, url_of
from portal.times import day, moment

#: Share of a PDF's width.
WIDTHS = {
    "number": 13, "used_by": 18, "company": 18, "reserved_for": 16, "var": 16, "use": 16, "provider": 12, "status": 7,
}  # fmt: skip


@cache
def uses_in(language: str) -> tuple:
    """Each use with its name, and what a service does apart from that."""
    found = ((use, *name.partition(" (")) for use, name in use_names())
    return tuple((use, (name, detail.rstrip(")"))) for use, name, _open, detail in found)


class PhoneNumberList(ListPage):
    """The numbers that the actor sees."""

    title = gettext_lazy("Phone Numbers")
    addresses = ("numbers:list", "numbers:export_csv", "numbers:export_pdf")
    csv_name = "PhoneNumbers.csv"
    widths = WIDTHS
    filter_class = PhoneNumberFilter
    template_name = "numbers/list.html"
    rows_template = "numbers/_rows.html"
    columns = staticmethod(columns_for)

    def more_context(self, request, found) -> dict:
        code, token = request.actor.account.code, get_token(request)
        list_url = url_of("numbers:list", code)
        return {
            # Once for all forms of the page: each time that it is asked for, it is another one.
            "csrf_token": token,
            "numbers_url": list_url,
            "webphone_url": url_of("webphone:phone", code),
            "enters": "company" in found.columns,
            "verbs": [
                {"label": str(verb.label), "url": f"{list_url}bulk/{slug}/", "token": token}
                for slug, verb in verbs_of(request.actor).items()
            ],
            "jobs_url": url_of("numbers:jobs", code),
            "released_url": url_of("numbers:released", code) if request.actor.may("releases.view") else "",
            "runs_url": url_of("numbers:runs", code),
            "as_of_url": url_of("numbers:as_of", code),
            "import_url": url_of("numbers:import", code) if request.actor.may("numbers.import") else "",
            "add_url": url_of("numbers:add", code) if request.actor.may("numbers.add") else "",
            "order_url": url_of("numbers:order", code) if request.actor.may("numbers.order") else "",
            "shows_company": "company" in found.columns,
            "shows_var": "var" in found.columns,
            "shows_reserved_for": "reserved_for" in found.columns,
        }

    def present(self, request, listing: Listing, rows: list[dict]) -> list[dict]:
        person = request.actor.person
        written = person.written
        uses = dict(uses_in(get_language()))
        statuses = {True: ("active", _("Active")), False: ("pending", _("Pending"))}
        zone = ZoneInfo(person.time_zone)
        for row in rows:
            row["display"] = written(row["e164"])
            row["use"], row["use_detail"] = uses.get((row["use_kind"], row["service_type"]), ("", ""))
            row["status"], row["status_label"] = statuses[row["active"]]
            row["hold"] = row["hold_label"] = ""
            if row["reserved"]:
                row["hold"] = "reserved"
                row["hold_label"] = _("Reserved until %(day)s") % {"day": day(row["reserved_until"], zone)}
            elif row["cooling_until"]:
                row["hold"] = "cooling"
                row["hold_label"] = _("Cooling until %(day)s") % {"day": day(row["cooling_until"], zone)}
        return rows


def is_range(typed: str) -> bool:
    """Whether this is a range of numbers; *Fax to e-mail* is not."""
    try:
        return isinstance(NumbersField(required=False).clean(typed), Span)
    except ValidationError:
        return False


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
    column = "number" if spellings or not typed or is_range(typed) else "used_by"
    return redirect(Address(reverse("numbers:list", args=[code]), {column: typed}, [column]).url())


def features_of(number: PhoneNumber) -> list[dict]:
    """What the number can do: whether its provider supports it, whether it is on, and whether it works, which a call
    shows that came in. To a fax service, that is a fax; of SMS the portal hears nothing."""
    provider, rings = number.provider, number.destination
    takes_fax = rings is not None and rings.service_type == Destination.ServiceType.FAX
    called = number.first_call_at is not None
    return [
        {
            "label": _("Voice"),
            "supported": provider.supports_voice,
            "on": number.voice,
            "works": called and not takes_fax,
        },
        {"label": _("SMS"), "supported": provider.supports_sms, "on": number.sms, "works": False},
        {"label": _("Fax"), "supported": provider.supports_fax, "on": number.fax, "works": called and takes_fax},
    ]


@require_safe
def detail(request, code, digits):
    """One number: who has it, what it rings, its traffic and options."""
    number = number_of(request.actor, digits)
    person, rings, now = request.actor.person, number.destination, timezone.now()
    columns = columns_for(request.actor)
    zone = ZoneInfo(person.time_zone)
    calling = phones.country_code(number.e164)
    use, _open, use_detail = (use_text(rings.kind, rings.service_type) if rings else "").partition(" (")
    reserved = number.reserved_until is not None and number.reserved_until > now
    cooling = number.cooling_until is not None and number.cooling_until > now
    shown = {
        "e164": number.e164,
        "digits": number.digits,
        "display": person.written(number.e164),
        "label": number.label,
        "used_by": rings.name if rings else "",
        "use": use,
        "use_detail": use_detail.rstrip(")"),
        "company": number.customer.name if number.customer else "",
        "var": number.var.name,
        "provider": number.provider.name,
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
        "features": features_of(number),
    }
    as_of = AsOfForm(request.actor, request.GET)
    asked = as_of.time
    context = {
        "number": shown,
        "timeline": timeline(request.actor, number),
        "history_url": Address(reverse("history", args=[code]), {"of": number.e164}, ["of"]).url(),
        "as_of": as_of,
        "stood_at": moment(asked, zone),
        "stood": standing_at(request.actor, number, asked) if asked else None,
        "verbs": offered(request.actor, number),
        "numbers_url": reverse("numbers:list", args=[code]),
        "webphone_url": reverse("webphone:phone", args=[code]),
        "shows_company": "company" in columns,
        "shows_var": "var" in columns,
    }
    return render(request, "numbers/detail.html", context)


@require_safe
def home(request, code):
    """The account's home: its stock at a glance, for those who look after numbers."""
    context = {"title": _("Home"), "stock": None}
    if request.actor.is_support:
        context |= {"is_agent": True, "granted": granted_accounts(request.actor.person)}
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
