"""What people fill in to do something to numbers: a form for each verb, for one number or for many."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions import verbs
from numbers.models import Destination, PhoneNumber
from numbers.rules import is_cooling, is_reserved
from portal.fields import LineField, MomentField

#: Of several that fit what was typed, so many are named.
NAMED = 5


class MeantField(LineField):
    """One of many, typed by name or by code; clean, it is what was meant. ``look_up`` gives what may be meant.

    A browser offers what fits while somebody types, from the address ``suggestions`` (``type_ahead.js``).
    """

    def __init__(self, *, unknown: str, **kwargs):
        self.unknown = unknown
        self.look_up = None
        super().__init__(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}), **kwargs)

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        found = self.look_up(text, NAMED + 1)
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValidationError(self.unknown)
        names = "; ".join(one.written for one in found[:NAMED]) + ("; …" if len(found) > NAMED else "")
        raise ValidationError(
            _("Several have this name: %(names)s. Enter one of these exactly as shown.") % {"names": names}
        )


class VerbForm(forms.Form):
    """The fields of a verb. ``number`` is the one that it is about, None for a selection."""

    verb_class: ClassVar[type[verbs.Verb]]

    def __init__(self, actor: Actor, data=None, number: PhoneNumber | None = None, initial: dict | None = None):
        self.actor, self.number = actor, number
        super().__init__(data, initial=initial)
        # A browser would cut longer texts without a word; the form says that they are too long.
        for name in {"caller_name", "label_text"} & self.fields.keys():
            self.fields[name].widget.attrs.pop("maxlength", None)
        for field in self.fields.values():
            if isinstance(field, MeantField):
                of = Destination if field is self.fields.get("destination") else Account
                field.look_up = lambda text, most, of=of: of.meant_by(actor, text, most)
                field.widget.attrs["data-suggestions"] = self.suggestions_of(of)

    def suggestions_of(self, of) -> str:
        code = self.actor.account.code
        return f"/{code}/destinations/suggestions/" if of is Destination else f"/{code}/accounts/suggestions/"

    def full_clean(self):
        # Times are typed in the zone of who types them.
        with timezone.override(self.actor.person.time_zone):
            super().full_clean()

    @property
    def verb(self) -> verbs.Verb:
        """What was filled in, as the verb."""
        return self.verb_class(**self.arguments)

    @property
    def arguments(self) -> dict:
        return self.cleaned_data


class CustomerForm(VerbForm):
    """A verb that gives numbers to a customer."""

    customer = MeantField(
        label=gettext_lazy("Customer"),
        help_text=gettext_lazy("Its name or its code."),
        unknown=gettext_lazy("You have no customer with this name. Type its name or its code."),
    )

    @property
    def arguments(self):
        rest = dict(self.cleaned_data)
        return {"customer_id": rest.pop("customer").pk, **rest}


class AssignToCustomerForm(CustomerForm):
    verb_class = verbs.AssignToCustomer
    despite_cooling = forms.BooleanField(
        label=gettext_lazy("Also while it is cooling"),
        required=False,
        help_text=gettext_lazy("Its previous holder may still get calls on it."),
    )
    reason = LineField(
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        help_text=gettext_lazy(
            "Why a cooling number is assigned to somebody else now. It is kept in your own history."
        ),
    )

    def __init__(self, actor, data=None, number=None, initial=None):
        super().__init__(actor, data, number, initial)
        if number is not None and not is_cooling(number, timezone.now()):
            del self.fields["despite_cooling"], self.fields["reason"]


class ReserveForm(CustomerForm):
    verb_class = verbs.Reserve
    days = forms.ChoiceField(
        label=gettext_lazy("For"),
        choices=(
            ("7", gettext_lazy("7 days")),
            ("30", gettext_lazy("30 days")),
            ("90", gettext_lazy("90 days")),
            ("", gettext_lazy("Until the time below")),
        ),
        initial="30",
        required=False,
    )
    until = MomentField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy(
            "Only for another end; it replaces the days. In your time zone. The reservation ends by itself."
        ),
    )

    def clean(self):
        days = self.cleaned_data.pop("days", "")
        if self.cleaned_data.get("until") or "until" in self.errors:
            return
        if not days:
            self.add_error("until", _("Choose for how many days, or type a time."))
        else:
            self.cleaned_data["until"] = timezone.now() + timedelta(days=int(days))

    def __init__(self, actor, data=None, number=None, initial=None):
        if number is not None and is_reserved(number, timezone.now()):
            until = timezone.localtime(number.reserved_until, actor.person.zone).replace(tzinfo=None)
            initial = {"customer": number.reserved_for.written, "until": until} | (initial or {})
        if initial and initial.get("until"):
            initial = {"days": ""} | initial
        super().__init__(actor, data, number, initial)


class AssignToDestinationForm(VerbForm):
    verb_class = verbs.AssignToDestination
    destination = MeantField(
        label=gettext_lazy("Destination"),
        help_text=gettext_lazy("The name or the extension of a user, a group or a service."),
        unknown=gettext_lazy("There is no user, group or service with this name. Type its name or its extension."),
    )

    @property
    def arguments(self):
        return {"destination_id": self.cleaned_data["destination"].pk}


class OptionsForm(VerbForm):
    """All the options of one number. For a selection there is ``BulkOptionsForm``."""

    verb_class = verbs.SetOptions
    label_text = LineField(label=gettext_lazy("Label"), max_length=80, required=False)
    caller_name = LineField(
        label=gettext_lazy("Caller name"),
        max_length=15,
        required=False,
        help_text=gettext_lazy("Shown to the people whom this number calls. 15 characters at most."),
    )
    voice = forms.BooleanField(label=gettext_lazy("Voice"), required=False)
    sms = forms.BooleanField(label=gettext_lazy("SMS"), required=False)
    fax = forms.BooleanField(label=gettext_lazy("Fax"), required=False)

    def __init__(self, actor, data=None, number=None, initial=None):
        options = {}
        if number is not None:
            options = {name: getattr(number, name) for name in ("caller_name", *verbs.SetOptions.FEATURES)}
            options["label_text"] = number.label
        super().__init__(actor, data, number, options | (initial or {}))
        for feature in verbs.SetOptions.FEATURES if number is not None else ():
            if not getattr(number.provider, f"supports_{feature}"):
                self.fields[feature].disabled = True
                self.fields[feature].help_text = _("%(provider)s does not offer it for this number.") % {
                    "provider": number.provider.name
                }


class ConfirmedForm(VerbForm):
    """A verb that wants to be confirmed for what is in use."""

    confirmed = forms.BooleanField(label=gettext_lazy("Also if it is in use"), required=False)

    def __init__(self, actor, data=None, number=None, initial=None):
        super().__init__(actor, data, number, initial)
        if number is not None and not self.is_in_use(number):
            del self.fields["confirmed"]

    @staticmethod
    def is_in_use(number: PhoneNumber) -> bool:
        return bool(number.destination_id)


class GiveBackForm(ConfirmedForm):
    verb_class = verbs.GiveBack


class GiveUpForm(ConfirmedForm):
    verb_class = verbs.GiveUp

    @staticmethod
    def is_in_use(number):
        return bool(number.customer_id)


class UnassignFromCustomerForm(VerbForm):
    verb_class = verbs.UnassignFromCustomer


class UnassignFromDestinationForm(VerbForm):
    verb_class = verbs.UnassignFromDestination


class CancelReservationForm(VerbForm):
    verb_class = verbs.CancelReservation


class EndCoolingForm(VerbForm):
    verb_class = verbs.EndCooling


class RouteForm(VerbForm):
    verb_class = verbs.Route


class DeleteForm(VerbForm):
    verb_class = verbs.Delete


class BulkOptionsForm(VerbForm):
    """The options of a selection: each is left alone unless it is said what it should be."""

    verb_class = verbs.SetOptions
    SWITCH = (("", gettext_lazy("Leave as it is")), ("on", gettext_lazy("On")), ("off", gettext_lazy("Off")))
    label_text = LineField(
        label=gettext_lazy("Label"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Leave empty to keep what each number has."),
    )
    clear_label = forms.BooleanField(label=gettext_lazy("Clear the label"), required=False)
    caller_name = LineField(
        label=gettext_lazy("Caller name"),
        max_length=15,
        required=False,
        help_text=gettext_lazy("15 characters at most. Leave empty to keep what each number has."),
    )
    clear_caller_name = forms.BooleanField(label=gettext_lazy("Clear the caller name"), required=False)
    voice = forms.ChoiceField(label=gettext_lazy("Voice"), choices=SWITCH, required=False)
    sms = forms.ChoiceField(label=gettext_lazy("SMS"), choices=SWITCH, required=False)
    fax = forms.ChoiceField(label=gettext_lazy("Fax"), choices=SWITCH, required=False)

    def clean(self):
        if not any(self.cleaned_data.values()):
            raise ValidationError(_("Choose at least one change."))
        for name in ("label", "caller_name"):
            if self.cleaned_data.get(f"clear_{name}") and self.cleaned_data.get(NAMES_OF_TEXTS[name]):
                self.add_error(NAMES_OF_TEXTS[name], _("Either type one, or clear it."))

    @property
    def arguments(self):
        typed, switched = self.cleaned_data, {"": None, "on": True, "off": False}
        texts = {field: "" if typed[f"clear_{n}"] else typed[field] or None for n, field in NAMES_OF_TEXTS.items()}
        return texts | {feature: switched[typed[feature]] for feature in verbs.SetOptions.FEATURES}


#: option with a text -> its field
NAMES_OF_TEXTS = {"label": "label_text", "caller_name": "caller_name"}

#: verb -> its form
FORMS: dict[type[verbs.Verb], type[VerbForm]] = {
    form.verb_class: form
    for form in (
        AssignToCustomerForm,
        UnassignFromCustomerForm,
        ReserveForm,
        CancelReservationForm,
        EndCoolingForm,
        OptionsForm,
        RouteForm,
        GiveUpForm,
        DeleteForm,
        AssignToDestinationForm,
        UnassignFromDestinationForm,
        GiveBackForm,
    )
}
#: The same for a selection.
BULK_FORMS = FORMS | {verbs.SetOptions: BulkOptionsForm} | dict.fromkeys(verbs.UNDOES.values(), VerbForm)


class ModeForm(forms.Form):
    """Whether numbers that are refused keep the others from being done."""

    mode = forms.ChoiceField(
        label=gettext_lazy("If some numbers cannot be changed"),
        choices=(("some", gettext_lazy("Change the others")), ("all", gettext_lazy("Change none of them"))),
        initial="some",
        widget=forms.RadioSelect,
    )
