"""Numbers that nobody offers are asked for, and typed in when the VAR has them."""

from http import HTTPStatus
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from numbers.actions import wishes
from numbers.forms.orders import DeliverForm, SearchForm, WishForm, in_words
from numbers.models import Order
from numbers.views.orders import order_of, order_url
from portal.pages import plain, url_of


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request, code):
    """Ask the VAR for numbers like those that were searched for; the search is in the address."""
    search_url = f"{url_of('numbers:order', code)}?{request.GET.urlencode()}"
    search = SearchForm(request.GET, home=request.actor.account.home)
    if not request.GET or not search.is_valid():
        return redirect(search_url)
    wish = in_words(search.wanted)
    form = WishForm(request.POST if request.method == "POST" else None, initial={"key": uuid4()})
    if form.is_valid():
        typed = form.cleaned_data
        try:
            order = wishes.ask(request.actor, typed["key"], wish, search.wanted.count, typed["note"])
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect("orders:order", code, order.pk)
    context = {
        "title": _("Ask %(var)s") % {"var": request.actor.account.parent.name},
        "form": form,
        "wish": wish,
        "submit_label": _("Ask"),
        "cancel_url": search_url,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "numbers/wish.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def deliver(request, code, order_id):
    """Type in numbers that a customer has asked for."""
    order = order_of(request.actor, order_id)
    form = DeliverForm(request.POST if request.method == "POST" else None, home=request.actor.account.home)
    if form.is_valid():
        try:
            wishes.fulfil(request.actor, order_id, form.e164s, form.cleaned_data["provider"].pk)
        except Order.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            count = len(form.e164s)
            said = ngettext("%(count)s number is delivered.", "%(count)s numbers are delivered.", count)
            messages.success(request, said % {"count": plain(count)})
            return redirect(order_url(code, order_id))
    context = {
        "title": _("Deliver order %(number)d") % {"number": order.pk},
        "form": form,
        "order": order,
        "left": plain(order.total - order.active),
        "submit_label": _("Deliver"),
        "cancel_url": order_url(code, order_id),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "numbers/wish_deliver.html", context, status=status)
