"""Two identical trees of accounts, everybody who may meet them, and what each person has in each account.

The first tree's VAR has one more company, the sibling, with something of each kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from uuid import uuid4

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from accounts.models import Access, Account, Grant, Notice, Person
from numbers.models import (
    CallEvent,
    Destination,
    Import,
    Job,
    Order,
    PhoneNumber,
    Release,
    StockLevel,
    TelephoneSystem,
)
from tests.access.addresses import NoBuilder
from tests.access.identities import Identity
from tests.access.rows import Rows, Tree, restart_ids
from tests.factories import grant, make_provider
from webphone.models import Call, Location

KINDS = ("var", "company", "professional")
GRANTS = ("view_account", "manage_account")
#: Kinds of account and roles that are no administrator's.
ELSE = (("var", "support"), ("var", "user"), ("company", "user"))


class World(Rows):
    """The system, the trees A and B, the sibling of A's customers, and people in them."""

    def __init__(self):
        restart_ids(6_000_001)
        self.rows = []
        #: tree, kind of account, role, and which of several
        self.people: dict[tuple, Person] = {}
        self.system = Account.unscoped.create(kind="system", code="SYS", name="The System", contact="System Contact")
        for role, turn in (("administrator", 1), ("administrator", 2), ("user", 1)):
            self.people["", "system", role, turn] = self.make_person(self.system, role, f"s{turn}")
        self.provider, self.former_provider = make_provider(), make_provider("Formerly")
        self.telephone_system(self.system, self.system_boss)
        restart_ids(7_000_001)
        self.a = self.make_tree("A", 700)
        restart_ids(7_500_001)
        self.sibling = self.make_sibling("S", 750)
        restart_ids(8_000_001)
        self.b = self.make_tree("B", 800)
        restart_ids(9_000_001)

    # Making

    @staticmethod
    def accounts(letter: str, first: int) -> Callable[[str, Account, str], Account]:
        """What makes the accounts of a tree, by kind, parent and code."""

        def account(kind, parent, code):
            facts = {
                "contact": f"Contact {letter}",
                "email": f"{code.lower()}@example.com",
                "phone": f"+4930{first}0001",
            }
            return Account.unscoped.create(
                kind=kind, parent=parent, code=code, name=f"The {kind} {letter}{len(code)}{code[-1]}", **facts
            )

        return account

    def make_tree(self, letter: str, first: int) -> Tree:
        account = self.accounts(letter, first)
        var = account("var", self.system, f"V{first}1")
        tree = Tree(letter, var, account("company", var, f"C{first}01"), account("professional", var, f"P{first}01"))
        tree.rows += tree.accounts
        # One more of each kind that may be below another, to be closed, moved or mistaken.
        self.kept(account("company", var, f"C{first}02"), tree)
        for kind, role in (*((kind, "administrator") for kind in KINDS), *ELSE):
            # Two of each: one acts, the other is acted upon.
            for turn in (1, 2):
                person = self.make_person(tree.account(kind), role, f"{letter.lower()}{turn}", tree)
                self.people[letter, kind, role, turn] = person
        boss = self.people[letter, "var", "administrator", 1]
        # Agents of the system and of the VAR, for each kind of grant: what was granted decides who they are.
        for home, granted in product((self.system, var), GRANTS):
            agent = self.make_person(home, "support", f"{letter.lower()}{granted}", tree)
            self.people[letter, home.kind, "support", granted] = agent
            for below in (var,) if home == self.system else (tree.company, tree.professional):
                given = self.kept(grant(agent, below, granted), tree)
                Grant.objects.filter(pk=given.pk).update(granted_by=boss if home == var else self.system_boss)
        for customer in (tree.company, tree.professional):
            for turn, use in enumerate((("user", ""), ("service", "fax"), ("group", ""))):
                self.number(tree, destination=self.rings(tree, customer, *use, f"{first}{turn}"), active=turn == 0)
            for _turn in range(2):  # in a row
                self.number(tree, customer=customer)
        soon = timezone.now() + timedelta(days=2)
        for _turn in range(2):
            self.number(tree, var=var)
        self.number(tree, var=var, reserved_for=tree.company, reserved_until=soon)
        self.number(tree, var=var, cooling_until=soon, last_holder=tree.professional)
        self.keep_past(tree)
        for acting in tree.accounts:
            self.accesses(tree, acting, boss)
            self.jobs(tree, acting, boss)
        for customer in (tree.company, tree.professional):
            self.orders(tree, customer, ("done", "waiting", "basket", "running"))
            self.wish(tree, customer)
        self.releases(tree, boss)
        self.levels(tree)
        self.own_basket(tree, boss)
        self.telephone_system(var, boss, tree)
        called = {"system_id": 1, "number_id": tree.rows[-1].pk, "var": var, "customer": tree.company}
        CallEvent.unscoped.create(id=uuid4(), at=timezone.now() - timedelta(days=1), **called)
        return tree

    def make_sibling(self, letter: str, first: int) -> Tree:
        """One more company of the VAR of tree A: what it has, no other customer of this VAR may learn."""
        var, boss = self.a.var, self.people["A", "var", "administrator", 1]
        company = self.accounts(letter, first)("company", var, f"C{first}01")
        tree = Tree(letter, var, company, rows=[company])
        for role in ("administrator", "user"):
            self.people[letter, "company", role, 1] = self.make_person(company, role, f"{letter.lower()}1", tree)
        soon = timezone.now() + timedelta(days=2)
        self.number(tree, destination=self.rings(tree, company, "user", "", f"{first}0"), active=True)
        self.number(tree, var=var, reserved_for=company, reserved_until=soon)
        self.number(tree, var=var, cooling_until=soon, last_holder=company)
        self.keep_past(tree)
        self.accesses(tree, company, boss)
        self.jobs(tree, company, boss)
        self.orders(tree, company, ("waiting", "basket", "running"))
        self.wish(tree, company)
        return tree

    @property
    def system_boss(self) -> Person:
        return self.people["", "system", "administrator", 1]

    def person_of(self, identity: Identity, letter: str) -> Person:
        """Who has this identity, in tree A or B, or with the sibling."""
        turn = identity.granted or 1
        at = "" if identity.home == "system" and not identity.granted else letter
        return self.people[at, identity.home, identity.role, turn]

    # What there is for whom

    def tree_of(self, account: Account) -> Tree:
        if account == self.sibling.company:
            return self.sibling
        return self.b if account in self.b.accounts else self.a

    def one_of(self, model, account: Account, holds=lambda row: True):
        """A row of the tree that ``holds``; the first."""
        for row in self.tree_of(account).rows:
            if isinstance(row, model) and holds(row):
                return row
        raise NoBuilder(f"There is no {model.__name__} for {account.code}.")

    def below(self, account: Account) -> Account:
        """An account right below this one; below none, one that it may not know."""
        tree = self.tree_of(account)
        return {"system": tree.var, "var": tree.company}.get(account.kind, tree.professional)

    def number_of(self, account: Account) -> PhoneNumber:
        return self.one_of(PhoneNumber, account, lambda n: account.kind in ("system", "var") or n.customer == account)

    def system_of(self, account: Account) -> TelephoneSystem:
        """The phone system of a VAR, or of the system."""
        if account == self.system:
            return next(row for row in self.rows if isinstance(row, TelephoneSystem))
        return self.one_of(TelephoneSystem, account)

    def job_of(self, account: Account) -> Job:
        return self.one_of(Job, account, lambda job: job.state == "done" and account in (job.account, self.system))

    def import_of(self, account: Account) -> Import:
        return self.one_of(Import, account, lambda one: one.state == "done" and account in (one.account, self.system))

    def order_of(self, account: Account) -> Order:
        """An order that waits: of a customer, or of one of a VAR's."""
        return self.one_of(
            Order, account, lambda one: one.state == "waiting" and (not account.is_customer or one.customer == account)
        )

    def release_of(self, account: Account) -> Release:
        """A number that a VAR has given up: the account itself, or the one above a customer."""
        return self.one_of(
            Release, account, lambda one: account == self.system or one.account_id in (account.pk, account.parent_id)
        )

    def level_of(self, account: Account) -> StockLevel:
        """A stock level of a VAR: the account itself, or the one above a customer."""
        return self.one_of(
            StockLevel, account, lambda one: account == self.system or one.account_id in (account.pk, account.parent_id)
        )

    def notice_of(self, person: Person) -> Notice:
        return Notice.unscoped.get(person=person)

    def destination_of(self, account: Account) -> Destination:
        return self.one_of(Destination, account, lambda d: not account.is_customer or d.customer == account)

    def grant_in(self, account: Account) -> Grant:
        """A grant to an agent of this account."""
        return self.one_of(Grant, account, lambda g: account.is_customer or g.user.account == account)

    def colleague_of(self, account: Account, person: Person) -> Person:
        """Another person at home in the account."""
        if account.kind == "system":
            return self.people["", "system", "administrator", 2]
        return next(
            other
            for (*_facts, turn), other in self.people.items()
            if other.account == account and other != person and turn == 2
        )

    def session_of(self, person: Person) -> UserSession:
        return UserSession.objects.get(session_key=f"none{person.pk}")

    def call_of(self, person: Person) -> Call:
        return Call.unscoped.get(person=person)

    def location_of(self, person: Person) -> Location:
        return Location.unscoped.get(person=person)

    def passkey_of(self, person: Person) -> Authenticator:
        return Authenticator.objects.get(user=person, type=Authenticator.Type.WEBAUTHN)

    # Who is there

    def seat(self, identity: Identity, letter: str = "A") -> "Seat":
        """Somebody with this identity in tree A or B, or S, the sibling: signed in, and inside where they should be."""
        tree = {"A": self.a, "B": self.b, "S": self.sibling}[letter]
        if not identity.home:
            return Seat(
                self,
                identity,
                tree.var,
                self.people[letter, "var", "administrator", 1],
                Client(raise_request_exception=False),
            )
        person = self.person_of(identity, letter)
        client = signed_in(person)
        account = self.system if identity.home == "system" else tree.account(identity.home)
        for kind in identity.inside:
            account = tree.account(kind)
            answer = client.post(f"/{account.code}/access/", {"back": "/", "reason": "Ticket"})
            assert answer.status_code == 302, f"{identity.name} cannot enter {account.code}"
        # Seen so late that however long a test takes nobody writes down that they are there.
        Access.of(person).filter(ended_at=None).update(seen_at=timezone.now() + timedelta(minutes=10))
        if not identity.is_active:
            Person.objects.filter(pk=person.pk).update(is_active=False)
        return Seat(self, identity, account, person, client)


def signed_in(person: Person) -> Client:
    """A browser in which this person has signed in a moment ago."""
    client = Client(raise_request_exception=False)
    client.force_login(Person.objects.get(pk=person.pk))
    session = client.session
    record_authentication(SimpleNamespace(session=session), person, "password")
    session.save()
    # In the list of the person's sessions, as signing in puts it; not to be told of again while a test takes its time.
    listed = {"session_key": session.session_key, "last_seen_at": timezone.now() + timedelta(minutes=10)}
    UserSession.objects.create(user=person, ip="127.0.0.1", user_agent="", **listed)
    return client


@dataclass
class Seat:
    """A browser in front of which somebody sits."""

    world: World
    identity: Identity
    account: Account
    person: Person
    client: Client

    def path(self, address, **changed: str) -> str:
        return address.path(self.world, self.account, self.person, **changed)
