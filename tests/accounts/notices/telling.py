"""What tests of notices share: notices are written, counted and chosen."""

from accounts import actions, notices
from accounts.actor import Actor
from accounts.models import Notice
from accounts.notices import Channels
from tests import factories

FACTS = {"order": 7, "customer": "Acme Corp", "person": "Ann", "wish": "", "note": "", "state": "waiting", "reason": "",
         "total": 2, "active": 0, "failed": 0, "lines": [["+15145550001", "Pending", ""]]}  # fmt: skip


def tell(account, kind="order_waiting", key="order:7:waiting", **options):
    notices.notify(kind, account, FACTS | options.pop("facts", {}), key=key, **options)


def told(person):
    return sorted(Notice.unscoped.filter(person=person).values_list("kind", "count"))


def choose(person, kind, page, mailed):
    actions.choose_channels(Actor.at_home(person), {kind: Channels(page, mailed)})
    person.refresh_from_db()


def make_person(account, **facts):
    """Somebody who has chosen a password: an address is nobody's before that."""
    return factories.make_person(account, password="demo-portal-2026", **facts)
