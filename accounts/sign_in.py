"""How people sign in: by e-mail address and password, by passkey, and with a second factor, through allauth."""

import logging
import time
from functools import wraps

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.db import connection
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import actions, sealing
from accounts.models import Access, Person
from accounts.sessions import columns_of_person, person_in, read_with_session
from accounts.tasks import RequestOf, send_message
from portal.browsers import in_words

log = logging.getLogger(__name__)


class Backend(AuthenticationBackend):
    """allauth's sign-in by address. The person comes with their account, which every page needs, and mostly with the
    session, which has just been read."""

    def get_user(self, user_id):
        person = read_with_session.get()
        read_with_session.set(None)
        if person is not None and person.pk == user_id:
            return person
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {columns_of_person()} FROM accounts_person p"  # noqa: S608
                " JOIN accounts_account a ON a.id = p.account_id WHERE p.id = %s AND p.is_active",
                [user_id],
            )
            row = cursor.fetchone()
        return person_in(row) if row else None


def recently_authenticated(request: HttpRequest) -> bool:
    """Whether the person at the keyboard has signed in, or confirmed that it is them, a short while ago."""
    records = get_authentication_records(request, request.actor.person)
    return bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def reauthentication_required(view):
    """Decorator: let nobody into ``view`` who did not recently authenticate; ask them to confirm that it is them first.

    Afterwards they are where they wanted to go. What was sent to an address of an account is not sent again by itself,
    since who may what there has to be decided anew: then they are back on the page they sent it from.
    """

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if recently_authenticated(request):
            return view(request, *args, **kwargs)
        if "code" not in kwargs:
            raise ReauthenticationRequired
        back = request.get_full_path()
        if request.method not in ("GET", "HEAD"):
            back = request.headers.get("Referer", "")
            if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
                back = reverse("home")
        method, *_others = Adapter(request).get_reauthentication_methods(request.actor.person)
        return redirect(f"{method['url']}?{urlencode({'next': back})}")

    return guarded


class Adapter(DefaultAccountAdapter):
    """People come by invitation: nobody signs up by themselves."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": gettext_lazy("Too many attempts. Wait five minutes, then try again."),
        "incorrect_code": gettext_lazy("This code does not fit, or it was used before. Take the next one."),
    }

    def is_open_for_signup(self, request):
        return False

    def logout(self, request):
        """Sign out, which also leaves every account that was entered."""
        if sign_in := request.session.get("sign_in"):
            actions.end_accesses(request.actor.person, Access.End.SIGNED_OUT, sign_in=sign_in)
        super().logout(request)

    def send_mail(self, template_prefix, email, context):
        """Have the worker send it; on the worker, send it."""
        known = {"request": self.request, "email": email, "current_site": get_current_site(self.request)}
        message = self.render_mail(template_prefix, email, known | context)
        if isinstance(self.request, RequestOf):
            message.send()
        else:
            send_message.defer(subject=message.subject, body=message.body, to=message.to)

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """Tell the person by mail what was changed, with the time and the browser as people say them."""
        if user.is_active:
            with timezone.override(user.time_zone):
                described = {"user": user, "browser": in_words(self.get_http_user_agent(self.request))}
                super().send_notification_mail(template_prefix, user, described | (context or {}), email or user.email)

    def set_password(self, user, password):
        """Each way to a new password comes by here."""
        super().set_password(user, password)
        actions.credentials_changed(user, keep=session_of(self.request, user))

    def _get_login_attempts_cache_key(self, request, **credentials):
        """Attempts are counted by the name that is tried, and nothing else that whoever tries it can vary.

        allauth's own key has the host as the browser sends it, with whatever port. Some letters of other alphabets are
        capitals or small forms of ours.
        """
        return credentials["email"].upper().casefold()

    def get_password_change_redirect_url(self, request):
        return reverse("mfa_index")

    def is_reauthentication_required(self, *, app, **kwargs):
        return not recently_authenticated(self.request)

    def get_reauthentication_methods(self, user):
        """Who has a second factor confirms with that: the password alone must not be enough to take it away."""
        methods = super().get_reauthentication_methods(user)
        if user.is_authenticated and user.has_second_factor:
            methods = [method for method in methods if method["id"] != "reauthenticate"]
        return methods


class FactorAdapter(DefaultMFAAdapter):
    """Second factors in our words and our look."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": Adapter.error_messages["incorrect_code"],
        "cannot_open": gettext_lazy(
            "The portal cannot check this any more. Use a passkey, or turn to whoever runs the portal."
        ),
    }

    def encrypt(self, text):
        return sealing.seal(text)

    def decrypt(self, encrypted_text):
        try:
            return sealing.unseal(encrypted_text)
        except sealing.CannotOpen:
            log.error("A second factor was sealed with a key that is neither SECRET_KEY nor in SECRET_KEY_FALLBACKS.")
            raise self.validation_error("cannot_open") from None

    def get_totp_issuer(self):
        # A colon would end the name.
        host = self.request.get_host().partition(":")[0]
        return _("Phone Numbers at %(host)s") % {"host": host}

    def build_totp_svg(self, url):
        """The QR code as a drawing inside the page: our rules for the browser allow no picture in the address."""
        code = qrcode.QRCode(border=4)
        code.add_data(url)
        matrix = code.get_matrix()
        squares = "".join(f"M{x} {y}h1v1h-1z" for y, line in enumerate(matrix) for x, dark in enumerate(line) if dark)
        return format_html(
            '<svg class="qr" role="img" aria-label="{}" viewBox="0 0 {size} {size}"><path d="{}"/></svg>',
            _("QR code with the secret"), squares, size=len(matrix),
        )  # fmt: skip

    def generate_authenticator_name(self, user, type):
        return in_words(self.request.headers.get("User-Agent", ""))


def session_of(request: HttpRequest, person: Person) -> str | None:
    """The key of the session in which ``person`` makes the request; None when somebody else makes it."""
    mine = request.actor is not None and request.actor.person.pk == person.pk
    return request.session.session_key if mine else None


def factor_changed(sender, request, user, **kwargs) -> None:
    """Told by allauth when somebody's second factor or recovery codes are added, removed or made anew."""
    actions.credentials_changed(user, keep=session_of(request, user))


def display_name(person: Person) -> str:
    """How allauth's messages name a person."""
    return person.name
