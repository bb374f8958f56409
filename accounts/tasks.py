"""Mail, which the worker sends: nobody waits for the mail server, and how long it takes tells nobody anything."""

import logging
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import EmailAwarePasswordResetTokenGenerator, default_token_generator
from allauth.account.internal.flows.password_reset import get_reset_password_from_key_url, request_password_reset
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from accounts import devices, limits, notice_mail, notices
from accounts.limits import Limit
from accounts.models import Account, AuditEvent, Notice, Person
from accounts.models.people import INVITATION_DAYS
from accounts.scope import scope
from accounts.sealing import seal_all
from portal import security
from portal.figures import FAILED, WAITING, asked

log = logging.getLogger(__name__)
AGAIN = RetryStrategy(max_attempts=6, exponential_wait=5)
#: How long somebody who was invited has to choose a password; who forgot one has PASSWORD_RESET_TIMEOUT.
#: Sessions that are removed in one transaction.
SESSIONS_AT_ONCE = 5_000
#: A task that is due and has waited so long waits for a worker.
WAITED_LONG = timedelta(minutes=10)
#: A back-up is made every day: one that is older is late. Where none was ever noted, none is expected.
BACKUP_LATE = timedelta(hours=36)
#: Limits the invitations that one address receives from all accounts. Mail beyond the limit is dropped silently.
INVITATIONS_TO_AN_ADDRESS = (Limit(10, limits.DAY),)


class RequestAt(HttpRequest):
    """What allauth makes links of in the worker, where nobody asks: a request to the portal's own address."""

    def __init__(self, base_url: str):
        super().__init__()
        self.base_url = base_url
        self._scheme, _colon, self._host = base_url.partition("://")

    def _get_scheme(self):
        return self._scheme

    def get_host(self):
        return self._host


class InvitationTokens(EmailAwarePasswordResetTokenGenerator):
    """Links that hold for days. They are dated ahead, to when one that holds as long as all others would be made."""

    def _now(self):
        return super()._now() + timedelta(days=INVITATION_DAYS, seconds=-settings.PASSWORD_RESET_TIMEOUT)


@app.task(name="accounts.send_message", retry=AGAIN)
def send_message(*, subject: str, body: str, to: list[str]) -> None:
    """Send a message that is ready."""
    send_mail(subject, body, None, to)


# Jobs of the version before name host and scheme of a request, ``_of_before``; that is not believed any more.


@app.task(name="accounts.send_reset_link", retry=AGAIN)
def send_reset_link(*, email: str, base_url: str = settings.PORTAL_URL, **_of_before: str) -> None:
    """Send a link for a new password to the one who signs in with the address, if there is anybody.

    People who were only invited have the link of their invitation, for as long as that holds.

    Looked up here and not while somebody waits: for a known address and an unknown one the portal has done the same
    when it answers. The link is made here too, so that it is written down nowhere.
    """
    with context.request_context(RequestAt(base_url)):
        person = Person.objects.owner_of(email)
        if person is not None and person.is_active:
            security.log("password.sent", **person.for_log, name_hash=security.hash_of(email))
            request_password_reset(context.request, email, [person], default_token_generator)


@app.task(name="accounts.send_invitation", retry=AGAIN)
def send_invitation(*, person_id: int, inviter: str, base_url: str = settings.PORTAL_URL, **_of_before: str) -> None:
    """Send the link by which somebody who was invited chooses a password; nothing to whom waits for none any more.

    It works once, for a limited time, and until the next one is sent. ``inviter`` is an e-mail address: no name that an
    inviter made up is in a mail of ours to a stranger. The owner of an address that is in use in another
    account is told so instead, and the invitation never comes to anything: who invited learns nothing of it.
    """
    person = Person.objects.select_related("account").get(pk=person_id)
    if person.state != "invited":
        return
    try:
        taken = limits.take({f"invited:{limits.hashed(person.email)}": INVITATIONS_TO_AN_ADDRESS})
    except limits.Reached:
        security.log("limit.reached", **person.for_log, limit="mail")
        return
    try:
        with context.request_context(RequestAt(base_url)):
            mail_invitation(person, inviter)
    except Exception:
        limits.give_back(taken)  # it is tried again
        raise


def mail_invitation(person: Person, inviter: str) -> None:
    """Mail what an invited person, or the owner of their address, is told. Within a request."""
    said = {"person": person, "inviter": inviter, "days": INVITATION_DAYS}
    if Person.objects.owner_of(person.email):
        get_adapter().send_mail("account/email/invitation_of_known", person.email, said)
        return
    said["url"] = password_link(person, InvitationTokens())
    get_adapter().send_mail("account/email/invitation", person.email, said)


def password_link(person: Person, tokens: EmailAwarePasswordResetTokenGenerator = default_token_generator) -> str:
    """The link by which a person chooses a password; ``tokens`` says how long it holds. Within a request."""
    key = f"{user_pk_to_url_str(person)}-{tokens.make_token(person)}"
    return get_reset_password_from_key_url(context.request, key)


@app.task(name="accounts.send_link", retry=AGAIN)
def send_link(*, email: str, base_url: str) -> None:
    """Send a link that makes the browser known in which it is opened, to whom the address belongs, if to anybody."""
    person = Person.objects.owner_of(email)
    if person is None or not person.is_active:
        return
    security.log("link.sent", **person.for_log, name_hash=security.hash_of(email))
    with context.request_context(RequestAt(base_url)):
        said = {"person": person, "url": context.request.build_absolute_uri(devices.link_for(person))}
        get_adapter().send_mail("account/email/link", person.email, said)


@app.task(name="accounts.send_warning", retry=AGAIN)
def send_warning(*, email: str, kind: str, base_url: str) -> None:
    """Tell the one who signs in with the address, if anybody does, that their password or their codes are guessed."""
    person = Person.objects.owner_of(email)
    if person is not None and person.is_active:
        with context.request_context(RequestAt(base_url)):
            get_adapter().send_mail("account/email/guessing", person.email, {"person": person, "kind": kind})


@app.periodic(cron="37 * * * *")
@app.task(name="accounts.forget_sessions", queue="upkeep", queueing_lock="accounts.forget_sessions")
def forget_sessions(timestamp: int) -> None:
    """Remove sessions that are over, and their entries in lists of sessions, some thousands in a transaction."""
    now = timezone.now()
    over = Session.objects.filter(expire_date__lt=now).values_list("pk", flat=True)
    while keys := list(over[:SESSIONS_AT_ONCE]):
        Session.objects.filter(pk__in=keys).delete()
    # A sign-in writes both in one transaction; one that is just now signed out is not looked for.
    gone = ~Exists(Session.objects.filter(pk=OuterRef("session_key")))
    listed = UserSession.objects.filter(gone, last_seen_at__lt=now - timedelta(hours=1)).values_list("pk", flat=True)
    while ids := list(listed[:SESSIONS_AT_ONCE]):
        UserSession.objects.filter(pk__in=ids).delete()


@app.task(name=notices.MAIL_TASK, retry=AGAIN)
def mail_notices(*, person_id: int, daily: bool = False) -> None:
    """Mail a person's waiting notices in one message. If this runs twice, each notice is still mailed once."""
    ids = notice_mail.waiting(person_id, daily=daily)
    if not ids:
        return
    message = notice_mail.message_for(person_id, ids, daily=daily)
    if not notice_mail.claim(ids) or message is None:
        return
    try:
        message.send()
    except Exception:
        notice_mail.give_back(ids, daily=daily)  # it is tried again
        raise


@app.periodic(cron="*/5 * * * *")
@app.task(name="accounts.mail_due_notices", queueing_lock="accounts.mail_due_notices")
def mail_due_notices(timestamp: int) -> None:
    """Queue the daily summaries whose hour has come, and mail whose task was lost."""
    notice_mail.queue_due()


@app.periodic(cron="37 3 * * *")
@app.task(name="accounts.forget_notices", queue="upkeep", queueing_lock="accounts.forget_notices")
def forget_notices(timestamp: int) -> None:
    """Remove notices that nobody needs any more."""
    Notice.forget(timezone.now() - timedelta(days=settings.NOTICES_DAYS))


@app.periodic(cron="*/10 * * * *")
@app.task(name="accounts.watch_portal", queue="upkeep", queueing_lock="accounts.watch_portal")
def watch_portal(timestamp: int) -> None:
    """Notify system administrators, at most once a day each, of failed tasks, waiting tasks and a late back-up."""
    system = Account.called("SYS")
    if system is None:
        return
    now = timezone.now()
    troubles = []
    if failed := asked(FAILED):
        what = ", ".join(name for name, _count in failed)[:200]
        troubles.append({"part": "failed", "count": sum(count for _name, count in failed), "what": what})
    longest = max((age for _queue, status, _count, age in asked(WAITING) if status == "todo"), default=0)
    if longest > WAITED_LONG.total_seconds():
        troubles.append({"part": "waiting", "minutes": int(longest // 60)})
    with scope(system):
        backed_up = AuditEvent.last_at(system, "portal.backed_up")
        if backed_up and now - backed_up > BACKUP_LATE:
            troubles.append({"part": "backup", "hours": int((now - backed_up).total_seconds() // 3600)})
        for trouble in troubles:
            notices.notify("trouble", system, trouble, key=f"trouble:{trouble['part']}:{now:%Y-%m-%d}")


@app.periodic(cron="7 * * * *")
@app.task(name="accounts.seal_factors", queue="upkeep", queueing_lock="accounts.seal_factors")
def seal_factors(timestamp: int) -> None:
    """Seal the secrets of second factors that are not sealed yet, or with a key that was replaced."""
    sealed, lost = seal_all()
    if sealed:
        log.info("Secrets of second factors sealed with the present key: %d", sealed)
    if lost:
        log.error("Second factors sealed with a key that is not in SECRET_KEY_FALLBACKS: %d", lost)
