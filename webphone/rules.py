"""What may be called from the portal, and what not."""

import re
import unicodedata

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberFormat, PhoneNumberType, shortnumberinfo

from portal.phones import NotANumber, parse
from portal.spellings import PUNCTUATION
from webphone.call_rules import call_rules

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
#: The kinds that ``CALL_KINDS`` may name, by its words. All others need a rule of the operator's.
KINDS = {
    "fixed": {PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE},
    "mobile": {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE},
    "toll-free": {PhoneNumberType.TOLL_FREE},
    "voip": {PhoneNumberType.VOIP},
    "uan": {PhoneNumberType.UAN},
    "personal": {PhoneNumberType.PERSONAL_NUMBER},
    "pager": {PhoneNumberType.PAGER},
}
#: What the numbering plans as libphonenumber has them take for ordinary numbers: premium rate behind an area code.
PREMIUM = re.compile(r"\+1[2-9][0-9]{2}976[0-9]{4}")
#: The region of numbers of no country: satellites, global networks.
NO_COUNTRY = "001"


def as_extension(typed: str) -> str:
    """The digits of an extension, if that is what was typed; otherwise nothing."""
    compact = "".join(c for c in unicodedata.normalize("NFKC", typed) if c not in PUNCTUATION)
    is_short = compact.isascii() and compact.isdigit() and 1 <= len(compact) <= LONGEST_EXTENSION
    return compact if is_short and compact not in NEVER_AN_EXTENSION else ""


def understood(typed: str, region: str = "") -> str:
    """The number in E.164 form that somebody means to call, dialled in full or as in ``region`` (ISO 3166).

    Raises ``ValidationError`` with the reason.
    """
    compact = "".join(c for c in unicodedata.normalize("NFKC", typed) if c not in PUNCTUATION)
    if compact in EMERGENCY:
        raise ValidationError(
            _("%(number)s is an emergency number. Use a telephone, which can be located.") % {"number": compact}
        )
    if not compact:
        raise ValidationError(_("Enter the number to call."))
    if prefix := abroad(compact, region):
        compact = typed = f"+{compact.removeprefix(prefix)}"
    if region and compact.isascii() and compact.isdigit() and not compact.startswith("00"):
        # As dialled there: of a numbering plan that several countries share, any of its numbers.
        national = phonenumbers.parse(compact, region) if len(compact) < 17 else None
        if national and phonenumbers.is_valid_number(national):
            return phonenumbers.format_number(national, PhoneNumberFormat.E164)
    try:
        return parse(typed, region)
    except NotANumber as refusal:
        raise ValidationError(str(refusal)) from refusal


def abroad(compact: str, region: str) -> str:
    """The digits with which calls to other countries begin in ``region``, if these do: 011 in North America."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None) if region else None
    if metadata is None or not metadata.international_prefix:
        return ""
    found = re.match(metadata.international_prefix, compact)
    return found.group() if found else ""


def refuse_unless_allowed(e164: str) -> None:
    """Raise ``ValidationError`` for numbers that may not be called from here.

    A whitelist: valid numbers of the kinds in ``CALL_KINDS`` and of the countries in ``CALL_COUNTRIES``. The operator's
    own rules (``CALL_RULES``) come first: the longest prefix in them blocks a number or allows it.
    """
    rule = call_rules().verdict(e164)
    if rule is False:
        raise ValidationError(_("Your operator has blocked this number. Ask your operator if you need to call it."))
    if rule is True:
        return
    number = phonenumbers.parse(e164)
    kind, region = phonenumbers.number_type(number), phonenumbers.region_code_for_number(number) or ""
    if kind in EXPENSIVE or PREMIUM.fullmatch(e164):
        raise ValidationError(_("This is a premium-rate number: such numbers cannot be called from here."))
    allowed = {code.strip().upper() for code in settings.CALL_COUNTRIES.split(",")}
    prefix_region = phonenumbers.region_code_for_country_code(number.country_code)
    of_country = "*" in allowed or region in allowed or (not region and prefix_region in allowed)
    if prefix_region == NO_COUNTRY or not of_country:
        raise ValidationError(
            _("Numbers in this country cannot be called from here. Ask your operator to allow it, if you need it.")
        )
    if not phonenumbers.is_valid_number(number):
        raise ValidationError(_("This number does not exist: check its digits."))
    if kind not in set().union(*(KINDS[name] for name in settings.CALL_KINDS)):
        raise ValidationError(
            _("Numbers of this kind cannot be called from here. Ask your operator to allow it, if you need it.")
        )
