"""The life of numbers: whoever does whatever in whatever order, a number stands as the table of verbs says."""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.actor import Actor
from accounts.models import Access, AuditEvent
from accounts.scope import scope
from numbers.actions import stock, verbs
from numbers.listing import Listing
from numbers.models import Destination, NumberAsOf, PastNumber, PhoneNumber
from tests import factories
from tests.rights import rights_of_the_portal

pytestmark = pytest.mark.django_db
NUMBERS = tuple(f"+1514555010{i}" for i in range(3))
CUSTOMERS = ("acme", "borealis", "jane", "zenith")
PLACES = {"reception": "acme", "workshop": "borealis", "front desk": "zenith"}
#: What a professional's numbers ring as soon as they are theirs.
OWN_LINE = "own line"
ACTORS = (
    "system", "alpha", "bravo", "acme", "borealis", "jane", "user of acme",
    "system in alpha", "alpha in acme", "system in acme", "agent in alpha",
)  # fmt: skip
VARS = {"acme": "alpha", "borealis": "alpha", "jane": "alpha", "zenith": "bravo"}
CHANGES = {
    "number.added", "number.assigned", "number.recalled", "number.unassigned", "number.connected",
    "number.disconnected", "number.reserved", "number.reservation_changed", "number.reservation_cancelled",
    "number.cooling_ended",
    "number.released", "number.deleted", "number.options_changed",
}  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """How a number should stand. Holds whose time is over are None."""

    var: str
    customer: str | None = None
    rings: str | None = None
    reserved: str | None = None
    cooling_after: str | None = None
    sms: bool = False

    @property
    def is_available(self):
        return not (self.customer or self.reserved or self.cooling_after)


REFUSED, DENIED = "refused", "denied"


def acts_in(actor):
    """The account in which somebody acts, if they may do anything there."""
    return None if actor in ("user of acme", "agent in alpha") else actor.rpartition(" in ")[2]


def expected(before, actor, verb, of):
    """What the table of verbs says becomes of a number: another standing, None for gone, or how it is refused."""
    account = acts_in(actor)
    is_var, is_customer = account in ("alpha", "bravo"), account in CUSTOMERS
    allowed = {
        "assign": is_var or is_customer, "unassign": is_var or is_customer,
        "reserve": is_var, "cancel": is_var, "end cooling": is_var, "delete": is_var,
        "options": is_var or is_customer, "release": is_var or is_customer,
    }  # fmt: skip
    if not allowed[verb]:
        return DENIED
    if before is None or account not in (before.var, before.customer):
        return REFUSED
    free = Standing(before.var)
    if is_var:
        target, own = of["customer"], VARS[of["customer"]] == account
        after = {
            "assign": (
                own
                and not before.customer
                and before.reserved in (None, target)
                and (before.cooling_after in (None, target) or of["despite"])
                and replace(free, customer=target, rings=OWN_LINE if target == "jane" else None, sms=before.sms)
            ),
            "unassign": bool(before.customer) and replace(free, cooling_after=before.customer),
            "reserve": (
                own
                and not before.customer
                and not before.cooling_after
                and before.reserved in (None, target)
                and replace(before, reserved=target)
            ),
            "cancel": bool(before.reserved) and replace(before, reserved=None),
            "end cooling": bool(before.cooling_after) and replace(before, cooling_after=None),
            "options": replace(before, sms=of["sms"]),
            "release": (of["confirmed"] or not before.customer) and not before.reserved and "gone",
            "delete": before.is_available and "gone",
        }[verb]
    else:
        after = {
            "assign": PLACES[of["place"]] == account
            and before.rings != of["place"]
            and replace(before, rings=of["place"]),
            "unassign": bool(before.rings) and replace(before, rings=None),
            "options": replace(before, sms=of["sms"]),
            "release": (of["confirmed"] or not before.rings) and replace(free, cooling_after=account),
        }[verb]
    return (None if after == "gone" else after) if after else REFUSED


class Lives(RuleBasedStateMachine):
    """Two resellers, their customers, everybody who acts in them, and three numbers."""

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        system = factories.make_system()
        self.accounts = {"system": system}
        for var in ("alpha", "bravo"):
            self.accounts[var] = factories.make_account("var", system, var)
        for customer, var in VARS.items():
            kind = "professional" if customer == "jane" else "company"
            self.accounts[customer] = factories.make_account(kind, self.accounts[var], customer)
        self.places = {name: factories.make_destination(self.accounts[of], name) for name, of in PLACES.items()}
        self.provider = factories.make_provider()
        type(self.provider).objects.filter(pk=self.provider.pk).update(supports_sms=True)
        self.people = {name: factories.make_person(one, "administrator") for name, one in self.accounts.items()}
        self.people["user of acme"] = factories.make_person(self.accounts["acme"])
        self.people["agent"] = factories.make_person(system, "support")
        self.should = {}
        self.was = []
        self.changes = 0
        for number, var in zip(NUMBERS, ("alpha", "alpha", "bravo"), strict=True):
            self.add(number, var)

    def teardown(self):
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def actor(self, name):
        who, _in, where = name.partition(" in ")
        person = self.people[who]
        if not where:
            return Actor.at_home(person)
        account = self.accounts[where]
        chain = [account]
        while chain[0].pk != person.account_id:
            chain.insert(0, chain[0].parent)
        now = timezone.now()
        access, _new = Access.unscoped.get_or_create(
            person=person, account=account, sign_in=f"of {who}", chain=[one.pk for one in chain],
            manages=who != "agent",
            defaults={"started_at": now, "seen_at": now, "expires_at": now + timedelta(hours=1)},
        )  # fmt: skip
        return Actor(person, account, tuple(chain), access)

    @contextmanager
    def acting(self, name):
        """The actor, with the rights that a request of theirs has."""
        actor = self.actor(name)
        with transaction.atomic(), rights_of_the_portal(), scope(actor.account):
            yield actor

    def verb(self, name, actor, of):
        customer = self.accounts[of["customer"]].pk
        later = timezone.now() + timedelta(days=2)
        if actor.account.is_customer:
            made = {
                "assign": lambda: verbs.AssignToDestination(self.places[of["place"]].pk),
                "unassign": verbs.UnassignFromDestination,
                "release": lambda: verbs.GiveBack(of["confirmed"]),
            }
        else:
            made = {
                "assign": lambda: verbs.AssignToCustomer(customer, of["despite"], "because" if of["despite"] else ""),
                "unassign": verbs.UnassignFromCustomer,
                "release": lambda: verbs.GiveUp(of["confirmed"]),
            }
        made |= {
            "reserve": lambda: verbs.Reserve(customer, later),
            "cancel": verbs.CancelReservation,
            "end cooling": verbs.EndCooling,
            "delete": verbs.Delete,
            "options": lambda: verbs.SetOptions(sms=of["sms"]),
        }
        return made[name]()

    def named_places(self):
        lines = Destination.unscoped.filter(customer=self.accounts["jane"])
        return dict.fromkeys(lines.values_list("pk", flat=True), OWN_LINE) | {
            place.pk: name for name, place in self.places.items()
        }

    def add(self, number, var):
        with self.acting(var) as actor:
            added = stock.add_numbers(actor, [number], self.provider.pk)
        if number in self.should:
            assert added.already == [number]
        else:
            assert added.new == [number]
            self.should[number] = Standing(var)
            self.changes += 1

    @rule(number=st.sampled_from(NUMBERS), var=st.sampled_from(["alpha", "bravo"]))
    def somebody_adds(self, number, var):
        self.add(number, var)

    @rule(
        number=st.sampled_from(NUMBERS),
        actor=st.sampled_from(ACTORS),
        verb=st.sampled_from(
            ["assign", "unassign", "reserve", "cancel", "end cooling", "delete", "options", "release"]
        ),
        of=st.fixed_dictionaries(
            {
                "customer": st.sampled_from(CUSTOMERS),
                "place": st.sampled_from(list(PLACES)),
                "confirmed": st.booleans(),
                "despite": st.booleans(),
                "sms": st.booleans(),
            }
        ),
    )
    def somebody_acts(self, number, actor, verb, of):
        before = self.should.get(number)
        after = expected(before, actor, verb, of)
        try:
            with self.acting(actor) as acting:
                verbs.perform_on(acting, self.verb(verb, acting, of), int(number[1:]))
            became = "done"
        except PermissionDenied:
            became = DENIED
        except (ValidationError, PhoneNumber.DoesNotExist):
            became = REFUSED
        assert became == (after if after in (REFUSED, DENIED) else "done")
        if became != "done":
            return
        self.changes += after != before or verb == "reserve"  # until another moment
        if after is None:
            del self.should[number]
        else:
            self.should[number] = after

    @rule()
    def time_passes(self):
        """Every hold comes to its end, and nothing has to happen for that."""
        # Before this test's transaction began, which is when PostgreSQL has its now.
        past = timezone.now() - timedelta(hours=1)
        PhoneNumber.unscoped.filter(reserved_until__isnull=False).update(reserved_until=past)
        PhoneNumber.unscoped.filter(cooling_until__isnull=False).update(cooling_until=past)
        self.should = {
            number: replace(standing, reserved=None, cooling_after=None) for number, standing in self.should.items()
        }

    @invariant()
    def numbers_stand_as_they_should(self):
        now = timezone.now()
        names = {one.pk: name for name, one in self.accounts.items()}
        places = self.named_places()
        found = {}
        for number in PhoneNumber.unscoped.all():
            cooling = number.cooling_until and number.cooling_until > now
            reserved = number.reserved_until and number.reserved_until > now
            found[number.e164] = Standing(
                names[number.var_id],
                names.get(number.customer_id),
                places.get(number.destination_id),
                names[number.reserved_for_id] if reserved else None,
                names[number.last_holder_id] if cooling else None,
                number.sms,
            )
        assert found == self.should

    @invariant()
    def every_list_and_its_counts_agree(self):
        for name in ("system", "alpha", "bravo", "acme", "jane"):
            mine = {
                number: standing
                for number, standing in self.should.items()
                if name in ("system", standing.var, standing.customer)
            }
            with self.acting(name) as actor:
                page = Listing(actor).page(50)
            used = sum(bool(s.rings if name in CUSTOMERS else s.customer) for s in mine.values())
            assert sorted(row["e164"] for row in page.rows) == sorted(mine)
            assert page.counts == {
                "all": len(mine),
                "used": used,
                "available": len(mine) - used,
                "reserved": sum(bool(s.reserved) for s in mine.values()),
                "cooling": sum(bool(s.cooling_after) for s in mine.values()),
            }

    @invariant()
    def history_has_one_event_for_each_change(self):
        assert AuditEvent.unscoped.filter(verb__in=CHANGES).count() == self.changes

    @invariant()
    def the_past_is_without_gaps_and_overlaps(self):
        for number in PhoneNumber.unscoped.all():
            ends = [
                (past.since, past.until) for past in PastNumber.unscoped.filter(number_id=number.pk).order_by("since")
            ]
            starts = [since for since, _until in ends[1:]] + [number.since]
            assert [until for _since, until in ends] == (starts if ends else [])

    @invariant()
    def what_was_is_remembered(self):
        """As of now numbers are with whom they are; and as of before with whom they were, whatever came of them."""
        names = {one.pk: name for name, one in self.accounts.items()}
        places = self.named_places()
        stands = {number: (one.var, one.customer, one.rings) for number, one in self.should.items()}
        self.was.append((timezone.now(), stands))
        for at, stood in (self.was[0], self.was[len(self.was) // 2], self.was[-1]):
            rows = NumberAsOf.unscoped.standing(at).values_list("e164", "var_id", "customer_id", "destination_id")
            found = [(e164, (names[var], names.get(who), places.get(rings))) for e164, var, who, rings in rows]
            assert sorted(found) == sorted(stood.items())


def test_whoever_does_whatever_a_number_stands_as_the_table_says():
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
