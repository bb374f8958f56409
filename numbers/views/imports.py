"""Files of numbers: sent, looked at, applied."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actor import Actor
from numbers.actions import imports
from numbers.filters.work import ImportFilter, ImportRowFilter, StatementRowFilter
from numbers.forms.imports import DifferencesForm, FileForm, ImportForm
from numbers.forms.verbs import ModeForm
from numbers.imports import NotAFile, read
from numbers.models import Import, ImportRow
from numbers.tables import PhoneNumberTable, import_columns, import_row_columns
from portal.exports import file_name
from portal.pages import ListPage, columns_of, plain, url_of
from portal.times import moment


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
        "intro": _("Nothing is changed yet: the next page says what each line means."),
        "submit_label": _("Check the file"),
    }
    return send_page(request, ImportForm(*sent, adds=not request.actor.account.is_customer), begun_of_file, said)


def begun_of_file(actor: Actor, form: ImportForm) -> Import:
    """The import of what was sent. Raises ``NotAFile`` and ``ValidationError``."""
    typed = form.cleaned_data
    found = read(form.content, columns_of(PhoneNumberTable))
    return imports.begin_import(
        actor,
        typed["key"],
        found.rows,
        file_name=file_name(typed["file"].name, "", "") if typed["file"] else "",
        columns=found.columns,
        ignored=found.ignored[:50],
        encoding=found.encoding,
        region=typed["region"],
        provider=typed.get("provider"),
        overwrites=typed["empty"] == "overwrite",
    )


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
        return filter_class(request.actor, self.columns(request.actor), request.GET, self.wanted)

    def post(self, request, code, import_id):
        if self.export:
            return self.http_method_not_allowed(request)
        form = self.form(self.counts(request.actor), request.POST)
        if form.is_valid():
            wish = form.cleaned_data
            how = {"verdicts": wish["apply"]} if self.wanted.is_statement else {"all_or_nothing": wish["mode"] == "all"}
            try:
                imports.apply_import(request.actor, import_id, **how)
            except Import.DoesNotExist as gone:
                raise Http404 from gone
        elif self.wanted.is_draft:
            messages.error(request, " ".join(said for errors in form.errors.values() for said in errors))
        return redirect(import_url(code, import_id))

    def form(self, counts: dict[str, str], *sent):
        """How it is applied."""
        return DifferencesForm(*sent, counts=counts) if self.wanted.is_statement else ModeForm(*sent)

    def counts(self, actor: Actor) -> dict[str, str]:
        """How many lines mean what, all of them counted: somebody decides by it."""
        rows = ImportRow.visible_to(actor).filter(of=self.wanted).exclude(verdict="")
        counts = dict(rows.order_by().values_list("verdict").annotate(n=Count("pk")))
        return {verdict: plain(counts[verdict]) for verdict in ImportRow.Verdict if verdict in counts}

    def more_context(self, request, found) -> dict:
        wanted, code = self.wanted, request.actor.account.code
        counts = self.counts(request.actor) if wanted.is_draft else {}
        form = self.form(counts) if wanted.is_draft else None
        if wanted.is_statement and form and not form.fields["apply"].choices:
            form = None  # nothing differs
        of_file = [
            (_("Columns"), ", ".join(column.replace("_", " ") for column in wanted.columns if column)),
            *([(_("Ignored"), ", ".join(wanted.ignored))] if wanted.ignored else []),
            (_("Empty cells"), _("clear") if wanted.overwrites else _("leave what is there")),
        ]
        return {
            "work": wanted,
            "state": _("Checked, not applied yet") if wanted.is_draft else wanted.get_state_display(),
            "done_so_far": wanted.done + (0 if wanted.state == Import.State.CHECKING else wanted.refused),
            "facts": [
                (_("Numbers") if wanted.is_statement else _("Lines"), plain(wanted.total)),
                *((str(type(found).verdicts[verdict]), count) for verdict, count in counts.items()),
                *([] if wanted.is_draft or wanted.is_running else [
                    (_("Done"), plain(wanted.done)), (_("Refused"), plain(wanted.refused))]),
                *([(_("Left alone"), plain(wanted.left))] if wanted.is_statement and wanted.ended_at else []),
                *([] if wanted.is_statement else of_file),
                (_("By"), f"{wanted.person.name}, {moment(wanted.as_of, request.actor.person.zone)}"),
            ],
            "form": form,
            "refused_url": import_url(code, wanted.pk, "export.csv") + "?filter=refused&filename=Refused.csv",
            "cancel_url": import_url(code, wanted.pk, "cancel/") if wanted.is_draft or wanted.is_running else "",
            "numbers_url": url_of("numbers:list", code),
        }  # fmt: skip


@require_POST
def cancel(request, code, import_id):
    """Do no more of an import; one that was not applied is forgotten."""
    import_of(request.actor, import_id)
    wanted = imports.cancel_import(request.actor, import_id)
    if wanted.pk is None:
        messages.success(request, _("The file is forgotten, and nothing was changed."))
        return redirect("numbers:import", code)
    messages.success(request, _("Cancelled. What was done before stays done."))
    return redirect(import_url(code, import_id))
