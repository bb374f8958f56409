"""Every change to people."""

from django.db import transaction

from accounts import audit
from accounts.actor import Actor
from accounts.models import Person


@transaction.atomic
def change_profile(actor: Actor, *, name: str, time_zone: str, number_format: str) -> Person:
    """Change what the acting person may change about themselves."""
    person = Person.objects.select_for_update().get(pk=actor.person.pk)
    before = {"name": person.name, "time_zone": person.time_zone, "number_format": person.number_format}
    after = {"name": name, "time_zone": time_zone, "number_format": number_format}
    person.name, person.time_zone, person.number_format = name, time_zone, number_format
    person.save(update_fields=["name", "time_zone", "number_format"])
    audit.record(actor, "person.changed", person, before, after)
    return person
