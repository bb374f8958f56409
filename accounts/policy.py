"""The one table that says who may do what. Everything else asks it: middleware, menu, buttons, tests, docs/roles.md.

A permission names what it allows. An address names the permission that it needs; an address without a line here is
refused to everybody.
"""

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


class Access(Enum):
    """What stands in place of a permission where an address belongs to no account."""

    MACHINE = "machines that watch the portal: no person is looked up, they guard themselves"
    PUBLIC = "anybody, signed in or not"
    SIGNED_IN = "anybody who is signed in"
    CLOSED = "nobody: answered as if it did not exist"


R = Role
EVERYBODY = frozenset(Role)
NUMBER_VIEWERS = frozenset({R.SYSTEM_ADMINISTRATOR, R.VAR_ADMINISTRATOR, R.COMPANY_ADMINISTRATOR, R.PROFESSIONAL})

#: permission -> the roles that have it
PERMISSIONS: dict[str, frozenset[Role]] = {
    "home.view": EVERYBODY,
    "help.view": EVERYBODY,
    "webphone.use": EVERYBODY,
    "numbers.view": NUMBER_VIEWERS,
    "numbers.export": NUMBER_VIEWERS,
}

#: name of an address -> the permission that it needs
ADDRESSES: dict[str, str | Access] = {
    "home": Access.SIGNED_IN,
    "healthz": Access.MACHINE,
    "readyz": Access.MACHINE,
    "metrics": Access.MACHINE,
    "account_home": "home.view",
    "help": "help.view",
    "help_topic": "help.view",
    "profile": Access.SIGNED_IN,
    "end_session": Access.SIGNED_IN,
    "end_other_sessions": Access.SIGNED_IN,
    "numbers:list": "numbers.view",
    "numbers:detail": "numbers.view",
    "numbers:find": "numbers.view",
    "numbers:export_csv": "numbers.export",
    "numbers:export_pdf": "numbers.export",
    "webphone:phone": "webphone.use",
    # Signing in (allauth)
    "account_login": Access.PUBLIC,
    "account_logout": Access.PUBLIC,
    "account_inactive": Access.PUBLIC,
    "account_reset_password": Access.PUBLIC,
    "account_reset_password_done": Access.PUBLIC,
    "account_reset_password_from_key": Access.PUBLIC,
    "account_reset_password_from_key_done": Access.PUBLIC,
    "account_change_password": Access.SIGNED_IN,
    "account_set_password": Access.SIGNED_IN,
    "account_reauthenticate": Access.SIGNED_IN,
    "mfa_authenticate": Access.PUBLIC,
    "mfa_login_webauthn": Access.PUBLIC,
    "mfa_reauthenticate": Access.SIGNED_IN,
    "mfa_reauthenticate_webauthn": Access.SIGNED_IN,
    # What keeps the sign-in safe (allauth's names)
    "mfa_index": Access.SIGNED_IN,
    "mfa_activate_totp": Access.SIGNED_IN,
    "mfa_deactivate_totp": Access.SIGNED_IN,
    "mfa_view_recovery_codes": Access.SIGNED_IN,
    "mfa_generate_recovery_codes": Access.SIGNED_IN,
    "mfa_download_recovery_codes": Access.SIGNED_IN,
    "mfa_add_webauthn": Access.SIGNED_IN,
    "mfa_edit_webauthn": Access.SIGNED_IN,
    "mfa_remove_webauthn": Access.SIGNED_IN,
    # People come by invitation, and their address changes through an administrator.
    "account_signup": Access.CLOSED,
    "account_email": Access.CLOSED,
    "account_email_verification_sent": Access.CLOSED,
    "account_confirm_email": Access.CLOSED,
    "account_confirm_login_code": Access.CLOSED,
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


def allows(role: Role, permission: str) -> bool:
    """Whether ``role`` has ``permission``. An unknown permission belongs to nobody."""
    return role in PERMISSIONS.get(permission, frozenset())


def needed_for(address: str) -> str | Access | None:
    """What the address called ``address`` needs; None when the table does not know it, which means nobody."""
    return ADDRESSES.get(address)
