"""The page kit: a list that is searched, filtered, sorted, paged and exported from its address alone."""

from collections.abc import Collection
from functools import cache, lru_cache
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views import View
from django_tables2 import Table

from portal import security
from portal.downloads import csv_download, pdf_download, xlsx_download
from portal.filters import ListFilter
from portal.paging import BOUND, BrokenCursor, Cursor, Listed, Page
from portal.room import ROW_ACT, needed, too_narrow

#: What the address of a list has besides what is searched: Set Filter's, and what its form carries along unseen.
KEPT = ("filter", "sort", "size")
SIZES = (25, 50, 100)
BROKEN = gettext_lazy("The link to this page is broken or too old. The list is shown from its beginning.")
DEFAULT_SIZE = 50


def plain(count: int) -> str:
    """A count for people: ``12,431``."""
    return plain_in(get_language(), count)


@lru_cache(maxsize=10_000)
def plain_in(language: str, count: int) -> str:
    return number_format(count, use_l10n=True, force_grouping=True)


def first_of(sentences: list[str], most: int) -> list[str]:
    """So many of these sentences, and one that says how many more there are."""
    more = len(sentences) - most
    return [*sentences[:most], *([_("And %(count)s more.") % {"count": plain(more)}] if more > 0 else [])]


def count_text(count: int) -> str:
    """A count up to the bound as it is, beyond it as *more than*."""
    return plain(count) if count <= BOUND else _("more than %(bound)s") % {"bound": plain(BOUND)}


# What a list shows besides its rows. All of it is tuples: the page keeps the pieces that it draws from the same of it.


class Heading(NamedTuple):
    """One column: heading, search field if it can be searched, sort if it can be sorted."""

    name: str
    heading: str
    sort_url: str
    direction: str
    is_searched: bool = True
    value: str = ""
    problem: str = ""
    suggestions: tuple[str, ...] = ()
    is_figure: bool = False


class Choice(NamedTuple):
    """One entry of Set Filter, one of the page sizes, or a tab."""

    value: str
    label: str
    selected: bool
    count: str = ""
    url: str = ""


class Paging(NamedTuple):
    """Where the page stands, in words, and the addresses of the others; empty where there is none."""

    first: str = ""
    last: str = ""
    total: str = ""
    total_is_exact: bool = True
    exact_url: str = ""
    first_url: str = ""
    previous_url: str = ""
    next_url: str = ""
    last_url: str = ""
    page_number: int | None = None
    page_count: int | None = None
    sizes: tuple[Choice, ...] = ()


@lru_cache(maxsize=10_000)
def url_of(name: str, code: str) -> str:
    """The address of an account's page; a page asks for a dozen, and working one out costs as much as a row."""
    return reverse(name, args=[code])


def xlsx_of(csv: str) -> str:
    """The address of the workbook of a list, whose CSV has this one."""
    return f"{csv.removesuffix('csv')}xlsx"


class Address:
    """The address of a list: its query parameters, and the same with some of them changed."""

    def __init__(self, path: str, query, keep: list[str]):
        self.path = path
        self.query = {name: text for name in keep if (text := query.get(name, "").strip())}

    @property
    def items(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.query.items())

    def text(self, **changes) -> str:
        """The query string, without blanks and defaults."""
        query = self.query | changes
        return urlencode({name: value for name, value in query.items() if value not in ("", None)})

    def url(self, **changes) -> str:
        text = self.text(**changes)
        return f"{self.path}?{text}" if text else self.path


def columns_of(table: type[Table], hidden: Collection[str] = ()) -> dict[str, str]:
    """The names of the columns that a table declares with their headings, in order, but for the hidden ones."""
    return dict(headings_in(get_language(), table, frozenset(hidden)))


@cache
def headings_in(language: str, table: type[Table], hidden: frozenset[str]) -> tuple[tuple[str, str], ...]:
    return tuple((n, str(column.verbose_name)) for n, column in table.base_columns.items() if n not in hidden)


@cache
def states_in(language: str, filter_class: type[ListFilter]) -> tuple[tuple[str, str], ...]:
    return tuple((value, str(label)) for value, label in filter_class.states.items())


def page_size(query, problems: list[str]) -> int:
    """The rows on a page; with a sentence added to ``problems`` for a size that is not offered."""
    asked = query.get("size", "").strip()
    if not asked:
        return DEFAULT_SIZE
    if asked in map(str, SIZES):
        return int(asked)
    problems.append(_("A page can have 25, 50 or 100 rows. It now has %(size)d.") % {"size": DEFAULT_SIZE})
    return DEFAULT_SIZE


def position(query, listing: Listed, sort: str, problems: list[str]) -> tuple[Cursor | None, int | None]:
    """Where the page begins: a cursor, or a page's number, or neither."""
    if asked := query.get("page", "").strip():
        if asked.isascii() and asked.isdigit() and int(asked[:12]) > 0 and len(asked) < 10:
            return None, int(asked)
        problems.append(_("Pages are numbered from 1. The first one is shown."))
    if text := query.get("cursor", "").strip():
        try:
            return Cursor.decode(text, sort, listing.key_count), None
        except BrokenCursor:
            problems.append(broken_link())
    return None, None


def broken_link() -> str:
    """The error for a forged cursor, which is also a security event."""
    security.log("link.refused", kind="cursor")
    return BROKEN


def headings(found: ListFilter, address: Address, figures: Collection[str] = ()) -> tuple[Heading, ...]:
    """The columns with what was typed into them and where a click sorts them; ``figures`` are those with figures."""

    return tuple(
        Heading(
            name=name,
            heading=heading,
            sort_url=url,
            direction="" if found.sort != name else "descending" if found.descending else "ascending",
            is_searched=name in found.fields,
            value=address.query.get(name, "")[:4_000],
            problem=found.refused.get(name, ""),
            suggestions=found.suggestions(name),
            is_figure=name in figures,
        )
        for (name, heading), url in zip(
            found.columns.items(),
            sort_urls(type(found), found.sort, found.descending, address.path, (*found.columns,), address.items),
            strict=True,
        )
    )


@lru_cache(maxsize=1_000)
def sort_urls(of: type[ListFilter], sort: str, descending: bool, path: str, names: tuple, query: tuple) -> list[str]:
    """Where a click on each heading leads: to that column's sort, or if it sorts already, the other way round."""

    def sorted_by(name: str) -> str:
        reverses = name == sort and not descending
        if name == of.default_sort and reverses == of.descends_at_first:
            return ""
        return f"-{name}" if reverses else name

    address = Address(path, dict(query), [name for name, _text in query])
    return ["" if name in of.unsorted else address.url(sort=sorted_by(name)) for name in names]


@lru_cache(maxsize=1_000)
def size_choices(size: int, path: str, query: tuple) -> tuple[Choice, ...]:
    address = Address(path, dict(query), [name for name, _text in query])
    return tuple(Choice(str(n), str(n), n == size, url=address.url(size="" if n == DEFAULT_SIZE else n)) for n in SIZES)


class ListPage(View):
    """A list whose whole state is its address.

    A list of something states its ``title``, the ``addresses`` of page, CSV and PDF, a download's ``csv_name``, the
    ``filter_class`` that reads a request, its ``template_name`` and the ``rows_template`` that draws rows. It says in
    ``columns`` which columns an actor sees, and in ``present`` how rows read for people.
    """

    http_method_names = ["get", "head", "options"]
    title = ""
    addresses: tuple[str, str, str] = ("", "", "")
    csv_name = ""
    #: Whether the CSV is for spreadsheets unless somebody asks otherwise (``excel=no``): with a byte order mark.
    csv_for_excel = False
    filter_class: type[ListFilter]
    #: ``csv``, ``xlsx`` or ``pdf`` where an address is a download of the list, see ``portal.downloads``.
    export = ""
    #: Share of a PDF's width that each column has.
    widths: dict[str, int] = {}
    template_name = "portal/list.html"
    rows_template = ""
    #: Columns with figures, which stand below one another at the right.
    figures: frozenset[str] = frozenset()
    #: What the buttons do that each row ends with; empty where rows have none.
    row_acts = ""
    #: The keys of a row whose texts make up the cell of a column, where it is not the column's name alone.
    parts: dict[str, tuple[str, ...]] = {}

    @classmethod
    def paths(cls, route: str = "", name: str = "") -> list[URLPattern]:
        """The addresses of the page, its CSV, XLSX and PDF below ``route``, called as ``addresses`` calls them, or
        after ``name`` where the list belongs to one thing of many."""
        page, csv, pdf = (
            (name, f"{name}_csv", f"{name}_pdf") if name else (one.rpartition(":")[2] for one in cls.addresses)
        )
        return [
            path(route, cls.as_view(), name=page),
            path(f"{route}export.csv", cls.as_view(export="csv"), name=csv),
            path(f"{route}export.xlsx", cls.as_view(export="xlsx"), name=xlsx_of(csv)),
            path(f"{route}export.pdf", cls.as_view(export="pdf"), name=pdf),
        ]

    @staticmethod
    def columns(actor) -> dict[str, str]:
        """The names of the columns that the actor sees, with their headings, in order."""
        raise NotImplementedError

    #: What the window of CSV calls ``more_columns``; empty where there are none.
    more_label = ""

    @staticmethod
    def more_columns(actor) -> dict[str, str]:
        """Columns that CSV and XLSX have behind those of the page, where somebody asks for them (``more=yes``)."""
        return {}

    def takes_more(self, actor) -> bool:
        """Whether the window of CSV asks for ``more_columns`` unless somebody unticks that."""
        return False

    def exported(self, request, found: ListFilter) -> dict[str, str]:
        """The columns of a CSV or XLSX with their headings, in order."""
        more = self.more_columns(request.actor) if request.GET.get("more") == "yes" else {}
        return found.columns | more

    def present(self, request, listing: Listed, rows: list[dict]) -> list[dict]:
        """The rows with their words ready."""
        return [row | listing.texts(row) for row in rows]

    def more_context(self, request, found: ListFilter) -> dict:
        """What the template of these rows wants besides."""
        return {}

    def asked(self, request) -> ListFilter:
        """What the request asks of the list."""
        return self.filter_class(request.actor, self.columns(request.actor), request.GET)

    def url(self, request, name: str) -> str:
        """The address called ``name`` of this list, its CSV or its PDF."""
        return url_of(name, request.actor.account.code)

    def get(self, request, code, **more) -> HttpResponse:
        found = self.asked(request)
        problems = found.problems
        size = page_size(request.GET, problems)
        listing = found.listing()
        if self.export:
            return self.download(request, found, listing)
        page = Page([], {})
        if listing is not None:
            cursor, number = position(request.GET, listing, found.sort, problems)
            try:
                page = listing.page(size, cursor, number)
            except BrokenCursor:
                problems.append(broken_link())
                page = listing.page(size)
            if page.number_ignored:
                problems.append(
                    _("A list of this length has no page numbers in this order. It is shown from its beginning.")
                )
            if not page.rows and (cursor or number):
                if number:
                    problems.append(_("The list has fewer pages. It is shown from its beginning."))
                page = listing.page(size)
        return render(request, self.template_name, self.context(request, found, listing, page, size))

    def download(self, request, found: ListFilter, listing: Listed | None) -> HttpResponse:
        """All that match, or the chosen ones, as a file; what was not understood would be a file of the wrong rows."""
        if listing is None or found.problems:
            context = {"title": _("Export"), "problems": [*found.problems, *found.refused.values()]}
            return render(request, "portal/export_refused.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        make = {"csv": csv_download, "xlsx": xlsx_download, "pdf": pdf_download}[self.export]
        return make(request, self, found, listing)

    def context(self, request, found: ListFilter, listing: Listed | None, page: Page, size: int) -> dict:
        list_url, csv_url, pdf_url = (self.url(request, name) for name in self.addresses)
        carried = (*KEPT[1:], *found.kept)
        address = Address(list_url, request.GET, [*found.columns, KEPT[0], *carried])
        paging = self.paging(request, found, listing, page, size, address)
        rows = self.present(request, listing, page.rows)
        return {
            "title": str(self.title),
            "listing": {
                "columns": headings(found, address, self.figures),
                "filters": tuple(
                    Choice(
                        value, str(label), value == found.state, count_text(page.counts[value]) if page.counts else ""
                    )
                    for value, label in states_in(get_language(), type(found))
                    if len(found.states) > 1
                ),
                "rows": rows,
                "cards": too_narrow(needed(found.columns, rows, self.parts) + (ROW_ACT if self.row_acts else 0)),
                "has_rows": bool(page.rows),
                "problems": [*found.problems, *found.notes],
                "paging": paging,
                "hidden": tuple((name, address.query[name]) for name in carried if name in address.query),
                "reset_url": Address(list_url, request.GET, [*found.kept]).url(),
                "kinds": tuple(
                    Choice(value, str(label), value == found.kind, url=f"{list_url}?kind={value}")
                    for value, label in found.kinds.items()
                ),
                "is_searched": found.is_searched,
                "is_understood": listing is not None,
                "export_query": address.text(),
            },
            "csv_url": csv_url,
            "xlsx_url": self.url(request, xlsx_of(self.addresses[1])),
            "pdf_url": pdf_url,
            "csv_name": self.csv_name,
            "csv_for_excel": self.csv_for_excel,
            "more_label": str(self.more_label),
            "takes_more": bool(self.more_label) and self.takes_more(request.actor),
            "rows_template": self.rows_template,
            "row_acts": str(self.row_acts),
            **self.more_context(request, found),
        }

    @staticmethod
    def paging(request, found: ListFilter, listing: Listed | None, page: Page, size: int, address: Address) -> Paging:
        matches = page.counts.get(found.state, 0)
        exact = matches if matches <= BOUND else None
        if exact is None and request.GET.get("count") == "exact":
            exact = listing.exact_count()

        def link(cursor: Cursor | None) -> str:
            return address.url(cursor=cursor.encode(found.sort)) if cursor else ""

        first = page.first
        return Paging(
            first=plain(first) if first else "",
            last=plain(first + len(page.rows) - 1) if first else "",
            total=plain(exact) if exact is not None else count_text(matches),
            total_is_exact=exact is not None,
            exact_url=address.url(count="exact") if exact is None else "",
            first_url=address.url() if page.before else "",
            previous_url=link(page.before),
            next_url=link(page.after),
            last_url=link(Cursor(backward=True)) if page.after else "",
            page_number=(first - 1) // size + 1 if first else None,
            page_count=-(-exact // size) if exact and (exact <= BOUND or listing.has_numbered_pages) else None,
            sizes=size_choices(size, address.path, address.items),
        )
