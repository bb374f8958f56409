"""Numbers are looked for, put into the basket, and ordered."""

from decimal import Decimal
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actor import Actor
from accounts.models import Account
from numbers.actions import orders
from numbers.actions.delivery import on_the_system
from numbers.carriers import CarrierOffer
from numbers.carriers.asking import hold, offered
from numbers.forms.orders import ReviewForm, SearchForm, in_words
from numbers.listing.offers import MOST_OFFERS, Offer, Wanted, areas, in_stock
from numbers.models import Order, OrderLine
from numbers.prices import price, prices
from portal import security
from portal.pages import first_of, plain, url_of

#: So many sentences of refusal are shown at once.
NAMED = 5
#: So long an offer can be chosen.
OFFERED_SECONDS = 30 * 60
OF_STOCK, OF_CARRIER = "numbers.stock", "numbers.offer"


@require_safe
def search(request, code):
    """Look for numbers; what was found can be put into the basket."""
    actor = request.actor
    is_asked = bool(request.GET)
    form = SearchForm(request.GET if is_asked else None, home=actor.account.home)
    basket = orders.basket_of(actor)
    chosen = {line.e164 for line in OrderLine.in_order(basket)} if basket else set()
    context = {"form": form, "basket": shown_basket(actor, basket), "query": request.GET.urlencode()}
    status = HTTPStatus.OK
    if is_asked and form.is_valid():
        wanted = form.wanted
        # A VAR has its stock already: it orders from carriers.
        stock = in_stock(actor.account, wanted) if actor.account.is_customer else []
        offers = [offer for offer in stock if offer.e164 not in chosen]
        ticked = max(wanted.count - len(chosen), 0)
        of_carriers = asked_of_carriers(actor, wanted, chosen)
        found = len(offers) + sum(len(one["offers"]) for one in of_carriers)
        context |= {
            "is_answered": True,
            "understood": in_words(wanted),
            "groups": groups(actor, offers, ticked),
            "carriers": tick(of_carriers, max(ticked - len(offers), 0)),
            "is_cut": len(offers) >= MOST_OFFERS,
            "most": MOST_OFFERS,
            "too_few": found < wanted.count,
            "found": plain(found),
            "elsewhere": elsewhere(actor, wanted) if actor.account.is_customer and not found else [],
            "ask_url": (
                f"{url_of('numbers:order_ask', code)}?{request.GET.urlencode()}" if actor.may("numbers.wish") else ""
            ),
        }
    elif is_asked:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "numbers/order.html", context, status=status)


def asked_of_carriers(actor: Actor, wanted: Wanted, chosen: set[str]) -> list[dict]:
    """What each carrier offers that the account's VAR may order from, or why there is nothing of it."""
    shown, answers = [], list(offered(actor.account, wanted))
    kept_back = chosen | on_the_system([offer.e164 for answer in answers for offer in answer.offers])
    for answer in answers:
        offers = [
            {
                "value": seal_of_carrier(actor.account, answer.provider_id, offer),
                "display": actor.person.written(offer.e164),
                "e164": offer.e164,
                "features": offer.features,
                "price": price(offer.setup, offer.monthly, offer.currency),
            }
            for offer in answer.offers if offer.e164 not in kept_back
        ]  # fmt: skip
        shown.append({"name": answer.name, "problem": answer.problem, "offers": offers})
    return shown


def tick(of_carriers: list[dict], count: int) -> list[dict]:
    """The same with the first ``count`` offers ticked."""
    for one in of_carriers:
        for offer in one["offers"]:
            offer["ticked"], count = count > 0, count - 1
    return of_carriers


def seal(customer: Account, kind: str, *facts: object) -> str:
    """An offer of this kind as a text that only the portal can have written, for this customer."""
    return signing.dumps(facts, salt=f"{kind}.{customer.pk}")


def unsealed(customer: Account, kind: str, texts: list[str]) -> list[list]:
    """The facts in such texts. Raises ``ValidationError`` for old and made-up ones, as another customer's are."""
    found = []
    for text in texts:
        try:
            found.append(signing.loads(text, salt=f"{kind}.{customer.pk}", max_age=OFFERED_SECONDS))
        except signing.BadSignature as error:
            security.log("link.refused", kind="offer")
            raise ValidationError(_("This offer has expired. Search again.")) from error
    return found


def seal_of_carrier(customer: Account, provider_id: int, offer: CarrierOffer) -> str:
    """An offer of a carrier's, with its price as it was said."""
    setup, monthly = (None if amount is None else str(amount) for amount in (offer.setup, offer.monthly))
    return seal(customer, OF_CARRIER, provider_id, offer.e164, setup, monthly, offer.currency)


def offers_of_carriers(customer: Account, texts: list[str]) -> list[tuple[int, CarrierOffer]]:
    """Such offers, each with the provider's id. Raises ``ValidationError``."""
    found = []
    for provider_id, e164, *amounts, currency in unsealed(customer, OF_CARRIER, texts):
        setup, monthly = (None if amount is None else Decimal(amount) for amount in amounts)
        found.append((provider_id, CarrierOffer(e164, setup=setup, monthly=monthly, currency=currency)))
    return found


def elsewhere(actor: Actor, wanted: Wanted) -> list[dict]:
    """Where there are numbers instead: in the country that was meant, or in others."""
    found = areas(actor.account, wanted.code) or areas(actor.account)
    url = url_of("numbers:order", actor.account.code)
    return [
        {
            "area": area,
            "count": plain(count),
            "url": f"{url}?{urlencode({'area': area, 'count': wanted.count})}",
        }
        for area, count in found
    ]


def groups(actor: Actor, offers: list[Offer], ticked: int) -> list[dict]:
    """Offers as they are shown: those of a run together, and as many of the first ``ticked`` as are wanted still."""
    found: dict[str, list[dict]] = {}
    for at, offer in enumerate(offers):
        shown = {
            "value": seal(actor.account, OF_STOCK, offer.pk, offer.e164),
            "display": actor.person.written(offer.e164),
            "e164": offer.e164,
            "provider": offer.provider,
            "features": offer.features,
            "ticked": at < ticked,
        }
        found.setdefault(offer.run, []).append(shown)
    return [{"run": actor.person.written(run) if run else "", "offers": some} for run, some in found.items()]


def shown_basket(actor: Actor, basket: Order | None) -> dict | None:
    """What is in the basket, and how long it is kept."""
    if basket is None:
        return None
    lines = list(OrderLine.in_order(basket).select_related("provider"))
    seconds = int((basket.held_until - timezone.now()).total_seconds())
    return {
        "order": basket,
        "count": ngettext("%(count)s number", "%(count)s numbers", basket.total) % {"count": plain(basket.total)},
        "seconds_left": max(seconds, 0),
        "minutes_left": max(-(-seconds // 60), 0),
        "prices": prices(lines),
        # A carrier keeps nothing until it is ordered.
        "is_kept": any(line.number_id for line in lines),
        "lines": [
            {
                "pk": line.pk,
                "in_stock": line.number_id is not None,
                "display": actor.person.written(line.e164),
                "e164": line.e164,
                "provider": line.provider.name,
                "price": price(line.setup, line.monthly, line.currency),
            }
            for line in lines
        ],
    }


def back_to_search(request, code):
    query = request.POST.get("query", "")[:2000]
    path = url_of("numbers:order", code)
    return redirect(f"{path}?{query}" if query else path)


def ids_in(request, name: str) -> list[int]:
    typed = request.POST.getlist(name)[: 2 * orders.MOST_NUMBERS]
    return [int(text) for text in typed if text.isascii() and text.isdigit() and len(text) < 19]


@require_POST
def choose(request, code):
    """Put the ticked numbers into the basket, or keep those in it for longer.

    A number is named by an offer that was made to this customer, or by a line of the person's own basket; that is also
    what tells its digits where it cannot be had.
    """
    actor, most = request.actor, 2 * orders.MOST_NUMBERS
    try:
        numbers = dict(unsealed(actor.account, OF_STOCK, request.POST.getlist("number")[:most]))
        numbers |= orders.numbers_of_lines(actor, ids_in(request, "line"))
        offers = offers_of_carriers(actor.account, request.POST.getlist("offer")[: orders.MOST_NUMBERS])
        hold(offers)
        outcomes = orders.choose(actor, numbers, offers)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return back_to_search(request, code)
    refused = [
        f"{actor.person.written(numbers[outcome.number_id])}: {outcome.refusal}"
        for outcome in outcomes if outcome.refusal
    ]  # fmt: skip
    for sentence in first_of(refused, NAMED):
        messages.warning(request, sentence)
    return back_to_search(request, code)


@require_POST
def put_back(request, code):
    """Take numbers out of the basket."""
    try:
        orders.put_back(request.actor, ids_in(request, "line"))
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    return back_to_search(request, code)


@require_http_methods(["GET", "HEAD", "POST"])
def review(request, code):
    """Look at the basket once more, and order."""
    actor = request.actor
    form = ReviewForm(actor.account, request.POST if request.method == "POST" else None)
    if form.is_valid():
        order_id = form.cleaned_data["order"]
        try:
            order = orders.confirm(actor, order_id, ids_in(request, "line"), informs=form.cleaned_data["informs"])
        except Order.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirect("orders:order", code, order.pk)
    basket = shown_basket(actor, orders.basket_of(actor))
    if basket is None:
        messages.info(request, _("There is nothing in the basket."))
        return redirect("numbers:order", code)
    context = {
        "form": form,
        "basket": basket,
        "waits": actor.account.orders_need_approval,
        "order_url": url_of("numbers:order", code),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "numbers/order_review.html", context, status=status)
