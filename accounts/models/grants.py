"""What support agents were granted."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from accounts.actor import Actor
from accounts.models.accounts import Account
from accounts.models.people import Person
from portal.database.planned import planned_once
from portal.listings import Fold

NO_END = datetime(9999, 1, 1, tzinfo=UTC)


class GrantQuerySet(models.QuerySet):
    def live(self):
        return self.filter(Q(until=None) | Q(until__gt=timezone.now()))

    def listed(self):
        """With what lists search and sort by; ``ends`` is ``NO_END`` where no end was set."""
        by = Coalesce("granted_by__name", Value(""))
        return self.annotate(
            ends=Coalesce("until", Value(NO_END)),
            agent_folded=Fold("user__name"),
            account_folded=Fold(Concat("content_object__name", Value(" "), "content_object__code")),
            by=by,
            by_folded=Fold(by),
        )


class Grant(UserObjectPermissionBase):
    """A support agent may view or manage an account and what is below it: django-guardian's row, with an end.

    guardian finds this class by the reverse name of ``content_object``.
    """

    content_object = models.ForeignKey(Account, models.CASCADE)
    until = models.DateTimeField(_("until"), null=True)
    granted_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("grant")

    def __str__(self):
        return f"{self.user}: {self.content_object}"[:130]

    @property
    def manages(self) -> bool:
        """Whether it lets the agent change something."""
        return self.permission.codename == "manage_account"

    @classmethod
    def visible_to(cls, actor: Actor) -> GrantQuerySet:
        """What was granted to the agents of the acting account."""
        return GrantQuerySet(cls).filter(user__account=actor.account)

    @classmethod
    def live_of(cls, person: Person) -> GrantQuerySet:
        """The grants that this person has now."""
        return GrantQuerySet(cls).filter(user=person).live()

    @classmethod
    def names_by_account(cls, person: Person) -> dict[int, set[str]]:
        """The names of what ``live_of`` has, by the id of its account: every request of an agent asks for them."""
        found: dict[int, set[str]] = {}
        with planned_once() as cursor:
            cursor.execute(
                "SELECT g.content_object_id, p.codename FROM accounts_grant g"
                " JOIN auth_permission p ON p.id = g.permission_id"
                " WHERE g.user_id = %s AND (g.until IS NULL OR g.until > %s)",
                [person.pk, timezone.now()],
            )
            for account, name in cursor.fetchall():
                found.setdefault(account, set()).add(name)
        return found
