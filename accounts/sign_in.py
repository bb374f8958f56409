"""How people sign in: by e-mail address and password, by passkey, and with a second factor, through allauth.

With an identity provider: ``accounts.single_sign_on``, and ``accounts.views.providers``."""

import logging
from functools import wraps

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.account.signals import authentication_step_completed, password_reset, user_logged_in
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import respond_429
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import (
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from allauth.mfa.stages import AuthenticateStage
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import actions, devices, endings, limits, sealing
from accounts import single_sign_on as sso
from accounts.attempts import PASSKEYS_BEGUN, PROVIDERS_BEGUN, Attempt, client_of, facts_of
from accounts.confirmation import proved, recently_authenticated
from accounts.models import Access, Person
from accounts.sessions import columns_of_person, person_in, read_with_session
from accounts.tasks import RequestAt, send_message
from portal import security
from portal.browsers import in_words
from portal.links import base_url
from portal.logs import request_facts
from portal.single_sign_on import Provider, provider_required_for

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

    def _authenticate_by_email(self, email, password):
        """One statement and one hash, however many accounts have invited the address."""
        return self._check_password(Person.objects.owner_of(email), password)


class Adapter(DefaultAccountAdapter):
    """People come by invitation: nobody signs up by themselves."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is wrong or was already used. Enter the next one."),
    }

    def is_open_for_signup(self, request):
        return False

    def logout(self, request):
        """Sign out, which also leaves every account that was entered."""
        if sign_in := request.session.get("sign_in"):
            actions.end_accesses(request.actor.person, Access.End.SIGNED_OUT, sign_in=sign_in)
        endings.end_for([request.actor.person])
        security.log("sign_out", request)
        super().logout(request)

    def authentication_failed(self, request, **credentials):
        security.log("sign_in.failed", request, **facts_of(credentials["email"]))

    def respond_user_inactive(self, request, user):
        security.log("sign_in.inactive", request, **user.for_log)
        return super().respond_user_inactive(request, user)

    def validation_error(self, code, *args):
        if code == "enter_current_password":
            security.log("password.refused", self.request)
        return super().validation_error(code, *args)

    def send_mail(self, template_prefix, email, context):
        """Have the worker send it; on the worker, send it."""
        message = self.render_mail(template_prefix, email, {"email": email, "portal_url": self.base_url} | context)
        if isinstance(self.request, RequestAt):
            message.send()
        else:
            send_message.defer(subject=message.subject, body=message.body, to=message.to)

    @property
    def base_url(self) -> str:
        """Where links in mail lead."""
        return self.request.base_url if isinstance(self.request, RequestAt) else base_url(self.request)

    def format_email_subject(self, subject):
        return f"[{self.base_url.partition('://')[2]}] {subject}"

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """Tell the person by mail what was changed, with the time and the browser as people say them."""
        if user.is_active:
            with timezone.override(user.time_zone):
                described = {"user": user, "browser": in_words(self.get_http_user_agent(self.request))}
                super().send_notification_mail(template_prefix, user, described | (context or {}), email or user.email)

    def set_password(self, user, password):
        """Each way to a new password comes by here."""
        is_new, by_themselves = not user.has_joined, session_of(self.request, user)
        name = "invitation.accepted" if is_new else "password.changed" if by_themselves else "password.reset"
        try:
            with transaction.atomic():
                super().set_password(user, password)
        except IntegrityError:
            # Another invitation was taken up at the same moment. Asked again, the page says that this one has ended.
            raise ImmediateHttpResponse(redirect(self.request.get_full_path())) from None
        security.log(name, self.request, **user.for_log)
        proof_changed(self.request, user)

    def authenticate(self, request, **credentials):
        attempt = Attempt("password", request, credentials["email"])
        person = super().authenticate(request, **credentials)
        if person is not None:
            attempt.succeeded()
            if person.is_active and (provider := sso.needs_provider(person)):
                security.log("sign_in.provider_required", request, **person.for_log, provider=provider.id)
                raise ValidationError(needs(provider), code="provider_required")
        return person

    def pre_login(self, request, user, **kwargs):
        """Before the second factor, however somebody signs in: passkeys do not come by ``authenticate``."""
        if answer := super().pre_login(request, user, **kwargs):
            return answer
        provider = sso.needs_provider(user)
        if provider is None or sso.is_by(provider, request, user):
            return None
        clear_login(request)
        security.log("sign_in.provider_required", request, **user.for_log, provider=provider.id)
        messages.error(request, needs(provider))
        return redirect("account_login")

    def get_login_stages(self):
        """allauth's steps of a sign-in, with our second one."""
        theirs = f"{AuthenticateStage.__module__}.{AuthenticateStage.__qualname__}"
        ours = f"{SecondStep.__module__}.{SecondStep.__qualname__}"
        return [ours if stage == theirs else stage for stage in super().get_login_stages()]

    def login(self, request, user):
        """The last step of signing in, however it was done."""
        super().login(request, user)
        devices.remember(request, user)

    def get_password_change_redirect_url(self, request):
        return reverse("mfa_index")

    def is_reauthentication_required(self, *, app, **kwargs):
        return not recently_authenticated(self.request)

    def get_reauthentication_methods(self, user):
        """Who has a second factor confirms with that: the password alone must not be enough to take it away, nor an
        identity provider that does not stand for the factor."""
        methods = super().get_reauthentication_methods(user)
        if not user.is_authenticated:
            return methods
        by_provider = sso.confirming_providers(user)
        if user.has_second_factor or (by_provider and sso.needs_provider(user)):
            methods = [method for method in methods if method["id"] != "reauthenticate"]
        if by_provider:
            names = " / ".join(provider.name for provider in by_provider)
            said = _("Sign in with {name} again").format(name=names)
            methods.append({"id": "provider", "url": reverse("provider_confirm"), "description": said})
        return methods


class SecondStep(AuthenticateStage):
    """The second factor, unless an identity provider stands for it that has just signed the person in."""

    def handle(self):
        provider = sso.used_provider(self.request, self.login.user)
        if provider and provider.replaces_second_factor and sso.is_by_provider(self.request, self.login.user):
            return None, True
        return super().handle()


def needs(provider: Provider) -> str:
    """The message for people whose domain requires a provider and who sign in another way."""
    said = _("People with your address sign in with the button “Sign in with {name}” on this page.")
    return said.format(name=provider.name)


class FactorAdapter(DefaultMFAAdapter):
    """Second factors in our words and our look."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": Adapter.error_messages["incorrect_code"],
        "cannot_open": gettext_lazy(
            "The portal cannot check this any more. Use a passkey, or contact the operator of the portal."
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


def proof_changed(request: HttpRequest, person: Person) -> None:
    """What the person proves themselves with was changed. If they did it, they go on in this session and browser."""
    here = session_of(request, person)
    actions.credentials_changed(person, keep=here)
    if here:
        devices.remember(request, person)


@receiver((authenticator_added, authenticator_removed, authenticator_reset))
def factor_changed(sender, request, user, authenticator, signal, **kwargs) -> None:
    """Told by allauth when somebody's second factor or recovery codes are added, removed or made anew."""
    name = {authenticator_added: "factor.added", authenticator_removed: "factor.removed"}.get(signal, "factor.renewed")
    security.log(name, request, factor=authenticator.type)
    proof_changed(request, user)


@receiver(password_reset)
def password_chosen(sender, request, user, **kwargs) -> None:
    """Told by allauth when somebody has chosen a password by the link that was mailed to them."""
    devices.link_opened(request, user)


@receiver(authenticator_used)
def factor_used(sender, request, user, authenticator, **kwargs) -> None:
    security.log("factor.used", request, **user.for_log, factor=authenticator.type)


@receiver(user_logged_in)
def signed_in(sender, request, user, **kwargs) -> None:
    methods = [record.get("type", record["method"]) for record in get_authentication_records(request, user)]
    request_facts.get({}).update(user.for_log)
    proved(request)
    security.log("sign_in.succeeded", request, methods=methods)
    if sso.METHOD not in methods and (provider := provider_required_for(user.email)):
        security.log("sign_in.emergency", request, provider=provider.id)


@receiver(authentication_step_completed)
def confirmed(sender, request, user, method, **kwargs) -> None:
    if kwargs.get("reauthenticated"):
        request.session.cycle_key()
        proved(request)
        security.log("sign_in.confirmed", request, methods=[kwargs.get("type", method)])


def passkeys_begun_limited(view):
    """Decorator: begin no more sign-ins by passkey for one client than the limit. Each is a session of a stranger's."""

    @wraps(view)
    def limited(request):
        if request.method != "POST":
            try:
                limits.take({f"passkeys-begun:{client_of(request)}": PASSKEYS_BEGUN})
            except limits.Reached:
                return respond_429(request)
        return view(request)

    return limited


def providers_begun_limited(view):
    """Decorator: the same for sign-ins with an identity provider, each of which is begun with a POST."""

    @wraps(view)
    def limited(request, *args, **kwargs):
        try:
            limits.take({f"providers-begun:{client_of(request)}": PROVIDERS_BEGUN})
        except limits.Reached:
            return respond_429(request)
        return view(request, *args, **kwargs)

    return limited


def display_name(person: Person) -> str:
    """How allauth's messages name a person."""
    return person.name
