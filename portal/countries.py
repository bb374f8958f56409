"""Countries by name, for fields that ask for one."""

import re
from functools import cache
from gettext import translation
from pathlib import Path

import django_countries
import phonenumbers
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from portal import plans
from portal.filters import folded

#: Regions of the numbering plans that ISO 3166 has no code of its own for.
OTHERS = {"AC": _("Ascension Island"), "TA": _("Tristan da Cunha"), "XK": _("Kosovo")}


def name(region: str) -> str:
    """The name of a country (ISO 3166, two letters) in the reader's language."""
    return str(OTHERS.get(region) or countries.name(region) or region)


def choices(first: str = "") -> list[tuple[str, str]]:
    """The countries that have phone numbers, with their calling codes, by name; the country ``first`` before them."""
    found = list(_named(get_language()))
    return [one for one in found if one[0] == first] + [one for one in found if one[0] != first]


@cache
def _named(language: str) -> tuple[tuple[str, str], ...]:
    named = ((region, f"{name(region)} +{phonenumbers.country_code_for_region(region)}")
             for region in phonenumbers.SUPPORTED_REGIONS)  # fmt: skip
    return tuple(sorted(named, key=lambda one: folded(one[1])))


#: Languages in which the names of countries are known in files.
LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "ru")
#: What people call countries besides.
CALLED = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "usa": "US", "united states": "US", "america": "US", "etats-unis": "US", "south korea": "KR", "russia": "RU",
    "czech republic": "CZ", "turkey": "TR", "vietnam": "VN", "holland": "NL", "uae": "AE", "taiwan": "TW",
}  # fmt: skip
#: A calling code as files have it: ``+44``, ``0044``, ``011 44``, ``(44)``, ``44.0``.
CALLING_CODE = re.compile(r"[+( ]*(?:00|011)?[ -]*([1-9][0-9]{0,2})(?:\.0+)?[ )]*")
#: A name with its calling code: ``GB (+44)``, ``Canada +1``.
NAME_AND_CODE = re.compile(r"(.*?[^\W\d].*?)[\s,(\[]*\+?[0-9]{1,4}[)\]]?", re.DOTALL)


def understood(text: str) -> tuple[str, str] | None:
    """The country that a cell of a file means, or the calling code: one of both. None for what means neither.

    Known are codes of two and three letters (ISO 3166-1), names in ``LANGUAGES``, and calling codes however they are
    written.
    """
    if code := CALLING_CODE.fullmatch(text.strip()):
        return ("", code[1]) if plans.country_code(code[1]) == int(code[1]) else None
    names = _regions_by_name()
    said = folded(text).strip(" .")
    if said in names:
        return names[said], ""
    found = NAME_AND_CODE.fullmatch(said)
    return (names[found[1].strip()], "") if found and found[1].strip() in names else None


@cache
def _regions_by_name() -> dict[str, str]:
    found = dict(CALLED)
    folder = Path(django_countries.__file__).parent / "locale"
    catalogues = [translation("django", folder, [language], fallback=True) for language in LANGUAGES]
    for region in plans.REGIONS:
        found |= dict.fromkeys((region.lower(), countries.alpha3(region).lower()), region)
        with override("en"):
            english = name(region)
        found |= {folded(catalogue.gettext(english)): region for catalogue in catalogues}
    found.pop("", None)
    return found
