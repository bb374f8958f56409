"""The security log: one table of events, one function that logs them.

``docs/logging.md`` explains each event; a test compares it with the table.
"""

import logging
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import salted_hmac

from portal.deployment import LONG, is_weak

logger = logging.getLogger("portal.security")
INFO, WARNING = logging.INFO, logging.WARNING
SUCCESS, FAILURE = "success", "failure"
#: Fields that any event may have besides its own; ``name_hash`` is from ``hash_of``.
COMMON = {"person", "account", "name_hash"}


class Event(NamedTuple):
    """An event: its message, level, outcome, and the fields of its own."""

    message: str
    level: int = INFO
    outcome: str = SUCCESS
    fields: tuple[str, ...] = ()


def refused(message: str, *fields: str, level: int = WARNING) -> Event:
    """An event with the outcome ``failure``."""
    return Event(message, level, FAILURE, fields)


def done(message: str, *fields: str, level: int = INFO) -> Event:
    return Event(message, level, SUCCESS, fields)


#: An event that the history has too is named like its verb there (``accounts.audit``).
EVENTS = {
    # Sign-in
    "sign_in.succeeded": done("A person signed in.", "methods"),
    "sign_in.failed": refused("A sign-in failed."),
    "sign_in.locked": refused("A sign-in was refused without a check: too many attempts."),
    "sign_in.inactive": refused("A deactivated person gave the right password."),
    "sign_in.provider_failed": refused("A sign-in with an identity provider failed.", "provider", "why"),
    "sign_in.provider_refused": refused("An identity provider vouched for nobody who may sign in.", "provider", "why"),
    "sign_in.provider_required": refused("A sign-in was refused because the domain requires a provider.", "provider"),
    "sign_in.emergency": done(
        "A system administrator signed in without the provider that their domain requires.", "provider", level=WARNING
    ),
    "sign_in.confirmed": done("A person confirmed their identity.", "methods"),
    "sign_in.out_of_service": refused("A person of a suspended or closed account was kept out."),
    "session.moved": done("A session is used from another network or browser than its last proof of identity."),
    "sign_out": done("A person signed out."),
    "session.ended": done("Sessions of a person were ended.", "target", "count", "why"),
    "limit.reached": refused("A limit was reached.", "limit"),
    "limit.half": done("Half of a day's budget for calls was used.", "limit", level=WARNING),
    "call.not_recorded": refused("A call went on that the portal had closed.", "ref"),
    # Passwords and factors
    "password.changed": done("A password was changed."),
    "password.refused": refused("The present password was wrong."),
    "password.asked": done("A link for a new password was asked for."),
    "password.sent": done("A link for a new password was mailed."),
    "password.reset": done("A password was set by a link."),
    "link.asked": done("A link to sign in with another browser was asked for."),
    "link.sent": done("A link to sign in with another browser was mailed."),
    "link.opened": done("A mailed link was opened."),
    "invitation.accepted": done("An invited person set a password."),
    "factor.added": done("A second factor was added.", "factor"),
    "factor.removed": done("A second factor was removed.", "factor", level=WARNING),
    "factor.renewed": done("Recovery codes were made anew.", "factor"),
    "factor.used": done("A second factor was used.", "factor"),
    "factor.failed": refused("A second factor was wrong.", "factor"),
    # Refusals
    "account.denied": refused("A person asked for an account that does not exist or is not theirs."),
    "permission.refused": refused("A person asked for a page or an act without the permission."),
    "object.denied": refused("A person asked for an object that does not exist or is not theirs.", level=INFO),
    "csrf.failed": refused("A form was sent without a valid CSRF token.", "reason"),
    "host.refused": refused("A request named a host that is not in ALLOWED_HOSTS."),
    "request.suspicious": refused("A request was refused as an attack.", "kind"),
    "link.refused": refused("A link or seal was forged, used or expired.", "kind"),
    "token.refused": refused("A machine's token or signature was missing or wrong.", "door"),
    "settings.weak": refused("A setting makes the portal less safe.", "setting"),
    "input.refused": refused("What a person or a machine sent was refused.", level=INFO),
    "rows.left_out": refused("A selection named rows that do not exist or are not the person's.", "count", level=INFO),
    "work.stopped": refused("Work was stopped: its person may not do it any more.", "work"),
    "export.large": done("Many rows were exported.", "list", "rows", "format"),
    # Working in another account
    "access.started": done("A person entered another account.", "may_change"),
    "access.ended": done("Access to another account ended.", "why"),
    "access.asked": done("A person asked an account for consent to enter."),
    "access.allowed": done("An account gave its consent to enter.", "target"),
    "access.refused": refused("An account refused its consent to enter.", "target", level=INFO),
    # Permissions
    "person.invited": done("A person was invited.", "target", "role"),
    "person.not_invited": refused("An invitation was refused: the address is in use in the account."),
    "person.role_changed": done("The role of a person was changed.", "target", "role"),
    "person.deactivated": done("A person was deactivated.", "target"),
    "person.reactivated": done("A person was reactivated.", "target"),
    "person.made_administrator": done(
        "A person was made a system administrator on the command line.", "target", level=WARNING
    ),
    "person.factors_removed": done("All second factors of a person were removed.", "target", level=WARNING),
    "person.linked": done("A person was linked to an identity provider.", "target", "provider"),
    "person.unlinked": done("A link to an identity provider was removed.", "target", "provider", level=WARNING),
    "person.signed_out": done("A person was signed out by another.", "target"),
    "grant.given": done("A support agent was granted an account.", "target", "agent", "granted", "may_change"),
    "grant.withdrawn": done("A grant was withdrawn.", "target", "agent", "granted", "may_change"),
    "system.added": done("A phone system got a token.", "target"),
    "system.changed": done("The settings of a phone system were changed.", "target"),
    "system.revoked": done("The token of a phone system was revoked.", "target"),
    "account.consent_changed": done("An account changed whether entering needs consent.", "target", "asks_consent"),
    "account.added": done("An account was added.", "target"),
    "account.suspended": done("An account was suspended.", "target"),
    "account.reactivated": done("An account was put back into service.", "target"),
    "account.closed": done("An account was closed.", "target"),
    "account.reopened": done("An account was reopened.", "target"),
}  # fmt: skip
#: status of a response -> its event and fields
BY_STATUS = {
    403: ("permission.refused", {}),
    404: ("object.denied", {}),
    413: ("limit.reached", {"limit": "size"}),
    422: ("input.refused", {}),
    429: ("limit.reached", {"limit": "requests"}),
}


def log(name: str, request=None, **fields) -> None:
    """Log the event ``name`` of ``EVENTS``, with its fields.

    Person, address, account and page come from the current request. The fields ``person`` (an id) and ``account`` (a
    code) replace them. With ``request``, the status of its response is not logged as another event.
    """
    event = EVENTS[name]
    if unknown := fields.keys() - COMMON.union(event.fields):
        raise KeyError(*unknown)
    if request is not None:
        request.is_told = True
    facts = {"event": name, "outcome": event.outcome} | {key: v for key, v in fields.items() if v is not None}
    logger.log(event.level, event.message, extra={"facts": facts})


def log_answer(request, status: int) -> None:
    """Log the event of a response's status, unless a more specific event of the request was logged.

    Status 404 is an event only for people who are signed in, on an address that exists.
    """
    if status not in BY_STATUS or request.is_told:
        return
    if status != 404 or (request.resolver_match and getattr(request, "actor", None)):
        name, fields = BY_STATUS[status]
        log(name, **fields)


def hash_of(name: str) -> str:
    """A keyed hash of a name that was typed to sign in, 16 characters.

    The name itself is not logged, because people type passwords into that field. The key is derived from
    ``SECRET_KEY``, so that nobody else can try names.
    """
    return salted_hmac("portal.security", name.strip().upper().casefold(), algorithm="sha256").hexdigest()[:16]


class RefusedByDjango(logging.Handler):
    """Turns Django's log records of refused requests into events: its own messages contain the path."""

    def emit(self, record: logging.LogRecord) -> None:
        request, kind = getattr(record, "request", None), record.name.removeprefix("django.security.")
        if kind == "csrf":
            # "Referer checking failed - https://… does not match": the part after the dash is from the browser.
            log("csrf.failed", request, reason=str(record.args[0]).partition(" - ")[0])
        elif kind == "DisallowedHost":
            log("host.refused", request)
        else:
            log("request.suspicious", request, kind=kind)


def weak_settings() -> list[str]:
    """The names of settings that make this installation less safe."""
    if settings.DEMO:
        return ["DEMO"]
    proxied = bool(settings.SECURE_PROXY_SSL_HEADER)
    weak = {
        "DEBUG": settings.DEBUG,
        "ALLOWED_HOSTS": "*" in settings.ALLOWED_HOSTS,
        "SECRET_KEY": is_weak(settings.SECRET_KEY, LONG),
        "SECURE_COOKIES": not settings.SECURE_COOKIES,
        "STAFF_SECOND_FACTOR": not settings.STAFF_SECOND_FACTOR,
        "TRUSTED_PROXIES": proxied and not settings.ALLAUTH_TRUSTED_PROXY_COUNT,
        # Password links would be written to the log.
        "EMAIL_URL": settings.EMAIL_BACKEND.endswith("console.EmailBackend"),
    }
    return [name for name, weakens in weak.items() if weakens]


def tell_weak_settings() -> None:
    for name in weak_settings():
        log("settings.weak", setting=name)
