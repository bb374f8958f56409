"""What was ordered, and what became of it."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actor import Actor
from numbers.actions import orders as actions
from numbers.actions import routing
from numbers.filters.orders import OrderFilter, OrderLineFilter
from numbers.forms.orders import RefusalForm
from numbers.models import CarrierOrder, Order, OrderLine
from numbers.tables import order_columns, order_line_columns
from portal.pages import ListPage, plain, url_of
from portal.times import moment


class OrderList(ListPage):
    """What the account has ordered, and a VAR's customers have."""

    title = gettext_lazy("Orders")
    addresses = ("orders:list", "orders:export_csv", "orders:export_pdf")
    csv_name = "Orders.csv"
    filter_class = OrderFilter
    template_name = "numbers/orders.html"
    rows_template = "numbers/_order_rows.html"
    columns = staticmethod(order_columns)
    figures = frozenset({"total", "active", "failed"})
    widths = {
        "order": 8, "ordered": 18, "company": 22, "who": 18, "total": 8, "active": 8, "failed": 8, "state": 14,
    }  # fmt: skip

    def more_context(self, request, found) -> dict:
        code = request.actor.account.code
        return {
            "orders_url": url_of("orders:list", code),
            "order_url": url_of("numbers:order", code) if request.actor.may("numbers.order") else "",
            "shows_company": "company" in found.columns,
        }


def order_of(actor: Actor, order_id: int) -> Order:
    """An order that was confirmed, or 404: a basket is whoever's it is."""
    confirmed = Order.visible_to(actor).exclude(state=Order.State.BASKET)
    found = confirmed.select_related("person", "customer").filter(pk=order_id).first()
    if found is None:
        raise Http404
    return found


def order_url(code: str, order_id: int, end: str = "") -> str:
    return f"{url_of('orders:list', code)}{order_id}/{end}"


class OrderPage(ListPage):
    """One order: its numbers, with what became of each."""

    addresses = ("", "export.csv", "export.pdf")
    csv_name = "Order.csv"
    template_name = "numbers/order_page.html"
    rows_template = "numbers/_order_line_rows.html"
    columns = staticmethod(order_line_columns)
    parts = {"number": ("display",)}
    widths = {"number": 18, "provider": 17, "price": 20, "outcome": 9, "reason": 36}

    def dispatch(self, request, code, order_id):
        self.order = order_of(request.actor, order_id)
        self.title = _("Order %(number)d") % {"number": self.order.pk}
        return super().dispatch(request, code=code)

    def url(self, request, name: str) -> str:
        return order_url(request.actor.account.code, self.order.pk, name)

    def asked(self, request) -> OrderLineFilter:
        return OrderLineFilter(request.actor, self.columns(request.actor), request.GET, self.order)

    def present(self, request, listing, rows: list[dict]) -> list[dict]:
        written, numbers_url = request.actor.person.written, url_of("numbers:list", request.actor.account.code)
        shown = []
        for row in rows:
            display, is_here = written(row["e164"]), row["state"] in OrderLine.DELIVERED
            links = {
                "display": display,
                "url": f"{numbers_url}{row['digits']}/",
                "here": display if is_here else "",
                "elsewhere": "" if is_here else display,
            }
            shown.append(row | listing.texts(row) | links)
        return shown

    def more_context(self, request, found) -> dict:
        order, actor = self.order, request.actor
        code, zone = actor.account.code, actor.person.zone
        unrouted = OrderLine.in_order(order).filter(state=OrderLine.State.UNROUTED).count()
        pending = order.total - order.active - order.failed - unrouted
        with_carriers = list(CarrierOrder.open_in(order).select_related("provider"))
        is_operator = not actor.account.is_customer
        return {
            "work": order,
            "state": order.state_in_words,
            "facts": [
                *([(_("Asked for"), order.wish)] if order.wish else []),
                *([(_("Note"), order.note)] if order.note else []),
                (_("Numbers"), plain(order.total)),
                (_("Delivered"), plain(order.active)),
                *([(_("Not connected"), plain(unrouted))] if unrouted else []),
                *([(_("Failed"), plain(order.failed))] if order.failed else []),
                *([(_("Pending"), plain(pending))] if pending else []),
                *([(_("For"), order.customer.name if order.customer else _("Own stock"))] if is_operator else []),
                (_("Ordered"), f"{moment(order.confirmed_at, zone)}, {order.person.name}"),
                *([(_("Ended"), moment(order.ended_at, zone))] if order.ended_at else []),
                *((one.provider.name, with_carrier(one, is_operator)) for one in with_carriers),
                *([(_("Kept until"), moment(order.held_until, zone))] if order.is_waiting else []),
            ],
            "done_so_far": order.active + order.failed,
            "may_route": unrouted and actor.may("numbers.route"),
            "may_give_up": actor.may("orders.give_up") and any(not one.given_up for one in with_carriers),
            "assign_url": (
                order_url(code, order.pk, "assign/")
                if actor.may("numbers.assign_order") and (order.active or unrouted)
                else ""
            ),
            "route_url": order_url(code, order.pk, "route/"),
            "give_up_url": order_url(code, order.pk, "give-up/"),
            "may_approve": order.is_waiting and actor.may("orders.approve"),
            "may_deliver": order.is_asked and actor.may("orders.approve"),
            "may_cancel": order.is_undecided and actor.may("numbers.order"),
            "deliver_url": order_url(code, order.pk, "deliver/"),
            "approve_url": order_url(code, order.pk, "approve/"),
            "refuse_url": order_url(code, order.pk, "refuse/"),
            "cancel_url": order_url(code, order.pk, "cancel/"),
            "orders_url": url_of("orders:list", code),
        }


def with_carrier(one: CarrierOrder, is_operator: bool) -> str:
    """How it stands with a carrier, and for operators why not otherwise."""
    state = _("To be cancelled") if one.given_up else one.get_state_display()
    return f"{state}: {one.problem}" if one.problem and is_operator else str(state)


def after(request, order_id: int, act, said: str) -> HttpResponse:
    """Do ``act`` to an order and go back to its page, which says that it is done, or why not."""
    try:
        act(request.actor, order_id)
    except Order.DoesNotExist as gone:
        raise Http404 from gone
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, said)
    return redirect(order_url(request.actor.account.code, order_id))


@require_POST
def approve(request, code, order_id):
    """Let an order be delivered."""
    return after(request, order_id, actions.approve, _("The order is approved."))


@require_POST
def cancel(request, code, order_id):
    """Take back an order that waits."""
    return after(request, order_id, actions.cancel, _("The order is cancelled."))


@require_POST
def give_up(request, code, order_id):
    """Have carriers deliver no more of an order."""
    said = _("The undelivered numbers are being cancelled. This page shows the carriers' answers.")
    return after(request, order_id, actions.give_up, said)


@require_POST
def route(request, code, order_id):
    """Have the carriers asked once more where they lead the numbers of an order, and told where."""
    return after(request, order_id, routing.of_order, _("The carriers are being asked. This page shows their answers."))


@require_http_methods(["GET", "HEAD", "POST"])
def refuse(request, code, order_id):
    """Refuse an order that waits, and say why."""
    order = order_of(request.actor, order_id)
    if not order.is_undecided:
        messages.error(request, " ".join(actions.decided(order).messages))
        return redirect(order_url(code, order_id))
    form = RefusalForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        return after(request, order_id, lambda actor, pk: actions.refuse(actor, pk, reason), _("The order is refused."))
    context = {
        "title": _("Refuse order %(number)d") % {"number": order.pk},
        "form": form,
        "submit_label": _("Refuse"),
        "cancel_url": order_url(code, order_id),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portal/form.html", context, status=status)
