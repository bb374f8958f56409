"""Mail, which the worker sends: nobody waits for the mail server, and how long it takes tells nobody anything."""

import logging
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import EmailAwarePasswordResetTokenGenerator, default_token_generator
from allauth.account.internal.flows.password_reset import get_reset_password_from_key_url, request_password_reset
from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from django.conf import settings
from django.core.mail import send_mail
from django.http import HttpRequest
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from accounts.models import Person
from accounts.sealing import seal_all

log = logging.getLogger(__name__)
AGAIN = RetryStrategy(max_attempts=6, exponential_wait=5)
#: How long somebody who was invited has to choose a password; who forgot one has PASSWORD_RESET_TIMEOUT.
INVITATION_DAYS = 3


class RequestOf(HttpRequest):
    """What the worker makes of a request that somebody made earlier: links lead to where they were."""

    def __init__(self, host: str, scheme: str):
        super().__init__()
        self.META["HTTP_HOST"], self.scheme_then = host, scheme

    def _get_scheme(self):
        return self.scheme_then


class InvitationTokens(EmailAwarePasswordResetTokenGenerator):
    """Links that hold for days. They are dated ahead, to when one that holds as long as all others would be made."""

    def _now(self):
        return super()._now() + timedelta(days=INVITATION_DAYS, seconds=-settings.PASSWORD_RESET_TIMEOUT)


@app.task(name="accounts.send_message", retry=AGAIN)
def send_message(*, subject: str, body: str, to: list[str]) -> None:
    """Send a message that is ready."""
    send_mail(subject, body, None, to)


@app.task(name="accounts.send_reset_link", retry=AGAIN)
def send_reset_link(*, email: str, host: str, scheme: str) -> None:
    """Send a link for a new password to whom the address belongs, if it belongs to anybody.

    Looked up here and not while somebody waits: for a known address and an unknown one the portal has done the same
    when it answers. The link is made here too, so that it is written down nowhere.
    """
    with context.request_context(RequestOf(host, scheme)):
        people = filter_users_by_email(email, is_active=True, prefer_verified=True, for_login=True)
        request_password_reset(context.request, email, people, default_token_generator)


@app.task(name="accounts.send_invitation", retry=AGAIN)
def send_invitation(*, person_id: int, inviter: str, host: str, scheme: str) -> None:
    """Send the link by which somebody who was invited chooses a password; nothing to whom waits for none any more.

    It works once, for a limited time, and until the next one is sent.
    """
    person = Person.objects.select_related("account").get(pk=person_id)
    if person.state != "invited":
        return
    with context.request_context(RequestOf(host, scheme)):
        key = f"{user_pk_to_url_str(person)}-{InvitationTokens().make_token(person)}"
        said = {
            "person": person,
            "inviter": inviter,
            "url": get_reset_password_from_key_url(context.request, key),
            "days": INVITATION_DAYS,
        }
        get_adapter().send_mail("account/email/invitation", person.email, said)


@app.periodic(cron="7 * * * *")
@app.task(name="accounts.seal_factors", queueing_lock="accounts.seal_factors")
def seal_factors(timestamp: int) -> None:
    """Seal the secrets of second factors that are not sealed yet, or with a key that was replaced."""
    sealed, lost = seal_all()
    if sealed:
        log.info("Secrets of second factors sealed with the present key: %d", sealed)
    if lost:
        log.error("Second factors sealed with a key that is not in SECRET_KEY_FALLBACKS: %d", lost)
