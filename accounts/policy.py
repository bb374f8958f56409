"""The one table that says who may do what. Everything else asks it: middleware, menu, buttons, tests, docs/roles.md.

A permission names what it allows. An address names the permission that it needs; an address without a line here is
refused to everybody.
"""

from dataclasses import dataclass
from enum import Enum

from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What somebody is in the account they act in."""

    SYSTEM_ADMINISTRATOR = "system_administrator", _("System administrator")
    SYSTEM_SUPPORT = "system_support", _("System support agent")
    VAR_ADMINISTRATOR = "var_administrator", _("VAR administrator")
    VAR_SUPPORT = "var_support", _("VAR support agent")
    COMPANY_ADMINISTRATOR = "company_administrator", _("Company administrator")
    PROFESSIONAL = "professional", _("Professional")
    USER = "user", _("User")


class Door(Enum):
    """What stands in place of a permission where an address belongs to no account, or leads into one."""

    MACHINE = "machines that watch the portal or tell it something: no person is looked up, they guard themselves"
    PUBLIC = "anybody, signed in or not"
    SIGNED_IN = "anybody who is signed in"
    ENTRANCE = "who may work in the account, whether inside already or not"
    CLOSED = "nobody: answered as if it did not exist"


@dataclass(frozen=True)
class Permission:
    """Who may do something.

    ``inside``: also while working in somebody else's account. ``changes``: not with an access that is for viewing.
    Both are refused unless it is said here, for the day somebody adds a permission and does not think of it.
    """

    roles: frozenset[Role]
    inside: bool = False
    changes: bool = True


def view(*roles: Role) -> Permission:
    """Something to look at, from inside as well."""
    return Permission(frozenset(roles), inside=True, changes=False)


def change(*roles: Role) -> Permission:
    """Something to change, from inside as well."""
    return Permission(frozenset(roles), inside=True)


def own(*roles: Role) -> Permission:
    """Something that only the account's own people change."""
    return Permission(frozenset(roles))


R = Role
EVERYBODY = tuple(Role)
ADMINISTRATORS = (R.SYSTEM_ADMINISTRATOR, R.VAR_ADMINISTRATOR, R.COMPANY_ADMINISTRATOR, R.PROFESSIONAL)
CUSTOMERS = (R.COMPANY_ADMINISTRATOR, R.PROFESSIONAL)
OPERATORS = (R.SYSTEM_ADMINISTRATOR, R.VAR_ADMINISTRATOR)
SUPPORT = (R.SYSTEM_SUPPORT, R.VAR_SUPPORT)

PERMISSIONS: dict[str, Permission] = {
    "home.view": view(*EVERYBODY),
    "help.view": view(*EVERYBODY),
    # A WebPhone is a person's: while working in another account they call from their own.
    "webphone.use": view(*EVERYBODY),
    "webphone.own": Permission(frozenset(EVERYBODY), changes=False),
    "webphone.call": own(*EVERYBODY),
    "numbers.view": view(*ADMINISTRATORS),
    "numbers.export": view(*ADMINISTRATORS),
    # What is done to many numbers; each verb asks for its own permission besides.
    "jobs.view": view(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "jobs.change": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "numbers.add": change(R.VAR_ADMINISTRATOR),
    "numbers.import": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    # What a carrier says that it holds, against what is here.
    "numbers.reconcile": change(R.VAR_ADMINISTRATOR),
    "numbers.reserve": change(R.VAR_ADMINISTRATOR),
    # A VAR to its customers, a company or a professional to what rings.
    "numbers.assign": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    # The numbers of an order, to what rings, all at once.
    "numbers.assign_order": change(*CUSTOMERS),
    "numbers.options": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "numbers.release": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "numbers.delete": change(R.VAR_ADMINISTRATOR),
    # Where a carrier leads the calls to numbers.
    "numbers.route": change(R.VAR_ADMINISTRATOR),
    # For the account itself: a VAR for its stock. Orders of customers that wait are the VAR's to approve.
    "numbers.order": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    # What nobody offers, a customer asks its VAR for.
    "numbers.wish": change(*CUSTOMERS),
    "orders.view": view(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "orders.approve": change(R.VAR_ADMINISTRATOR),
    # What a carrier has not delivered yet: the account's own, or a VAR of its customers'.
    "orders.give_up": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    # Whether carriers have let go of what was given up.
    "releases.view": view(R.VAR_ADMINISTRATOR),
    "releases.change": change(R.VAR_ADMINISTRATOR),
    # The minimum stock of a country or area; a VAR is notified when there is less.
    "stock.view": view(R.VAR_ADMINISTRATOR),
    "stock.watch": change(R.VAR_ADMINISTRATOR),
    "access.view": view(*ADMINISTRATORS),
    "access.decide": own(*ADMINISTRATORS),
    "history.view": view(*ADMINISTRATORS),
    "people.view": view(*ADMINISTRATORS),
    # A professional's account is one person's.
    "people.invite": change(*OPERATORS, R.COMPANY_ADMINISTRATOR),
    "people.resend": change(*ADMINISTRATORS),
    "people.roles": own(*OPERATORS, R.COMPANY_ADMINISTRATOR),
    "people.deactivate": own(*OPERATORS, R.COMPANY_ADMINISTRATOR),
    "grants.view": view(*OPERATORS),
    "grants.change": own(*OPERATORS),
    # What tells of calls, and the tokens for that.
    "systems.view": view(*OPERATORS),
    "systems.change": own(*OPERATORS),
    "destinations.view": view(*CUSTOMERS),
    "destinations.change": change(*CUSTOMERS),
    "accounts.view": view(*OPERATORS, *SUPPORT),
    "accounts.change": change(*OPERATORS),
    # The first administrator of an account that has none; ``rules.leaves_administrators`` leaves out support agents.
    "accounts.invite": change(*OPERATORS),
    "accounts.close": own(*OPERATORS),
    "settings.change": change(*ADMINISTRATORS),
}

#: name of an address -> the permission that it needs, or one for each method
ADDRESSES: dict[str, str | Door | dict[str, str | Door]] = {
    "home": Door.SIGNED_IN,
    "healthz": Door.MACHINE,
    "readyz": Door.MACHINE,
    "metrics": Door.MACHINE,
    "calls": Door.MACHINE,
    "calls_signed": Door.MACHINE,
    "carrier": Door.MACHINE,
    "telephony_event": Door.MACHINE,
    "telephony_route": Door.MACHINE,
    "account_home": "home.view",
    "go_to": "home.view",
    "help": "help.view",
    "help_topic": "help.view",
    "profile": Door.SIGNED_IN,
    # A person's notices, from any account, and their settings.
    "notices": Door.SIGNED_IN,
    "notices_csv": Door.SIGNED_IN,
    "notices_xlsx": Door.SIGNED_IN,
    "notices_pdf": Door.SIGNED_IN,
    "notice_open": Door.SIGNED_IN,
    "notices_read": Door.SIGNED_IN,
    "notices_chosen": Door.SIGNED_IN,
    # A link in mail: its signature says whose mail ends.
    "notices_off": Door.PUBLIC,
    "end_session": Door.SIGNED_IN,
    "end_other_sessions": Door.SIGNED_IN,
    "numbers:list": "numbers.view",
    "numbers:detail": "numbers.view",
    "numbers:find": "numbers.view",
    "numbers:export_csv": "numbers.export",
    "numbers:export_xlsx": "numbers.export",
    "numbers:export_pdf": "numbers.export",
    "numbers:as_of": "numbers.view",
    "numbers:as_of_csv": "numbers.export",
    "numbers:as_of_xlsx": "numbers.export",
    "numbers:as_of_pdf": "numbers.export",
    "numbers:runs": "numbers.view",
    "numbers:runs_csv": "numbers.export",
    "numbers:runs_xlsx": "numbers.export",
    "numbers:runs_pdf": "numbers.export",
    "numbers:add": "numbers.add",
    "numbers:import": "numbers.import",
    "numbers:imports": "numbers.import",
    "numbers:imports_csv": "numbers.import",
    "numbers:imports_xlsx": "numbers.import",
    "numbers:imports_pdf": "numbers.import",
    "numbers:import_page": "numbers.import",
    "numbers:import_csv": "numbers.import",
    "numbers:import_xlsx": "numbers.import",
    "numbers:import_pdf": "numbers.import",
    "numbers:import_refused": "numbers.import",
    "numbers:import_cancel": "numbers.import",
    "numbers:import_columns": "numbers.import",
    "numbers:import_line": "numbers.import",
    "numbers:import_undo": "numbers.delete",
    "numbers:compare": "numbers.reconcile",
    "numbers:released": "releases.view",
    "numbers:released_csv": "releases.view",
    "numbers:released_xlsx": "releases.view",
    "numbers:released_pdf": "releases.view",
    "numbers:released_again": "releases.change",
    "numbers:released_done": "releases.change",
    "numbers:levels": "stock.view",
    "numbers:levels_csv": "stock.view",
    "numbers:levels_xlsx": "stock.view",
    "numbers:levels_pdf": "stock.view",
    "numbers:level_add": "stock.watch",
    "numbers:level_remove": "stock.watch",
    "numbers:order": "numbers.order",
    "numbers:order_choose": "numbers.order",
    "numbers:order_put_back": "numbers.order",
    "numbers:order_review": "numbers.order",
    "numbers:order_ask": "numbers.wish",
    "orders:list": "orders.view",
    "orders:export_csv": "orders.view",
    "orders:export_xlsx": "orders.view",
    "orders:export_pdf": "orders.view",
    "orders:order": "orders.view",
    "orders:order_csv": "orders.view",
    "orders:order_xlsx": "orders.view",
    "orders:order_pdf": "orders.view",
    "orders:deliver": "orders.approve",
    "orders:approve": "orders.approve",
    "orders:refuse": "orders.approve",
    "orders:cancel": "numbers.order",
    "orders:give_up": "orders.give_up",
    "orders:route": "numbers.route",
    "orders:assign": "numbers.assign_order",
    "numbers:assign": "numbers.assign",
    "numbers:unassign": "numbers.assign",
    "numbers:reserve": "numbers.reserve",
    "numbers:cancel_reservation": "numbers.reserve",
    "numbers:end_cooling": "numbers.reserve",
    "numbers:options": "numbers.options",
    "numbers:route": "numbers.route",
    "numbers:release": "numbers.release",
    "numbers:delete": "numbers.delete",
    "webphone:phone": "webphone.use",
    "webphone:dial": "webphone.call",
    "webphone:credentials": "webphone.call",
    "webphone:calls": "webphone.own",
    "webphone:calls_csv": "webphone.own",
    "webphone:calls_xlsx": "webphone.own",
    "webphone:calls_pdf": "webphone.own",
    "webphone:call": "webphone.own",
    "webphone:hang_up": "webphone.call",
    "webphone:telephones": "webphone.own",
    "webphone:telephone_add": "webphone.call",
    "webphone:telephone_verify": "webphone.call",
    "webphone:telephone_remove": "webphone.call",
    "access": {"GET": "access.view", "POST": Door.ENTRANCE},
    "access_csv": "access.view",
    "access_xlsx": "access.view",
    "access_pdf": "access.view",
    "access_leave": Door.ENTRANCE,
    "access_decide": "access.decide",
    "access_consent": "access.decide",
    "history": "history.view",
    "history_csv": "history.view",
    "history_xlsx": "history.view",
    "history_pdf": "history.view",
    "people": "people.view",
    "people_csv": "people.view",
    "people_xlsx": "people.view",
    "people_pdf": "people.view",
    "person_invite": "people.invite",
    "person": {"GET": "people.view", "POST": "people.roles"},
    "person_resend": "people.resend",
    "person_deactivate": "people.deactivate",
    "person_reactivate": "people.deactivate",
    "person_sign_out": "people.deactivate",
    "grants": "grants.view",
    "grants_csv": "grants.view",
    "grants_xlsx": "grants.view",
    "grants_pdf": "grants.view",
    "grant_give": "grants.change",
    "grant": "grants.view",
    "grant_withdraw": "grants.change",
    "numbers:bulk_assign": "numbers.assign",
    "numbers:bulk_unassign": "numbers.assign",
    "numbers:bulk_reserve": "numbers.reserve",
    "numbers:bulk_cancel_reservation": "numbers.reserve",
    "numbers:bulk_end_cooling": "numbers.reserve",
    "numbers:bulk_options": "numbers.options",
    "numbers:bulk_route": "numbers.route",
    "numbers:bulk_release": "numbers.release",
    "numbers:bulk_delete": "numbers.delete",
    "numbers:jobs": "jobs.view",
    "numbers:jobs_csv": "jobs.view",
    "numbers:jobs_xlsx": "jobs.view",
    "numbers:jobs_pdf": "jobs.view",
    "numbers:job": {"GET": "jobs.view", "POST": "jobs.change"},
    "numbers:job_csv": "jobs.view",
    "numbers:job_xlsx": "jobs.view",
    "numbers:job_pdf": "jobs.view",
    "numbers:job_cancel": "jobs.change",
    "numbers:job_retry": "jobs.change",
    "numbers:job_undo": "jobs.change",
    "calls:systems": "systems.view",
    "calls:systems_csv": "systems.view",
    "calls:systems_xlsx": "systems.view",
    "calls:systems_pdf": "systems.view",
    "calls:system": "systems.view",
    "calls:add": "systems.change",
    "calls:change": "systems.change",
    "calls:address": "systems.change",
    "calls:revoke": "systems.change",
    "destinations:list": "destinations.view",
    "destinations:export_csv": "destinations.view",
    "destinations:export_xlsx": "destinations.view",
    "destinations:export_pdf": "destinations.view",
    "destinations:suggestions": "destinations.view",
    "destinations:detail": "destinations.view",
    "destinations:add": "destinations.change",
    "destinations:change": "destinations.change",
    "destinations:delete": "destinations.change",
    "accounts": "accounts.view",
    "accounts_csv": "accounts.view",
    "accounts_xlsx": "accounts.view",
    "accounts_pdf": "accounts.view",
    "accounts_suggestions": "accounts.view",
    "accounts_add": "accounts.change",
    "accounts_edit": {"GET": "accounts.view", "POST": "accounts.change"},
    "accounts_invite": "accounts.invite",
    "accounts_suspend": "accounts.change",
    "accounts_reactivate": "accounts.change",
    "accounts_close": "accounts.close",
    "account_settings": "settings.change",
    # Signing in (allauth)
    "account_login": Door.PUBLIC,
    "account_logout": Door.PUBLIC,
    "account_inactive": Door.PUBLIC,
    "account_reset_password": Door.PUBLIC,
    "account_reset_password_done": Door.PUBLIC,
    "account_reset_password_from_key": Door.PUBLIC,
    "account_reset_password_from_key_done": Door.PUBLIC,
    "account_change_password": Door.SIGNED_IN,
    "account_set_password": Door.SIGNED_IN,
    "account_reauthenticate": Door.SIGNED_IN,
    "mfa_authenticate": Door.PUBLIC,
    "mfa_login_webauthn": Door.PUBLIC,
    "link": Door.PUBLIC,
    # With an identity provider: there, and back.
    "provider_begin": Door.PUBLIC,
    "provider_callback": Door.PUBLIC,
    "provider_join": Door.PUBLIC,
    "provider_confirm": Door.SIGNED_IN,
    "provider_unlink": Door.SIGNED_IN,
    "mfa_reauthenticate": Door.SIGNED_IN,
    "mfa_reauthenticate_webauthn": Door.SIGNED_IN,
    "waiting_form": Door.SIGNED_IN,
    # What keeps the sign-in safe (allauth's names)
    "mfa_index": Door.SIGNED_IN,
    "mfa_activate_totp": Door.SIGNED_IN,
    "mfa_deactivate_totp": Door.SIGNED_IN,
    "mfa_view_recovery_codes": Door.SIGNED_IN,
    "mfa_generate_recovery_codes": Door.SIGNED_IN,
    "mfa_download_recovery_codes": Door.SIGNED_IN,
    "mfa_add_webauthn": Door.SIGNED_IN,
    "mfa_edit_webauthn": Door.SIGNED_IN,
    "mfa_remove_webauthn": Door.SIGNED_IN,
    # People come by invitation, and their address changes through an administrator.
    "account_signup": Door.CLOSED,
    "account_email": Door.CLOSED,
    "account_email_verification_sent": Door.CLOSED,
    "account_confirm_email": Door.CLOSED,
    "account_confirm_login_code": Door.CLOSED,
}

_FORM, _BUTTON = ("GET", "HEAD", "POST"), ("POST",)
#: name of an address where rights are given -> the methods for which the person confirms their identity first, unless
#: they did so recently (``accounts.confirmation``). Taking rights away needs no confirmation.
CONFIRMED: dict[str, tuple[str, ...]] = {
    "access_decide": _BUTTON,
    "access_consent": _BUTTON,
    "accounts_invite": _FORM,
    "person_invite": _FORM,
    "person": _BUTTON,
    "person_reactivate": _BUTTON,
    "grant_give": _FORM,
    "calls:add": _FORM,
    "calls:address": _BUTTON,
}


@dataclass(frozen=True)
class Body:
    """What an address takes: a request of ``most`` bytes. A file, however small, may take long to read.

    Beyond ``SMALL_BODY`` somebody who may not ask for the address is answered before the body comes. Of a body that is
    ``signed`` only the signature says who sent it: that has to come first.
    """

    most: int
    signed: bool = False
    is_file: bool = False


KB, MB = 1024, 1024 * 1024
#: What an address takes that has no line in ``BODIES``: the largest form, that of a job with a thousand rows chosen,
#: has 25 kB. Strangers send no more than that to any address.
SMALL_BODY = 64 * KB
#: Of the text in a form Django takes 2.5 MB (DATA_UPLOAD_MAX_MEMORY_SIZE).
FORM = Body(3 * MB)
#: A file and the form around it.
FILE = Body(settings.IMPORT_BYTES + FORM.most, is_file=True)

#: name of an address -> what it takes, where that is more or less than ``SMALL_BODY``
BODIES: dict[str, Body] = {
    "numbers:add": FORM,
    "numbers:import": FILE,
    "numbers:compare": FILE,
    # As much as their views read.
    "calls": Body(8_000_000),
    "calls_signed": Body(8_000_000),
    "carrier": Body(1 * MB, signed=True),
    "telephony_event": Body(4 * KB),
    "telephony_route": Body(4 * KB),
}

_ROLES = {
    ("system", "administrator"): R.SYSTEM_ADMINISTRATOR,
    ("system", "support"): R.SYSTEM_SUPPORT,
    ("var", "administrator"): R.VAR_ADMINISTRATOR,
    ("var", "support"): R.VAR_SUPPORT,
    ("company", "administrator"): R.COMPANY_ADMINISTRATOR,
    ("professional", "administrator"): R.PROFESSIONAL,
}


def role_of(account_kind: str, person_role: str) -> Role:
    """The role of a person with ``person_role`` who acts in an account of ``account_kind``."""
    return _ROLES.get((account_kind, person_role), Role.USER)


def role_inside(account_kind: str) -> Role:
    """The role of somebody who works in another's account of ``account_kind``: that of its administrator."""
    return role_of(account_kind, "administrator")


def allows(role: Role, name: str, *, inside: bool = False, viewing: bool = False) -> bool:
    """Whether ``role`` has the permission called ``name``: at home, or ``inside`` somebody else's account, there
    perhaps only ``viewing``. An unknown permission belongs to nobody."""
    permission = PERMISSIONS.get(name)
    if permission is None or role not in permission.roles:
        return False
    return not (inside and not permission.inside) and not (viewing and permission.changes)


def needed_for(address: str, method: str = "GET") -> str | Door | None:
    """What the address called ``address`` needs; None when the table does not know it, which means nobody."""
    needed = ADDRESSES.get(address)
    if isinstance(needed, dict):
        return needed.get("GET" if method in ("HEAD", "OPTIONS") else method)
    return needed


def body_of(address: str) -> Body:
    """What the address called ``address`` takes."""
    return BODIES.get(address, Body(SMALL_BODY))
