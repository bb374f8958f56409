"""Rows of every kind for a tree of accounts: what each person and each account of it has."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric import ec
from django.apps import apps
from django.db import connection
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from accounts.models import Access, Account, AuditEvent, Notice, Person
from numbers.models import (
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
    Routing,
    StockLevel,
    TelephoneSystem,
)
from tests.factories import make_number
from webphone.models import Call, Location

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
    professional: Account | None = None
    rows: list = field(default_factory=list)

    def account(self, kind: str) -> Account:
        return getattr(self, kind)

    @property
    def stock(self) -> list[PhoneNumber]:
        """The numbers that are with no customer."""
        return [row for row in self.rows if isinstance(row, PhoneNumber) and row.customer_id is None]

    @property
    def accounts(self) -> tuple[Account, ...]:
        return tuple(filter(None, (self.var, self.company, self.professional)))


class Rows:
    """Makes rows, and keeps them with their tree. ``World`` adds the accounts and the people."""

    rows: list
    people: dict[tuple, Person]
    provider = former_provider = None

    def kept(self, row, tree: Tree | None = None):
        (tree.rows if tree else self.rows).append(row)
        return row

    def rings(self, tree: Tree, customer: Account, use: str, service: str, extension: str) -> Destination:
        """Something that a number can ring."""
        return self.kept(
            Destination.unscoped.create(
                customer=customer, var=tree.var, name=f"Rings {tree.letter} {use}", kind=use, service_type=service,
                extension=extension,
            ),
            tree,
        )  # fmt: skip

    def accesses(self, tree: Tree, acting: Account, boss: Person) -> None:
        """Somebody who asks to be let in, somebody who was inside, and something that was changed."""
        past, comes = timezone.now() - timedelta(days=1), boss if acting != tree.var else self.system_boss
        chain = [comes.account_id, acting.pk]
        asks = Access.unscoped.create(
            person=comes, account=acting, sign_in="", manages=True,
            chain=chain, reason=f"Reason {tree.letter} {acting.kind}", asked_at=timezone.now(),
        )  # fmt: skip
        self.kept(asks, tree)
        was_in = Access.unscoped.create(
            person=asks.person, account=acting, sign_in="", manages=True, chain=chain, reason=asks.reason,
            started_at=past, seen_at=past, expires_at=past + timedelta(hours=1), ended_at=past, ended_why="left",
        )  # fmt: skip
        self.kept(was_in, tree)
        event = AuditEvent.unscoped.create(
            account=acting, person=boss, chain=[acting.pk], verb="account.changed", target_type="account",
            target_id=acting.pk, target=acting.name, before={"contact": "before"}, after={"contact": "after"},
        )  # fmt: skip
        self.kept(event, tree)

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

    def orders(self, tree: Tree, customer: Account, states: Iterable[str]) -> None:
        """A basket, an order that waits for approval, one that is done, and one that a carrier is to deliver."""
        person = self.people[tree.letter, customer.kind, "administrator", 1]
        own = [row for row in tree.rows if isinstance(row, PhoneNumber) and row.customer_id == customer.pk]
        free = tree.stock
        now, of = timezone.now(), {"var": tree.var, "customer": customer}
        # What a carrier is to deliver is nobody's yet.
        ordered = PhoneNumber(e164=f"+1514{customer.pk}", digits=int(f"1514{customer.pk}"))
        numbers = {"done": own[0], "waiting": free[0], "basket": free[1], "running": ordered}
        for state in states:
            number = numbers[state]
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
            routing = Routing.unscoped.create(
                account=tree.var, number_id=digits, e164=f"+{digits}", provider=self.provider,
                reason=f"Reason {tree.letter}",
            )  # fmt: skip
            self.kept(routing, tree)

    def levels(self, tree: Tree) -> None:
        """A country of whose numbers a VAR wants some to be available."""
        self.kept(StockLevel.unscoped.create(account=tree.var, prefix="+1514", least=tree.var.pk), tree)

    def own_basket(self, tree: Tree, boss: Person) -> None:
        """What a VAR has chosen for its own stock."""
        order = Order.unscoped.create(
            person=boss, chain=[tree.var.pk], var=tree.var, held_until=timezone.now(), reason=f"Reason {tree.letter}"
        )
        self.kept(order, tree)

    def keep_past(self, tree: Tree) -> None:
        """Let every number have stood otherwise before; a trigger writes that down."""
        numbers = [row for row in tree.rows if isinstance(row, PhoneNumber)]
        for row in numbers:
            PhoneNumber.unscoped.filter(pk=row.pk).update(provider=self.former_provider)
            PhoneNumber.unscoped.filter(pk=row.pk).update(provider=self.provider)
            row.refresh_from_db()
        for past in PastNumber.unscoped.filter(number_id__in=[row.pk for row in numbers]).order_by("pk"):
            self.kept(past, tree)

    def number(self, tree: Tree, **facts) -> PhoneNumber:
        turn = sum(isinstance(row, PhoneNumber) for row in tree.rows)
        first = {"A": "+15147", "B": "+15148", "S": "+15149"}[tree.letter]
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
        name = f"Job of {person.account.code}-{person.pk}"
        facts = {"page": "job", "work": 1, "name": name, "state": "done", "total": 1, "done": 1, "refused": 0}
        notice = Notice.unscoped.create(kind="work", key="job", facts=facts, **of)
        self.kept(notice, tree)
