"""What people change about themselves, others and accounts, and what they prove themselves with."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4
from zoneinfo import available_timezones

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.forms import ChangePasswordForm, UserTokenForm
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import attempts
from accounts.attempts import Attempt
from accounts.models import Account, Person
from accounts.notices import DAILY, OFF, ONCE, Channels, channels, kinds_of
from accounts.tasks import send_link, send_reset_link
from portal import countries, security
from portal.fields import AddressField, AnswerField, LineField, NameField, PhoneField
from portal.links import base_url


class ProfileForm(forms.ModelForm):
    """Name, time zone and the way numbers are written. The address is the sign-in and is not changed here."""

    name = NameField(label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=lambda: [(z, z) for z in sorted(available_timezones())])

    class Meta:
        model = Person
        fields = ["name", "time_zone", "number_format"]


class ChannelsForm(forms.Form):
    """How a person receives each kind of notice that their role allows: on the page, and by mail."""

    MAIL = ((ONCE, _("At once")), (DAILY, _("Daily")), (OFF, _("No e-mail")))

    def __init__(self, *args, person, **kwargs):
        super().__init__(*args, **kwargs)
        self.kinds = kinds_of(person)
        for name, kind in self.kinds.items():
            usual = channels(person, name)
            page = forms.BooleanField(label=_("Bell"), required=False, initial=usual.page)
            mail = forms.ChoiceField(label=_("E-mail"), choices=self.MAIL, initial=usual.mail)
            for field in (page, mail):
                field.widget.attrs["aria-label"] = f"{kind.label}: {field.label}"
            self.fields |= {f"{name}-page": page, f"{name}-mail": mail}

    def rows(self):
        """The kinds by label, each with its two fields."""
        return [(kind.label, self[f"{name}-page"], self[f"{name}-mail"]) for name, kind in self.kinds.items()]

    @property
    def chosen(self) -> dict[str, Channels]:
        """What was chosen, by kind."""
        return {
            name: Channels(self.cleaned_data[f"{name}-page"], self.cleaned_data[f"{name}-mail"]) for name in self.kinds
        }


class PersonForm(forms.Form):
    """What somebody is called, and their role: one of ``roles``."""

    name = NameField(label=_("Name"), max_length=120)
    role = forms.ChoiceField(label=_("Role"), error_messages={"invalid_choice": _("There is no such role here.")})

    def __init__(self, *args, roles, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]


class InvitationForm(PersonForm):
    """Somebody who is to be invited."""

    email = AddressField(label=_("E-mail"), max_length=254, help_text=_("They sign in with it."))
    field_order = ["name", "email", "role"]


class GrantForm(forms.Form):
    """Who is let into which account, to do what, until when."""

    agent = forms.TypedChoiceField(
        label=_("Support agent"), coerce=int, error_messages={"invalid_choice": _("There is no such agent here.")}
    )
    account = LineField(
        label=_("Account"),
        max_length=140,
        help_text=_("Its code or its name. What is below it is granted with it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    manages = forms.TypedChoiceField(
        label=_("Permission"),
        coerce=lambda value: value == "manage",
        choices=[("view", _("View and change nothing")), ("manage", _("Manage as its administrator"))],
        initial="view",
        error_messages={"invalid_choice": _("Choose whether to view or to manage.")},
    )
    until = forms.DateField(
        label=_("Until"),
        required=False,
        input_formats=["%Y-%m-%d"],
        help_text=_("The last day, in your time zone. Leave it empty for no end."),
        error_messages={"invalid": _("Enter the date as year-month-day, such as 2027-01-31.")},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args, agents, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["agent"].choices = agents


class ContactForm(forms.Form):
    """Whom to turn to."""

    contact = NameField(label=_("Contact"), max_length=120, required=False, help_text=_("A person's name."))
    email = AddressField(label=_("E-mail"), max_length=254, required=False)
    phone = PhoneField(
        label=_("Phone"), max_length=100, required=False, help_text=_("With the country code: +1 514 555 0123.")
    )
    home_country = forms.ChoiceField(
        label=_("Home country"),
        required=False,
        choices=lambda: [("", _("None")), *countries.choices()],
        help_text=_("Numbers without a country code are read as numbers of this country."),
    )


class CoolingForm(forms.Form):
    """How long numbers cool."""

    cooling_days = forms.IntegerField(
        label=_("Cooling days"),
        min_value=0,
        max_value=3650,
        help_text=_("How many days a returned number waits before it can be assigned to somebody else; 0 for none."),
    )


class VarSettingsForm(ContactForm, CoolingForm):
    """What a VAR's administrators change about their own account."""

    field_order = ["contact", "email", "phone", "home_country", "cooling_days"]


class AccountForm(ContactForm, CoolingForm):
    """What the account above changes about one that is not in service."""

    name = NameField(label=_("Name"), max_length=120, error_messages={"required": _("Give the account a name.")})
    number_quota = forms.IntegerField(
        label=_("Number quota"),
        min_value=0,
        max_value=2_000_000_000,
        required=False,
        help_text=_("Orders cannot take the account beyond this many numbers. Leave empty for no limit."),
    )

    orders_need_approval = forms.BooleanField(
        label=_("Orders wait for approval"),
        required=False,
        help_text=_("Orders of this account are delivered after you approve them."),
    )

    field_order = [
        "name", "contact", "email", "phone", "home_country", "number_quota", "cooling_days", "orders_need_approval",
    ]  # fmt: skip

    def __init__(self, *args, kind, **kwargs):
        super().__init__(*args, **kwargs)
        if kind == Account.Kind.VAR:  # it orders nothing here
            del self.fields["orders_need_approval"]


class OpenAccountForm(AccountForm):
    """What the account above changes about one that is in service."""

    status = forms.ChoiceField(
        label=_("Status"),
        choices=[(status.value, status.label) for status in (Account.Status.PRODUCTION, Account.Status.TRIAL)],
    )


class AdministratorForm(forms.Form):
    """Who is to look after an account that has nobody yet."""

    name = NameField(label=_("Name"), max_length=120, help_text=_("A person's name."))
    email = AddressField(label=_("E-mail"), max_length=254, help_text=_("They sign in with it."))


class NewAccountForm(OpenAccountForm):
    """A new account, with its first administrator where ``invites``. The key is the form's own: sent twice, it adds one
    account.

    Cleaned, ``administrator`` is their name and address, or None.
    """

    administrator_name = NameField(label=_("Administrator's name"), max_length=120, required=False)
    administrator_email = AddressField(
        label=_("Administrator's e-mail"),
        max_length=254,
        required=False,
        help_text=_(
            "They get a link to choose a password, and sign in with this address. Leave empty to invite them later."
        ),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    field_order = ["name", "administrator_name", "administrator_email", *AccountForm.field_order[1:]]

    def __init__(self, *args, kind, invites, **kwargs):
        super().__init__(*args, kind=kind, **kwargs)
        name, email = self.fields["administrator_name"], self.fields["administrator_email"]
        if not invites:
            del self.fields["administrator_name"], self.fields["administrator_email"]
        elif kind == Account.Kind.PROFESSIONAL:
            name.label, email.label = _("Person's name"), _("Person's e-mail")
            name.help_text = _("The professional's name. Leave empty to use the account's name.")
            email.help_text = _("They get a link to choose a password, and sign in with this address.")
            email.required = True
            email.error_messages["required"] = _("Give the address of the person whose account it is.")
        self.person_named = invites and kind != Account.Kind.PROFESSIONAL

    def clean(self):
        cleaned = super().clean()
        name, email = cleaned.pop("administrator_name", ""), cleaned.pop("administrator_email", "")
        if self.person_named and bool(name) != bool(email) and not self.errors:
            missing = "administrator_email" if name else "administrator_name"
            self.add_error(missing, _("Give the administrator's name and address, or neither."))
        cleaned["administrator"] = {"name": name or cleaned.get("name", ""), "email": email} if email else None
        return cleaned

    def refuse(self, refusal: ValidationError) -> None:
        """Show why the account was not added: what is said of an address is said of the administrator's."""
        if hasattr(refusal, "error_dict") and "administrator_email" in self.fields:
            refusal = ValidationError({"administrator_email": refusal.error_dict["email"]})
        self.add_error(None, refusal)


class LinkForm(forms.Form):
    """Where to send a link that makes a browser known. Whose address it is, the worker finds out."""

    email = AddressField(label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    kind, event, task = "device", "link.asked", send_link

    def clean_email(self):
        attempts.count_link(self.kind, context.request, self.cleaned_data["email"])
        return self.cleaned_data["email"]

    def save(self, request):
        security.log(self.event, request, name_hash=security.hash_of(self.cleaned_data["email"]))
        self.task.defer(email=self.cleaned_data["email"], base_url=base_url(request))


class ForgottenPasswordForm(LinkForm):
    """Where to send a link for a new password."""

    kind, event, task = "password", "password.asked", send_reset_link


class ChangeOwnPasswordForm(ChangePasswordForm):
    """A new password instead of the present one, which cannot be guessed here either."""

    def clean_oldpassword(self):
        attempt = Attempt("password", context.request, self.user.email)
        password = super().clean_oldpassword()
        attempt.succeeded()
        return password


class TokenForm(UserTokenForm):
    """Whether a mailed link opens. That of an invitation ends when its address becomes another account's person's."""

    def clean(self):
        cleaned = super().clean()
        if not self.reset_user.has_joined and Person.objects.owner_of(self.reset_user.email):
            raise get_account_adapter().validation_error("invalid_password_reset")
        return cleaned


class OnceOnly(forms.Form):
    """A code opens once. allauth remembers a used code for one period, but with tolerance it is good for three."""

    code = forms.CharField(
        label=_("Code from the app, or a recovery code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def clean_code(self):
        attempt = Attempt("code", context.request, self.user.email)
        try:
            code = super().clean_code()
            periods = 2 * app_settings.TOTP_TOLERANCE + 1
            key = f"factor-code:{self.user.pk}:{normalize_user_code(code)}"
            if not cache.add(key, True, periods * app_settings.TOTP_PERIOD):
                raise get_adapter().validation_error("incorrect_code")
        except ValidationError:
            security.log("factor.failed", factor="code", **self.user.for_log)
            raise
        attempt.succeeded()
        return code


class CodeForm(OnceOnly, AuthenticateForm):
    """The second step of signing in."""


class CodeAgainForm(OnceOnly, ReauthenticateForm):
    """Confirming that it is still the same person."""


@contextmanager
def answer_of_a_browser() -> Iterator[None]:
    """Take what cannot be an answer about a passkey for a wrong one; allauth expects some of that."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error) as error:
        raise get_adapter().validation_error("incorrect_code") from error


class Passkey(forms.Form):
    """What a passkey has answered, which comes in ``credential``, filled in by a script."""

    credential = AnswerField()

    def clean_credential(self):
        try:
            with answer_of_a_browser():
                return super().clean_credential()
        except ValidationError:
            security.log("factor.failed", factor="webauthn", **(self.user.for_log if self.user else {}))
            raise


class PasskeySignInForm(Passkey, LoginWebAuthnForm):
    """Signing in with a passkey alone."""

    def clean_credential(self):
        attempt = Attempt("passkey", context.request)
        authenticator = super().clean_credential()
        attempt.succeeded()
        return authenticator


class PasskeyCodeForm(Passkey, AuthenticateWebAuthnForm):
    """The second step of signing in, with a passkey."""


class PasskeyAgainForm(Passkey, ReauthenticateWebAuthnForm):
    """Confirming with a passkey that it is still the same person."""


class PasskeyForm(AddWebAuthnForm):
    """A new passkey. The browser's answer comes in ``credential``, filled in by a script."""

    credential = AnswerField()
    name = LineField(
        label=_("Name"),
        max_length=60,
        required=False,
        help_text=_("A name to recognise it by, such as the device or the password manager it is kept in."),
    )
    passwordless = forms.BooleanField(
        label=_("Sign in with this passkey alone"),
        required=False,
        initial=True,
        help_text=_(
            "You sign in without a password; the device asks for your fingerprint, "
            "face or PIN. If this is not ticked, the "
            "passkey is the second step after the password. Older security keys support only that."
        ),
    )

    def clean(self):
        with answer_of_a_browser():
            return super().clean()


class PasskeyNameForm(EditWebAuthnForm):
    """Another name for a passkey."""

    name = LineField(label=_("Name"), max_length=60)
