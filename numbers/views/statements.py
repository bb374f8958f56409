"""What a carrier says that it holds, against what is here."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions.checking import CARRIER_STATE, ELSEWHERE, UNUSABLE
from numbers.actions.imports import begin_import
from numbers.carriers import CarrierError, Configured, Held, leads_nowhere
from numbers.carriers.asking import held, telling
from numbers.forms.imports import StatementForm
from numbers.imports import Read, read
from numbers.models import Import, Provider
from numbers.tables import PhoneNumberTable
from numbers.views.imports import send_page
from portal.exports import file_name
from portal.pages import columns_of


@require_http_methods(["GET", "HEAD", "POST"])
def compare(request, code):
    """Read a carrier's statement, or ask the carrier, and have it compared. Nothing is changed yet."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    may_ask = Provider.objects.filter(name__in=telling(request.actor.account)).exists()
    said = {
        "title": _("Compare with a carrier"),
        "intro": _("Nothing is changed yet. The next page shows the differences and what you can do about them."),
        "submit_label": _("Compare"),
    }
    return send_page(
        request, StatementForm(*sent, may_ask=may_ask, home=request.actor.account.home), begun_of_statement, said
    )


def begun_of_statement(actor: Actor, form: StatementForm) -> Import:
    """The comparison of what was sent, or of what the carrier says. Raises ``NotAFile`` and ``ValidationError``."""
    typed = form.cleaned_data
    provider, file = typed["provider"], typed["file"]
    if form.asks:
        return compared(actor, form, asked(actor.account, provider), provider.name)
    name = f"{provider.name}: {file_name(file.name, '', '')}"[:200] if file else provider.name
    headings = columns_of(PhoneNumberTable)
    with read(form.content, headings, region=typed["region"], home=actor.account.home) as found:
        return compared(actor, form, found, name)


def compared(actor: Actor, form: StatementForm, found: Read, name: str) -> Import:
    typed = form.cleaned_data
    return begin_import(
        actor,
        typed["key"],
        found.rows,
        file_name=name,
        columns=[column if column in ("number", "country", CARRIER_STATE) else "" for column in found.columns],
        notes=found.notes,
        encoding=found.encoding,
        region=typed["region"],
        without_plus=found.without_plus,
        unusual=True,
        provider=typed["provider"],
        is_statement=True,
    )


def asked(var: Account, provider: Provider) -> Read:
    """What the carrier says itself, as a file of it would be read: each number with what is wrong with it there. Raises
    ``ValidationError``."""
    setting = telling(var).get(provider.name)
    try:
        numbers = held(var, provider)
    except CarrierError as refusal:
        raise ValidationError({"source": refusal.for_operators}) from refusal
    rows = ((line, [one.e164, wrong_with(var, setting, one)]) for line, one in enumerate(numbers, 1))
    return Read(["number", CARRIER_STATE], "", rows=rows)


def wrong_with(var: Account, setting: Configured, number: Held) -> str:
    """Why calls to a number do not arrive, as a ``StatementChecker`` reads it; empty where they do."""
    if number.state:
        return f"{UNUSABLE}{number.state}"
    missing = leads_nowhere(number, setting.route(var.code), setting.kind)
    found = "; ".join(f"{name}: {number.route.get(name) or '–'}" for name in missing)
    return f"{ELSEWHERE}{found}" if found else ""
