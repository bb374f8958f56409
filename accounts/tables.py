"""The columns of the lists about accounts and people."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Account
from portal.pages import columns_of


class AccountTable(tables.Table):
    """The accounts below one."""

    code = tables.Column(_("Code"))
    name = tables.Column(_("Name"))
    var = tables.Column(_("VAR"))
    companies = tables.Column(_("Companies"))
    professionals = tables.Column(_("Professionals"))
    used = tables.Column(_("Used"))
    available = tables.Column(_("Available"))
    numbers = tables.Column(_("Numbers"))
    quota = tables.Column(_("Quota"))
    cooling = tables.Column(_("Cooling days"))
    contact = tables.Column(_("Contact"))
    phone = tables.Column(_("Phone"))
    status = tables.Column(_("Status"))

    OF_VARS_ALONE = {"companies", "professionals", "used", "available"}
    OF_CUSTOMERS_ALONE = {"var", "numbers", "quota", "cooling"}


class AccessTable(tables.Table):
    """Who was inside an account."""

    who = tables.Column(_("Who"))
    home = tables.Column(_("From"))
    entered = tables.Column(_("Entered"))
    ended = tables.Column(_("Ended"))
    why = tables.Column(_("Why it ended"))
    reason = tables.Column(_("Reason"))
    mode = tables.Column(_("Permission"))
    changes = tables.Column(_("Changes"))


class HistoryTable(tables.Table):
    """What was changed in an account."""

    at = tables.Column(_("Time"))
    who = tables.Column(_("Who"))
    home = tables.Column(_("From"))
    what = tables.Column(_("What"))
    of = tables.Column(_("Of"))
    change = tables.Column(_("Before and after"))


class PersonTable(tables.Table):
    """The people of an account."""

    name = tables.Column(_("Name"))
    email = tables.Column(_("E-mail"))
    role = tables.Column(_("Role"))
    state = tables.Column(_("State"))
    signed_in = tables.Column(_("Last sign-in"))


class GrantTable(tables.Table):
    """Which support agent may work in which account."""

    agent = tables.Column(_("Support agent"))
    account = tables.Column(_("Account"))
    mode = tables.Column(_("Permission"))
    until = tables.Column(_("Until"))
    by = tables.Column(_("Granted by"))


class NoticeTable(tables.Table):
    """The notices of a person."""

    what = tables.Column(_("What"))
    at = tables.Column(_("Time"))
    about = tables.Column(_("About"))
    account = tables.Column(_("Account"))
    state = tables.Column(_("State"))


def notice_columns(actor: Actor) -> dict[str, str]:
    return columns_of(NoticeTable)


def grant_columns(actor: Actor) -> dict[str, str]:
    return columns_of(GrantTable)


def account_columns(actor: Actor, kind: str) -> dict[str, str]:
    """The columns of the list of accounts of a kind. Whose customers they are is a column only above the VARs."""
    if kind == Account.Kind.VAR:
        return columns_of(AccountTable, AccountTable.OF_CUSTOMERS_ALONE)
    hidden = AccountTable.OF_VARS_ALONE
    return columns_of(AccountTable, hidden | {"var"} if actor.account.kind == Account.Kind.VAR else hidden)


def history_columns(actor: Actor) -> dict[str, str]:
    return columns_of(HistoryTable)


def access_columns(actor: Actor) -> dict[str, str]:
    return columns_of(AccessTable)


def person_columns(actor: Actor) -> dict[str, str]:
    return columns_of(PersonTable)
