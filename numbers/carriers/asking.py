"""All carriers are asked what they have for sale; one that does not answer is left alone for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.translation import gettext as _

from numbers.carriers import CarrierError, CarrierOffer, Configured, NotReached, Refused, configured
from numbers.models import Provider

if TYPE_CHECKING:
    from accounts.models import Account
    from numbers.listing.offers import Wanted

log = logging.getLogger(__name__)
#: So many offers are asked for, of each carrier: twice what is wanted, and for numbers in a row as many as may be.
FEWEST, MOST = 20, 100
#: So often a carrier may fail to answer in a row, and so long nobody waits for it then.
FAILURES, LEFT_ALONE_SECONDS = 3, 60
#: Seconds for a list of all that a carrier holds.
LISTED_WITHIN = 20
#: So many of a process's threads may be waiting for carriers.
ROOM = BoundedSemaphore(2)


@dataclass(frozen=True)
class Answer:
    """What a carrier offers, or why there is nothing of it, in a sentence."""

    name: str
    provider_id: int
    offers: tuple[CarrierOffer, ...] = ()
    problem: str = ""


def offered(customer: Account, wanted: Wanted) -> Iterator[Answer]:
    """What the carriers have that the customer's VAR may order from."""
    serving = {name: one for name, one in configured().items() if one.serves(customer.parent.code)}
    if not serving:
        return
    for provider in Provider.objects.filter(name__in=serving).order_by("name_folded", "pk"):
        setting, failures = serving[provider.name], f"carrier-failures:{provider.pk}"
        if not wanted.region:
            yield Answer(provider.name, provider.pk, problem=_("Choose a country, and this carrier is asked too."))
            continue
        if cache.get(failures, 0) >= FAILURES:
            problem = _("It does not answer at present and is left out; it is asked again in a minute.")
            yield Answer(provider.name, provider.pk, problem=problem)
            continue
        # While a carrier is slow, pages of others must have threads left.
        if not ROOM.acquire(blocking=False):
            yield Answer(provider.name, provider.pk, problem=_("Others are asking it at this moment. Search again."))
            continue
        try:
            most = MOST if wanted.in_a_row else min(max(FEWEST, 2 * wanted.count), MOST)
            offers = [offer for offer in setting.carrier.search(wanted, most) if fits(offer, wanted)]
        except CarrierError as error:
            if not isinstance(error, Refused):
                count = FAILURES if isinstance(error, NotReached) and error.after else cache.get(failures, 0) + 1
                cache.set(failures, count, LEFT_ALONE_SECONDS)
            yield Answer(provider.name, provider.pk, problem=str(error))
            continue
        finally:
            ROOM.release()
        cache.delete(failures)
        yield Answer(provider.name, provider.pk, tuple(rows(offers, wanted) if wanted.in_a_row else offers))


def hold(offers: Collection[tuple[int, CarrierOffer]]) -> None:
    """Have carriers keep what somebody has chosen, each with the provider's id, before it is ordered. Where a carrier
    does not, nothing is lost: it may sell the number to others meanwhile."""
    names = dict(
        Provider.objects.filter(pk__in={provider_id for provider_id, _offer in offers}).values_list("pk", "name")
    )
    for provider_id, name in names.items():
        setting = configured().get(name)
        if setting is None or not ROOM.acquire(blocking=False):
            continue
        try:
            setting.carrier.hold([offer.e164 for of, offer in offers if of == provider_id])
        except CarrierError as error:
            log.info("Carrier %s keeps nothing: %r", name, error)
        finally:
            ROOM.release()


def telling(var: Account) -> dict[str, Configured]:
    """The carriers that can say what they hold for this VAR, by name: all that they hold is its own."""
    return {name: one for name, one in configured().items() if one.serves_alone(var.code)}


def held(var: Account, provider: Provider) -> list[str]:
    """All numbers that a carrier says it holds for this VAR, while somebody waits.

    Raises ``CarrierError``: also where it takes too long, for then its statement is the way.
    """
    setting = telling(var).get(provider.name)
    if setting is None:
        raise Refused(_("This carrier cannot be asked for what is yours alone: send its statement."))
    if not ROOM.acquire(blocking=False):
        raise NotReached(_("Others are asking carriers at this moment. Try again in a few seconds."))
    try:
        found, began = [], time.monotonic()
        for page in setting.carrier.held():
            found += page
            if time.monotonic() - began > LISTED_WITHIN:
                raise NotReached(_("It holds more than it can tell while you wait: send its statement instead."))
        return found
    finally:
        ROOM.release()


def fits(offer: CarrierOffer, wanted: Wanted) -> bool:
    """Whether it is what was asked for: some carriers look for a piece in a few digits only, or anywhere for how a
    number begins."""
    return offer.e164.startswith(f"+{wanted.code}{wanted.area}") and wanted.piece in offer.e164


def rows(offers: list[CarrierOffer], wanted: Wanted) -> list[CarrierOffer]:
    """Of these, the first so many that follow one another as are wanted; nothing where there are not so many."""
    found = sorted(offers, key=lambda offer: int(offer.e164[1:]))
    run = found[:1]
    for before, offer in pairwise(found):
        run = [*run, offer] if int(offer.e164[1:]) == int(before.e164[1:]) + 1 else [offer]
        if len(run) == wanted.count:
            return run
    return run if len(run) == wanted.count else []
