"""What people change about themselves, others and accounts, and what they prove themselves with."""

from uuid import uuid4
from zoneinfo import available_timezones

from allauth.account.forms import EmailField
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Person
from accounts.tasks import send_reset_link
from portal.fields import NameField, PhoneField


class ProfileForm(forms.ModelForm):
    """Name, time zone and the way numbers are written. The address is the sign-in and is not changed here."""

    time_zone = forms.ChoiceField(label=_("Time zone"), choices=lambda: [(z, z) for z in sorted(available_timezones())])

    class Meta:
        model = Person
        fields = ["name", "time_zone", "number_format"]


class PersonForm(forms.Form):
    """What somebody is called, and their role: one of ``roles``."""

    name = NameField(label=_("Name"), max_length=120)
    role = forms.ChoiceField(label=_("Role"), error_messages={"invalid_choice": _("There is no such role here.")})

    def __init__(self, *args, roles, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]


class InvitationForm(PersonForm):
    """Somebody who is to be invited."""

    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("They sign in with it."))
    field_order = ["name", "email", "role"]


class GrantForm(forms.Form):
    """Who is let into which account, to do what, until when."""

    agent = forms.TypedChoiceField(
        label=_("Support agent"), coerce=int, error_messages={"invalid_choice": _("There is no such agent here.")}
    )
    account = NameField(
        label=_("Account"),
        max_length=140,
        help_text=_("Its code or its name. What is below it is granted with it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    manages = forms.TypedChoiceField(
        label=_("To"),
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
        error_messages={"invalid": _("Write the day as year-month-day, such as 2027-01-31.")},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    def __init__(self, *args, agents, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["agent"].choices = agents


class ContactForm(forms.Form):
    """Whom to turn to."""

    contact = NameField(label=_("Contact"), max_length=120, required=False, help_text=_("A person's name."))
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)
    phone = PhoneField(
        label=_("Phone"), max_length=100, required=False, help_text=_("With the country code: +1 514 555 0123.")
    )


class CoolingForm(forms.Form):
    """How long numbers cool."""

    cooling_days = forms.IntegerField(
        label=_("Cooling days"),
        min_value=0,
        max_value=3650,
        help_text=_("How long a number that came back waits before it may go to somebody else; 0: not at all."),
    )


class VarSettingsForm(ContactForm, CoolingForm):
    """What a VAR's administrators change about their own account."""

    field_order = ["contact", "email", "phone", "cooling_days"]


class AccountForm(ContactForm, CoolingForm):
    """What the account above changes about one that is not in service."""

    name = NameField(label=_("Name"), max_length=120, error_messages={"required": _("Give the account a name.")})
    number_quota = forms.IntegerField(
        label=_("Number quota"),
        min_value=0,
        max_value=2_000_000_000,
        required=False,
        help_text=_("Its orders never take it beyond so many numbers; empty: no limit."),
    )

    orders_need_approval = forms.BooleanField(
        label=_("Orders wait for approval"),
        required=False,
        help_text=_("Numbers that it orders are delivered after you have approved the order."),
    )

    field_order = ["name", "contact", "email", "phone", "number_quota", "cooling_days", "orders_need_approval"]

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
    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("They sign in with it."))


class NewAccountForm(OpenAccountForm):
    """A new account, with its first administrator where ``invites``. The key is the form's own: sent twice, it adds one
    account.

    Cleaned, ``administrator`` is their name and address, or None.
    """

    administrator_name = NameField(label=_("Administrator's name"), max_length=120, required=False)
    administrator_email = forms.EmailField(
        label=_("Administrator's e-mail"),
        max_length=254,
        required=False,
        help_text=_("They get a link to choose a password, and sign in with this address. Empty: invite them later."),
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
            name.help_text = _("Who the professional is; empty: as the account is called.")
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
