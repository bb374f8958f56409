"""The page kit: a list that is searched, filtered, sorted, paged and exported from its address alone."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.formats import number_format
from django.utils.translation import gettext as _

SIZES = (25, 50, 100)
DEFAULT_SIZE = 50


def plain(count: int) -> str:
    """A count for people: ``12,431``."""
    return number_format(count, use_l10n=True, force_grouping=True)


@dataclass(frozen=True)
class Heading:
    """One column as the list shows it: heading, search field, sort."""

    name: str
    heading: str
    sort_url: str
    direction: str
    value: str = ""
    problem: str = ""
    suggestions: tuple[str, ...] = ()
    placeholder: str = ""


class Address:
    """The address of a list: its query parameters, and the same with some of them changed."""

    def __init__(self, path: str, query, keep: list[str]):
        self.path = path
        self.query = {name: query.get(name, "").strip() for name in keep}

    def text(self, **changes) -> str:
        """The query string, without blanks and defaults."""
        query = self.query | changes
        return urlencode({name: value for name, value in query.items() if value not in ("", None)})

    def url(self, **changes) -> str:
        text = self.text(**changes)
        return f"{self.path}?{text}" if text else self.path


def page_size(query, problems: list[str]) -> int:
    """The rows on a page; with a sentence added to ``problems`` for a size that is not offered."""
    asked = query.get("size", "").strip()
    if not asked:
        return DEFAULT_SIZE
    if asked in map(str, SIZES):
        return int(asked)
    problems.append(_("A page has 25, 50 or 100 rows; it has %(size)d now.") % {"size": DEFAULT_SIZE})
    return DEFAULT_SIZE
