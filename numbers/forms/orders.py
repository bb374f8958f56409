"""What people fill in to order numbers."""

from __future__ import annotations

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions.orders import MOST_NUMBERS
from numbers.actions.verbs import SetOptions
from numbers.forms.adding import AddForm
from numbers.forms.verbs import MeantField
from numbers.listing.offers import Wanted
from numbers.models import Destination, PhoneNumber
from portal import countries, plans
from portal.fields import LineField
from portal.filters import pieces
from portal.pages import plain
from portal.plans import LONGEST

KINDS = {
    "": gettext_lazy("Any"),
    "local": gettext_lazy("Local"),
    "mobile": gettext_lazy("Mobile"),
    "toll_free": gettext_lazy("Toll-free"),
    "special": gettext_lazy("Other"),
}


class SearchForm(forms.Form):
    """The numbers that somebody looks for; all of it is in the address. ``home`` is the account's home country: digits
    without a country code are read as inside it, unless another country is chosen."""

    country = forms.ChoiceField(
        label=gettext_lazy("Country"), choices=lambda: [("", gettext_lazy("Any")), *countries.choices()], required=False
    )
    area = forms.CharField(
        label=gettext_lazy("Area code or prefix"),
        required=False,
        max_length=30,
        help_text=gettext_lazy("Such as 514, or with a country code, such as +1 514."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    # Not called after what it says: a form has a method of that name.
    digits = forms.CharField(
        label=gettext_lazy("Contains"),
        required=False,
        max_length=30,
        help_text=gettext_lazy("Digits in a row, anywhere in the number."),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Type"), choices=tuple(KINDS.items()), required=False)
    count = forms.IntegerField(
        label=gettext_lazy("How many"), min_value=1, max_value=MOST_NUMBERS, initial=1, required=False
    )
    in_a_row = forms.BooleanField(label=gettext_lazy("Consecutive"), required=False)
    sms = forms.BooleanField(label=gettext_lazy("SMS"), required=False)
    fax = forms.BooleanField(label=gettext_lazy("Fax"), required=False)

    def __init__(self, data=None, *, home: str = ""):
        self.home = home
        super().__init__(data, initial={"country": home, "count": 1})
        any_country = ("", gettext_lazy("Any"))
        own, *others = countries.choices(home) if home else [any_country, *countries.choices()]
        self.fields["country"].choices = [own, *([any_country] if home else []), *others]

    def clean(self):
        typed = super().clean()
        region = typed.get("country", "")
        code, area = str(plans.calling_code(region) or ""), ""
        try:
            if typed.get("area"):
                region = region or (self.home if is_national(typed["area"]) else "")
                code, area = beginning(typed["area"], region)
        except ValidationError as refusal:
            self.add_error("area", refusal)
        region = region or plans.sole_region(code)
        if typed.get("kind") and not region:
            self.add_error("kind", _("Choose a country: types differ from country to country."))
        piece = ""
        try:
            if typed.get("digits"):
                piece = pieces(typed["digits"], is_beginning=True)[-1].removeprefix("+")
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
    informs = forms.BooleanField(label=gettext_lazy("Also tell the account’s address"), required=False)

    def __init__(self, buyer: Account, data=None):
        super().__init__(data)
        field = self.fields["informs"]
        if buyer.email:
            field.help_text = _("When the order is done, %(email)s gets a message too.") % {"email": buyer.email}
        else:
            field.disabled, field.help_text = True, _("The account has no e-mail address; its settings take one.")


class WishForm(forms.Form):
    """What is said with a wish; ``key`` makes it one wish however often it is sent."""

    note = LineField(
        label=gettext_lazy("Note"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("For example until when you need them, or from which operator."),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)


class DeliverForm(AddForm):
    """Numbers that somebody has asked for."""

    others = None


class RefusalForm(forms.Form):
    """Why a VAR does not deliver an order."""

    reason = LineField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("For the customer to read.")
    )


def is_national(typed: str) -> bool:
    """Whether the first digits of numbers are written without a country code. Raises ``ValidationError``."""
    return not any(text.startswith("+") for text in pieces(typed, is_beginning=True))


def beginning(typed: str, region: str) -> tuple[str, str]:
    """The country code and the first digits after it that are meant by ``typed``, written from abroad or, where
    ``region`` names a country, as inside it.

    Raises ``ValidationError``.
    """
    spellings = pieces(typed, is_beginning=True)
    abroad = next((text[1:] for text in spellings if text.startswith("+")), "")
    if not abroad and region and (dialled := plans.abroad_prefixes(region).match(spellings[0])):
        abroad = spellings[0][dialled.end() :]
        region = ""  # who writes what is dialled for calls abroad names the country
    if abroad:
        code = str(plans.country_code(abroad) or "")
        if not code:
            said = {"digits": abroad}
            raise ValidationError(_("No country code begins with +%(digits)s. Enter one, such as +1 or +44.") % said)
        if region and code != str(plans.calling_code(region)):
            raise ValidationError(_("That is the code of another country. Choose that one, or none."))
        area = abroad.removeprefix(code)
    elif region:
        code, area = str(plans.calling_code(region)), plans.without_trunk(spellings[0], region)
    else:
        raise ValidationError(_("Choose a country, or begin with + and its code, such as +1 514."))
    if len(code + area) > LONGEST:
        raise ValidationError(_("This is longer than any phone number."))
    return code, area


def in_words(wanted: Wanted) -> str:
    """How a search was understood, for people to read."""
    parts = [KINDS[wanted.kind]] if wanted.kind else []
    if wanted.region:
        parts.append(_("of %(country)s") % {"country": countries.name(wanted.region)})
    if wanted.code:
        parts.append(_("beginning with +%(digits)s") % {"digits": f"{wanted.code} {wanted.area}".strip()})
    if wanted.piece:
        parts.append(_("containing %(digits)s") % {"digits": wanted.piece})
    parts += [_("with %(feature)s") % {"feature": SetOptions.FEATURES[feature]} for feature in wanted.features]
    said = ngettext("%(count)s number", "%(count)s numbers", wanted.count) % {"count": plain(wanted.count)}
    if wanted.in_a_row:
        said = _("%(numbers)s, consecutive") % {"numbers": said}
    return ", ".join([said, *map(str, parts)])


class AssignForm(forms.Form):
    """What the numbers of an order ring: a field for each, a list for all in their order, or one for all of them."""

    everything = MeantField(
        label=gettext_lazy("All of them"),
        required=False,
        help_text=gettext_lazy("One user, group or service that all numbers ring. Empty: each by itself."),
        unknown=gettext_lazy("There is no user, group or service with this name. Type its name or its extension."),
    )
    names = forms.CharField(
        label=gettext_lazy("In order, or as a spreadsheet has it"),
        required=False,
        max_length=20_000,
        strip=False,
        help_text=gettext_lazy(
            "A name or an extension on each line, in the order of the numbers; or a number and a name on each line, as"
            " two columns of a spreadsheet are pasted. A number that has a field filled in below keeps that."
        ),
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
    )

    def __init__(self, actor: Actor, numbers: list[PhoneNumber], data=None):
        super().__init__(data)
        self.actor, self.numbers = actor, numbers
        for number in numbers:
            self.fields[f"number-{number.pk}"] = MeantField(
                label=actor.person.written(number.e164),
                required=False,
                initial=number.destination.written if number.destination else "",
                unknown=self.fields["everything"].unknown,
            )
        for field in self.fields.values():
            if isinstance(field, MeantField):
                field.look_up = self.meant
                field.widget.attrs["data-suggestions"] = f"/{actor.account.code}/destinations/suggestions/"

    def meant(self, text: str, most: int) -> list[Destination]:
        return Destination.meant_by(self.actor, text, most)

    def clean(self):
        typed = super().clean()
        try:
            listed = self.listed(typed.get("names") or "")
        except ValidationError as refusal:
            self.add_error("names", refusal)
            listed = {}
        if not self.errors:
            of = {number.pk: typed.get(f"number-{number.pk}") or listed.get(number.pk) for number in self.numbers}
            self.wishes = {pk: rings or typed.get("everything") for pk, rings in of.items()}
            if not any(self.wishes.values()):
                raise ValidationError(_("Say what at least one of the numbers should ring."))
        return typed

    def listed(self, text: str) -> dict[int, Destination]:
        """What the list says, by the number's id. Raises ``ValidationError`` with the line that is not understood."""
        by_digits = {number.digits: number for number in self.numbers}
        found: dict[int, Destination] = {}
        for at, line in enumerate(text.splitlines()):
            cells = [cell.strip().strip('"') for cell in re.split(r"[\t;,]", line, maxsplit=1)]
            digits = re.sub(r"\D", "", cells[0])
            if len(cells) == 2 and digits and int(digits[:18]) in by_digits:
                number, name = by_digits[int(digits[:18])], cells[1]
            elif len(cells) == 2 and re.fullmatch(r"[+\d().\-\s]{7,}", cells[0]):
                raise ValidationError(_("Line %(line)d: this number is not in the order.") % {"line": at + 1})
            elif at < len(self.numbers):
                number, name = self.numbers[at], line.strip()
            else:
                raise ValidationError(_("Line %(line)d: there are no more numbers.") % {"line": at + 1})
            if not name:  # this number stays as it is
                continue
            meant = self.meant(name, 2)
            if len(meant) != 1:
                said = {"line": at + 1, "name": name[:80]}
                raise ValidationError(
                    (_("Line %(line)d: several are called “%(name)s”: write the extension.") if meant else
                     _("Line %(line)d: no user, group or service here is called “%(name)s”.")) % said
                )  # fmt: skip
            found[number.pk] = meant[0]
        return found
