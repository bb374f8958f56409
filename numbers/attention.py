"""What waits for somebody in an account: shown on its home page, nothing where nothing waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.actor import Actor
from accounts.models import Account
from numbers.models import Import, Job, Order, PhoneNumber
from portal import health
from portal.pages import plain, url_of

#: What went wrong is told for so long, and a reservation that ends so soon.
DAYS = timedelta(days=7)


@dataclass(frozen=True)
class Matter:
    """Something that waits: a sentence, and the page where it is looked after."""

    text: str
    url: str


def attention(actor: Actor) -> list[Matter]:
    """What the actor can look after in the account that is acted in, the most urgent first."""
    now, code, found = timezone.now(), actor.account.code, []
    if actor.account.kind == Account.Kind.SYSTEM and actor.may("systems.view"):
        # Nobody is told of this by mail, which a worker sends. The question is asked over a connection of its own.
        has_none = bool((health.probe.result() or {}).get("worker"))
        said = _("No worker runs: orders, imports, jobs and mail wait. Start one.")
        found.append((int(has_none), said, reverse("help_topic", args=[code, "notices"])))
    if actor.may("orders.approve"):
        count = Order.visible_to(actor).filter(state__in=Order.UNDECIDED).count()
        said = ngettext("%(count)s order waits for you.", "%(count)s orders wait for you.", count)
        found.append((count, said, f"{url_of('orders:list', code)}?filter=waiting"))
    if actor.may("jobs.view"):
        failed = Q(state=Job.State.STOPPED) | Q(state=Job.State.DONE, refused__gt=0)
        count = Job.visible_to(actor).filter(failed, ended_at__gt=now - DAYS).count()
        said = ngettext(
            "%(count)s job of this week could not change every number.",
            "%(count)s jobs of this week could not change every number.",
            count,
        )
        found.append((count, said, url_of("numbers:jobs", code)))
    if actor.may("numbers.import"):
        count = Import.visible_to(actor).filter(state=Import.State.DRAFT, as_of__gt=now - DAYS).count()
        said = ngettext("%(count)s file is not applied yet.", "%(count)s files are not applied yet.", count)
        found.append((count, said, url_of("numbers:imports", code)))
    if actor.account.kind == Account.Kind.VAR and actor.may("numbers.reserve"):
        count = PhoneNumber.visible_to(actor).filter(reserved_until__gt=now, reserved_until__lt=now + DAYS).count()
        said = ngettext(
            "%(count)s reservation ends within seven days.", "%(count)s reservations end within seven days.", count
        )
        found.append((count, said, f"{url_of('numbers:list', code)}?filter=reserved"))
    return [Matter(said % {"count": plain(count)}, url) for count, said, url in found if count]
