"""Countries by name, for fields that ask for one."""

from functools import cache

import phonenumbers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries import countries

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
