"""Every change to accounts and people."""

from django.db import transaction

from accounts.actor import Actor
from accounts.models import Person


@transaction.atomic
def change_profile(actor: Actor, *, name: str, time_zone: str, number_format: str) -> Person:
    """Change what the acting person may change about themselves."""
    person = Person.objects.select_for_update().get(pk=actor.person.pk)
    person.name, person.time_zone, person.number_format = name, time_zone, number_format
    person.save(update_fields=["name", "time_zone", "number_format"])
    return person
