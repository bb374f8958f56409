"""Who may work in which account that is not their own. Decided anew at every request, from what holds now."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actor import Actor
from accounts.models import Access, Account, Grant, Person


@dataclass(frozen=True)
class Standing:
    """What a person is to an account below their own: the accounts that lead there, and whether they may change it."""

    person: Person
    chain: tuple[Account, ...]
    manages: bool

    @property
    def account(self) -> Account:
        return self.chain[-1]

    @property
    def closed(self) -> Account | None:
        """The account on the way that is suspended or closed; while there is one nobody gets further."""
        return next((account for account in self.chain if not account.is_open), None)

    def actor(self, access: Access) -> Actor:
        """The person, working in the account."""
        return Actor(person=self.person, account=self.account, chain=self.chain, access=access)


def standing(person: Person, code: str) -> Standing | None:
    """What ``person`` is to the account called ``code``; None where they are nothing to it, and where there is none.

    An administrator of an account above manages it. A support agent has what was granted, on the account itself or on
    one between their own and it.
    """
    # Asked whether there is such an account or not: otherwise how long it takes would tell.
    granted = Grant.names_by_account(person) if person.role == Person.Role.SUPPORT else {}
    account = Account.called(code)
    chain = account.path_from(person.account) if account else None
    if chain is None or len(chain) < 2:
        return None
    if person.role == Person.Role.ADMINISTRATOR:
        return Standing(person, chain, manages=True)
    names = {name for step in chain[1:] for name in granted.get(step.pk, ())}
    if names & {"view_account", "manage_account"}:
        return Standing(person, chain, manages="manage_account" in names)
    return None


#: kind of account -> the roles that people can have in it
ROLES = {
    Account.Kind.SYSTEM: (Person.Role.ADMINISTRATOR, Person.Role.SUPPORT, Person.Role.USER),
    Account.Kind.VAR: (Person.Role.ADMINISTRATOR, Person.Role.SUPPORT, Person.Role.USER),
    Account.Kind.COMPANY: (Person.Role.ADMINISTRATOR, Person.Role.USER),
    Account.Kind.PROFESSIONAL: (Person.Role.ADMINISTRATOR,),
}


def possible_roles(account_kind: str) -> tuple[Person.Role, ...]:
    """The roles that people can have in an account of this kind."""
    return ROLES[Account.Kind(account_kind)]


def invitable_roles(actor: Actor) -> tuple[Person.Role, ...]:
    """The roles in which the actor may invite: whoever works in somebody else's account leaves no administrator there
    who stays when they go."""
    roles = possible_roles(actor.account.kind)
    return tuple(role for role in roles if role == Person.Role.USER) if actor.is_inside else roles


def leaves_administrators(actor: Actor) -> bool:
    """Whether the actor may leave administrators in accounts below: those are theirs to enter for good. What a support
    agent may do ends with what was granted, and an administrator whom they invited would stay."""
    return actor.person.role == Person.Role.ADMINISTRATOR
