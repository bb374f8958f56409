"""Mail, which the worker sends: nobody waits for the mail server, and how long it takes tells nobody anything."""

from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.internal.userkit import filter_users_by_email
from allauth.core import context
from django.core.mail import send_mail
from django.http import HttpRequest
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

AGAIN = RetryStrategy(max_attempts=6, exponential_wait=5)


class RequestOf(HttpRequest):
    """What the worker makes of a request that somebody made earlier: links lead to where they were."""

    def __init__(self, host: str, scheme: str):
        super().__init__()
        self.META["HTTP_HOST"], self.scheme_then = host, scheme

    def _get_scheme(self):
        return self.scheme_then


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
