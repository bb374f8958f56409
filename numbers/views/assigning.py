"""The numbers of an order are put onto what rings, all at once."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from numbers.actions.assigning import assign_each
from numbers.forms.orders import AssignForm
from numbers.models import Order, OrderLine, PhoneNumber
from numbers.views.orders import order_of, order_url
from portal.pages import plain


def numbers_of(actor, order: Order) -> list[PhoneNumber]:
    """What an order has delivered and the account still has, by number."""
    delivered = OrderLine.in_order(order).filter(state__in=OrderLine.DELIVERED).values("number_id")
    numbers = PhoneNumber.visible_to(actor).filter(pk__in=delivered).select_related("destination")
    return list(numbers.order_by("digits"))


@require_http_methods(["GET", "HEAD", "POST"])
def assign(request, code, order_id):
    """Say what each number of an order rings."""
    actor, order = request.actor, order_of(request.actor, order_id)
    if not actor.account.is_customer:
        raise PermissionDenied
    numbers = numbers_of(actor, order)
    if not numbers:
        messages.info(request, _("This order has delivered no number that is still yours."))
        return redirect(order_url(code, order.pk))
    form = AssignForm(actor, numbers, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            count = assign_each(actor, form.wishes)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            said = ngettext("%(count)s number is assigned.", "%(count)s numbers are assigned.", count)
            messages.success(request, said % {"count": plain(count)})
            return redirect(order_url(code, order.pk))
    context = {
        "title": _("Assign the numbers of order %(number)d") % {"number": order.pk},
        "form": form,
        "submit_label": _("Assign"),
        "cancel_url": order_url(code, order.pk),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portal/form.html", context, status=status)
