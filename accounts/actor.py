"""Who acts, and in which account."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from accounts import policy

if TYPE_CHECKING:
    from accounts.models import Access, Account, Person


@dataclass(frozen=True)
class Actor:
    """The person at the keyboard, the account that is acted in, and the accounts that led there.

    ``chain`` begins with the person's home account and ends with ``account``; at home it has that one element.
    ``access`` is what lets them work in an account that is not their own.
    """

    person: Person
    account: Account
    chain: tuple[Account, ...]
    access: Access | None = None

    @classmethod
    def at_home(cls, person: Person) -> Actor:
        """The person in their own account."""
        return cls(person=person, account=person.account, chain=(person.account,))

    @property
    def is_shut_out(self) -> bool:
        """Whether the person's own account is suspended or closed; who could ever open the system's?"""
        return not self.person.account.is_open and self.person.account.parent_id is not None

    @property
    def is_inside(self) -> bool:
        """Whether this is somebody else's account."""
        return self.access is not None

    @property
    def is_viewing(self) -> bool:
        """Whether nothing may be changed, whatever the role."""
        return self.access is not None and not self.access.manages

    @property
    def is_support(self) -> bool:
        """Whether this is a support agent at home, who sees just the accounts that were granted."""
        return self.access is None and self.person.role == "support"

    @cached_property
    def role(self) -> policy.Role:
        """What this person is in the account that is acted in."""
        if self.is_inside:
            return policy.role_inside(self.account.kind)
        return policy.role_of(self.account.kind, self.person.role)

    @property
    def role_label(self) -> str:
        return str(self.role.label)

    def may(self, permission: str) -> bool:
        """Whether the policy gives this actor ``permission`` here."""
        return policy.allows(self.role, permission, inside=self.is_inside, viewing=self.is_viewing)
