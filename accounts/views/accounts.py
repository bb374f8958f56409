"""The accounts below one: VARs of the system, customers of a VAR."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions
from accounts.actor import Actor
from accounts.entrance import enter_button
from accounts.filters import AccountFilter
from accounts.forms import (
    AccountForm,
    AdministratorForm,
    ContactForm,
    NewAccountForm,
    OpenAccountForm,
    VarSettingsForm,
)
from accounts.holdings import holdings
from accounts.models import Account, Person
from accounts.rules import leaves_administrators
from accounts.views.people import mail
from portal.filters import LONGEST_SEARCH
from portal.pages import Address, ListPage, plain, url_of
from portal.times import moment


def landing(kind: str, code: str) -> str:
    """Where one arrives in an account entered from here: its accounts, or if it has none below it, its numbers."""
    return reverse("accounts" if kind == Account.Kind.VAR else "numbers:list", args=[code])


SUGGESTED = 12

#: What adding one of a kind is called.
ADD = {
    "var": gettext_lazy("Add VAR"),
    "company": gettext_lazy("Add company"),
    "professional": gettext_lazy("Add professional"),
}


def is_added(actor: Actor, kind: str) -> bool:
    """Whether the actor adds accounts of this kind here."""
    return actor.may("accounts.change") and kind in Account.BELOW[actor.account.kind]


@require_safe
def suggestions(request, code):
    """Which accounts in service may be meant by what somebody is typing, for ``type_ahead.js``."""
    typed = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    found = Account.meant_by(request.actor, typed, SUGGESTED) if typed and "\0" not in typed else []
    return JsonResponse({"suggestions": [account.written for account in found if account.is_open]})


class AccountList(ListPage):
    """The accounts that the actor sees below their own, one kind at a time."""

    title = gettext_lazy("Accounts")
    addresses = ("accounts", "accounts_csv", "accounts_pdf")
    csv_name = "Accounts.csv"
    widths = {
        "code": 8, "name": 22, "var": 16, "companies": 9, "professionals": 11, "used": 8, "available": 8, "numbers": 8,
        "quota": 8, "cooling": 11, "contact": 16, "phone": 14, "status": 9,
    }  # fmt: skip
    template_name = "accounts/accounts.html"
    figures = frozenset({"companies", "professionals", "used", "available", "numbers", "quota", "cooling"})
    parts = {"phone": ("phone_shown",)}
    row_acts = gettext_lazy("Enter")

    @property
    def rows_template(self) -> str:
        return "accounts/_var_rows.html" if self.found.kind == Account.Kind.VAR else "accounts/_customer_rows.html"

    def asked(self, request) -> AccountFilter:
        self.found = AccountFilter(request.actor, request.GET)
        return self.found

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        add_url = f"{url_of('accounts_add', code)}?kind={found.kind}"
        return {
            "enters": True,
            "accounts_url": url_of("accounts", code),
            "shows_var": "var" in found.columns,
            "add_url": add_url if is_added(request.actor, found.kind) else "",
            "add_label": ADD[found.kind],
        }

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written, phone_url = request.actor.person.written, url_of("webphone:phone", request.actor.account.code)
        shown = []
        for row in rows:
            texts = listing.texts(row)
            is_open = row["status"] in (Account.Status.TRIAL, Account.Status.PRODUCTION)
            shown.append(
                row
                | texts
                | {
                    "enters": enter_button(row["name"], row["code"], landing(self.found.kind, row["code"]))
                    if is_open
                    else "",
                    "dials": dials(row["phone"], written, phone_url),
                    "companies": plain(row["company_count"]),
                    "professionals": plain(row["professional_count"]),
                    "used": plain(row["held"].used),
                    "available": plain(row["held"].available),
                    "numbers": plain(row["held"].total),
                    "quota": _("no limit") if row["number_quota"] is None else plain(row["number_quota"]),
                    "phone_shown": written(row["phone"]) if row["phone"] else "",
                    "state": row["status"],
                }
            )
        return shown


def dials(e164: str, written: Callable[[str], str], phone_url: str) -> SafeString | str:
    """A number as ``written`` writes it, that is dialled by a click."""
    if not e164:
        return ""
    said = written(e164)
    return format_html(
        '<a href="{}?{}" title="{}">{}</a>',
        phone_url, urlencode({"number": e164}), f"{_('Dial')} {said}", said,
    )  # fmt: skip


def child(request, code: str) -> Account:
    """The account called ``code`` among those that the actor sees below their own, or 404."""
    accounts = Account.visible_to(request.actor).exclude(pk=request.actor.account.pk).select_related("parent")
    return get_object_or_404(accounts, code=code)


def typed_before(form_class, account: Account) -> dict:
    """What an account has in the fields of a form."""
    return {name: getattr(account, name) for name in form_class.base_fields}


def accounts_url(request, kind: str) -> str:
    return f"{url_of('accounts', request.actor.account.code)}?kind={kind}"


@require_http_methods(["GET", "HEAD", "POST"])
def add(request, code):
    """Add an account of the kind that the address says."""
    kind = request.GET.get("kind", Account.BELOW[request.actor.account.kind][0].value)
    if not is_added(request.actor, kind):
        raise Http404
    form = NewAccountForm(
        request.POST if request.method == "POST" else None,
        kind=kind,
        invites=leaves_administrators(request.actor),
        initial={"cooling_days": request.actor.account.cooling_days},
    )
    if request.method == "POST" and form.is_valid():
        try:
            account, administrator = actions.add_account(request.actor, kind=kind, **form.cleaned_data)
        except ValidationError as refusal:
            form.refuse(refusal)
        else:
            said = _("%(account)s is added; its code is %(code)s.")
            messages.success(request, said % {"account": account.name, "code": account.code})
            if administrator:
                mail(request, administrator)
            return redirect(accounts_url(request, kind))
    context = {
        "title": ADD[kind],
        "form": form,
        "submit_label": ADD[kind],
        "cancel_url": accounts_url(request, kind),
    }
    return render(request, "portal/form.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request, code, other):
    """One account: its details, to be changed by the account right above it."""
    account = child(request, other)
    actor = request.actor
    is_mine = account.parent_id == actor.account.pk and actor.may("accounts.change")
    form = None
    if is_mine and account.status != Account.Status.CLOSED:
        form_class = OpenAccountForm if account.is_open else AccountForm
        form = form_class(request.POST or None, kind=account.kind, initial=typed_before(form_class, account))
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid():
            try:
                actions.change_account(actor, other, **form.cleaned_data)
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                messages.success(request, _("%(account)s is saved.") % {"account": form.cleaned_data["name"]})
                return redirect(accounts_url(request, account.kind))
    return edit_page(request, account, form, is_mine)


def edit_page(request, account: Account, form, is_mine: bool, problem: str = "") -> HttpResponse:
    """The page of one account, with what can be done with it now."""
    held = holdings().counted(request.actor, account.kind, [account.pk])[account.pk]
    written = request.actor.person.written
    context = {
        "account": account,
        "phone": written(account.phone) if account.phone else "",
        "form": form,
        "problem": problem,
        "held": plain(held.total),
        "used": plain(held.used),
        "available": plain(held.available) if account.kind == Account.Kind.VAR else "",
        "people": plain(actions.people_of(request.actor, account).count())
        if account.parent_id == request.actor.account.pk
        else "",
        "numbers_url": numbers_url(request.actor, account) if request.actor.may("numbers.view") else "",
        "back": accounts_url(request, account.kind),
        "landing": landing(account.kind, account.code),
        **unattended(request.actor, account),
        "webphone_url": url_of("webphone:phone", request.actor.account.code),
        "may_suspend": is_mine and account.is_open,
        "may_reactivate": is_mine and not account.is_open,
        "may_close": is_mine and account.status != Account.Status.CLOSED and request.actor.may("accounts.close"),
    }
    failed = problem or (form is not None and form.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if failed else HTTPStatus.OK
    return render(request, "accounts/account.html", context, status=status)


def unattended(actor: Actor, account: Account) -> dict:
    """What the page of an account right below says while no administrator is active in it; of others nothing."""
    people = actions.people_of(actor, account)
    if account.parent_id != actor.account.pk or people.administrators().exists():
        return {}
    waiting = invited(actor, account)
    return {
        "unattended": True,
        "has_people": people.joined().exists(),
        "waiting": waiting,
        "invited_at": moment(waiting.invited_at, actor.person.zone) if waiting else "",
        "may_invite": actor.may("accounts.invite") and actions.why_none_invited(actor, account) is None,
    }


def invited(actor: Actor, account: Account) -> Person | None:
    """The administrator of an account right below who was invited last, and can still join."""
    waiting = actions.people_of(actor, account).never_joined().filter(is_active=True)
    return waiting.order_by("-invited_at", "-pk").first()


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request, code, other):
    """Invite an administrator into an account right below that has none who is active."""
    account = child(request, other)
    if account.parent_id != request.actor.account.pk:
        raise Http404
    if request.method != "POST" and (refusal := actions.why_none_invited(request.actor, account)):
        messages.error(request, " ".join(refusal.messages))
        return redirect("accounts_edit", code=code, other=other)
    waiting = invited(request.actor, account)
    typed = {"name": waiting.name, "email": waiting.email} if waiting else {"name": account.contact}
    form = AdministratorForm(request.POST if request.method == "POST" else None, initial=typed)
    if request.method == "POST" and form.is_valid():
        try:
            person = actions.invite_administrator(request.actor, other, **form.cleaned_data)
        except Account.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            mail(request, person)
            return redirect("accounts_edit", code=code, other=other)
    context = {
        "title": _("Invite an administrator"),
        "account": account,
        "waiting": waiting,
        "form": form,
        "submit_label": _("Invite"),
        "cancel_url": reverse("accounts_edit", args=[code, other]),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/invite_administrator.html", context, status=status)


def numbers_url(actor: Actor, account: Account) -> str:
    """The acting account's list of numbers, narrowed to those of an account below it."""
    column = "company" if account.is_customer else "var"
    return Address(url_of("numbers:list", actor.account.code), {column: account.name[:LONGEST_SEARCH]}, [column]).url()


@require_POST
def suspend(request, code, other):
    """Take an account out of service."""
    return after(request, other, actions.suspend_account, _("%(account)s is suspended."))


@require_POST
def reactivate(request, code, other):
    """Put an account back into service."""
    return after(request, other, actions.reactivate_account, _("%(account)s is in service again."))


def after(request, other: str, act, said: str) -> HttpResponse:
    """Do ``act`` to an account and go back to its page, which says that it is done, or why not."""
    try:
        account = act(request.actor, other)
    except Account.DoesNotExist as missing:
        raise Http404 from missing
    except ValidationError as refusal:
        return edit_page(request, child(request, other), None, False, " ".join(refusal.messages))
    messages.success(request, said % {"account": account.name})
    return redirect("accounts_edit", code=request.actor.account.code, other=other)


@require_http_methods(["GET", "HEAD", "POST"])
def close(request, code, other):
    """Ask whether an account is to be closed, and close it; or say what it still has."""
    account = child(request, other)
    refusal, status = None, HTTPStatus.OK
    if account.parent_id != request.actor.account.pk:
        raise Http404
    if request.method == "POST":
        try:
            actions.close_account(request.actor, other)
        except ValidationError as refused:
            refusal, status = refused, HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            messages.success(request, _("%(account)s is closed.") % {"account": account.name})
            return redirect(accounts_url(request, account.kind))
    elif account.status == Account.Status.CLOSED:
        return redirect("accounts_edit", code=code, other=other)
    else:
        refusal = actions.why_not_closed(request.actor, account)
    code_of_refusal = getattr(refusal, "code", "")
    context = {
        "account": account,
        "problem": " ".join(refusal.messages) if refusal else "",
        "numbers_url": numbers_url(request.actor, account) if code_of_refusal == "numbers" else "",
        "enters": code_of_refusal == "accounts" and account.is_open,
        "landing": landing(account.kind, account.code),
        "edit_url": reverse("accounts_edit", args=[code, other]),
    }
    return render(request, "accounts/close.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def own_settings(request, code):
    """What an account's administrators change about their own account."""
    account = request.actor.account
    form_class = VarSettingsForm if account.kind == Account.Kind.VAR else ContactForm
    form = form_class(request.POST or None, initial=typed_before(form_class, account))
    if request.method == "POST" and form.is_valid():
        actions.change_settings(request.actor, **form.cleaned_data)
        messages.success(request, _("The settings are saved."))
        return redirect("account_settings", code=code)
    context = {"title": _("Settings"), "form": form, "account": account}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/settings.html", context, status=status)
