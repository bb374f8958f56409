"""The people of an account: who they are, inviting them, and what becomes of them."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actions
from accounts.filters import PersonFilter, person_states
from accounts.forms import InvitationForm, PersonForm
from accounts.models import Person
from accounts.rules import invitable_roles, possible_roles
from accounts.tables import person_columns
from accounts.tasks import send_invitation
from portal.links import base_url
from portal.pages import ListPage, url_of
from portal.times import moment


class People(ListPage):
    """The account's people."""

    title = gettext_lazy("People")
    addresses = ("people", "people_csv", "people_pdf")
    csv_name = "People.csv"
    filter_class = PersonFilter
    template_name = "accounts/people.html"
    rows_template = "accounts/_people_rows.html"
    columns = staticmethod(person_columns)
    widths = {"name": 22, "email": 28, "role": 16, "state": 12, "signed_in": 18}

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        return [row | listing.texts(row) | {"state_class": row["state"]} for row in rows]

    def more_context(self, request, found) -> dict:
        may_invite = request.actor.may("people.invite")
        return {
            "people_url": url_of("people", request.actor.account.code),
            "invite_url": url_of("person_invite", request.actor.account.code) if may_invite else "",
        }


def mail(request, person: Person) -> None:
    """Have the worker mail the invitation, once what it invites to is there for good."""
    send_invitation.defer(person_id=person.pk, inviter=request.actor.person.email, base_url=base_url(request))
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": person.email})


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request, code):
    """Invite somebody by e-mail."""
    roles = invitable_roles(request.actor)
    typed = request.POST if request.method == "POST" else None
    form = InvitationForm(typed, roles=roles, initial={"role": Person.Role.USER})
    if request.method == "POST" and form.is_valid():
        try:
            person = actions.invite_person(request.actor, **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            mail(request, person)
            return redirect("people", code=code)
    context = {
        "title": _("Invite somebody"),
        "form": form,
        "submit_label": _("Invite"),
        "cancel_url": url_of("people", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "accounts/invite.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def person(request, code, person_id):
    """One of the account's people, with what may be done about them."""
    found = one_of(request, person_id)
    form = person_form(request, found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_person(request.actor, person_id, **form.cleaned_data)
        except Person.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            messages.success(request, _("Your changes are saved."))
            return redirect("person", code=code, person_id=person_id)
    return person_page(request, found, form)


def one_of(request, person_id: int) -> Person:
    found = Person.visible_to(request.actor).filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found


def person_form(request, found: Person, typed=None) -> PersonForm:
    roles = possible_roles(request.actor.account.kind)
    return PersonForm(typed, roles=roles, initial={"name": found.name, "role": found.role})


def person_page(request, found: Person, form: PersonForm, problem: str = "") -> HttpResponse:
    actor = request.actor
    zone = ZoneInfo(actor.person.time_zone)
    is_self = found.pk == actor.person.pk
    may_deactivate = actor.may("people.deactivate") and not is_self
    context = {
        "person": found,
        "state": found.state,
        "state_label": dict(person_states())[found.state],
        "invited_at": moment(found.invited_at, zone),
        "signed_in": moment(found.last_login, zone),
        "form": form,
        "problem": problem,
        "is_self": is_self,
        "may_change": actor.may("people.roles") and not is_self,
        "may_resend": actor.may("people.resend") and found.state == "invited",
        "may_deactivate": may_deactivate and found.is_active,
        "may_reactivate": may_deactivate and not found.is_active,
        "may_sign_out": may_deactivate and found.state == "active",
        "people_url": url_of("people", actor.account.code),
    }
    refused = bool(problem or form.errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return render(request, "accounts/person.html", context, status=status)


def done(request, person_id: int, act: Callable[..., Person], said: Callable[[Person], None]) -> HttpResponse:
    """Do something about a person; back on their page, with what was done or why it was not."""
    found = one_of(request, person_id)
    try:
        changed = act(request.actor, person_id)
    except Person.DoesNotExist as gone:
        raise Http404 from gone
    except ValidationError as refusal:
        return person_page(request, found, person_form(request, found), " ".join(refusal.messages))
    said(changed)
    return redirect("person", code=request.actor.account.code, person_id=person_id)


def say(request, sentence: str, changed: Person) -> None:
    messages.success(request, sentence % {"name": changed.name})


@require_POST
def resend(request, code, person_id):
    """Mail the invitation again."""
    return done(request, person_id, actions.invite_again, partial(mail, request))


@require_POST
def deactivate(request, code, person_id):
    """Keep somebody out."""
    said = partial(say, request, _("%(name)s is deactivated and signed out everywhere."))
    return done(request, person_id, actions.deactivate_person, said)


@require_POST
def reactivate(request, code, person_id):
    """Let somebody in again."""
    return done(request, person_id, actions.reactivate_person, partial(say, request, _("%(name)s is active again.")))


@require_POST
def sign_out(request, code, person_id):
    """End all of somebody's sessions."""
    said = partial(say, request, _("All sessions of %(name)s are ended."))
    return done(request, person_id, actions.sign_out_person, said)
