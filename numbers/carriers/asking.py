"""All carriers are asked what they have for sale; one that does not answer is left alone for a while."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from django.core.cache import cache, caches
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from numbers.carriers import CarrierError, CarrierOffer, Configured, Held, Missing, NotReached, Refused, configured
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
#: So many calls to carriers go on at once in a process, while somebody waits; others wait so many seconds for a place.
ROOM, QUEUED_SECONDS = BoundedSemaphore(8), 2.0
#: What a carrier has for sale is not asked for again for so long.
KEPT_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """What a carrier offers, or why there is nothing of it, in a sentence."""

    name: str
    provider_id: int
    offers: tuple[CarrierOffer, ...] = ()
    problem: str = ""


def offered(buyer: Account, wanted: Wanted) -> Iterator[Answer]:
    """What the carriers have that a VAR, or the VAR of this customer, may order from."""
    var = buyer.parent if buyer.is_customer else buyer
    serving = {name: one for name, one in configured().items() if one.serves(var.code)}
    if not serving:
        return
    providers = list(Provider.objects.filter(name__in=serving).order_by("name_folded", "pk"))
    if not wanted.region:
        for provider in providers:
            yield Answer(provider.name, provider.pk, problem=_("Choose a country to search this carrier too."))
        return
    known = {provider.pk: kept(provider, wanted) for provider in providers}
    asked = [provider for provider in providers if known[provider.pk] is None]
    if asked:
        # Nothing in these threads touches the database, or the language, which each thread has for itself.
        language = get_language()
        with ThreadPoolExecutor(len(asked)) as pool:
            jobs = [pool.submit(found, serving[provider.name], wanted, language) for provider in asked]
            outcomes = [job.result() for job in jobs]
        for provider, outcome in zip(asked, outcomes, strict=True):
            known[provider.pk] = answer_of(provider, wanted, outcome)
    yield from known.values()


def kept(provider: Provider, wanted: Wanted) -> Answer | None:
    """What is known of a carrier without asking it: the same was asked a moment ago, or it does not answer now."""
    if cache.get(failures_of(provider), 0) >= FAILURES:
        problem = _("It does not answer at present and is left out. The portal tries again in a minute.")
        return Answer(provider.name, provider.pk, problem=problem)
    return caches["process"].get(key_of(provider, wanted))


def failures_of(provider: Provider) -> str:
    return f"carrier-failures:{provider.pk}"


def key_of(provider: Provider, wanted: Wanted) -> str:
    """The key of an answer in the cache. The setting is part of it, because another account has other numbers, and when
    somebody chose one of the carrier's last: that one is not offered to others."""
    facts = (configured()[provider.name], wanted, cache.get(chosen_of(provider.pk)))
    return "carrier-offers:" + hashlib.sha256(repr(facts).encode()).hexdigest()


def chosen_of(provider_id: int) -> str:
    return f"carrier-chosen:{provider_id}"


def found(setting: Configured, wanted: Wanted, language: str) -> list[CarrierOffer] | CarrierError:
    """What a carrier has of what is wanted, or why there is nothing of it. Touches no database."""
    with override(language):
        # While a carrier is slow, pages of others must have threads left: some wait a moment, more are turned away.
        if not ROOM.acquire(timeout=QUEUED_SECONDS):
            return Crowded(_("Other searches are using it at the moment. Search again."))
        try:
            most = MOST if wanted.in_a_row else min(max(FEWEST, 2 * wanted.count), MOST)
            return [offer for offer in setting.carrier.search(wanted, most) if fits(offer, wanted)][:most]
        except Missing:
            return []
        except CarrierError as error:
            return error
        finally:
            ROOM.release()


class Crowded(CarrierError):
    """Too many people are asking carriers: no carrier was asked."""


def answer_of(provider: Provider, wanted: Wanted, outcome: list[CarrierOffer] | CarrierError) -> Answer:
    """A carrier's answer; what it has is kept for a minute, and that it does not answer is counted."""
    if isinstance(outcome, CarrierError):
        if not isinstance(outcome, (Refused, Crowded)):
            log.warning("Carrier %s offers nothing: %s", provider.name, type(outcome).__name__)
            is_busy = isinstance(outcome, NotReached) and outcome.after
            count = FAILURES if is_busy else cache.get(failures_of(provider), 0) + 1
            cache.set(failures_of(provider), count, LEFT_ALONE_SECONDS)
        return Answer(provider.name, provider.pk, problem=str(outcome))
    cache.delete(failures_of(provider))
    answer = Answer(provider.name, provider.pk, tuple(rows(outcome, wanted) if wanted.in_a_row else outcome))
    caches["process"].set(key_of(provider, wanted), answer, KEPT_SECONDS)
    return answer


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
        cache.set(chosen_of(provider_id), time.time(), KEPT_SECONDS)
        try:
            setting.carrier.hold([offer.e164 for of, offer in offers if of == provider_id])
        except CarrierError as error:
            log.info("Carrier %s keeps nothing: %s", name, type(error).__name__)
        finally:
            ROOM.release()


def telling(var: Account) -> dict[str, Configured]:
    """The carriers that can say what they hold for this VAR, by name: all that they hold is its own."""
    return {name: one for name, one in configured().items() if one.serves_alone(var.code)}


def held(var: Account, provider: Provider) -> list[Held]:
    """All numbers that a carrier says it holds for this VAR, while somebody waits, those that cannot be used too.

    Raises ``CarrierError``: also where it takes too long, for then its statement is the way.
    """
    setting = telling(var).get(provider.name)
    if setting is None:
        raise Refused(_("This carrier cannot list only your numbers. Send its statement."))
    if not ROOM.acquire(blocking=False):
        raise NotReached(_("Other searches are using the carriers at the moment. Try again in a few seconds."))
    try:
        found: dict[str, Held] = {}
        began = time.monotonic()
        for page in setting.carrier.held():
            for one in page:
                # One that was deleted or ported, and bought again, is listed twice.
                if one.e164 not in found or found[one.e164].state:
                    found[one.e164] = one
            if time.monotonic() - began > LISTED_WITHIN:
                raise NotReached(
                    _("It holds more numbers than can be read while you wait. Send its statement instead.")
                )
        return list(found.values())
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
