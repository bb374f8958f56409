"""Every change to which support agent may work in which account."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm, remove_perm

from accounts import audit
from accounts.actions.access import end_access
from accounts.actions.notices import forget_unfounded_notices
from accounts.actor import Actor
from accounts.models import Access, Account, Grant, Person
from accounts.rules import standing

VIEW, MANAGE = "view_account", "manage_account"
#: A grant with an end ends within so many days; one that is to last longer has none.
MOST_DAYS = 3_650


@transaction.atomic
def give_grant(actor: Actor, *, agent_id: int, account_id: int, manages: bool, until: date | None) -> Grant:
    """Let one of the account's support agents view or manage an account below it and all that is below that.

    ``until`` is the last day, in the acting person's time zone. What was granted there before is replaced. Raises
    ``DoesNotExist`` for whoever is no agent of the account, and for an account that is not below it.
    """
    if not actor.may("grants.change"):
        raise PermissionDenied
    agent = Person.visible_to(actor).agents().select_for_update(no_key=True).get(pk=agent_id)
    account = Account.below(actor).get(pk=account_id)
    ends = end_of_day(until, ZoneInfo(actor.person.time_zone))
    earlier = list(Grant.visible_to(actor).filter(user=agent, content_object=account).select_related("permission"))
    before = facts(max(earlier, key=lambda grant: grant.manages)) if earlier else {}
    remove_perm(VIEW if manages else MANAGE, agent, account)
    grant = assign_perm(MANAGE if manages else VIEW, agent, account)
    grant.until, grant.granted_by = ends, actor.person
    grant.save(update_fields=["until", "granted_by"])
    audit.record(actor, "grant.given", grant, before, facts(grant))
    end_unfounded_accesses(agent)
    return grant


@transaction.atomic
def withdraw_grant(actor: Actor, grant_id: int) -> Grant:
    """Take a grant back; whoever is inside because of it is out."""
    if not actor.may("grants.change"):
        raise PermissionDenied
    grants = Grant.visible_to(actor).select_related("user__account", "content_object", "permission")
    grant = grants.select_for_update(of=("self",)).get(pk=grant_id)
    withdraw(actor, grant)
    return grant


def withdraw_all(actor: Actor, agent: Person) -> None:
    """Take back everything that was granted to somebody who is no support agent any more."""
    for grant in Grant.visible_to(actor).filter(user=agent).select_related("user", "content_object", "permission"):
        withdraw(actor, grant)


def withdraw(actor: Actor, grant: Grant) -> None:
    audit.record(actor, "grant.withdrawn", grant, before=facts(grant))
    remove_perm(grant.permission.codename, grant.user, grant.content_object)
    end_unfounded_accesses(grant.user)
    forget_unfounded_notices(grant.user)


def end_unfounded_accesses(person: Person) -> None:
    """End a person's accesses and requests for access that their rights no longer cover.

    A request for more rights than they still have stays open: it leads to an access with fewer rights.
    """
    with connection.outside():
        for access in Access.of(person).filter(ended_at=None).select_related("account"):
            allowed = standing(person, access.account.code)
            if allowed is None or (access.started_at and access.manages and not allowed.manages):
                end_access(access, Access.End.NOT_ALLOWED)


def end_of_day(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The last moment of the day in the zone. Raises ``ValidationError`` for days gone by, and those too far away."""
    if day is None:
        return None
    today = timezone.localtime(timezone=zone).date()
    if day < today:
        raise ValidationError({"until": _("This day is over. Choose today or later.")})
    if day > today + timedelta(days=MOST_DAYS):
        raise ValidationError({"until": _("This is more than ten years away. Leave it empty for no end.")})
    return datetime.combine(day, time.max, zone)


def facts(grant: Grant) -> dict:
    """What the history says of a grant."""
    account = grant.content_object
    return {
        "account": f"{account.name} ({account.code})",
        "may_change": grant.manages,
        "until": grant.until.isoformat(timespec="minutes") if grant.until else "",
    }
