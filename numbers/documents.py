"""The list of numbers as a document."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actor import Actor
from numbers.filters import PhoneNumberFilter
from numbers.listing import Listing, use_text
from portal import phones
from portal.pdf import Column, Document, Wording, table_pdf

#: Share of the page's width: the longest number and the longest use fit in every view.
WIDTHS = {
    "number": 13, "used_by": 18, "company": 18, "reserved_for": 16, "var": 16, "use": 16, "provider": 12, "status": 7,
}  # fmt: skip


def in_words(found: PhoneNumberFilter, listing: Listing) -> str:
    """What an export contains, as a person would say it."""
    if listing.ids is not None:
        said = [_("chosen numbers")]
    else:
        said = [str(found.states[listing.state])]
        said += [_("%(column)s: %(text)s") % {"column": label, "text": text} for label, text in found.searches]
    order = _("descending") if listing.descending else _("ascending")
    said.append(_("sorted by %(column)s, %(order)s") % {"column": found.columns[listing.sort], "order": order})
    return " · ".join(said)


def cells(row: dict, columns: list[str]) -> list[str]:
    """A row of the listing as the texts of the document's columns."""
    texts = {
        "number": phones.international(row["e164"]),
        "use": use_text(row["use_kind"], row["service_type"]),
        "status": _("Active") if row["active"] else _("Pending"),
    }
    return [texts[name] if name in texts else row[name] or "" for name in columns]


def numbers_pdf(actor: Actor, found: PhoneNumberFilter, listing: Listing) -> Iterator[bytes]:
    """The selected numbers as a PDF, page by page: who made it, from which account, what it contains, when.

    Should numbers come or go between count and rows, the document itself says so on its last page.
    """
    columns = found.columns
    zone = ZoneInfo(actor.person.time_zone)
    account = f"{actor.account.name} ({actor.account.code})"
    with transaction.atomic(), timezone.override(zone):
        document = Document(
            title=_("Phone Numbers"),
            author=f"{actor.person.name} <{actor.person.email}>",
            made_at=timezone.localtime(),
            evidence=[(_("Account"), account), (_("Numbers"), in_words(found, listing))],
            language="en",
            wording=Wording(made_by=_("Made by"), made_at=_("Made at"), rows=_("Rows")),
        )
        yield from table_pdf(
            document,
            [Column(heading, WIDTHS[name]) for name, heading in columns.items()],
            (cells(row, list(columns)) for row in listing.rows()),
            listing.exact_count(),
            font_folder=settings.FONTS,
        )
