"""What a carrier says that it holds, against what is here."""

from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from numbers.actions.imports import begin_import
from numbers.carriers import CarrierError
from numbers.carriers.asking import held, may_be_asked
from numbers.forms.imports import StatementForm
from numbers.imports import NotAFile, Read, read
from numbers.models import Provider
from numbers.tables import PhoneNumberTable
from numbers.views.imports import import_url
from portal.exports import file_name
from portal.pages import columns_of, url_of


@require_http_methods(["GET", "HEAD", "POST"])
def compare(request, code):
    """Read a carrier's statement, or ask the carrier, and have it compared. Nothing is changed yet."""
    var = request.actor.account
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    may_ask = any(may_be_asked(var, provider) for provider in Provider.objects.all())
    form = StatementForm(*sent, may_ask=may_ask)
    if form.is_valid():
        typed = form.cleaned_data
        provider, file = typed["provider"], typed["file"]
        try:
            found = asked(var, provider) if form.asks else read(form.content, columns_of(PhoneNumberTable))
            begun = begin_import(
                request.actor,
                typed["key"],
                found.rows,
                file_name=name_of(provider, None if form.asks else file),
                columns=[column if column == "number" else "" for column in found.columns],
                encoding=found.encoding,
                region=typed["region"],
                provider=provider,
                is_statement=True,
            )
        except NotAFile as refusal:
            form.add_error("file", str(refusal))
        except CarrierError as refusal:
            form.add_error("source", str(refusal))
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect(import_url(code, begun.pk))
    context = {
        "title": _("Compare with a carrier"),
        "intro": _("Nothing is changed yet: the next page says what differs, and what can be done about it."),
        "form": form,
        "submit_label": _("Compare"),
        "cancel_url": url_of("numbers:list", code),
        "imports_url": url_of("numbers:imports", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "numbers/import_send.html", context, status=status)


def name_of(provider, file) -> str:
    """What the comparison is called in the list of imports."""
    return f"{provider.name}: {file_name(file.name, '', '')}"[:200] if file else provider.name


def asked(var, provider) -> Read:
    """What the carrier says itself, as a file of it would be read. Raises ``CarrierError``."""
    return Read(["number"], "", rows=((line, [e164]) for line, e164 in enumerate(held(var, provider), 1)))
