"""What is done to many numbers: chosen in the list, confirmed, watched, read."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.actor import Actor
from numbers.actions import jobs, verbs
from numbers.filters.phone_numbers import PhoneNumberFilter
from numbers.filters.work import JobFilter, JobItemFilter, verb_names
from numbers.forms.verbs import BULK_FORMS, ModeForm, VerbForm
from numbers.models import Job, PhoneNumber
from numbers.tables import columns_for, job_columns, job_item_columns
from numbers.views.verbs import warn_of_quota
from portal import security
from portal.downloads import selected_in_words
from portal.pages import Address, ListPage, plain, url_of
from portal.times import moment

#: A number that leads to its page.
LINK = '<a href="{}{}/">{}</a>'
#: So many reasons why numbers would be refused are shown before somebody confirms.
REASONS = 8


def job_of(actor: Actor, job_id: int) -> Job:
    found = Job.visible_to(actor).select_related("person", "access", "account").filter(pk=job_id).first()
    if found is None:
        raise Http404
    return found


def job_url(code: str, job_id: int, end: str = "") -> str:
    return f"{url_of('numbers:jobs', code)}{job_id}/{end}"


@require_POST
def choose(request, code, slug):
    """Freeze what was chosen in the list, and go on to confirm it. Nothing chosen is not everything: that is asked."""
    verb = verbs.verbs_of(request.actor).get(slug)
    if verb is None:
        raise PermissionDenied
    found = PhoneNumberFilter(request.actor, columns_for(request.actor), request.POST)
    listing = found.listing()
    list_url = Address(url_of("numbers:list", code), request.POST, [*found.columns, "filter", "sort", "size"]).url()
    if listing is None or found.problems:
        context = {"title": verb.label, "problems": [*found.problems, *found.refused.values()], "list_url": list_url}
        return render(request, "numbers/nothing_chosen.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if found.selected is None and request.POST.get("all") != "1":
        fields = [(name, text) for name in (*found.columns, "filter") if (text := request.POST.get(name, "").strip())]
        context = {
            "title": verb.label,
            "count": plain(listing.exact_count()),
            "chosen": selected_in_words(found),
            "fields": fields,
            "list_url": list_url,
        }
        return render(request, "numbers/nothing_chosen.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    job = jobs.draft_job(request.actor, verb, listing, selected_in_words(found), list_url)
    if found.selected is not None and (absent := len(set(found.selected)) - job.total):
        security.log("rows.left_out", count=absent)
    return redirect(job_url(code, job.pk))


class JobList(ListPage):
    """What was done to many numbers at once in this account."""

    title = gettext_lazy("Jobs")
    addresses = ("numbers:jobs", "numbers:jobs_csv", "numbers:jobs_pdf")
    csv_name = "Jobs.csv"
    filter_class = JobFilter
    template_name = "numbers/jobs.html"
    rows_template = "numbers/_job_rows.html"
    columns = staticmethod(job_columns)
    figures = frozenset({"total", "done", "refused"})
    widths = {"as_of": 18, "what": 20, "who": 22, "total": 10, "done": 10, "refused": 10, "state": 12}

    def more_context(self, request, found) -> dict:
        return {"jobs_url": url_of("numbers:jobs", request.actor.account.code)}


class JobPage(ListPage):
    """One job: to be confirmed while it is a draft, then its numbers with what became of each."""

    http_method_names = ["get", "head", "options", "post"]
    addresses = ("", "export.csv", "export.pdf")
    csv_name = "Outcome.csv"
    template_name = "numbers/job.html"
    rows_template = "numbers/_job_item_rows.html"
    columns = staticmethod(job_item_columns)
    parts = {"number": ("display",)}
    widths = {"number": 20, "outcome": 15, "reason": 65}

    def dispatch(self, request, code, job_id):
        self.job = job_of(request.actor, job_id)
        self.title = f"{dict(verb_names())[self.job.verb]}: {numbers_text(self.job.total)}"
        return super().dispatch(request, code=code, job_id=job_id)

    def url(self, request, name: str) -> str:
        return job_url(request.actor.account.code, self.job.pk, name)

    def asked(self, request) -> JobItemFilter:
        return JobItemFilter(request.actor, self.columns(request.actor), request.GET, self.job)

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written, numbers_url = request.actor.person.written, url_of("numbers:list", request.actor.account.code)
        # A number that is gone since has no page any more.
        here = PhoneNumber.visible_to(request.actor).with_digits([row["digits"] for row in rows])
        here = set(here.values_list("digits", flat=True))

        def linked(row: dict) -> dict:
            display = written(row["e164"])
            if row["digits"] not in here:
                return {"display": display, "number": display}
            return {"display": display, "number": format_html(LINK, numbers_url, row["digits"], display)}

        return [row | listing.texts(row) | linked(row) for row in rows]

    def get(self, request, code, job_id):
        if self.job.is_draft and not self.export:
            return self.draft(request)
        return super().get(request, code)

    def post(self, request, code, job_id):
        """Confirm."""
        if self.export:
            return self.http_method_not_allowed(request)
        verb = verb_of(request.actor, self.job)
        if not self.job.is_draft:
            return redirect(job_url(code, job_id))
        form, mode = BULK_FORMS[verb](request.actor, request.POST), ModeForm(request.POST)
        if form.is_valid() and mode.is_valid():
            try:
                all_or_nothing = mode.cleaned_data["mode"] == "all"
                wanted = filled(verb, self.job, form)
                job = jobs.confirm_job(request.actor, job_id, wanted, all_or_nothing=all_or_nothing)
            except Job.DoesNotExist as gone:
                raise Http404 from gone
            except ValidationError as refusal:
                form.add_error(None, refusal)
            else:
                warn_of_quota(request, wanted, coming=job.total if job.is_running else 0)
                return redirect(job_url(code, job_id))
        return self.draft(request, form, mode)

    def draft(self, request, form=None, mode=None):
        actor, job = request.actor, self.job
        verb = verb_of(actor, job)
        refused = form is not None
        kept = {"mode": "all" if job.all_or_nothing else "some"}
        form = form or BULK_FORMS[verb](actor, initial=initial_of(actor, verb, job))
        is_checked = not form.fields
        foreseen = jobs.foreseen(actor, job, filled(verb, job, form)).most_common(REASONS) if is_checked else []
        affected = jobs.affected(actor, job)
        context = {
            "title": f"{verb.label}: {numbers_text(job.total)}",
            "affected": affected_in_words(actor, affected),
            "first": [row_of(actor, number) for number in affected.first],
            "more": plain(job.total - len(affected.first)) if job.total > len(affected.first) else "",
            "consequences": verb.consequences_of_many(),
            "is_final": verb.is_final,
            "job": job,
            "total": plain(job.total),
            "as_of": moment(job.as_of, actor.person.zone),
            "form": form,
            "mode": mode or ModeForm(initial=kept),
            "foreseen": [(plain(count), sentence) for sentence, count in foreseen],
            "checked": plain(jobs.CHECKED) if is_checked and job.total > jobs.CHECKED else "",
            "submit_label": f"{verb.label} {numbers_text(job.total)}" if verb.is_final else verb.button or verb.label,
            "cancel_url": job.back or url_of("numbers:list", actor.account.code),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
        return render(request, "numbers/job_draft.html", context, status=status)

    def more_context(self, request, found) -> dict:
        job, code, now = self.job, request.actor.account.code, timezone.now()
        done = job.done + job.refused
        undone = jobs.undone_by(request.actor, job)
        return {
            "work": job,
            "state": job.state_in_words,
            "facts": [
                (_("Done"), plain(job.done)),
                (_("Refused"), plain(job.refused)),
                *([(_("Not reached"), plain(job.left))] if job.left and not job.is_running else []),
                *wishes(request.actor, job),
                (_("Chosen"), f"{job.chosen}, {moment(job.as_of, request.actor.person.zone)}"),
                (_("By"), job.person.name),
            ],
            "done_so_far": done,
            "undone_url": job_url(code, undone.pk) if undone else "",
            "undone_at": moment(undone.started_at, request.actor.person.zone) if undone else "",
            "undone_by": undone.person.name if undone else "",
            "undo_url": job_url(code, job.pk, "undo/") if jobs.can_be_undone(request.actor, job) else "",
            "cancel_url": job_url(code, job.pk, "cancel/") if job.is_running else "",
            "retry_url": job_url(code, job.pk, "retry/") if job.may_be_retried(now) else "",
            "forgotten_days": settings.WORK_DAYS if job.is_forgotten(now) else 0,
            "may_change": request.actor.may("jobs.change"),
            # A browser that still has these numbers selected in the list would do the next thing to them too.
            "list_url": url_of("numbers:list", code),
            "back_url": job.back or url_of("numbers:list", code),
        }


def verb_of(actor: Actor, job: Job) -> type[verbs.Verb]:
    """What a job does. Raises ``PermissionDenied`` where the actor may not do it."""
    verb = verbs.verbs_of(actor, of_jobs=True).get(job.verb)
    if verb is None:
        raise PermissionDenied
    return verb


def filled(verb: type[verbs.Verb], job: Job, form: VerbForm) -> verbs.Verb:
    """The verb as it was filled in; without a form, as the job was drafted."""
    return form.verb if form.fields else verb.of(job.params)


def affected_in_words(actor: Actor, affected: jobs.Affected) -> str:
    """How many of a job's numbers people rely on."""
    said = {"in_use": plain(affected.in_use), "called": plain(affected.called)}
    if actor.account.is_customer:
        return _("In use: %(in_use)s ring somebody. Called in the last seven days: %(called)s.") % said
    return _("In use: %(in_use)s are with a customer. Called in the last seven days: %(called)s.") % said


def row_of(actor: Actor, number: PhoneNumber) -> dict[str, str]:
    """A number of a job that is to be confirmed, as its page shows it."""
    holders = [] if actor.account.is_customer else [number.customer]
    return {
        "e164": number.e164,
        "display": actor.person.written(number.e164),
        "holder": ", ".join(holder.name for holder in (*holders, number.destination) if holder),
        "last_call": moment(number.last_call_at, actor.person.zone),
    }


def numbers_text(count: int) -> str:
    return _("1 number") if count == 1 else _("%(count)s numbers") % {"count": plain(count)}


def wishes(actor: Actor, job: Job) -> list[tuple[str, str]]:
    """What was filled in, as pairs of a field's name and a text."""
    verb = verbs.verbs_of(actor).get(job.verb)
    if verb is None or not job.params:  # a job that undoes another one has no form
        return []
    form, typed = BULK_FORMS[verb](actor), initial_of(actor, verb, job)
    shown = []
    for name, field in form.fields.items():
        value = typed.get(name)
        if isinstance(value, datetime):
            value = date_format(value, "j M Y, H:i")
        elif isinstance(value, bool):
            value = _("yes") if value else ""
        elif choices := dict(getattr(field, "choices", ())):
            value = choices[value] if value else ""
        if value:
            shown.append((str(field.label), str(value)))
    return shown


def initial_of(actor: Actor, verb: type[verbs.Verb], job: Job) -> dict:
    """What the form of a job begins with that is tried again."""
    if not job.params or issubclass(verb, verbs.Undo):
        return {}
    with timezone.override(actor.person.zone):
        return verb.of(job.params).typed(actor)


@require_POST
def cancel(request, code, job_id):
    """Do no more of a job; what is not confirmed is forgotten."""
    back = job_of(request.actor, job_id).back
    try:
        job = jobs.cancel_job(request.actor, job_id)
    except Job.DoesNotExist as gone:  # between the two
        raise Http404 from gone
    if job.pk is None:
        return redirect(back or url_of("numbers:list", code))
    messages.success(request, _("Cancelled. What was done before stays done."))
    return redirect(job_url(code, job_id))


def drafted(request, code: str, job_id: int, draft: Callable[[Actor, int], Job]) -> HttpResponse:
    """The page of a job that is drafted from this one, to be checked and confirmed like every other."""
    job_of(request.actor, job_id)
    try:
        job = draft(request.actor, job_id)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect(job_url(code, job_id))
    return redirect(job_url(code, job.pk))


@require_POST
def undo(request, code, job_id):
    """Draft a job that undoes this one."""
    return drafted(request, code, job_id, jobs.undo_job)


@require_POST
def retry(request, code, job_id):
    """Draft a job of what failed."""
    return drafted(request, code, job_id, jobs.retry_job)
