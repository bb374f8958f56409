"""People read their notices, and choose how they receive them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connection, transaction
from django.utils import timezone

from accounts import notices
from accounts.actor import Actor
from accounts.models import Account, Notice, Person
from accounts.rules import standing


def forget_unfounded_notices(person: Person) -> None:
    """Remove a person's notices about other accounts that they may not see any more: a grant or a consent has ended.
    Those about accounts that are suspended stay: these may come back."""
    with connection.outside():
        elsewhere = Notice.from_elsewhere(person)
        pairs = set(elsewhere.order_by().values_list("account_id", "kind").distinct())
        for account in Account.with_ids(sorted({pk for pk, _kind in pairs})):
            found = standing(person, account.code)
            if found is not None and found.closed:
                continue
            kinds = [kind for pk, kind in pairs if pk == account.pk and not notices.may_receive(person, account, kind)]
            if kinds:
                elsewhere.filter(account=account, kind__in=kinds).delete()


@transaction.atomic
def read_notice(actor: Actor, notice_id: int) -> Notice:
    """Mark one of the acting person's notices as read. Raises ``Notice.DoesNotExist`` for everybody else's, and for
    those that they may not see any more."""
    forget_unfounded_notices(actor.person)
    notice = Notice.of(actor.person).select_related("account").select_for_update(of=("self",)).get(pk=notice_id)
    if notice.read_at is None:
        notice.read_at = timezone.now()
        notice.save(update_fields=["read_at"])
    return notice


@transaction.atomic
def read_all_notices(actor: Actor) -> int:
    """Mark all of the acting person's notices as read; how many were not."""
    return Notice.of(actor.person).unread().update(read_at=timezone.now())


@transaction.atomic
def choose_channels(actor: Actor, chosen: Mapping[str, notices.Channels]) -> Person:
    """Store how the acting person wants to receive each kind of notice."""
    person = Person.objects.select_for_update(no_key=True).get(pk=actor.person.pk)
    written = {kind: {"page": one.page, "mail": one.mail} for kind, one in chosen.items()}
    person.channels = person.channels | written
    person.save(update_fields=["channels"])
    return person


@transaction.atomic
def stop_mail(person_id: int, kinds: Collection[str]) -> bool:
    """Stop mail about these kinds of notices to a person, including mail that is still waiting; whether there was any
    to stop. For a link whose signature was checked. Has no effect for a deleted person, and can be repeated."""
    person = Person.objects.select_for_update(no_key=True).filter(pk=person_id).first()
    if person is None or notices.is_mail_off(person, kinds):
        return False
    for kind in notices.KINDS.keys() & set(kinds):
        person.channels[kind] = {"page": notices.channels(person, kind).page, "mail": notices.OFF}
    person.save(update_fields=["channels"])
    return True
