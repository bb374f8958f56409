"""Every change to accounts: the account above adds them, changes them, suspends them, closes them and reopens them."""

from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.actor import Actor
from accounts.holdings import holdings
from accounts.models import Account
from portal import phones
from portal.pages import plain

IN_SERVICE = (Account.Status.PRODUCTION, Account.Status.TRIAL)
NUMBERS_NAMED = 10


@transaction.atomic
def add_account(actor: Actor, *, kind: str, key: UUID, **details) -> Account:
    """Add an account below the actor's, in service; of a form that was sent before, the account that it added then.

    Raises ``ValidationError`` when the actor's own account is not in service.
    """
    if not actor.may("accounts.change") or kind not in Account.BELOW[actor.account.kind]:
        raise PermissionDenied
    # One at a time: the same form sent twice waits here, and so does somebody who closes this account meanwhile.
    parent = Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)
    if not parent.is_open:
        raise ValidationError(_("%(account)s is not in service: no account can be added.") % {"account": parent.name})
    if made := Account.visible_to(actor).filter(parent=parent, form_key=key).first():
        return made
    in_service(details["status"])
    account = Account(kind=kind, parent=parent, code=Account.next_code(kind), form_key=key, **details)
    account.save(force_insert=True)
    audit.record(actor, "account.added", account, after={"code": account.code, "kind": kind, **details})
    return account


@transaction.atomic
def change_account(actor: Actor, code: str, **details) -> Account:
    """Change details of an account below the actor's; its status just between free trial and production.

    Raises ``Account.DoesNotExist`` when there is no such account there.
    """
    account = locked(actor, code)
    if account.status == Account.Status.CLOSED:
        raise ValidationError(_("%(account)s is closed: reopen it before you change it.") % {"account": account.name})
    if "status" in details:
        in_service(details["status"])
        if not account.is_open:
            raise ValidationError(_("%(account)s is suspended: put it back into service first.") % {"account": account})
    change(actor, account, details)
    return account


@transaction.atomic
def change_settings(actor: Actor, **details) -> Account:
    """Change contact, e-mail, phone, and of a VAR the cooling days, of the actor's own account."""
    allowed = {"contact", "email", "phone"} | ({"cooling_days"} if actor.account.kind == Account.Kind.VAR else set())
    if not actor.may("settings.change") or not set(details) <= allowed:
        raise PermissionDenied
    account = Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)
    change(actor, account, details)
    return account


@transaction.atomic
def suspend_account(actor: Actor, code: str) -> Account:
    """Take an account out of service: its people are shut out, and nobody works in it or below it from above."""
    account = locked(actor, code)
    if not account.is_open:
        status = account.get_status_display().lower()
        raise ValidationError(_("%(account)s is %(status)s already.") % {"account": account.name, "status": status})
    set_status(actor, account, Account.Status.SUSPENDED, "account.suspended")
    return account


@transaction.atomic
def reactivate_account(actor: Actor, code: str) -> Account:
    """Put a suspended account back into service, or reopen a closed one."""
    account = locked(actor, code)
    if account.is_open:
        raise ValidationError(_("%(account)s is in service already.") % {"account": account.name})
    was_closed = account.status == Account.Status.CLOSED
    verb = "account.reopened" if was_closed else "account.reactivated"
    set_status(actor, account, Account.Status.PRODUCTION, verb)
    return account


@transaction.atomic
def close_account(actor: Actor, code: str) -> Account:
    """Close an account that has nothing left. It keeps its history.

    Raises ``ValidationError``: with the code *accounts* while accounts below it are not closed, *numbers* while it has
    numbers. Whoever gives an account a number must lock the account's row and see that it is open, as this does.
    """
    if not actor.may("accounts.close"):
        raise PermissionDenied
    account = locked(actor, code)
    if account.status == Account.Status.CLOSED:
        raise ValidationError(_("%(account)s is closed already.") % {"account": account.name})
    if refusal := why_not_closed(actor, account):
        raise refusal
    set_status(actor, account, Account.Status.CLOSED, "account.closed")
    return account


def why_not_closed(actor: Actor, account: Account) -> ValidationError | None:
    """What an account still has, in a sentence; nothing when it can be closed."""
    if below := sum(Account.visible_to(actor).count_by_parent([account.pk]).values()):
        said = ngettext(
            "%(account)s has %(count)s customer that is not closed. Close that one first.",
            "%(account)s has %(count)s customers that are not closed. Close those first.",
            below,
        )
        return ValidationError(said % {"account": account.name, "count": plain(below)}, code="accounts")
    first, total = holdings().first(actor, account, NUMBERS_NAMED)
    if not total:
        return None
    numbers = ", ".join(phones.international(e164) for e164 in first) + (" …" if total > len(first) else "")
    if account.is_customer:
        said = ngettext(
            "%(account)s holds %(count)s number (%(numbers)s). Unassign it first.",
            "%(account)s holds %(count)s numbers (%(numbers)s). Unassign them first.",
            total,
        )
    else:
        said = ngettext(
            "%(account)s has %(count)s number (%(numbers)s). Release or delete it first.",
            "%(account)s has %(count)s numbers (%(numbers)s). Release or delete them first.",
            total,
        )
    said %= {"account": account.name, "count": plain(total), "numbers": numbers}
    return ValidationError(said, code="numbers")


def locked(actor: Actor, code: str) -> Account:
    """An account right below the actor's, locked against everybody who changes it or gives it something."""
    if not actor.may("accounts.change"):
        raise PermissionDenied
    return Account.visible_to(actor).select_for_update().get(code=code, parent=actor.account)


def in_service(status: str) -> None:
    if status not in IN_SERVICE:
        raise ValidationError(_("An account is in production or on free trial; suspending and closing are separate."))


def change(actor: Actor, account: Account, details: dict) -> None:
    """Write what differs, and the event; nothing when nothing does."""
    before = {name: getattr(account, name) for name in details}
    if before == details:
        return
    for name, value in details.items():
        setattr(account, name, value)
    account.save(update_fields=list(details))
    audit.record(actor, "account.changed", account, before, details)


def set_status(actor: Actor, account: Account, status: Account.Status, verb: str) -> None:
    before = {"status": account.status}
    account.status = status
    account.save(update_fields=["status"])
    audit.record(actor, verb, account, before, {"status": status.value})
