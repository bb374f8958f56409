"""Working in somebody else's account: entering, leaving, consent."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actor import Actor
from accounts.models import Access, Account, Person
from accounts.rules import Standing

CONSENT_HOURS = 24


def new_sign_in() -> str:
    """What an access is tied to besides its person: one sign-in."""
    return secrets.token_hex(16)


@transaction.atomic
def enter_account(standing: Standing, sign_in: str, *, reason: str, entered_from: str) -> Access:
    """Begin to work in an account below one's own, or ask the account for its consent where it wants to be asked.

    The row that comes back has not started when the account was only asked. Raises ``ValidationError`` when the account
    is not open to anybody, or a reason is missing.
    """
    person, account, now = standing.person, standing.account, timezone.now()
    Person.objects.select_for_update().get(pk=person.pk)
    if closed := standing.closed:
        raise ValidationError(
            _("%(account)s is suspended or closed: nobody can work in it until it is put back into service.")
            % {"account": closed.name}
        )
    reason = reason.strip()
    if settings.ACCESS_REASON == "required" and not reason:
        raise ValidationError(_("Say why you enter: the account's administrators will read it."))
    mine = Access.of(person).filter(account=account, ended_at=None)
    for access in mine.filter(started_at__isnull=False, sign_in=sign_in):
        end_access(access, Access.End.AGAIN)
    access = Access(
        person=person,
        account=account,
        sign_in=sign_in,
        chain=[step.pk for step in standing.chain],
        manages=standing.manages,
        reason=reason,
        entered_from=entered_from,
    )
    if account.asks_consent:
        asked = mine.filter(asked_at__gt=now - timedelta(hours=CONSENT_HOURS), started_at=None)
        access = asked.order_by("-consented_at").first() or access
        if access.consented_at is None:
            if access.pk is None:
                access.asked_at = now
                access.save()
                audit.record(standing.actor(access), "access.asked", access, after={"reason": reason})
            return access
        access.sign_in, access.manages, access.entered_from = sign_in, standing.manages, entered_from
    access.started_at = access.seen_at = now
    access.expires_at = now + timedelta(minutes=settings.ACCESS_MINUTES)
    access.save()
    after = {"reason": access.reason, "may_change": access.manages}
    audit.record(standing.actor(access), "access.started", access, after=after)
    return access


def leave_account(actor: Actor) -> None:
    """End the actor's access, and those to accounts further down that were entered from it."""
    for access in Access.of(actor.person).filter(
        sign_in=actor.access.sign_in, started_at__isnull=False, ended_at=None, chain__contains=[actor.account.pk]
    ):
        end_access(access, Access.End.LEFT)


def end_accesses(person: Person, why: Access.End, *, sign_in: str = "") -> None:
    """End what this person has entered, in all sign-ins or in one."""
    for access in Access.of(person).filter(started_at__isnull=False, ended_at=None):
        if not sign_in or access.sign_in == sign_in:
            end_access(access, why)


@transaction.atomic
def end_access(access: Access, why: Access.End) -> None:
    """End an access once, with an event in the account that was entered; harmless when it has ended already."""
    ended = Access.of(access.person).filter(pk=access.pk, ended_at=None).update(ended_at=timezone.now(), ended_why=why)
    if ended:
        chain = tuple(Account.with_ids(access.chain))
        actor = Actor(person=access.person, account=access.account, chain=chain, access=access)
        audit.record(actor, "access.ended", access, after={"why": why})


def note_presence(access: Access) -> None:
    """Put off the idle limit: something is being done."""
    access.seen_at = timezone.now()
    access.save(update_fields=["seen_at"])


@transaction.atomic
def decide_access(actor: Actor, access_id: int, *, allow: bool) -> Access:
    """Let somebody who asked work in the actor's account, or not. Raises ``Access.DoesNotExist`` when nobody asks."""
    if not actor.may("access.decide"):
        raise PermissionDenied
    asked = Access.visible_to(actor).select_for_update().filter(started_at=None, ended_at=None, consented_at=None)
    access = asked.get(pk=access_id)
    if allow:
        access.consented_at, access.consented_by = timezone.now(), actor.person
        access.save(update_fields=["consented_at", "consented_by"])
        audit.record(actor, "access.allowed", access)
    else:
        access.ended_at, access.ended_why = timezone.now(), Access.End.REFUSED
        access.save(update_fields=["ended_at", "ended_why"])
        audit.record(actor, "access.refused", access)
    return access


@transaction.atomic
def ask_consent(actor: Actor, *, wanted: bool) -> None:
    """Set whether staff from above must ask before they work in the actor's account."""
    if not actor.may("access.decide"):
        raise PermissionDenied
    account = Account.visible_to(actor).select_for_update().get(pk=actor.account.pk)
    if account.asks_consent == wanted:
        return
    before = {"asks_consent": account.asks_consent}
    account.asks_consent = wanted
    account.save(update_fields=["asks_consent"])
    audit.record(actor, "account.changed", account, before, {"asks_consent": wanted})
