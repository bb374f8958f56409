"""The one table that says who may do what. Everything else asks it: middleware, menu, buttons, tests, docs/roles.md.

A permission names what it allows. An address names the permission that it needs; an address without a line here is
refused to everybody.
"""

from dataclasses import dataclass
from enum import Enum

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
    # A VAR to its customers, a company to what rings.
    "numbers.assign": change(R.VAR_ADMINISTRATOR, R.COMPANY_ADMINISTRATOR),
    "numbers.options": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "numbers.release": change(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "numbers.delete": change(R.VAR_ADMINISTRATOR),
    # What they order, a VAR of its customers; orders that wait are the VAR's to approve.
    "numbers.order": change(*CUSTOMERS),
    "orders.view": view(R.VAR_ADMINISTRATOR, *CUSTOMERS),
    "orders.approve": change(R.VAR_ADMINISTRATOR),
    # Whether carriers have let go of what was given up.
    "releases.view": view(R.VAR_ADMINISTRATOR),
    "releases.change": change(R.VAR_ADMINISTRATOR),
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
    "carrier": Door.MACHINE,
    "telephony_event": Door.MACHINE,
    "telephony_route": Door.MACHINE,
    "account_home": "home.view",
    "help": "help.view",
    "help_topic": "help.view",
    "profile": Door.SIGNED_IN,
    "end_session": Door.SIGNED_IN,
    "end_other_sessions": Door.SIGNED_IN,
    "numbers:list": "numbers.view",
    "numbers:detail": "numbers.view",
    "numbers:find": "numbers.view",
    "numbers:export_csv": "numbers.export",
    "numbers:export_pdf": "numbers.export",
    "numbers:as_of": "numbers.view",
    "numbers:as_of_csv": "numbers.export",
    "numbers:as_of_pdf": "numbers.export",
    "numbers:runs": "numbers.view",
    "numbers:runs_csv": "numbers.export",
    "numbers:runs_pdf": "numbers.export",
    "numbers:add": "numbers.add",
    "numbers:import": "numbers.import",
    "numbers:imports": "numbers.import",
    "numbers:imports_csv": "numbers.import",
    "numbers:imports_pdf": "numbers.import",
    "numbers:import_page": "numbers.import",
    "numbers:import_csv": "numbers.import",
    "numbers:import_pdf": "numbers.import",
    "numbers:import_cancel": "numbers.import",
    "numbers:compare": "numbers.reconcile",
    "numbers:released": "releases.view",
    "numbers:released_csv": "releases.view",
    "numbers:released_pdf": "releases.view",
    "numbers:released_again": "releases.change",
    "numbers:order": "numbers.order",
    "numbers:order_choose": "numbers.order",
    "numbers:order_put_back": "numbers.order",
    "numbers:order_review": "numbers.order",
    "numbers:order_ask": "numbers.order",
    "orders:list": "orders.view",
    "orders:export_csv": "orders.view",
    "orders:export_pdf": "orders.view",
    "orders:order": "orders.view",
    "orders:order_csv": "orders.view",
    "orders:order_pdf": "orders.view",
    "orders:deliver": "orders.approve",
    "orders:approve": "orders.approve",
    "orders:refuse": "orders.approve",
    "orders:cancel": "numbers.order",
    "numbers:assign": "numbers.assign",
    "numbers:unassign": "numbers.assign",
    "numbers:reserve": "numbers.reserve",
    "numbers:cancel_reservation": "numbers.reserve",
    "numbers:end_cooling": "numbers.reserve",
    "numbers:options": "numbers.options",
    "numbers:release": "numbers.release",
    "numbers:delete": "numbers.delete",
    "webphone:phone": "webphone.use",
    "webphone:dial": "webphone.call",
    "webphone:credentials": "webphone.call",
    "webphone:calls": "webphone.own",
    "webphone:calls_csv": "webphone.own",
    "webphone:calls_pdf": "webphone.own",
    "webphone:call": "webphone.own",
    "webphone:hang_up": "webphone.call",
    "webphone:telephones": "webphone.own",
    "webphone:telephone_add": "webphone.call",
    "webphone:telephone_verify": "webphone.call",
    "webphone:telephone_remove": "webphone.call",
    "access": {"GET": "access.view", "POST": Door.ENTRANCE},
    "access_csv": "access.view",
    "access_pdf": "access.view",
    "access_leave": Door.ENTRANCE,
    "access_decide": "access.decide",
    "access_consent": "access.decide",
    "history": "history.view",
    "history_csv": "history.view",
    "history_pdf": "history.view",
    "people": "people.view",
    "people_csv": "people.view",
    "people_pdf": "people.view",
    "person_invite": "people.invite",
    "person": {"GET": "people.view", "POST": "people.roles"},
    "person_resend": "people.resend",
    "person_deactivate": "people.deactivate",
    "person_reactivate": "people.deactivate",
    "person_sign_out": "people.deactivate",
    "grants": "grants.view",
    "grants_csv": "grants.view",
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
    "numbers:bulk_release": "numbers.release",
    "numbers:bulk_delete": "numbers.delete",
    "numbers:jobs": "jobs.view",
    "numbers:jobs_csv": "jobs.view",
    "numbers:jobs_pdf": "jobs.view",
    "numbers:job": {"GET": "jobs.view", "POST": "jobs.change"},
    "numbers:job_csv": "jobs.view",
    "numbers:job_pdf": "jobs.view",
    "numbers:job_cancel": "jobs.change",
    "numbers:job_retry": "jobs.change",
    "calls:systems": "systems.view",
    "calls:systems_csv": "systems.view",
    "calls:systems_pdf": "systems.view",
    "calls:system": "systems.view",
    "calls:add": "systems.change",
    "calls:revoke": "systems.change",
    "destinations:list": "destinations.view",
    "destinations:export_csv": "destinations.view",
    "destinations:export_pdf": "destinations.view",
    "destinations:suggestions": "destinations.view",
    "destinations:detail": "destinations.view",
    "destinations:add": "destinations.change",
    "destinations:change": "destinations.change",
    "destinations:delete": "destinations.change",
    "accounts": "accounts.view",
    "accounts_csv": "accounts.view",
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
    "mfa_reauthenticate": Door.SIGNED_IN,
    "mfa_reauthenticate_webauthn": Door.SIGNED_IN,
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
