"""Files of numbers: sent, looked at, applied."""

from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actor import Actor
from numbers.actions import imports
from numbers.actions.jobs import draft_job
from numbers.actions.verbs import Delete
from numbers.filters.work import ImportFilter, ImportRowFilter, StatementRowFilter
from numbers.forms.imports import (
    NOT_CHANGED,
    OF_COLUMNS,
    ColumnsForm,
    DifferencesForm,
    FileForm,
    ImportForm,
    LineForm,
    ReadingForm,
)
from numbers.forms.verbs import ModeForm
from numbers.imports import NotAFile, read
from numbers.imports.encodings import CHOICES
from numbers.models import Import, ImportRow, PhoneNumber
from numbers.tables import PhoneNumberTable, import_columns, import_row_columns
from portal import countries
from portal.downloads import rows_download
from portal.exports import file_name, without_guards
from portal.pages import ListPage, columns_of, plain, url_of
from portal.times import moment

#: Refused lines that are read at once.
CHUNK = 2_000
#: Lines of the file that are shown under the choices of its columns.
SHOWN = 5


def import_of(actor: Actor, import_id: int) -> Import:
    found = Import.visible_to(actor).select_related("person", "access", "account", "provider").filter(pk=import_id)
    if (one := found.first()) is None:
        raise Http404
    return one


def import_url(code: str, import_id: int, end: str = "") -> str:
    return f"{url_of('numbers:imports', code)}{import_id}/{end}"


@require_http_methods(["GET", "HEAD", "POST"])
def send(request, code):
    """Read a file and have it checked."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    said = {
        "title": _("Import numbers"),
        "intro": _("Nothing is changed yet. The next page shows what each line does."),
        "submit_label": _("Check the file"),
    }
    account = request.actor.account
    form = ImportForm(*sent, adds=not account.is_customer, home=account.home)
    return send_page(request, form, begun_of_file, said)


def begun_of_file(actor: Actor, form: ImportForm) -> Import:
    """The import of what was sent. Raises ``NotAFile`` and ``ValidationError``."""
    typed = form.cleaned_data
    headings = columns_of(PhoneNumberTable)
    with read(form.content, headings, region=typed["region"], home=actor.account.home) as found:
        columns = imports.remembered_columns(actor, found.headings, found.columns)
        if columns != found.columns:
            found.notes.append(_("Columns are read as in the last file with these headings."))
        return imports.begin_import(
            actor,
            typed["key"],
            found.rows,
            file_name=file_name(typed["file"].name, "", "") if typed["file"] else "",
            columns=columns,
            headings=found.headings,
            ignored=ignored(found.headings, columns)
            if columns != found.columns
            else [name[:200] for name in found.ignored[:50]],
            notes=found.notes,
            encoding=found.encoding,
            region=typed["region"],
            without_plus=found.without_plus,
            provider=typed.get("provider"),
            overwrites=typed["empty"] == "overwrite",
        )


def ignored(headings: list[str], columns: list[str]) -> list[str]:
    """The headings of the columns that are not read."""
    return [name[:200] for name, column in zip(headings, columns, strict=False) if name and not column][:50]


def send_page(request, form: FileForm, begin: Callable[[Actor, FileForm], Import], said: dict[str, str]):
    """A page to send numbers on: ``begin`` makes an import of what was sent, and the import's page follows."""
    code = request.actor.account.code
    if form.is_valid():
        try:
            begun = begin(request.actor, form)
        except NotAFile as refusal:
            form.add_error("file", str(refusal))
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(import_url(code, begun.pk))
    context = said | {
        "form": form,
        "cancel_url": url_of("numbers:list", code),
        "imports_url": url_of("numbers:imports", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "numbers/import_send.html", context, status=status)


class ImportList(ListPage):
    """The files that were imported in this account."""

    title = gettext_lazy("Imports")
    addresses = ("numbers:imports", "numbers:imports_csv", "numbers:imports_pdf")
    csv_name = "Imports.csv"
    filter_class = ImportFilter
    template_name = "numbers/imports.html"
    rows_template = "numbers/_import_rows.html"
    columns = staticmethod(import_columns)
    figures = frozenset({"total", "done", "refused"})
    widths = {"as_of": 16, "file": 26, "who": 20, "total": 10, "done": 9, "refused": 9, "state": 12}

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {
            "imports_url": url_of("numbers:imports", code),
            "import_url": url_of("numbers:import", code),
            "compare_url": url_of("numbers:compare", code) if request.actor.may("numbers.reconcile") else "",
        }


class ImportPage(ListPage):
    """A file: what each of its lines means, and once it is applied what became of it. A POST applies it."""

    http_method_names = ["get", "head", "options", "post"]
    addresses = ("", "export.csv", "export.pdf")
    csv_name = "Lines.csv"
    template_name = "numbers/import.html"
    rows_template = "numbers/_import_line_rows.html"
    columns = staticmethod(import_row_columns)
    figures = frozenset({"line"})
    widths = {"line": 6, "number": 14, "verdict": 10, "column": 10, "reason": 30, "original": 30}

    def dispatch(self, request, code, import_id):
        self.wanted = import_of(request.actor, import_id)
        self.title = self.wanted.file_name or _("Pasted numbers")
        if self.wanted.is_statement:
            self.title = _("Compared with %(provider)s") % {"provider": self.wanted.provider.name}
        return super().dispatch(request, code=code, import_id=import_id)

    def url(self, request, name: str) -> str:
        return import_url(request.actor.account.code, self.wanted.pk, name)

    def asked(self, request) -> ImportRowFilter:
        filter_class = StatementRowFilter if self.wanted.is_statement else ImportRowFilter
        query = request.GET
        if not self.export and "filter" not in query and not self.wanted.is_statement and self.has_refused(request):
            # Somebody has to look at these; the others are a choice away.
            query = query.copy()
            query["filter"] = ImportRow.Verdict.REFUSED.value
        return filter_class(request.actor, self.columns(request.actor), query, self.wanted)

    def has_refused(self, request) -> bool:
        rows = ImportRow.visible_to(request.actor).filter(of=self.wanted, verdict=ImportRow.Verdict.REFUSED)
        return not self.wanted.is_running and rows.exists()

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        code, written = request.actor.account.code, request.actor.person.written
        numbers_url, correctable = url_of("numbers:list", code), self.wanted.is_draft and not self.wanted.is_statement
        here = PhoneNumber.visible_to(request.actor).filter(
            digits__in=[int(row["e164"][1:]) for row in rows if row["e164"]]
        )
        digits = set(here.values_list("digits", flat=True))
        return [
            row
            | listing.texts(row)
            | {
                "slug": row["verdict"],
                "display": written(row["e164"]) if row["e164"] else "",
                "url": f"{numbers_url}{row['e164'][1:]}/" if row["e164"] and int(row["e164"][1:]) in digits else "",
                "line": row["source"] or row["line"] or "",
                "correct_url": import_url(code, self.wanted.pk, f"lines/{row['source'] or row['line']}/")
                if correctable
                else "",
            }
            for row in rows
        ]

    def post(self, request, code, import_id):
        if self.export:
            return self.http_method_not_allowed(request)
        form = self.form(self.counts(request.actor), request.POST)
        if form.is_valid():
            wish = form.cleaned_data
            how = {"applies": wish["apply"]} if self.wanted.is_statement else {"all_or_nothing": wish["mode"] == "all"}
            try:
                imports.apply_import(request.actor, import_id, **how)
            except Import.DoesNotExist as gone:
                raise Http404 from gone
        elif self.wanted.is_draft:
            messages.error(request, " ".join(said for errors in form.errors.values() for said in errors))
        return redirect(import_url(code, import_id))

    def may_undo(self, request) -> bool:
        wanted = self.wanted
        return bool(wanted.ended_at and not wanted.is_statement and request.actor.may("numbers.delete")
                    and imports.Added(request.actor, wanted).exist())  # fmt: skip

    def is_final(self, request) -> bool:
        """Whether the import has added numbers and none of them can be taken away again."""
        wanted = self.wanted
        return bool(wanted.ended_at and not wanted.is_statement and request.actor.may("numbers.delete")
                    and not self.may_undo(request) and wanted.added(request.actor).exists())  # fmt: skip

    def form(self, counts: dict[str, str], *sent):
        """How it is applied."""
        return DifferencesForm(*sent, counts=counts) if self.wanted.is_statement else ModeForm(*sent)

    def counts(self, actor: Actor) -> dict[str, str]:
        """How many lines mean what, all of them counted: somebody decides by it."""
        rows = ImportRow.visible_to(actor).filter(of=self.wanted).exclude(verdict="")
        counts = dict(rows.order_by().values_list("verdict").annotate(n=Count("pk")))
        return {verdict: plain(counts[verdict]) for verdict in ImportRow.Verdict if verdict in counts}

    def not_done(self, actor: Actor) -> list[tuple[str, str]]:
        """What was left of an import that has ended, counted: with what is done, it agrees with the stock."""
        wanted = self.wanted
        if wanted.ended_at is None:
            return []
        rows = ImportRow.visible_to(actor).filter(of=wanted)
        counts = {}
        if wanted.state != Import.State.DONE:
            counts = rows.aggregate(**{name: Count("pk", filter=these) for name, these in wanted.not_done().items()})
        labels = {"partly": _("Added, the rest not done"), "missed": _("Not reached")}
        facts = [(labels[name], plain(count)) for name, count in counts.items() if count]
        if wanted.is_statement:
            facts.append((_("Left alone"), plain(wanted.left - sum(counts.values()))))
        return facts

    def more_context(self, request, found) -> dict:
        wanted, code = self.wanted, request.actor.account.code
        counts = self.counts(request.actor) if wanted.is_draft else {}
        form = self.form(counts) if wanted.is_draft else None
        if wanted.is_statement and form and not form.fields["apply"].choices:
            form = None  # nothing differs
        reading = dict(ReadingForm.base_fields["without_plus"].choices)
        of_file = [
            (
                _("Columns"),
                ", ".join(str((OF_COLUMNS | NOT_CHANGED).get(column, column)) for column in wanted.columns if column),
            ),
            *([(_("Ignored"), ", ".join(wanted.ignored))] if wanted.ignored else []),
            *([(_("Country"), countries.name(wanted.region))] if wanted.region else []),
            *([(_("Numbers without +"), reading[wanted.without_plus])] if wanted.without_plus else []),
            (_("Empty cells"), _("clear") if wanted.overwrites else _("leave what is there")),
        ]
        is_read_again = wanted.is_draft and not wanted.is_statement
        state, page = wanted.state_in_words, import_url(code, wanted.pk)
        undone = imports.undone(request.actor, [page]).get(page) if wanted.ended_at else None
        if undone:
            state = undone.in_words(Import.added_by(request.actor, [wanted.pk])[wanted.pk])
        return {
            "work": wanted,
            "state": _("Checked, not applied yet") if wanted.is_draft else state,
            "done_so_far": wanted.done + (0 if wanted.state == Import.State.CHECKING else wanted.refused),
            "facts": [
                (_("Numbers") if wanted.is_statement else _("Lines"), plain(wanted.total)),
                *((str(type(found).verdicts[verdict]), count) for verdict, count in counts.items()),
                *([] if wanted.is_draft or wanted.is_running else [
                    (_("Done before the undo") if undone else _("Done"), plain(wanted.done)),
                    (_("Refused"), plain(wanted.refused))]),
                *([(_("Deleted by the undo"), plain(undone.deleted))] if undone else []),
                *self.not_done(request.actor),
                *([] if wanted.is_statement else of_file),
                (_("By"), f"{wanted.person.name}, {moment(wanted.as_of, request.actor.person.zone)}"),
            ],
            "form": form,
            "notes": wanted.notes,
            "forgotten_days": settings.WORK_DAYS if wanted.is_forgotten(timezone.now()) else 0,
            "adds": bool(counts.get(ImportRow.Verdict.ADD)) and not wanted.is_statement,
            "columns_url": import_url(code, wanted.pk, "columns/") if is_read_again else "",
            "reading": reading_form(request, wanted) if is_read_again else None,
            "opens_reading": bool(counts.get(ImportRow.Verdict.REFUSED)),
            "undo_url": import_url(code, wanted.pk, "undo/") if self.may_undo(request) else "",
            "is_final": state != _("Undone") and self.is_final(request),
            "undone": {
                "url": f"{url_of('numbers:jobs', code)}{undone.job.pk}/",
                "at": moment(undone.job.started_at, request.actor.person.zone),
                "by": undone.job.person.name,
            } if undone else None,
            "refused_url": import_url(code, wanted.pk, "refused.csv"),
            "cancel_url": import_url(code, wanted.pk, "cancel/") if wanted.is_draft or wanted.is_running else "",
            "numbers_url": url_of("numbers:list", code),
        }  # fmt: skip


@require_safe
def refused(request, code, import_id):
    """The refused lines as they stand in the file, each with its reason: to be corrected, and imported again."""
    wanted = import_of(request.actor, import_id)
    place = wanted.columns.index("number")
    headings = wanted.headings or [str((OF_COLUMNS | NOT_CHANGED).get(column, column)) for column in wanted.columns]
    lines = ImportRow.visible_to(request.actor).filter(of=wanted, verdict=ImportRow.Verdict.REFUSED)
    lines = lines.order_by(ImportRow.PLACE, "line")

    def rows() -> Iterator[list[str]]:
        yield [*headings, str(_("Reason"))]
        for row in lines.iterator(chunk_size=CHUNK):
            # Guarded as they came; the download guards them again.
            cells = [without_guards(wanted.text(cell)) for cell in row.cells[: len(headings)]]
            cells += [""] * (len(headings) - len(cells))
            if row.source and row.e164:  # one of several numbers in the cell
                cells[place] = row.e164
            yield [*cells, row.reason]

    return rows_download(request, "Refused.csv", rows())


def reading_form(request, wanted: Import, *sent) -> ReadingForm:
    account = request.actor.account
    return ReadingForm(wanted, *sent, home=account.home, adds=not account.is_customer, encodings=CHOICES)


@require_http_methods(["GET", "HEAD", "POST"])
def columns(request, code, import_id):
    """Say what stands in each column, and how it is read. A POST without columns leaves them."""
    wanted = import_of(request.actor, import_id)
    url = import_url(code, import_id)
    if not wanted.is_draft or wanted.is_statement:
        return redirect(url)
    is_sent = request.method == "POST"
    has_columns = any(name.startswith("column_") for name in request.POST)
    sent = (request.POST,) if is_sent else ()
    form = ColumnsForm(
        wanted, *(sent if has_columns else ()), adds=not request.actor.account.is_customer, use_required_attribute=False
    )
    reading = reading_form(request, wanted, *sent)
    if is_sent and reading.is_valid() and (not has_columns or form.is_valid()):
        chosen = form.columns if has_columns else wanted.columns
        facts = reading.facts | {"columns": chosen, "ignored": ignored(wanted.headings, chosen)}
        if chosen == wanted.columns:
            del facts["ignored"]
        imports.check_again(request.actor, import_id, **facts)
        return redirect(url)
    rows = ImportRow.visible_to(request.actor).filter(of=wanted, source=0).order_by("line")[:SHOWN]
    width = len(wanted.columns)
    context = {
        "title": _("Columns of %(file)s") % {"file": wanted.file_name or _("the pasted text")},
        "form": form,
        "reading": reading,
        "lines": [
            (row.line, [wanted.text(cell) for cell in row.cells] + [""] * (width - len(row.cells))) for row in rows
        ],
        "notes": wanted.notes,
        "cancel_url": url,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or reading.errors else HTTPStatus.OK
    return render(request, "numbers/import_columns.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def line(request, code, import_id, number):
    """Correct the cells of one line, and have it checked again."""
    wanted = import_of(request.actor, import_id)
    rows = ImportRow.visible_to(request.actor).filter(of=wanted)
    row = rows.filter(line=number, source=0).first()
    if row is None or wanted.is_statement:
        raise Http404
    url = import_url(code, import_id)
    if not wanted.is_draft:
        return redirect(url)
    form = LineForm(wanted, row.cells, *([request.POST] if request.method == "POST" else []))
    if form.is_valid():
        imports.correct_line(request.actor, import_id, number, form.corrected())
        return redirect(url)
    context = {
        "title": _("Line %(line)d") % {"line": number},
        "form": form,
        "reasons": list(
            rows.filter(Q(line=number) | Q(source=number), verdict="refused").values_list("reason", flat=True)[:20]
        ),
        "submit_label": _("Check again"),
        "cancel_url": url,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "numbers/import_line.html", context, status=status)


@require_POST
def undo(request, code, import_id):
    """Choose the numbers that an import has added and that nothing was done to; the next page deletes them."""
    wanted = import_of(request.actor, import_id)
    if not wanted.ended_at or wanted.is_statement:
        return redirect(import_url(code, import_id))
    said = _("Added by the import of %(file)s") % {"file": wanted.file_name or _("pasted numbers")}
    back, added = import_url(code, import_id), imports.Added(request.actor, wanted)
    if not added.exist():
        messages.error(request, _("No number of this import can be deleted any more."))
        return redirect(back)
    job = draft_job(request.actor, Delete, added, said, back)
    if stay := wanted.added(request.actor).count() - job.total:
        said = ngettext(
            "%(count)s number that the import added stays: it was assigned or changed since.",
            "%(count)s numbers that the import added stay: they were assigned or changed since.",
            stay,
        )
        messages.info(request, said % {"count": plain(stay)})
    return redirect(f"{url_of('numbers:jobs', code)}{job.pk}/")


@require_POST
def cancel(request, code, import_id):
    """Do no more of an import; one that was not applied is forgotten."""
    import_of(request.actor, import_id)
    try:
        wanted = imports.cancel_import(request.actor, import_id)
    except Import.DoesNotExist as gone:  # between the two
        raise Http404 from gone
    if wanted.pk is None:
        messages.success(request, _("The import is discarded. Nothing was changed."))
        return redirect("numbers:import", code)
    messages.success(request, _("Cancelled. What was done before stays done."))
    return redirect(import_url(code, import_id))
