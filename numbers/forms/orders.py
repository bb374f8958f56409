"""What people fill in to order numbers."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account
from numbers.actions.orders import MOST_NUMBERS
from numbers.actions.verbs import SetOptions
from numbers.forms.adding import AddForm, regions
from numbers.listing.offers import Wanted
from numbers.listing.runs import LONGEST
from portal import phones
from portal.fields import NameField
from portal.filters import pieces
from portal.pages import plain

KINDS = {
    "": gettext_lazy("Any"),
    "local": gettext_lazy("Local"),
    "mobile": gettext_lazy("Mobile"),
    "toll_free": gettext_lazy("Toll-free"),
    "special": gettext_lazy("Other"),
}


class SearchForm(forms.Form):
    """The numbers that somebody looks for; all of it is in the address."""

    country = forms.ChoiceField(
        label=gettext_lazy("Country"), choices=lambda: [("", gettext_lazy("Any")), *regions()[1:]], required=False
    )
    area = forms.CharField(
        label=gettext_lazy("Area code or prefix"),
        required=False,
        max_length=30,
        help_text=gettext_lazy("Such as 514, or +1 514 for any country."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    # Not called after what it says: a form has a method of that name.
    digits = forms.CharField(
        label=gettext_lazy("Contains"),
        required=False,
        max_length=30,
        help_text=gettext_lazy("Digits that follow one another, anywhere."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Type"), choices=tuple(KINDS.items()), required=False)
    count = forms.IntegerField(
        label=gettext_lazy("How many"), min_value=1, max_value=MOST_NUMBERS, initial=1, required=False
    )
    in_a_row = forms.BooleanField(label=gettext_lazy("In a row"), required=False)
    sms = forms.BooleanField(label=gettext_lazy("SMS"), required=False)
    fax = forms.BooleanField(label=gettext_lazy("Fax"), required=False)

    def clean(self):
        typed = super().clean()
        region = typed.get("country", "")
        code, area = str(phones.calling_code(region) or ""), ""
        try:
            if typed.get("area"):
                code, area = beginning(typed["area"], region)
        except ValidationError as refusal:
            self.add_error("area", refusal)
        region = region or phones.sole_region(code)
        if typed.get("kind") and not region:
            self.add_error("kind", _("Choose a country: each says for itself which numbers are of a type."))
        piece = ""
        try:
            if typed.get("digits"):
                piece = pieces(typed["digits"])[-1].removeprefix("+")
        except ValidationError as refusal:
            self.add_error("digits", refusal)
        count = typed.get("count") or 1
        self.wanted = Wanted(
            region=region,
            code=code,
            area=area,
            kind=typed.get("kind", ""),
            piece=piece,
            features=tuple(feature for feature in ("sms", "fax") if typed.get(feature)),
            count=count,
            in_a_row=typed.get("in_a_row", False) and count > 1,
        )
        return typed


class ReviewForm(forms.Form):
    """What is said with an order: which basket it is, and whether the account's own address gets a message."""

    order = forms.IntegerField(widget=forms.HiddenInput)
    informs = forms.BooleanField(label=gettext_lazy("Inform the customer"), required=False)

    def __init__(self, customer: Account, data=None):
        super().__init__(data)
        field = self.fields["informs"]
        if customer.email:
            field.help_text = _("When the order is done, %(email)s gets a message too.") % {"email": customer.email}
        else:
            field.disabled, field.help_text = True, _("The account has no e-mail address; its settings take one.")


class WishForm(forms.Form):
    """What is said with a wish; ``key`` makes it one wish however often it is sent."""

    note = NameField(
        label=gettext_lazy("Note"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Until when you need them, say, or from which operator."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)


class DeliverForm(AddForm):
    """Numbers that somebody has asked for."""

    others = None


class RefusalForm(forms.Form):
    """Why a VAR does not deliver an order."""

    reason = NameField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("For the customer to read.")
    )


def beginning(typed: str, region: str) -> tuple[str, str]:
    """The country code and the first digits after it that are meant by ``typed``, written from abroad or, where
    ``region`` names a country, as inside it.

    Raises ``ValidationError``.
    """
    spellings = pieces(typed)
    abroad = next((text[1:] for text in spellings if text.startswith("+")), "")
    if abroad:
        code = str(phones.country_code(abroad) or "")
        if not code:
            raise ValidationError(_("No country's numbers begin like that. Begin with a country code, such as +1."))
        if region and code != str(phones.calling_code(region)):
            raise ValidationError(_("That is the code of another country. Choose that one, or none."))
        area = abroad.removeprefix(code)
    elif region:
        code, area = str(phones.calling_code(region)), phones.without_trunk(spellings[0], region)
    else:
        raise ValidationError(_("Choose a country, or begin with + and its code, such as +1 514."))
    if len(code + area) > LONGEST:
        raise ValidationError(_("This is longer than any phone number."))
    return code, area


def in_words(wanted: Wanted) -> str:
    """How a search was understood, for people to read."""
    parts = [KINDS[wanted.kind]] if wanted.kind else []
    if wanted.region:
        parts.append(_("of %(country)s") % {"country": wanted.region})
    if wanted.code:
        parts.append(_("beginning with +%(digits)s") % {"digits": f"{wanted.code} {wanted.area}".strip()})
    if wanted.piece:
        parts.append(_("containing %(digits)s") % {"digits": wanted.piece})
    parts += [_("with %(feature)s") % {"feature": SetOptions.FEATURES[feature]} for feature in wanted.features]
    said = ngettext("%(count)s number", "%(count)s numbers", wanted.count) % {"count": plain(wanted.count)}
    if wanted.in_a_row:
        said = _("%(numbers)s in a row") % {"numbers": said}
    return ", ".join([said, *map(str, parts)])
