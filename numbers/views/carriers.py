"""Where carriers tell of their orders."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.models import Account
from accounts.scope import scope
from numbers.actions import delivery
from numbers.carriers import Refused, configured
from numbers.models import CarrierOrder, Provider
from portal import security

MOST_BYTES = 1024 * 1024


@csrf_exempt
@require_POST
def told(request, provider_id):
    """A carrier says that something has happened to an order. It is asked what: so it does not matter in which order
    messages come, how often, and what else is in them. The signature says who sent it; no cookie is looked at."""
    provider = Provider.objects.filter(pk=provider_id).first()
    setting = configured().get(provider.name) if provider else None
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        if setting is None:
            raise Refused(_("No such carrier tells anything here."))
        key = setting.carrier.told(request.read(MOST_BYTES), headers)
    except Refused as refusal:
        security.log("token.refused", request, door=f"carrier {provider_id}")
        return HttpResponse(str(refusal), status=HTTPStatus.UNAUTHORIZED, content_type="text/plain; charset=utf-8")
    try:
        key = UUID(key)
    except ValueError:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    with scope(Account.called("SYS")):
        one = CarrierOrder.keyed(key, provider)
    if one is not None:
        with scope(one.var):
            delivery.nudge(one.var, one.pk)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
