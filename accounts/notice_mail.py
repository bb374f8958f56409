"""Notices as mail: plain text and HTML, in the reader's time zone and number format, with a way to end it in one click.

Notices are claimed in a transaction of their own before they are sent, so a worker that retries the task finds them
mailed. If sending fails, they are released again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Notice, Person
from accounts.notices import (
    DAILY,
    KINDS,
    MOST_LINES,
    OFF,
    ONCE,
    channels,
    may_receive,
    queue_mail,
    sentence_for_mail,
)
from portal import texts
from portal.links import mailed_base
from portal.pages import first_of, plain
from portal.times import moment

SALT = "notices off"
#: The most notices in one mail; the page lists all of them.
MOST_IN_MAIL = 50
#: What was to be mailed at once and was not, for so long, is taken up again.
OVERDUE = timedelta(minutes=2)


@dataclass(frozen=True)
class Item:
    """A notice as a mail shows it."""

    at: str
    account: str
    sentence: str
    lines: list[str]
    url: str


def token_for(person_id: int, kinds: list[str]) -> str:
    """The token of a link that stops mail about these kinds for a person."""
    return signing.dumps([person_id, kinds], salt=SALT)


def in_token(token: str) -> tuple[int, list[str]]:
    """Whose mail of which kinds a link ends. Raises ``signing.BadSignature``. It does not expire: mail is kept."""
    person_id, kinds = signing.loads(token, salt=SALT)
    return person_id, kinds


def waiting(person_id: int, *, daily: bool) -> list[int]:
    """The ids of the notices that are due to be mailed to a person, newest first. A summary includes all."""
    due = Notice.to_mail([ONCE, DAILY] if daily else [ONCE]).filter(person_id=person_id)
    return list(due.order_by("-at", "-pk").values_list("pk", flat=True))


def claim(ids: list[int]) -> bool:
    """Write down that these are mailed, all or none; False where somebody else mails some of them."""
    with transaction.atomic():
        claimed = Notice.to_mail([ONCE, DAILY]).filter(pk__in=ids).update(mail=Notice.Mail.SENT)
        if claimed < len(ids):
            transaction.set_rollback(True)
    return claimed == len(ids)


def give_back(ids: list[int], *, daily: bool) -> None:
    """Let notices be mailed later that could not be mailed now."""
    Notice.to_mail([Notice.Mail.SENT]).filter(pk__in=ids).update(mail=DAILY if daily else ONCE)


def message_for(person_id: int, ids: list[int], *, daily: bool) -> EmailMultiAlternatives | None:
    """The mail with these notices. None if the person may no longer see any of them, or no longer wants them."""
    person = Person.objects.select_related("account").filter(pk=person_id).first()
    if person is None:
        return None
    rows = Notice.to_mail([ONCE, DAILY]).filter(pk__in=ids).select_related("account")
    found = [
        notice
        for notice in rows.order_by("-at", "-pk")
        if notice.kind in KINDS
        and channels(person, notice.kind).mail != OFF
        and may_receive(person, notice.account, notice.kind)
    ]
    if not found:
        return None
    base, shown = mailed_base(), found[:MOST_IN_MAIL]
    kinds = sorted({notice.kind for notice in shown})
    off_url = base + reverse("notices_off", args=[token_for(person.pk, kinds)])
    said = {
        "items": [item(notice, person, base, alone=len(found) == 1) for notice in shown],
        "more": len(found) - len(shown),
        "daily": daily,
        "page_url": base + reverse("notices"),
        "choices_url": base + reverse("notices_chosen"),
        "off_url": off_url,
        "kinds": [str(KINDS[kind].label) for kind in kinds],
    }
    host = base.partition("://")[2].partition(":")[0]
    digest = hashlib.sha256(repr((person.pk, sorted(ids))).encode()).hexdigest()[:32]
    message = EmailMultiAlternatives(
        subject_of(said["items"], len(found), daily=daily),
        render_to_string("accounts/email/notices.txt", said),
        None,
        [person.email],
        headers={
            # The same for the same notices: of a mail that was taken although the server gave no answer, a mailbox
            # that looks at this shows one.
            "Message-ID": f"<{digest}@{host}>",
            "List-Unsubscribe": f"<{off_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(render_to_string("accounts/email/notices.html", said), "text/html")
    return message


def item(notice: Notice, person: Person, base: str, *, alone: bool) -> Item:
    """A notice in words; its details where it is alone in the mail."""
    kind = KINDS[notice.kind]
    lines = list(kind.lines(notice.facts, person.written)) if alone else []
    return Item(
        at=moment(notice.at, person.zone),
        account=f"“{texts.in_mail(notice.account.name)}” ({notice.account.code})",
        sentence=sentence_for_mail(notice),
        lines=first_of(lines, MOST_LINES),
        url=base + kind.address(notice.account.code, notice.facts),
    )


def subject_of(items: list[Item], count: int, *, daily: bool) -> str:
    """One notice is its own subject."""
    if count == 1:
        return " ".join(items[0].sentence.split())[:150]
    if daily:
        said = ngettext("Daily summary: %(count)s notice", "Daily summary: %(count)s notices", count)
    else:
        said = _("%(count)s notices")
    return said % {"count": plain(count)}


def queue_due(now: datetime | None = None) -> int:
    """Queue mail for everybody who waits for some: at once where the task was lost, and the summary whose hour has come
    in the reader's time zone since the first notice of it; for how many people."""
    now = now or timezone.now()
    late = Notice.to_mail([ONCE]).filter(at__lt=now - OVERDUE).values_list("person_id", flat=True).distinct()
    people = {(pk, False) for pk in late}
    first: dict[int, tuple[datetime, str]] = {}
    for pk, at, zone in Notice.to_mail([DAILY]).values_list("person_id", "at", "person__time_zone").order_by("-at"):
        first[pk] = at, zone
    people |= {(pk, True) for pk, (at, zone) in first.items() if at < last_hour(now, zone)}
    for pk, daily in sorted(people):
        queue_mail(pk, 0, daily=daily)
    return len(people)


def last_hour(now: datetime, zone: str) -> datetime:
    """When it was last ``NOTICES_HOUR`` o'clock in a time zone."""
    local = now.astimezone(Person(time_zone=zone).zone)
    hour = local.replace(hour=settings.NOTICES_HOUR, minute=0, second=0, microsecond=0)
    return hour if hour <= local else hour - timedelta(days=1)
