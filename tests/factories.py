"""Rows for tests: plain functions, no surprises."""

from datetime import timedelta
from itertools import count

from django.utils import timezone
from guardian.shortcuts import assign_perm

from accounts.models import Account, Grant, Person
from numbers.models import Destination, PhoneNumber, Provider
from numbers.views.ordering import OF_STOCK, seal

_turns = count(1)
PREFIX = {"var": "V", "company": "C2", "professional": "P3"}


def make_account(kind="var", parent=None, name=None):
    turn = next(_turns)
    if kind != "system" and parent is None:
        parent = make_account("var", make_system()) if kind in ("company", "professional") else make_system()
    code = "SYS" if kind == "system" else f"{PREFIX[kind]}{turn:05}"
    return Account.unscoped.create(kind=kind, parent=parent, code=code, name=name or f"{kind} {turn}")


def make_system():
    return Account.unscoped.filter(kind="system").first() or make_account("system")


def make_person(account, role="user", password=None, **fields):
    turn = next(_turns)
    fields = {"email": f"person{turn}@example.com", "name": f"Person {turn}"} | fields
    return Person.objects.create_user(password=password, account=account, role=role, **fields)


def join(*people):
    """Let people choose a password, which makes their address theirs; nobody else is told of anything."""
    for person in people:
        person.set_password("demo-portal-2026")
        person.save()


def make_provider(name="Northline"):
    return Provider.objects.get_or_create(name=name)[0]


def make_destination(customer, name="Reception", kind="user", service_type="", extension=""):
    facts = {"name": name, "kind": kind, "service_type": service_type, "extension": extension}
    return Destination.unscoped.create(customer=customer, var=customer.parent, **facts)


def make_number(var=None, customer=None, destination=None, e164=None, **fields):
    """A number in the VAR's stock, or with a customer, or ringing a destination. ``active=True`` gives it a call."""
    customer = customer or (destination.customer if destination else None)
    var = var or (customer.parent if customer else make_account("var"))
    now = timezone.now()
    if fields.pop("active", False):
        fields |= {"first_call_at": now, "last_call_at": now}
    if customer:
        fields |= {"assigned_at": now - timedelta(days=1)}
    provider = fields.pop("provider", None) or make_provider()
    e164 = e164 or f"+1514{2000000 + next(_turns)}"
    return PhoneNumber.unscoped.create(
        e164=e164, var=var, customer=customer, destination=destination, provider=provider, **fields
    )


def grant(person, account, permission="view_account", until=None):
    """Let a support agent into an account."""
    given = assign_perm(permission, person, account)
    Grant.live_of(person).filter(pk=given.pk).update(until=until)
    return given


def offered(customer, *numbers):
    """These numbers of the stock as a search offers them to a customer: values of the boxes to tick."""
    return [seal(customer, OF_STOCK, number.pk, number.e164) for number in numbers]
