"""Who did something that goes on when they have left, and on what way they came."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.actor import Actor
from accounts.models import Access, Account, Person
from portal.logs import request_facts


class Acted(models.Model):
    """A row that remembers its actor. Its access pairs with the account it is of by a two-column foreign key, which
    the migration of each model makes.
    """

    person = models.ForeignKey(Person, models.PROTECT, verbose_name=_("person"), related_name="+")
    access = models.ForeignKey(Access, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    chain = ArrayField(models.BigIntegerField())
    request_id = models.CharField(max_length=32, blank=True)

    class Meta:
        abstract = True

    @staticmethod
    def by(actor: Actor) -> dict[str, Any]:
        """The values of these columns for what this actor does in this request."""
        return {
            "person": actor.person,
            "access": actor.access,
            "chain": [account.pk for account in actor.chain],
            "request_id": request_facts.get({}).get("request", ""),
        }

    def acted_by(self, actor: Actor) -> None:
        """Remember another actor: who confirms it, say."""
        for name, value in self.by(actor).items():
            setattr(self, name, value)

    def actor_in(self, account: Account) -> Actor:
        """Who did it, whatever they may do by now: for writing down what came of it."""
        chain = tuple(Account.with_ids(self.chain))
        return Actor(person=self.person, account=account, chain=chain, access=self.access)
