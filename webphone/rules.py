"""What may be called from the portal, and what not."""

import unicodedata

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType, shortnumberinfo

from portal.phones import PUNCTUATION, NotANumber, parse

#: What is called in an emergency, anywhere: a call from a computer tells nobody where to send help.
EMERGENCY = frozenset(
    number
    for region in phonenumbers.SUPPORTED_SHORT_REGIONS
    for number in ("112", "911", "999", "000", "110", "118", "119", "108", "15", "17", "18")
    if shortnumberinfo.is_emergency_number(number, region)
)
#: Those that no office gives to a telephone of its own; where it does so with another, that telephone is meant.
NEVER_AN_EXTENSION = {"112", "911", "999", "000"}
#: An extension has so many digits at most; longer ones are numbers.
LONGEST_EXTENSION = 6
#: Kinds of numbers whose callers pay more than for the call.
EXPENSIVE = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}


def as_extension(typed: str) -> str:
    """The digits of an extension, if that is what was typed; otherwise nothing."""
    compact = "".join(c for c in unicodedata.normalize("NFKC", typed) if c not in PUNCTUATION)
    is_short = compact.isascii() and compact.isdigit() and 1 <= len(compact) <= LONGEST_EXTENSION
    return compact if is_short and compact not in NEVER_AN_EXTENSION else ""


def understood(typed: str) -> str:
    """The number in E.164 form that somebody means to call. Raises ``ValidationError`` with the reason."""
    compact = "".join(c for c in unicodedata.normalize("NFKC", typed) if c not in PUNCTUATION)
    if compact in EMERGENCY:
        raise ValidationError(
            _("%(number)s is an emergency number. Call it with a telephone: that can be found.") % {"number": compact}
        )
    if not compact:
        raise ValidationError(_("Enter the number to call."))
    try:
        return parse(typed)
    except NotANumber as refusal:
        raise ValidationError(str(refusal)) from refusal


def refuse_unless_allowed(e164: str) -> None:
    """Raise ``ValidationError`` for numbers that nobody here may call: expensive ones, and countries that are not
    allowed (``CALL_COUNTRIES``)."""
    number = phonenumbers.parse(e164)
    if phonenumbers.number_type(number) in EXPENSIVE:
        raise ValidationError(_("This is a premium-rate number: such numbers cannot be called from here."))
    region = phonenumbers.region_code_for_number(number) or ""
    allowed = {code.strip().upper() for code in settings.CALL_COUNTRIES.split(",")}
    if "*" not in allowed and region not in allowed:
        raise ValidationError(
            _("Numbers in this country cannot be called from here. Ask your operator to allow it, if you need it.")
        )
