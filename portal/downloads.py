"""A list as a file: CSV, XLSX, or a PDF that opens in the browser; all streamed, from the rows that the page shows."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal import security
from portal.exports import file_name, inert, streamed, with_semicolons, without_guards
from portal.logs import request_facts
from portal.pdf import Column, Document, Wording, table_pdf
from portal.texts import isolated
from portal.workbooks import MOST_ROWS, Sheet, workbook

if TYPE_CHECKING:
    from portal.filters import ListFilter
    from portal.paging import Listed

WIDTH = 12
#: Characters of a file that are sent at once.
PIECE = 64 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_download(request, page, found: ListFilter, listing: Listed) -> HttpResponse:
    """The list as CSV, under a name of the person's choice.

    ``excel`` says for whom: *yes* with the mark by which Excel knows UTF-8, *no* without it, *semicolon* for an Excel
    that writes 0,5.
    """
    name = file_name(request.GET.get("filename", ""), page.csv_name, ".csv")
    wish = request.GET.get("excel") or ("yes" if page.csv_for_excel else "no")
    chunks = listing.csv(page.exported(request, found))
    if wish == "semicolon":
        chunks = with_semicolons(chunks)
    return streamed(
        request,
        counted(marked(chunks, wish in ("yes", "semicolon")), noted(str(page.addresses[0]), "csv")),
        interrupted=_("INCOMPLETE: this export broke off here. Download it again."),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


def rows_download(request, name: str, rows: Iterable[Sequence[str]]) -> HttpResponse:
    """Rows that are no list of a page's as CSV, the headings among them, with the mark by which Excel knows UTF-8."""
    return streamed(
        request,
        counted(marked(written(rows), is_marked=True), noted(name, "csv")),
        interrupted=_("INCOMPLETE: this export broke off here. Download it again."),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name)},
    )


def written(rows: Iterable[Sequence[str]]) -> Generator[bytes]:
    """The rows as CSV in pieces, guarded against formulas."""
    piece = io.StringIO(newline="")
    writer = csv.writer(piece)
    for row in rows:
        writer.writerow(map(inert, row))
        if piece.tell() >= PIECE:
            yield piece.getvalue().encode()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue().encode()


def xlsx_download(request, page, found: ListFilter, listing: Listed) -> HttpResponse:
    """The list as a workbook, under a name of the person's choice."""
    count = listing.exact_count()
    if count > MOST_ROWS:
        said = _("A workbook has at most %(most)s rows, and this list has more. Choose CSV, or narrow the list.")
        problems = [said % {"most": number_format(MOST_ROWS, force_grouping=True)}]
        context = {"title": _("Export"), "problems": problems}
        return render(request, "portal/export_refused.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    stem = page.csv_name.removesuffix(".csv")
    asked = request.GET.get("filename", "")
    if asked.lower().endswith(".csv"):
        asked = asked[: -len(".csv")]
    columns = page.exported(request, found)
    sheet = Sheet(
        name=str(page.title),
        headings=list(columns.values()),
        widths=[page.widths.get(name, WIDTH) * 3 // 2 for name in columns],
        count=count,
        figures=frozenset(place for place, name in enumerate(columns) if name in page.figures),
    )
    rows = noting(rows_of(listing.csv(columns)), noted(str(page.addresses[0]), "xlsx"))
    return streamed(
        request,
        workbook(sheet, rows),
        content_type=XLSX,
        headers={"Content-Disposition": content_disposition_header(True, file_name(asked, f"{stem}.xlsx", ".xlsx"))},
    )


def rows_of(chunks: Generator[bytes]) -> Generator[list[str]]:
    """The rows of a CSV below its headings, without what keeps a spreadsheet from running a cell: a cell of a workbook
    is a text, whatever stands in it."""
    with closing(chunks):
        is_heading = True
        for chunk in chunks:  # whole lines
            for cells in csv.reader(io.StringIO(chunk.decode(), newline="")):
                if not is_heading:
                    yield [without_guards(cell) if "'" in cell else cell for cell in cells]
                is_heading = False


def noting(rows: Generator[list[str]], note: Callable[[int], None]) -> Generator[list[str]]:
    """The rows; calls ``note`` with their number at the end, even of an incomplete file."""
    count = 0
    try:
        with closing(rows):
            for row in rows:
                count += 1
                yield row
    finally:
        note(count)


def marked(chunks: Generator[bytes], is_marked: bool) -> Generator[bytes]:
    """The chunks, behind the mark by which Excel knows UTF-8."""
    with closing(chunks):
        first = True
        for chunk in chunks:
            yield BOM_UTF8 + chunk if first and is_marked else chunk
            first = False


def pdf_download(request, page, found: ListFilter, listing: Listed) -> HttpResponse:
    """The list as a PDF that the browser shows."""
    default = page.csv_name.removesuffix(".csv") + ".pdf"
    name = file_name(request.GET.get("filename", ""), default, ".pdf")
    return streamed(
        request,
        pdf(request.actor, str(page.title), page.widths, found, listing, noted(str(page.addresses[0]), "pdf")),
        content_type="application/pdf",
        headers={"Content-Disposition": content_disposition_header(False, name)},
    )


def noted(name: str, form: str) -> Callable[[int], None]:
    """A function that logs the number of exported rows when they are many.

    The request has ended by then, so its facts are kept.
    """
    facts = dict(request_facts.get({}))

    def note(rows: int) -> None:
        if rows > settings.LARGE_EXPORT_ROWS:
            token = request_facts.set(facts)
            security.log("export.large", list=name, rows=rows, format=form)
            request_facts.reset(token)

    return note


def counted(chunks: Generator[bytes], note: Callable[[int], None]) -> Generator[bytes]:
    """The chunks of a CSV; calls ``note`` with the number of rows at the end, even of an incomplete one."""
    lines = 0
    try:
        with closing(chunks):
            for chunk in chunks:
                lines += chunk.count(b"\n")
                yield chunk
    finally:
        note(lines - 1)  # the first has the headings


def pdf(
    actor,
    title: str,
    widths: dict[str, int],
    found: ListFilter,
    listing: Listed,
    note: Callable[[int], None] = lambda rows: None,
) -> Iterator[bytes]:
    """The selected rows as a PDF, page by page: who made it, from which account, what it contains, when.

    Should rows come or go between count and rows, the document itself says so on its last page. ``note`` is given their
    number.
    """
    zone = ZoneInfo(actor.person.time_zone)
    document = Document(
        title=title,
        author=f"{isolated(actor.person.name)} <{actor.person.email}>",
        made_at=timezone.localtime(timezone=zone),
        evidence=[(_("Account"), f"{isolated(actor.account.name)} ({actor.account.code})"), (title, in_words(found))],
        language=get_language() or settings.LANGUAGE_CODE,
        wording=Wording(made_by=_("Made by"), made_at=_("Made at"), rows=_("Rows")),
    )
    # A reader may go away in the middle: then the cursor ends before its transaction does.
    with transaction.atomic(), closing(listing.rows()) as rows:
        note(count := listing.exact_count())
        yield from table_pdf(
            document,
            [Column(heading, widths.get(name, WIDTH)) for name, heading in found.columns.items()],
            ([texts[name] for name in found.columns] for texts in rows),
            count,
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
        said = [_("selected rows")]
    else:
        said = [str(found.states[found.state])]
        if found.kinds:
            said.insert(0, str(found.kinds[found.kind]))
        said += [_("%(column)s: %(text)s") % {"column": label, "text": text} for label, text in found.searches]
        if found.without:
            said.append(_("without %(count)d rows") % {"count": len(found.without)})
    return " · ".join(said)
