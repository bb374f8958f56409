"""A number looked up by a support agent: in which of the accounts that were granted to them it is.

No more is told than that, because nobody has entered the account yet. An account that wants to be asked before somebody
works in it is not searched.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Account, Grant, Person
from accounts.rules import standing
from accounts.scope import scope
from numbers.models import PhoneNumber
from portal.listings import containing

#: So many granted accounts are searched, and so many numbers told of each.
MOST_ACCOUNTS, MOST_NUMBERS = 50, 5
#: Fewer digits would fit too many numbers.
LEAST_DIGITS = 4


@dataclass(frozen=True)
class Found:
    """A number, in E.164, and the granted account that it is in."""

    e164: str
    account: Account


def granted_numbers(agent: Person, spellings: tuple[str, ...]) -> list[Found]:
    """The numbers in the accounts granted to ``agent`` in which one of the ``spellings`` of a piece of a number occurs,
    by account. Raises nothing: what is too short finds nothing."""
    wanted = [text for text in spellings if len(text.lstrip("+")) >= LEAST_DIGITS]
    if not wanted:
        return []
    accounts = {}
    for grant in Grant.live_of(agent).select_related("content_object").order_by("content_object__name_folded", "pk"):
        accounts.setdefault(grant.content_object_id, grant.content_object)
    found = []
    for account in [account for account in accounts.values() if may_be_searched(agent, account)][:MOST_ACCOUNTS]:
        with scope(account):
            numbers = containing(PhoneNumber.held_in(account), "e164", tuple(wanted)).order_by("digits")
            found += [Found(e164, account) for e164 in numbers.values_list("e164", flat=True)[:MOST_NUMBERS]]
    return found


def may_be_searched(agent: Person, account: Account) -> bool:
    """Whether the agent could enter the account without asking: it and those above it are open."""
    found = standing(agent, account.code)
    return found is not None and not found.closed and not account.asks_consent
