"""Working in somebody else's account: entering, leaving, consent."""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, notices
from accounts.actor import Actor
from accounts.models import Access, Account, Person
from accounts.models.history import AccessQuerySet
from accounts.rules import Standing


def new_sign_in() -> str:
    """What an access is tied to besides its person: one sign-in."""
    return secrets.token_hex(16)


@transaction.atomic
def enter_account(standing: Standing, sign_in: str, *, reason: str, entered_from: str) -> Access:
    """Begin to work in an account below one's own, or ask the account for its consent where it wants to be asked.

    The access returned has not started when the account was only asked for consent. With consent, the access has the
    reason and at most the rights that the account agreed to; another reason asks again. Raises ``ValidationError``
    when the account is not in service, or a reason is missing.
    """
    person, account, now = standing.person, standing.account, timezone.now()
    Person.objects.select_for_update().get(pk=person.pk)
    if closed := standing.closed:
        raise ValidationError(
            _("%(account)s is suspended or closed: nobody can work in it until it is put back into service.")
            % {"account": closed.name}
        )
    mine = Access.of(person).filter(account=account, ended_at=None)
    wanted = Access(
        person=person,
        account=account,
        sign_in=sign_in,
        chain=[step.pk for step in standing.chain],
        manages=standing.manages,
        reason=reason.strip(),
        entered_from=entered_from,
    )
    access = matching(mine.agreed(now), wanted) if account.asks_consent else None
    if access is None and account.asks_consent:
        return ask(standing, wanted, now)
    if access is None:
        access = wanted
        need_reason(access)
        end_all(mine.filter(started_at=None), Access.End.AGAIN)
    end_all(mine.filter(started_at__isnull=False, sign_in=sign_in), Access.End.AGAIN)
    access.manages, access.entered_from = access.manages and standing.manages, entered_from
    access.started_at = access.seen_at = now
    access.expires_at = now + timedelta(minutes=settings.ACCESS_MINUTES)
    access.save()
    audit.record(standing.actor(access), "access.started", access, after=facts(access))
    notify(access, f"access:{person.pk}:{now:%Y-%m-%d}", counts=1)
    return access


def notify(access: Access, key: str, *, asks: bool = False, counts: int = 0) -> None:
    """Tell the account who has entered it, or asks to; how often on one day is counted."""
    facts = {"person": access.person.name, "home": access.person.account.name, "asks": asks}
    notices.notify("access", access.account, facts, key=key, counts=counts)


def ask(standing: Standing, wanted: Access, now: datetime) -> Access:
    """Ask the account for consent. A person has one open request per account: a new one replaces it."""
    asking = Access.of(wanted.person).filter(account=wanted.account).asking(now)
    asked = matching(asking, wanted)
    if asked is not None and asked.manages == wanted.manages:
        return asked
    if asked is not None:
        wanted.reason = asked.reason
    need_reason(wanted)
    end_all(asking, Access.End.AGAIN)
    wanted.asked_at = now
    wanted.save()
    audit.record(standing.actor(wanted), "access.asked", wanted, after=facts(wanted))
    # One an hour of a person, however often they ask.
    notify(wanted, f"access-asked:{wanted.person.pk}:{now:%Y-%m-%d %H}", asks=True, counts=1)
    return wanted


def matching(questions: AccessQuerySet, wanted: Access) -> Access | None:
    """The latest of these requests from the same sign-in, with the same chain, and the same reason if one is given."""
    same = questions.filter(sign_in=wanted.sign_in, chain=wanted.chain)
    if wanted.reason:
        same = same.filter(reason=wanted.reason)
    return same.order_by("-asked_at", "-pk").first()


def need_reason(access: Access) -> None:
    """Raise ``ValidationError`` when a reason is required and missing."""
    if settings.ACCESS_REASON == "required" and not access.reason:
        raise ValidationError(_("Enter a reason: the account's administrators can read it."))


def facts(access: Access) -> dict:
    """What the history records of an access or a request for one."""
    return {"reason": access.reason, "may_change": access.manages}


def leave_account(actor: Actor) -> None:
    """End the actor's access, and those to accounts further down that were entered from it."""
    entered = Access.of(actor.person).filter(sign_in=actor.access.sign_in, started_at__isnull=False, ended_at=None)
    end_all(entered.filter(chain__contains=[actor.account.pk]), Access.End.LEFT)


def end_accesses(person: Person, why: Access.End, *, sign_in: str = "") -> None:
    """End this person's accesses and requests for access, in all sign-ins or in one."""
    open_ones = Access.of(person).filter(ended_at=None)
    end_all(open_ones.filter(sign_in=sign_in) if sign_in else open_ones, why)


def end_all(accesses: AccessQuerySet, why: Access.End) -> None:
    for access in accesses:
        end_access(access, why)


@transaction.atomic
def end_access(access: Access, why: Access.End) -> None:
    """End an access or a request for one, with an event in its account. Does nothing when it has already ended."""
    ended = Access.of(access.person).filter(pk=access.pk, ended_at=None).update(ended_at=timezone.now(), ended_why=why)
    if ended:
        chain = tuple(Account.with_ids(access.chain))
        actor = Actor(person=access.person, account=access.account, chain=chain, access=access)
        verb = "access.ended" if access.started_at else "access.withdrawn"
        audit.record(actor, verb, access, after={"why": why})


def note_presence(access: Access) -> None:
    """Put off the idle limit: something is being done."""
    access.seen_at = timezone.now()
    access.save(update_fields=["seen_at"])


@transaction.atomic
def decide_access(actor: Actor, access_id: int, *, allow: bool) -> Access:
    """Give or refuse consent for the actor's own account. Nobody answers for another account.

    Raises ``Access.DoesNotExist`` when this request is not open.
    """
    if not actor.may("access.decide"):
        raise PermissionDenied
    own = Access.visible_to(actor).filter(account=actor.account)
    access = own.asking(timezone.now()).select_for_update().get(pk=access_id)
    if allow:
        access.consented_at, access.consented_by = timezone.now(), actor.person
        access.save(update_fields=["consented_at", "consented_by"])
        audit.record(actor, "access.allowed", access, after=facts(access))
    else:
        access.ended_at, access.ended_why = timezone.now(), Access.End.REFUSED
        access.save(update_fields=["ended_at", "ended_why"])
        audit.record(actor, "access.refused", access, after=facts(access))
    return access


@transaction.atomic
def ask_consent(actor: Actor, *, wanted: bool) -> None:
    """Set whether staff from above must ask before they work in the actor's account. Who is inside without having asked
    is out."""
    if not actor.may("access.decide"):
        raise PermissionDenied
    account = Account.visible_to(actor).select_for_update().get(pk=actor.account.pk)
    if account.asks_consent == wanted:
        return
    before = {"asks_consent": account.asks_consent}
    account.asks_consent = wanted
    account.save(update_fields=["asks_consent"])
    audit.record(actor, "account.changed", account, before, {"asks_consent": wanted})
    if wanted:
        with connection.outside():
            end_all(Access.inside(account).filter(consented_at=None), Access.End.NOT_ALLOWED)
