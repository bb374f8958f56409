"""The mail that invites somebody: a link to choose a password, which works once and for a limited time."""

import logging
from smtplib import SMTPException

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.password_reset import get_reset_password_from_key_url
from allauth.account.utils import user_pk_to_url_str
from allauth.core.context import request_context
from django.conf import settings
from django.http import HttpRequest

from accounts.models import Person

log = logging.getLogger("portal.mail")


def mail_invitation(request: HttpRequest, person: Person) -> bool:
    """Mail the link; whether the mail server took it. Choosing a password is what ends the link, or its time."""
    key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
    context = {
        "person": person,
        "inviter": request.actor.person,
        "account": request.actor.account,
        "url": get_reset_password_from_key_url(request, key),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    try:
        with request_context(request):  # allauth has let go of the request when a transaction ends after the page
            get_adapter().send_mail("account/email/invitation", person.email, context)
    except (SMTPException, OSError):
        log.exception("An invitation could not be mailed.")
        return False
    return True
