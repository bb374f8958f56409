"""What a carrier says that it holds, against what is here."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions.imports import begin_import
from numbers.carriers import CarrierError
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
        "intro": _("Nothing is changed yet: the next page says what differs, and what can be done about it."),
        "submit_label": _("Compare"),
    }
    return send_page(request, StatementForm(*sent, may_ask=may_ask), begun_of_statement, said)


def begun_of_statement(actor: Actor, form: StatementForm) -> Import:
    """The comparison of what was sent, or of what the carrier says. Raises ``NotAFile`` and ``ValidationError``."""
    typed = form.cleaned_data
    provider, file = typed["provider"], typed["file"]
    if form.asks:
        found, name = asked(actor.account, provider), provider.name
    else:
        found = read(form.content, columns_of(PhoneNumberTable))
        name = f"{provider.name}: {file_name(file.name, '', '')}"[:200] if file else provider.name
    return begin_import(
        actor,
        typed["key"],
        found.rows,
        file_name=name,
        columns=[column if column == "number" else "" for column in found.columns],
        encoding=found.encoding,
        region=typed["region"],
        provider=provider,
        is_statement=True,
    )


def asked(var: Account, provider: Provider) -> Read:
    """What the carrier says itself, as a file of it would be read. Raises ``ValidationError``."""
    try:
        e164s = held(var, provider)
    except CarrierError as refusal:
        raise ValidationError({"source": str(refusal)}) from refusal
    return Read(["number"], "", rows=((line, [e164]) for line, e164 in enumerate(e164s, 1)))
