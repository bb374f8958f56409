"""What is done to one number: a page for each verb, which says what hangs on the number and what will happen."""

from datetime import timedelta
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions import verbs
from numbers.forms.verbs import FORMS
from numbers.models import CallEvent, PhoneNumber
from portal.pages import plain, url_of
from portal.times import moment

#: Calls of so many days say how much a number is used.
RECENT = timedelta(days=7)
#: The query of a list is no longer than the address of a request may be.
LONGEST_QUERY = 4_000
#: The verbs as they stand in addresses, whichever account they are of, and the names of these.
ADDRESSES = {verb.slug: verb.slug.replace("-", "_") for verb in (*verbs.OF_VARS, *verbs.OF_CUSTOMERS)}


def number_of(actor: Actor, digits: int) -> PhoneNumber:
    """One of the actor's numbers, with everything that hangs on it; anybody else's is not found."""
    related = ("provider", "var", "customer", "destination", "reserved_for", "last_holder")
    found = digits < 10**15 and PhoneNumber.visible_to(actor).select_related(*related).filter(digits=digits).first()
    if not found:
        raise Http404
    return found


def offered(actor: Actor, number: PhoneNumber) -> list[dict[str, str]]:
    """The verbs that make sense for the number as it stands, as buttons."""
    now, code = timezone.now(), actor.account.code
    return [
        {
            "label": str(verb.label),
            "url": f"{url_of('numbers:list', code)}{number.digits}/{slug}/",
            "is_final": verb.is_final,
        }
        for slug, verb in verbs.verbs_of(actor).items()
        if verb.suits(number, now)
    ]


def hanging_on(actor: Actor, number: PhoneNumber) -> list[tuple[str, str]]:
    """What a number is in the middle of, as pairs of a name and a text."""
    zone = actor.person.zone
    features = [str(name) for feature, name in verbs.SetOptions.FEATURES.items() if getattr(number, feature)]
    calls = CallEvent.visible_to(actor).filter(number_id=number.pk, at__gt=timezone.now() - RECENT).count()
    holder = number.customer.name if number.customer and not actor.account.is_customer else ""
    return [
        (name, text)
        for name, text in (
            (_("Company"), holder),
            (_("Used by"), str(number.destination or "")),
            (_("Label"), number.label),
            (_("Caller name"), number.caller_name),
            (_("On"), ", ".join(features)),
            (_("Last call"), moment(number.last_call_at, zone) or _("none yet")),
            (_("Calls in the last seven days"), plain(calls) if calls else ""),
        )
        if text
    ]


def warn_of_quota(request, verb: verbs.Verb, coming: int = 0) -> None:
    """Say that customers have more numbers than their quota, once they were given some, or may get them by ``coming``
    numbers that the worker is about to give: a VAR may do that, but should know."""
    for customer in Account.visible_to(request.actor).filter(
        pk__in=verb.receivers(request.actor), number_quota__isnull=False
    ):
        held = PhoneNumber.visible_to(request.actor).filter(customer=customer).count()
        said = {
            "customer": customer.name, "held": plain(held), "quota": plain(customer.number_quota),
            "coming": plain(coming),
        }  # fmt: skip
        if held + coming <= customer.number_quota:
            continue
        text = _("%(customer)s now has %(held)s numbers; its quota is %(quota)s.")
        if coming:
            text = _(
                "%(customer)s has %(held)s numbers, and its quota is %(quota)s. This job may add up to %(coming)s."
            )
        messages.warning(request, text % said)


def list_come_from(request, code: str) -> str:
    """The list of numbers, as it was searched and sorted when somebody went on from one of its rows; empty for those
    who came from the number's own page."""
    if "from" not in request.GET:
        return ""
    query = QueryDict(request.GET["from"][:LONGEST_QUERY]).urlencode()
    return f"{url_of('numbers:list', code)}?{query}" if query else url_of("numbers:list", code)


@require_http_methods(["GET", "HEAD", "POST"])
def act(request, code, digits, slug):
    """Ask before doing something to a number, then do it."""
    number = number_of(request.actor, digits)
    verb_class = verbs.verbs_of(request.actor).get(slug)
    if verb_class is None:
        raise PermissionDenied
    form = FORMS[verb_class](request.actor, request.POST if request.method == "POST" else None, number)
    came_from = list_come_from(request, code)
    with timezone.override(request.actor.person.zone):
        now = timezone.now()
        problem = "" if form.fields else verb_class().refusal(number, now)
        if form.is_valid():
            try:
                done, verb = number, form.verb
                done = verbs.perform_on(request.actor, verb, digits)
            except PhoneNumber.DoesNotExist as gone:
                raise Http404 from gone
            except ValidationError as refusal:
                if form.fields:
                    form.add_error(None, refusal)
                else:
                    problem = " ".join(refusal.messages)
                number = number_of(request.actor, digits)  # it may have changed meanwhile
            else:
                messages.success(request, verbs.said_of(verb, done))
                warn_of_quota(request, verb)
                if came_from:
                    return redirect(came_from)
                stays = PhoneNumber.visible_to(request.actor).filter(pk=number.pk).exists()
                return redirect("numbers:detail", code, digits) if stays else redirect("numbers:list", code)
        context = {
            "number": {"display": request.actor.person.written(number.e164), "e164": number.e164},
            "title": f"{verb_class.label} {request.actor.person.written(number.e164)}",
            "form": form,
            "problem": problem,
            "hanging": hanging_on(request.actor, number),
            "consequences": [] if problem else verb_class.consequences(number, now),
            "submit_label": verb_class.button or verb_class.label,
            "is_final": verb_class.is_final,
            "cancel_url": came_from or f"{url_of('numbers:list', code)}{digits}/",
            "back_label": _("Back to the list") if came_from else _("Back to the number"),
        }
    refused = problem or form.errors
    status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" and refused else HTTPStatus.OK
    return render(request, "numbers/act.html", context, status=status)
