"""Every change to accounts: the account above adds them, changes them, suspends them, closes them and reopens them."""

from collections.abc import Iterable
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit, endings
from accounts.actions.people import count_invitation, newcomer, renewed, withdraw_invitation
from accounts.actor import Actor
from accounts.holdings import holdings
from accounts.models import Account, Person
from accounts.rules import leaves_administrators
from portal import phones
from portal.pages import plain

IN_SERVICE = (Account.Status.PRODUCTION, Account.Status.TRIAL)
NUMBERS_NAMED = 10


def add_account(
    actor: Actor, *, kind: str, key: UUID, administrator: dict | None = None, **details
) -> tuple[Account, Person | None]:
    """Add an account below the actor's, in service, and invite its first administrator: ``name`` and ``email``.

    Of a form that was sent before, the account that it added then, and nobody: they were invited then.
    Raises ``ValidationError`` when the actor's own account is not in service, and for who cannot be invited.
    """
    if not actor.may("accounts.change") or kind not in Account.BELOW[actor.account.kind]:
        raise PermissionDenied
    if administrator:
        count_invitation(actor)
    with transaction.atomic():
        # One at a time: the same form sent twice waits here, and so does somebody who closes this account meanwhile.
        parent = Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)
        if not parent.is_open:
            raise ValidationError(
                _("%(account)s is not in service: no account can be added.") % {"account": parent.name}
            )
        if made := Account.visible_to(actor).filter(parent=parent, form_key=key).first():
            return made, None
        in_service(details["status"])
        if kind == Account.Kind.PROFESSIONAL and not administrator and leaves_administrators(actor):
            raise ValidationError({"email": _("A professional's account belongs to one person. Enter whom to invite.")})
        account = Account(kind=kind, parent=parent, code=Account.next_code(kind), form_key=key, **details)
        account.save(force_insert=True)
        audit.record(actor, "account.added", account, after={"code": account.code, "kind": kind, **details})
        return account, first_administrator(actor, account, **administrator) if administrator else None


def invite_administrator(actor: Actor, code: str, *, name: str, email: str) -> Person:
    """Invite somebody to look after an account below the actor's, in which no administrator is active.

    Whoever was invited before and has not joined is invited again, or no longer when it is somebody else now.
    Raises ``Account.DoesNotExist`` when there is no such account there.
    """
    if not actor.may("accounts.invite"):
        raise PermissionDenied
    count_invitation(actor)
    with transaction.atomic():
        account = locked(actor, code)
        # Nobody of them joins from here on; who just did is an administrator.
        never_joined = people_of(actor, account).never_joined()
        before = list(never_joined.select_for_update(no_key=True, of=("self",)).order_by("pk"))
        if refusal := why_none_invited(actor, account):
            raise refusal
        return first_administrator(actor, account, before, name=name, email=email)


def why_none_invited(actor: Actor, account: Account) -> ValidationError | None:
    """Why the actor invites no administrator into an account below, in a sentence; nothing when they can."""
    if not leaves_administrators(actor):
        said = _("Support agents invite no administrators. Ask an administrator of %(parent)s.")
    elif not account.is_open:
        said = _("%(account)s is not in service: put it back into service first.")
    elif people_of(actor, account).administrators().exists():
        said = _("%(account)s has an administrator, who invites others.")
    else:
        return None
    return ValidationError(said % {"account": account.name, "parent": actor.account.name})


def first_administrator(
    actor: Actor, account: Account, before: Iterable[Person] = (), *, name: str, email: str
) -> Person:
    """The administrator of a locked account that has none, invited; instead of those who were invited ``before``."""
    if not leaves_administrators(actor):
        raise PermissionDenied
    same = next((person for person in before if person.email == email.lower()), None)
    for person in before:
        if person.is_active and person is not same:
            withdraw_invitation(actor, person)
    if same is None:
        return newcomer(actor, account, name=name, email=email, role=Person.Role.ADMINISTRATOR)
    same.name = name
    return renewed(actor, same)


def people_of(actor: Actor, account: Account):
    """The people of an account right below the actor's."""
    return Person.right_below(actor).filter(account=account)


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
    """Change contact, e-mail, phone, home country, and of a VAR the cooling days, of the actor's own account."""
    allowed = {"contact", "email", "phone", "home_country"}
    allowed |= {"cooling_days"} if actor.account.kind == Account.Kind.VAR else set()
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
    with connection.outside():
        endings.end_for(list(Person.objects.filter(Q(account=account) | Q(account__parent=account), is_active=True)))
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
