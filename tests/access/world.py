"""Two identical trees of accounts, everybody who may meet them, and what each person has in each account."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from uuid import uuid4

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import ec
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from accounts.models import Access, Account, AuditEvent, Grant, Person
from numbers.models import (
    CallEvent,
    CarrierOrder,
    Destination,
    Import,
    ImportRow,
    Job,
    JobItem,
    Order,
    OrderLine,
    PastNumber,
    PhoneNumber,
    Release,
    TelephoneSystem,
)
from tests.access.addresses import NoBuilder
from tests.access.identities import Identity
from tests.factories import grant, make_number, make_provider
from webphone.models import Call, Location

KINDS = ("var", "company", "professional")
GRANTS = ("view_account", "manage_account")
#: Kinds of account and roles that are no administrator's.
ELSE = (("var", "support"), ("var", "user"), ("company", "user"))
KEY = ec.generate_private_key(ec.SECP256R1())


def restart_ids(first: int) -> None:
    """Let ids go on from ``first``, so that a number in a page or in a form says whose row it is."""
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if (
                model._meta.app_label in ("accounts", "numbers", "webphone", "mfa", "usersessions")
                and model._meta.managed
            ):
                cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')::regclass::text", [model._meta.db_table])
                if (sequence := cursor.fetchone()[0]) and model._meta.db_table != "numbers_provider":
                    cursor.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {first}")


def passkey(name: str) -> dict:
    """A passkey that was registered, as allauth keeps it."""
    secret = hashlib.sha256(name.encode()).digest()
    public = AttestedCredentialData.create(bytes(16), secret, ES256.from_cryptography_key(KEY.public_key()))
    data = AuthenticatorData.create(hashlib.sha256(b"testserver").digest(), 0x45, 0, public)
    told = CollectedClientData.create(type="webauthn.create", challenge=b"challenge", origin="http://testserver")
    return {
        "id": websafe_encode(secret),
        "rawId": websafe_encode(secret),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(told),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {},
    }


@dataclass
class Tree:
    """A VAR with a company and a professional. ``rows`` are all rows made for it, in the order of their making."""

    letter: str
    var: Account
    company: Account
    professional: Account
    rows: list = field(default_factory=list)

    def account(self, kind: str) -> Account:
        return getattr(self, kind)

    @property
    def accounts(self) -> tuple[Account, ...]:
        return self.var, self.company, self.professional


class World:
    """The system, the trees A and B, and people in them."""

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
        restart_ids(8_000_001)
        self.b = self.make_tree("B", 800)
        restart_ids(9_000_001)

    def kept(self, row, tree: Tree | None = None):
        (tree.rows if tree else self.rows).append(row)
        return row

    # Making

    def make_tree(self, letter: str, first: int) -> Tree:
        def account(kind, parent, code):
            facts = {
                "contact": f"Contact {letter}",
                "email": f"{code.lower()}@example.com",
                "phone": f"+4930{first}0001",
            }
            return Account.unscoped.create(
                kind=kind, parent=parent, code=code, name=f"The {kind} {letter}{len(code)}{code[-1]}", **facts
            )

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
            for turn, (use, service) in enumerate((("user", ""), ("service", "fax"), ("group", ""))):
                rings = Destination.unscoped.create(
                    customer=customer, var=var, name=f"Rings {letter} {use}", kind=use, service_type=service,
                    extension=f"{first}{turn}",
                )  # fmt: skip
                self.kept(rings, tree)
                self.number(tree, destination=rings, active=turn == 0)
            for _turn in range(2):  # in a row
                self.number(tree, customer=customer)
        soon = timezone.now() + timedelta(days=2)
        for _turn in range(2):
            self.number(tree, var=var)
        self.number(tree, var=var, reserved_for=tree.company, reserved_until=soon)
        self.number(tree, var=var, cooling_until=soon, last_holder=tree.professional)
        self.keep_past(tree)
        past = timezone.now() - timedelta(days=1)
        for acting in tree.accounts:
            asks = Access.unscoped.create(
                person=boss if acting != var else self.system_boss, account=acting, sign_in="", manages=True,
                chain=[var.pk, acting.pk], reason=f"Reason {letter} {acting.kind}", asked_at=timezone.now(),
            )  # fmt: skip
            self.kept(asks, tree)
            was_in = Access.unscoped.create(
                person=asks.person, account=acting, sign_in="", manages=True, chain=asks.chain, reason=asks.reason,
                started_at=past, seen_at=past, expires_at=past + timedelta(hours=1), ended_at=past, ended_why="left",
            )  # fmt: skip
            self.kept(was_in, tree)
            event = AuditEvent.unscoped.create(
                account=acting, person=boss, chain=[acting.pk], verb="account.changed", target_type="account",
                target_id=acting.pk, target=acting.name, before={"contact": "before"}, after={"contact": "after"},
            )  # fmt: skip
            self.kept(event, tree)
            self.jobs(tree, acting, boss)
        for customer in (tree.company, tree.professional):
            self.orders(tree, customer)
            self.wish(tree, customer)
        self.releases(tree, boss)
        self.telephone_system(var, boss, tree)
        called = {"system_id": 1, "number_id": tree.rows[-1].pk, "var": var, "customer": tree.company}
        CallEvent.unscoped.create(id=uuid4(), at=past, **called)
        return tree

    def telephone_system(self, account: Account, boss: Person, tree: Tree | None = None) -> None:
        facts = {"account": account, "added_by": boss, "token_hash": f"hash of {account.code}"}
        self.kept(TelephoneSystem.unscoped.create(name=f"Switch {account.code}", **facts), tree)

    def jobs(self, tree: Tree, account: Account, boss: Person) -> None:
        """A job and an import that wait to be confirmed, and such that have ended."""
        number = next(row for row in tree.rows if isinstance(row, PhoneNumber) and row.customer_id)
        for state in ("draft", "done"):
            begun = {"started_at": timezone.now(), "ended_at": timezone.now(), "done": 1} if state == "done" else {}
            job = Job.unscoped.create(
                account=account, person=boss, chain=[account.pk], verb="options", state=state, total=1,
                params={"label_text": f"Wish {tree.letter}"}, chosen=f"Chosen {tree.letter} {account.kind}", **begun,
            )  # fmt: skip
            item = JobItem.unscoped.create(
                account=account, job=job, number_id=number.pk, e164=number.e164, digits=number.digits,
                since=number.since, state="done" if begun else "waiting", sentence=f"Sentence {tree.letter}",
            )  # fmt: skip
            self.kept(job, tree)
            self.kept(item, tree)
            wanted = Import.unscoped.create(
                account=account, person=boss, chain=[account.pk], state=state, total=1, columns=["number"],
                file_name=f"File {tree.letter}.csv", key=uuid4(),
            )  # fmt: skip
            line = ImportRow.unscoped.create(
                account=account, of=wanted, line=1, cells=[number.e164], e164=number.e164, verdict="same",
                reason=f"Reason {tree.letter}",
            )  # fmt: skip
            self.kept(wanted, tree)
            self.kept(line, tree)

    def orders(self, tree: Tree, customer: Account) -> None:
        """A basket, an order that waits for approval, one that is done, and one that a carrier is to deliver."""
        person = self.people[tree.letter, customer.kind, "administrator", 1]
        numbers = [row for row in tree.rows if isinstance(row, PhoneNumber)]
        free = [number for number in numbers if number.customer_id is None]
        own = [number for number in numbers if number.customer_id == customer.pk]
        now, of = timezone.now(), {"var": tree.var, "customer": customer}
        # What a carrier is to deliver is nobody's yet.
        ordered = PhoneNumber(e164=f"+1514{customer.pk}", digits=int(f"1514{customer.pk}"))
        for state, number in (("done", own[0]), ("waiting", free[0]), ("basket", free[1]), ("running", ordered)):
            order = Order.unscoped.create(
                person=person, chain=[customer.pk], state=state, reason=f"Reason {tree.letter}",
                held_until=now + timedelta(days=1), confirmed_at=None if state == "basket" else now, total=1, **of,
            )  # fmt: skip
            line = OrderLine.unscoped.create(
                order=order, e164=number.e164, digits=number.digits, provider=self.provider, number_id=number.pk,
                state={"done": "active", "basket": "chosen"}.get(state, "pending"),
                reason=f"Sentence {tree.letter}", **of,
            )  # fmt: skip
            self.kept(order, tree)
            self.kept(line, tree)
            if state == "running":
                facts = {"order": order, "provider": self.provider, "key": uuid4(), "state": "placed"}
                one = CarrierOrder.unscoped.create(reference=f"Reference {tree.letter}", **facts, **of)
                OrderLine.unscoped.filter(pk=line.pk).update(carrier_order=one)
                self.kept(one, tree)

    def wish(self, tree: Tree, customer: Account) -> None:
        """An order of numbers that nobody offers."""
        order = Order.unscoped.create(
            person=self.people[tree.letter, customer.kind, "administrator", 1], chain=[customer.pk], state="asked",
            wish=f"Wish {tree.letter}", note=f"Note {tree.letter}", key=uuid4(), held_until=timezone.now(),
            confirmed_at=timezone.now(), total=2, var=tree.var, customer=customer,
        )  # fmt: skip
        self.kept(order, tree)

    def releases(self, tree: Tree, boss: Person) -> None:
        """A number that the carrier has let go, and one that it has not."""
        for turn, state in enumerate(("done", "failed")):
            digits = int(f"1438{tree.var.pk}{turn}")
            release = Release.unscoped.create(
                account=tree.var, person=boss, chain=[tree.var.pk], number_id=digits, e164=f"+{digits}", digits=digits,
                provider=self.provider, reference=f"Reference {tree.letter}", state=state,
                reason=f"Reason {tree.letter}", ended_at=timezone.now(),
            )  # fmt: skip
            self.kept(release, tree)

    @property
    def system_boss(self) -> Person:
        return self.people["", "system", "administrator", 1]

    def keep_past(self, tree: Tree) -> None:
        """Let every number have stood otherwise before; a trigger writes that down."""
        for row in [row for row in tree.rows if isinstance(row, PhoneNumber)]:
            PhoneNumber.unscoped.filter(pk=row.pk).update(provider=self.former_provider)
            PhoneNumber.unscoped.filter(pk=row.pk).update(provider=self.provider)
            row.refresh_from_db()
        for past in PastNumber.unscoped.filter(var=tree.var):
            self.kept(past, tree)

    def number(self, tree: Tree, **facts) -> PhoneNumber:
        turn = sum(isinstance(row, PhoneNumber) for row in tree.rows)
        first = {"A": "+15147", "B": "+15148"}[tree.letter]
        label = {"label": f"Label {tree.letter}", "caller_name": f"Caller {tree.letter}"}
        return self.kept(make_number(e164=f"{first}{turn:06}", provider=self.provider, **label, **facts), tree)

    def make_person(self, account: Account, role: str, name: str, tree: Tree | None = None, **facts) -> Person:
        person = Person(
            account=account, role=role, name=f"{role} {name} of {account.name}",
            email=f"{role}.{name}.{account.code}@example.com".lower(), **facts,
        )  # fmt: skip
        person.set_unusable_password()
        person.save()
        self.kept(person, tree)
        TOTP.activate(person, generate_totp_secret())
        RecoveryCodes.activate(person)
        secret = {"name": f"Key {person.pk}", "credential": passkey(person.email)}
        self.kept(Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=secret), tree)
        self.kept(
            UserSession.objects.create(user=person, ip="127.0.0.1", user_agent="", session_key=f"none{person.pk}"), tree
        )
        self.telephones(person, tree)
        return person

    def telephones(self, person: Person, tree: Tree | None) -> None:
        """A telephone that is to be verified, and a call that has ended."""
        of, number = {"person": person, "account": person.account}, f"+1613{person.pk:07}"
        self.kept(Location.unscoped.create(kind="mobile", number=number, **of), tree)
        now = timezone.now()
        call = Call.unscoped.create(
            ref=f"{person.account.code}-{person.pk:032x}", mode="call_back", state="ended", outcome="answered",
            number=f"+1647{person.pk:07}", digits=int(f"1647{person.pk:07}"), own_number=number, answered_at=now,
            ended_at=now, seconds=7, **of,
        )  # fmt: skip
        self.kept(call, tree)

    def person_of(self, identity: Identity, letter: str) -> Person:
        """Who has this identity, in tree A or B."""
        turn = identity.granted or 1
        at = "" if identity.home == "system" and not identity.granted else letter
        return self.people[at, identity.home, identity.role, turn]

    # What there is for whom

    def tree_of(self, account: Account) -> Tree:
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
        """Somebody with this identity, signed in, and inside where they should be: in tree A, or B."""
        tree = self.a if letter == "A" else self.b
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
