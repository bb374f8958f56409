"""Telephones of the demo's people."""

from django.utils import timezone

from accounts.models import Account, Person
from accounts.scope import scope
from numbers.models import Destination
from webphone.models import Location

#: person's address, kind, number or extension; all were shown to be theirs
TELEPHONES = [
    ("user@acme.example", "extension", "301"),
    ("user@acme.example", "mobile", "+15145550170"),
    ("admin@acme.example", "mobile", "+15145550171"),
    ("pro@jane.example", "extension", "1"),
    ("var@alpha.example", "mobile", "+14165550172"),
    ("system@demo.example", "mobile", "+14385550173"),
]


def write_demo_telephones() -> None:
    """Give the cast telephones to be called back on, where there are none yet."""
    with scope(Account.called("SYS")):
        if Location.any_at_all():
            return
    for email, kind, number in TELEPHONES:
        person = Person.objects.select_related("account").get(email=email)
        with scope(person.account):
            rings = Destination.called(person.account, number) if kind == "extension" else None
            Location(
                account=person.account, person=person, kind=kind, number=number, destination=rings,
                verified_at=timezone.now(),
            ).save(force_insert=True)  # fmt: skip
