"""Notices: their kinds, who receives them, and by which channels.

An action calls ``notify`` in its own transaction, so that its change and the notices of it are stored together or not
at all. The page of notices and mail both read these rows. Apps above this one add their kinds with ``register``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts.models import Access, Account, Notice, Person
from accounts.policy import allows, role_inside, role_of
from accounts.rules import standing
from portal import texts
from portal.pages import plain, url_of

#: The worker's task that mails a person's notices, ``accounts.tasks.mail_notices``.
MAIL_TASK = "accounts.mail_notices"
#: What happens within so many seconds comes in one mail.
GATHERED_SECONDS = 20
#: How many people of an account receive a notice, and how many lines of details it keeps, at most.
MOST_RECIPIENTS, MOST_LINES = 100, 100
OFF, ONCE, DAILY = "off", "once", "daily"


@dataclass(frozen=True)
class Kind:
    """A kind of notice: its label, who may receive it, the usual channel, and its words.

    ``permission`` is what a person needs in the account to receive it. ``words`` makes the sentence from the facts and
    how often it happened; ``address`` names the page it leads to, from the account's code and the facts. ``lines`` are
    details for mail; ``of`` is the only kind of account that has such notices, where others have none.
    """

    label: str
    permission: str
    words: Callable[[Mapping[str, Any], int], str]
    address: Callable[[str, Mapping[str, Any]], str]
    mail: str = OFF
    lines: Callable[[Mapping[str, Any], Callable[[str], str]], Iterable[str]] = field(default=lambda facts, written: ())
    of: str = ""


KINDS: dict[str, Kind] = {}


def register(kinds: Mapping[str, Kind]) -> None:
    """Add kinds of notices of an app."""
    KINDS.update(kinds)


def of_access(facts: Mapping[str, Any], count: int) -> str:
    if facts["asks"]:
        return _("%(person)s of %(home)s requests access to the account.") % facts
    if count > 1:
        said = ngettext(
            "%(person)s of %(home)s has entered the account %(count)s time today.",
            "%(person)s of %(home)s has entered the account %(count)s times today.",
            count,
        )
        return said % {**facts, "count": plain(count)}
    return _("%(person)s of %(home)s has entered the account.") % facts


def of_trouble(facts: Mapping[str, Any], count: int) -> str:
    said = {
        "failed": _("%(count)s background tasks failed for good: %(what)s. The log of the worker says why."),
        "waiting": _("Background tasks have been waiting for %(minutes)s minutes: there are no workers, or too few."),
        "backup": _("The last recorded back-up is %(hours)s hours old."),
    }
    return said[facts["part"]] % facts


register(
    {
        "access": Kind(
            _("Access to the account"),
            "access.view",
            of_access,
            lambda code, facts: url_of("access", code),
        ),
        "trouble": Kind(
            _("Worker and back-up problems"),
            "systems.view",
            of_trouble,
            lambda code, facts: url_of("account_home", code),
            mail=ONCE,
            of="system",
        ),
    }
)


@dataclass(frozen=True)
class Channels:
    """Where a person receives a kind of notice: on the page, and by mail *at once*, *daily* or not at all."""

    page: bool
    mail: str


def channels(person: Person, kind: str) -> Channels:
    """What this person has chosen for a kind, or what is usual."""
    chosen = person.channels.get(kind, {})
    return Channels(chosen.get("page", True), chosen.get("mail", KINDS[kind].mail))


def is_mail_off(person: Person, kinds: Collection[str]) -> bool:
    """Whether a person gets no mail about any of these kinds."""
    return all(channels(person, kind).mail == OFF for kind in KINDS.keys() & set(kinds))


def may_receive(person: Person, account: Account, kind: str) -> bool:
    """Whether the person may at present see what such a notice is about in the account.

    In another account than their own: whether they could enter it, and with its consent are in it if it asks for that.
    """
    permission = KINDS[kind].permission
    if not (person.is_active and person.has_joined and person.account.is_open):
        return False
    if person.account_id == account.pk:
        return allows(role_of(account.kind, person.role), permission)
    found = standing(person, account.code)
    if found is None or found.closed:
        return False
    if account.asks_consent and not Access.of(person).filter(account=account).consented(timezone.now()).exists():
        return False
    return allows(role_inside(account.kind), permission, inside=True, viewing=not found.manages)


def kinds_of(person: Person) -> dict[str, Kind]:
    """The kinds of notices that this person can receive, about their own account or those below it."""
    kinds = [person.account.kind]
    if person.role in (Person.Role.ADMINISTRATOR, Person.Role.SUPPORT):
        kinds += {"system": ["var", "company", "professional"], "var": ["company", "professional"]}.get(kinds[0], [])
    roles = [(kinds[0], role_of(kinds[0], person.role)), *((kind, role_inside(kind)) for kind in kinds[1:])]
    return {
        name: kind
        for name, kind in KINDS.items()
        if any(
            kind.of in ("", account) and allows(role, kind.permission, inside=turn > 0)
            for turn, (account, role) in enumerate(roles)
        )
    }


def notify(
    kind: str,
    account: Account,
    facts: Mapping[str, Any],
    *,
    key: str,
    by: Person | None = None,
    counts: int = 0,
) -> None:
    """Write a notice of something that happened in an account, in this transaction, for everybody who may see it there.
    If it was started ``by`` somebody, only that person receives it, as long as they may see it.

    A second notice with the same ``key`` is left out; with ``counts``, that number is added to the first one, which
    becomes unread again. Each person receives it through the channels that they have chosen. Recipients may belong to
    any account, so notices are written outside the scope of the page.
    """
    with transaction.atomic(), connection.outside():
        people = [
            person for person in recipients_of(kind, account, by) if channels(person, kind) != Channels(False, OFF)
        ]
        if not people:
            return
        to_mail = write(kind, account, facts, key, people, counts)
        for pk in to_mail:
            queue_mail(pk, GATHERED_SECONDS)


def recipients_of(kind: str, account: Account, by: Person | None) -> list[Person]:
    """Who receives it. If the person who started it may no longer see it, the account's administrators do."""
    if by is not None:
        found = Person.objects.joined().select_related("account").filter(pk=by.pk).first()
        if found is not None and may_receive(found, account, kind):
            return [found]
    roles = [role for role in Person.Role.values if allows(role_of(account.kind, role), KINDS[kind].permission)]
    people = Person.objects.joined().filter(account=account, role__in=roles).select_related("account")
    return list(people.order_by("pk")[:MOST_RECIPIENTS])


def write(
    kind: str, account: Account, facts: Mapping[str, Any], key: str, people: list[Person], counts: int
) -> list[int]:
    """Write a notice for each person; the ids of those to whom a new one is to be mailed at once."""
    chosen = [channels(person, kind) for person in people]
    again = (
        "DO UPDATE SET count = accounts_notice.count + EXCLUDED.count, facts = EXCLUDED.facts, at = EXCLUDED.at,"
        " read_at = NULL"
        if counts
        else "DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_notice (person_id, account_id, kind, key, facts, count, at, on_page, mail)"  # noqa: S608
            " SELECT v.person, %s, %s, %s, %s, %s, now(), v.on_page, v.mail"
            " FROM unnest(%s::bigint[], %s::boolean[], %s::text[]) AS v (person, on_page, mail)"
            f" ON CONFLICT (person_id, key) {again} RETURNING person_id, xmax = 0 AND mail = 'once'",
            [
                account.pk, kind, key, json.dumps(dict(facts)), max(counts, 1), [person.pk for person in people],
                [one.page for one in chosen], ["" if one.mail == OFF else one.mail for one in chosen],
            ],
        )  # fmt: skip
        return [pk for pk, is_due in cursor.fetchall() if is_due]


def queue_mail(person_id: int, seconds: int, *, daily: bool = False) -> None:
    """Have the worker mail a person's notices, in this transaction. Does nothing if that is already queued."""
    name = f"notices:{person_id}:{'daily' if daily else 'once'}"
    try:
        with transaction.atomic():
            task = app.configure_task(MAIL_TASK, queueing_lock=name, schedule_in={"seconds": seconds})
            task.defer(person_id=person_id, daily=daily)
    except AlreadyEnqueued:
        pass  # it takes all that waits by then


def sentence(notice: Notice) -> str:
    """What a notice says, for a page."""
    kind = KINDS.get(notice.kind)
    return str(kind.words(notice.facts, notice.count)) if kind else ""


def sentence_for_mail(notice: Notice) -> str:
    """The same for a mail: what people typed is quoted, and leads nowhere."""
    facts = {
        name: f"“{texts.in_mail(value, LENGTHS.get(name, texts.LONGEST_IN_MAIL))}”"
        if isinstance(value, str) and value and name not in WORDS
        else value
        for name, value in notice.facts.items()
    }
    return str(KINDS[notice.kind].words(facts, notice.count))


#: Texts that are of no use when they are cut, with their greatest length.
LENGTHS = {"wish": 300}
#: Facts that are words of the portal's own and name things inside it; nobody has typed them.
WORDS = frozenset({"part", "state", "verb", "code", "prefix"})
