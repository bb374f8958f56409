"""Notices, which people receive under the bell and by mail."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.accounts import Account
from accounts.models.people import Person

#: A bell that shows this many shows no more: they are not counted further.
MOST_COUNTED = 100
#: The unread notices of a person ``p``: read with the session, so that the bell costs no query of its own.
UNREAD = f"""
(SELECT count(*) FROM (
    SELECT FROM accounts_notice n WHERE n.person_id = p.id AND n.on_page AND n.read_at IS NULL LIMIT {MOST_COUNTED}
) unread)
"""  # noqa: S608


class NoticeQuerySet(models.QuerySet):
    def unread(self):
        return self.filter(read_at=None)

    def listed(self):
        """With the folded name of the account, by which lists search and sort."""
        return self.annotate(account_folded=F("account__name_folded"))


class Notice(models.Model):
    """A notice for one person, stored with the change that it is about. The worker mails it.

    It stores facts instead of words, because it is shown in the reader's time zone. A second notice with the same
    ``key`` is left out, or counted (``accounts.notices.notify``).
    """

    class Mail(models.TextChoices):
        NONE = "", _("Not mailed")
        ONCE = "once", _("To be mailed at once")
        DAILY = "daily", _("In the next summary")
        SENT = "sent", _("Mailed, or not wanted any more")

    person = models.ForeignKey(Person, models.CASCADE, related_name="+", db_index=False)
    # Where it happened: the person's own account, or one below it in which they had begun something.
    account = models.ForeignKey(Account, models.PROTECT, verbose_name=_("account"), related_name="+", db_index=False)
    kind = models.CharField(_("about"), max_length=30)
    key = models.CharField(max_length=100)
    facts = models.JSONField(default=dict)
    count = models.IntegerField(default=1)
    at = models.DateTimeField(_("time"), default=timezone.now)
    on_page = models.BooleanField(default=True)
    read_at = models.DateTimeField(_("read"), null=True)
    mail = models.CharField(max_length=5, choices=Mail, blank=True)

    unscoped = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        constraints = [models.UniqueConstraint("person", "key", name="accounts_notice_once")]
        indexes = [
            models.Index("person", F("at").desc(), F("id").desc(), name="accounts_notice_of_person"),
            models.Index("person", name="accounts_notice_unread", condition=Q(read_at=None, on_page=True)),
            models.Index("at", name="accounts_notice_by_age"),
            models.Index("person", "at", name="accounts_notice_to_mail", condition=Q(mail__in=["once", "daily"])),
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"

    @classmethod
    def of(cls, person: Person) -> NoticeQuerySet:
        """What this person reads on their page."""
        return cls.unscoped.filter(person=person, on_page=True)

    @classmethod
    def from_elsewhere(cls, person: Person) -> NoticeQuerySet:
        """A person's notices about other accounts than their own."""
        return cls.unscoped.filter(person=person).exclude(account=person.account_id)

    @classmethod
    def to_mail(cls, states: Collection[str]) -> NoticeQuerySet:
        """Those of all people that wait to be mailed."""
        return cls.unscoped.filter(mail__in=states)

    @classmethod
    def forget(cls, before: datetime) -> int:
        """Remove what is older; how many that were."""
        return cls.unscoped.filter(at__lt=before).delete()[0]

    @classmethod
    def forget_all(cls, person: Person) -> None:
        """Remove all notices of a person whose rights have changed."""
        cls.unscoped.filter(person=person).delete()
