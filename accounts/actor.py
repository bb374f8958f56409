"""Who acts, and in which account."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from accounts import policy

if TYPE_CHECKING:
    from accounts.models import Account, Person


@dataclass(frozen=True)
class Actor:
    """The person at the keyboard, the account that is acted in, and the accounts that led there.

    ``chain`` begins with the person's home account and ends with ``account``; at home it has that one element.
    """

    person: Person
    account: Account
    chain: tuple[Account, ...]

    @classmethod
    def at_home(cls, person: Person) -> Actor:
        """The person in their own account."""
        return cls(person=person, account=person.account, chain=(person.account,))

    @cached_property
    def role(self) -> policy.Role:
        """What this person is in the account that is acted in."""
        return policy.role_of(self.account.kind, self.person.role)

    @property
    def role_label(self) -> str:
        return self.role.label

    def may(self, permission: str) -> bool:
        """Whether the policy gives this actor ``permission`` here."""
        return policy.allows(self.role, permission)
