"""What people change about themselves, and what they prove themselves with."""

from zoneinfo import available_timezones

from allauth.account.forms import EmailField
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from accounts.models import Person
from accounts.tasks import send_reset_link


class ProfileForm(forms.ModelForm):
    """Name, time zone and the way numbers are written. The address is the sign-in and is not changed here."""

    time_zone = forms.ChoiceField(label=_("Time zone"), choices=lambda: [(z, z) for z in sorted(available_timezones())])

    class Meta:
        model = Person
        fields = ["name", "time_zone", "number_format"]


class ForgottenPasswordForm(forms.Form):
    """Where to send a link for a new password. Whose address it is, the worker finds out."""

    email = EmailField(required=True)

    def save(self, request):
        send_reset_link.defer(email=self.cleaned_data["email"], host=request.get_host(), scheme=request.scheme)


class OnceOnly(forms.Form):
    """A code opens once. allauth remembers a used code for one period, but with tolerance it is good for three."""

    code = forms.CharField(
        label=_("Code from the app, or a recovery code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def clean_code(self):
        code = super().clean_code()
        periods = 2 * app_settings.TOTP_TOLERANCE + 1
        key = f"factor-code:{self.user.pk}:{normalize_user_code(code)}"
        if not cache.add(key, True, periods * app_settings.TOTP_PERIOD):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(OnceOnly, AuthenticateForm):
    """The second step of signing in."""


class CodeAgainForm(OnceOnly, ReauthenticateForm):
    """Confirming that it is still the same person."""


class PasskeyForm(AddWebAuthnForm):
    """A new passkey. The browser's answer comes in ``credential``, filled in by a script."""

    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        required=False,
        help_text=_("By which you will know it again: the device, or the key ring it is kept in."),
    )
    passwordless = forms.BooleanField(
        label=_("Sign in with this passkey alone"),
        required=False,
        initial=True,
        help_text=_(
            "No password is asked then; the device asks for your finger, face or PIN. Without the tick the passkey is"
            " the second step after the password; older security keys can only do that."
        ),
    )


class PasskeyNameForm(EditWebAuthnForm):
    """Another name for a passkey."""

    name = forms.CharField(label=_("Name"), max_length=60)
