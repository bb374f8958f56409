"""A list as a file: CSV, or a PDF that opens in the browser; both streamed, from the rows that the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.exports import file_name, streamed
from portal.pdf import Column, Document, Wording, table_pdf

if TYPE_CHECKING:
    from portal.filters import ListFilter
    from portal.paging import Listed

WIDTH = 12


def csv_download(request, page, found: ListFilter, listing: Listed) -> HttpResponse:
    """The list as CSV, under a name of the person's choice."""
    name = file_name(request.GET.get("filename", ""), page.csv_name, ".csv")
    return streamed(
        listing.csv(found.columns),
        interrupted=_("INCOMPLETE: this export broke off here. Download it again."),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


def pdf_download(request, page, found: ListFilter, listing: Listed) -> HttpResponse:
    """The list as a PDF that the browser shows."""
    default = page.csv_name.removesuffix(".csv") + ".pdf"
    name = file_name(request.GET.get("filename", ""), default, ".pdf")
    return streamed(
        pdf(request.actor, str(page.title), page.widths, found, listing),
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(False, name)},
    )


def pdf(actor, title: str, widths: dict[str, int], found: ListFilter, listing: Listed) -> Iterator[bytes]:
    """The selected rows as a PDF, page by page: who made it, from which account, what it contains, when.

    Should rows come or go between count and rows, the document itself says so on its last page.
    """
    zone = ZoneInfo(actor.person.time_zone)
    document = Document(
        title=title,
        author=f"{actor.person.name} <{actor.person.email}>",
        made_at=timezone.localtime(timezone=zone),
        evidence=[(_("Account"), f"{actor.account.name} ({actor.account.code})"), (title, in_words(found))],
        language=get_language() or settings.LANGUAGE_CODE,
        wording=Wording(made_by=_("Made by"), made_at=_("Made at"), rows=_("Rows")),
    )
    # A reader may go away in the middle: then the cursor ends before its transaction does.
    with transaction.atomic(), closing(listing.rows()) as rows:
        yield from table_pdf(
            document,
            [Column(heading, widths.get(name, WIDTH)) for name, heading in found.columns.items()],
            ([texts[name] for name in found.columns] for texts in rows),
            listing.exact_count(),
            font_folder=settings.FONTS,
        )


def in_words(found: ListFilter) -> str:
    """What an export contains, as a person would say it."""
    order = _("descending") if found.descending else _("ascending")
    sorted_by = _("sorted by %(column)s, %(order)s") % {"column": found.columns[found.sort], "order": order}
    return f"{selected_in_words(found)} · {sorted_by}"


def selected_in_words(found: ListFilter) -> str:
    """What a list selects, as a person would say it."""
    if found.selected is not None:
        said = [_("chosen rows")]
    else:
        said = [str(found.states[found.state])]
        if found.kinds:
            said.insert(0, str(found.kinds[found.kind]))
        said += [_("%(column)s: %(text)s") % {"column": label, "text": text} for label, text in found.searches]
    return " · ".join(said)
