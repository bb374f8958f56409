"""The pages about numbers, and the home page, which is about the stock of them."""

from functools import cache, lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.actor import Actor
from accounts.entrance import entering
from accounts.models import Account
from accounts.shell import commands
from accounts.views.grants import granted_accounts
from numbers.actions.verbs import verbs_of
from numbers.attention import attention
from numbers.filters.phone_numbers import PhoneNumberFilter, use_names
from numbers.first_steps import first_steps
from numbers.forms.as_of import AsOfForm
from numbers.listing import Listing
from numbers.lookup import granted_numbers
from numbers.models import CallEvent, Destination, PhoneNumber, Routing, use_text
from numbers.stock import regions, stock_of
from numbers.tables import columns_for, options_columns
from numbers.timeline import standing_at, timeline
from numbers.views.verbs import number_of, offered
from portal import countries, phones, plans
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


@lru_cache(maxsize=1_000)
def held(state: str, text: str) -> SafeString:
    """What keeps a number that nobody uses: a small sign with words."""
    return format_html('<span class="hold {}">{}</span>', state, text)


@lru_cache(maxsize=1_000)
def aside(text: str) -> SafeString:
    """What a service does, beside its name."""
    return format_html(" <small>{}</small>", text) if text else SafeString("")


class PhoneNumberList(ListPage):
    """The numbers that the actor sees."""

    title = gettext_lazy("Phone Numbers")
    addresses = ("numbers:list", "numbers:export_csv", "numbers:export_pdf")
    csv_name = "PhoneNumbers.csv"
    csv_for_excel = True
    more_columns = staticmethod(options_columns)
    more_label = gettext_lazy("Also label, caller name and features")
    widths = WIDTHS
    filter_class = PhoneNumberFilter
    template_name = "numbers/list.html"
    rows_template = "numbers/_rows.html"
    columns = staticmethod(columns_for)
    parts = {
        "number": ("display",), "used_by": ("used_by", "held_text"), "use": ("use", "use_detail"),
        "status": ("status_label",),
    }  # fmt: skip

    def takes_more(self, actor: Actor) -> bool:
        """Who can import the file again has all of it that an import takes."""
        return actor.may("numbers.import")

    def more_context(self, request, found) -> dict:
        code, token = request.actor.account.code, get_token(request)
        list_url, verbs = url_of("numbers:list", code), verbs_of(request.actor)
        return {
            # Once for all forms of the page: each time that it is asked for, it is another one.
            "csrf_token": token,
            "numbers_url": list_url,
            "webphone_url": url_of("webphone:phone", code),
            "enters": "company" in found.columns,
            "verbs": [
                {
                    "label": str(verb.label),
                    "url": f"{list_url}bulk/{slug}/",
                    "token": token,
                    "weight": "final" if verb.is_final else "",
                }
                for slug, verb in verbs.items()
            ],
            "row_verbs": tuple(
                (slug, str(verb.label), suits)
                for slug, verb in verbs.items()
                if (suits := row_verb_suits(request.actor, slug))
            ),
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
        holder = "used_by" if request.actor.account.is_customer else "company_code"
        statuses = {True: ("active", _("Active")), False: ("pending", _("Pending"))}
        zone, nobody = ZoneInfo(person.time_zone), _("Available")
        for row in rows:
            row["display"] = written(row["e164"])
            row["use"], row["use_detail"] = uses.get((row["use_kind"], row["service_type"]), ("", ""))
            row["status"], row["status_label"] = statuses[row["active"]]
            row["detail"] = aside(row["use_detail"])
            row["held"] = row["held_text"] = ""
            if row["reserved"]:
                row["held_text"] = _("Reserved until %(day)s") % {"day": day(row["reserved_until"], zone)}
                row["held"] = held("reserved", row["held_text"])
            elif row["cooling_until"]:
                row["held_text"] = _("Cooling until %(day)s") % {"day": day(row["cooling_until"], zone)}
                row["held"] = held("cooling", row["held_text"])
            elif not row.get(holder):
                row["held"], row["held_text"] = held("available", nobody), nobody
            for place in ("company", "var"):
                if code := row.get(f"{place}_code"):
                    row[f"enters_{place}"] = entering(row[place], code, f"/{code}/numbers/")
                else:
                    row[f"enters_{place}"] = ""
        return rows


def row_verb_suits(actor: Actor, slug: str) -> str:
    """The states of a number, as a row shows them, in which a row offers the verb: the few that people need daily. A
    customer's number can ring something else at any time; a VAR's has to be free."""
    if slug == "options":
        return "available used reserved cooling"
    if slug == "unassign":
        return "used"
    if slug == "assign":
        return "available used" if actor.account.is_customer else "available reserved"
    return "available reserved" if slug == "reserve" else ""


def country_of(e164: str) -> str:
    """The country of a number by name, with its calling code; the countries that share the code where none is sure."""
    calling, region = plans.country_code(e164), phones.region_of(e164)
    if not calling:
        return ""
    return f"{countries.name(region)} +{calling}" if region else f"+{calling} {regions(str(calling))}"


#: So many calls to a number are counted on its page.
MOST_COUNTED = 1_000


def unassigned_calls(actor: Actor, number: PhoneNumber) -> str:
    """The calls that a number of the stock has received while nobody had it, for those who hand it out: people still
    call it. Empty for a number that a customer has."""
    if number.customer_id is not None or actor.account.is_customer:
        return ""
    count, last = CallEvent.while_unassigned(actor, number.pk, MOST_COUNTED + 1)
    if not count:
        return _("none in the last %(days)d days") % {"days": settings.CALL_DAYS}
    said = {
        "count": plain(count) if count <= MOST_COUNTED else _("more than %(bound)s") % {"bound": plain(MOST_COUNTED)},
        "last": moment(last, actor.person.zone),
        "days": settings.CALL_DAYS,
    }
    return _("%(count)s in the last %(days)d days, the last one on %(last)s") % said


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


def account_link(actor: Actor, account: Account | None) -> str:
    """The name of an account that a number is about: below the actor's, a button that enters it."""
    if account is None:
        return ""
    if account.pk == actor.account.pk or not account.is_open:
        return account.name
    return entering(account.name, account.code, f"/{account.code}/numbers/")


def back_to_list(request, list_url: str) -> str:
    """The list of numbers as it was searched and sorted when somebody went on to this page from it."""
    came = urlsplit(request.headers.get("Referer", ""))
    is_list = came.netloc == request.get_host() and came.path == list_url and came.query
    return f"{list_url}?{came.query}" if is_list else list_url


def routing_of(actor: Actor, number: PhoneNumber) -> dict | None:
    """Whether calls to the number arrive, as its carrier said last; None where nobody asked, and for customers."""
    found = None if actor.account.is_customer else Routing.with_number(number)
    if found is None:
        return None
    return {
        "state": found.state,
        "label": found.get_state_display(),
        "reason": found.reason,
        "checked_at": moment(found.checked_at, actor.person.zone),
    }


@require_safe
def detail(request, code, digits):
    """One number: who has it, what it rings, its traffic and options."""
    number = number_of(request.actor, digits)
    person, rings, now = request.actor.person, number.destination, timezone.now()
    columns = columns_for(request.actor)
    zone = ZoneInfo(person.time_zone)
    use, _open, use_detail = (use_text(rings.kind, rings.service_type) if rings else "").partition(" (")
    reserved = number.reserved_until is not None and number.reserved_until > now
    cooling = number.cooling_until is not None and number.cooling_until > now
    holder = rings if request.actor.account.is_customer else number.customer
    shown = {
        "e164": number.e164,
        "digits": number.digits,
        "display": person.written(number.e164),
        "label": number.label,
        "used_by": rings.name if rings else "",
        "use": use,
        "use_detail": use_detail.rstrip(")"),
        "company": account_link(request.actor, number.customer),
        "var": account_link(request.actor, number.var),
        "held": "" if reserved or cooling or holder else "available",
        "provider": number.provider.name,
        "status": "active" if number.first_call_at else "pending",
        "status_label": _("Active") if number.first_call_at else _("Pending"),
        "reserved_for": account_link(request.actor, number.reserved_for)
        if reserved and "reserved_for" in columns
        else "",
        "reserved_until": moment(number.reserved_until, zone) if reserved else "",
        "cooling_until": moment(number.cooling_until, zone) if cooling else "",
        "country": country_of(number.e164),
        "assigned_at": moment(number.assigned_at, zone),
        "first_call": moment(number.first_call_at, zone),
        "last_call": moment(number.last_call_at, zone),
        "unassigned_calls": unassigned_calls(request.actor, number),
        "caller_name": number.caller_name,
        "features": features_of(number),
        "routing": routing_of(request.actor, number),
    }
    as_of = AsOfForm(request.actor, request.GET)
    asked = as_of.time
    context = {
        "number": shown,
        "timeline": timeline(request.actor, number),
        "history_url": f"{reverse('history', args=[code])}?number_id={number.pk}",
        "as_of": as_of,
        "stood_at": moment(asked, zone),
        "stood": standing_at(request.actor, number, asked) if asked else None,
        "verbs": offered(request.actor, number),
        "numbers_url": back_to_list(request, reverse("numbers:list", args=[code])),
        "enters": not request.actor.account.is_customer,
        "webphone_url": reverse("webphone:phone", args=[code]),
        "shows_company": "company" in columns,
        "shows_var": "var" in columns,
    }
    return render(request, "numbers/detail.html", context)


def looked_up(request) -> dict:
    """What a support agent looks for on the home page, and in which granted account it is."""
    typed, found, problem = request.GET.get("q", "")[:200].strip(), [], ""
    written = request.actor.person.written
    if typed:
        try:
            spellings = pieces(typed)
        except ValidationError as refusal:
            problem = " ".join(refusal.messages)
        else:
            found = granted_numbers(request.actor.person, spellings)
            problem = "" if found else _("No account that was granted to you has such a number.")
    return {
        "typed": typed,
        "problem": problem,
        "found": [
            {
                "display": written(one.e164),
                "e164": one.e164,
                "account": one.account.name,
                "code": one.account.code,
                "next": f"{url_of('numbers:list', one.account.code)}{one.e164[1:]}/",
            }
            for one in found
        ],
    }


@require_safe
def home(request, code):
    """The account's home: its stock at a glance, for those who look after numbers."""
    context = {"title": _("Home"), "stock": None, "attention": None, "first_steps": first_steps(request.actor)}
    if not request.actor.may("numbers.view") and not request.actor.is_support:
        context["pages"] = [(label, url) for label, url in commands(request.actor) if url != request.path]
    if request.actor.is_support:
        context |= {"is_agent": True, "granted": granted_accounts(request.actor.person), **looked_up(request)}
    if request.actor.may("numbers.view"):
        stock = stock_of(request.actor)
        widest = max((bar.total for bar in stock.bars), default=0) or 1
        by_var = request.actor.account.kind == "system"
        list_url = reverse("numbers:list", args=[code])
        with timezone.override(request.actor.person.time_zone):
            as_of = date_format(timezone.localtime(stock.as_of), "H:i")
        context |= {
            "attention": attention(request.actor),
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
            "levels_url": reverse("numbers:levels", args=[code]) if request.actor.may("stock.view") else "",
        }
    return render(request, "portal/home.html", context)
