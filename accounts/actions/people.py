"""Every change to people."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

from accounts import audit
from accounts.actions.access import end_accesses
from accounts.actor import Actor
from accounts.models import Access, Person


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


@transaction.atomic
def end_session(actor: Actor, session_id: int) -> None:
    """End one of the acting person's sessions. One that is not theirs, or gone, is no session: ``DoesNotExist``."""
    _end(UserSession.objects.filter(pk=UserSession.objects.get(pk=session_id, user=actor.person).pk))


@transaction.atomic
def credentials_changed(person: Person, *, keep: str | None = None) -> None:
    """What a person proves themselves with has changed, or they want all else ended: end every session of theirs.

    ``keep`` is the key of the session in which they did it. Whatever else was opened by proving oneself ends here too.
    """
    _end(UserSession.objects.filter(user=person).exclude(session_key=keep))
    end_accesses(person, Access.End.CREDENTIALS)


def _end(sessions) -> None:
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    sessions.delete()
