"""Every change to people: their profile, who is invited, what they are, and that they are in or out."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actions.access import end_accesses
from accounts.actions.grants import withdraw_all
from accounts.actor import Actor
from accounts.models import Access, Account, AuditEvent, Person
from accounts.rules import invitable_roles, possible_roles

#: An account invites no more people than this within an hour: nobody sends mail to the world through the portal.
MOST_INVITED_AN_HOUR = 50
#: How long one waits before the same person is mailed again.
BETWEEN_INVITATIONS = timedelta(minutes=1)


@transaction.atomic
def change_profile(actor: Actor, *, name: str, time_zone: str, number_format: str) -> Person:
    """Change what the acting person may change about themselves."""
    person = Person.objects.select_for_update().get(pk=actor.person.pk)
    before = {"name": person.name, "time_zone": person.time_zone, "number_format": person.number_format}
    after = {"name": name, "time_zone": time_zone, "number_format": number_format}
    if before == after:
        return person
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

    ``keep`` is the key of the session in which they did it.
    """
    end_everything(person, Access.End.CREDENTIALS, keep=keep)


@transaction.atomic
def invite_person(actor: Actor, *, name: str, email: str, role: str) -> Person:
    """Take somebody into the actor's account who will choose a password by a link that is mailed to them."""
    if not actor.may("people.invite"):
        raise PermissionDenied
    account = locked_account(actor)
    if role not in invitable_roles(actor):
        raise ValidationError(_("You cannot invite somebody in this role here."))
    return newcomer(actor, account, name=name, email=email, role=role)


def newcomer(actor: Actor, account: Account, *, name: str, email: str, role: str) -> Person:
    """Somebody new in ``account``: the actor's own, or one right below it. For actions that have asked who may.

    Raises ``ValidationError``; for the field ``email`` when the address is in use.
    """
    not_too_many(actor)
    # Addresses are kept the way allauth looks them up.
    person = Person(account=account, name=name, email=email.lower(), role=role, invited_at=timezone.now())
    person.time_zone = actor.person.time_zone
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as taken:
        if "accounts_person_email" not in str(taken):
            raise
        # Not where it is in use: that is another account's business.
        sentence = _("This address cannot be invited; it may be in use already.")
        raise ValidationError({"email": sentence}) from taken
    record_invitation(actor, person)
    return person


def not_too_many(actor: Actor) -> None:
    """Raise ``ValidationError`` when the actor's account has invited enough for now, to itself and below."""
    invited = AuditEvent.visible_to(actor).filter(account=actor.account, verb="person.invited")
    if invited.filter(at__gt=timezone.now() - timedelta(hours=1)).count() >= MOST_INVITED_AN_HOUR:
        raise ValidationError(
            _("Your account has invited %(most)d people within the hour. Wait a while, then go on.")
            % {"most": MOST_INVITED_AN_HOUR}
        )


def record_invitation(actor: Actor, person: Person) -> None:
    """Write that somebody was invited, where their own account reads it too."""
    audit.record(
        actor,
        "person.invited",
        person,
        after={"email": person.email, "role": person.role},
        concerns=other_account(actor, person),
    )


def other_account(actor: Actor, person: Person) -> int | None:
    """The account of a person, where it is not the acting one."""
    return person.account_id if person.account_id != actor.account.pk else None


@transaction.atomic
def invite_again(actor: Actor, person_id: int) -> Person:
    """Make ready for another mail to somebody who has not chosen a password yet; links of earlier ones end."""
    if not actor.may("people.resend"):
        raise PermissionDenied
    person = locked_person(actor, person_id)
    if not person.is_active or person.has_joined:
        raise ValidationError(_("%(name)s does not wait for an invitation.") % {"name": person.name})
    return renewed(actor, person)


def renewed(actor: Actor, person: Person) -> Person:
    """A locked person who has not joined, waiting for another mail. For actions that have asked who may."""
    now = timezone.now()
    if person.is_active and person.invited_at and now - person.invited_at < BETWEEN_INVITATIONS:
        raise ValidationError(_("An invitation was sent a moment ago. Wait a minute before you send another."))
    person.is_active, person.invited_at = True, now
    person.set_unusable_password()
    person.save(update_fields=["name", "is_active", "invited_at", "password"])
    record_invitation(actor, person)
    return person


def withdraw_invitation(actor: Actor, person: Person) -> None:
    """End the link of a locked person who has not joined. For actions that have asked who may."""
    person.is_active = False
    person.set_unusable_password()  # another one: the link in their mail ends
    person.save(update_fields=["is_active", "password"])
    audit.record(actor, "person.deactivated", person, concerns=other_account(actor, person))


@transaction.atomic
def change_person(actor: Actor, person_id: int, *, name: str, role: str) -> Person:
    """Change somebody's name and role. Another role ends what they have entered with the old one."""
    if not actor.may("people.roles"):
        raise PermissionDenied
    locked_account(actor)
    person = locked_person(actor, person_id)
    before, after = {"name": person.name, "role": person.role}, {"name": name, "role": role}
    if role != person.role:
        if role not in possible_roles(actor.account.kind):
            raise ValidationError(_("There is no such role in this account."))
        keep_an_administrator(actor, person)
        if person.pk == actor.person.pk:
            raise ValidationError(_("Nobody changes their own role. Another administrator can change yours."))
    if before == after:
        return person
    person.name, person.role = name, role
    person.save(update_fields=["name", "role"])
    audit.record(actor, "person.changed", person, before, after)
    if before["role"] != role:
        # Should they have the old role again one day, nobody would expect what they were granted then.
        withdraw_all(actor, person)
        end_accesses(person, Access.End.NOT_ALLOWED)
    return person


@transaction.atomic
def deactivate_person(actor: Actor, person_id: int) -> Person:
    """Keep somebody out until they are reactivated."""
    if not actor.may("people.deactivate"):
        raise PermissionDenied
    locked_account(actor)
    person = locked_person(actor, person_id)
    if not person.is_active:
        raise ValidationError(_("%(name)s is deactivated already.") % {"name": person.name})
    keep_an_administrator(actor, person)
    if person.pk == actor.person.pk:
        raise ValidationError(_("Nobody deactivates themselves. Another administrator can do it."))
    person.is_active = False
    if not person.has_joined:
        person.set_unusable_password()  # another one: the link in their mail ends
    person.save(update_fields=["is_active", "password"])
    audit.record(actor, "person.deactivated", person)
    end_everything(person, Access.End.NOT_ALLOWED)
    return person


@transaction.atomic
def reactivate_person(actor: Actor, person_id: int) -> Person:
    """Let somebody in again who was deactivated."""
    if not actor.may("people.deactivate"):
        raise PermissionDenied
    person = locked_person(actor, person_id)
    if person.is_active:
        raise ValidationError(_("%(name)s is active already.") % {"name": person.name})
    person.is_active = True
    person.save(update_fields=["is_active"])
    audit.record(actor, "person.reactivated", person)
    return person


@transaction.atomic
def sign_out_person(actor: Actor, person_id: int) -> Person:
    """End every session of somebody and everything they have entered: a lost telephone, a computer left open."""
    if not actor.may("people.deactivate"):
        raise PermissionDenied
    person = locked_person(actor, person_id)
    if person.pk == actor.person.pk:
        raise ValidationError(_("This would end the session in which you work. Sign out instead."))
    audit.record(actor, "person.signed_out", person)
    end_everything(person, Access.End.SIGNED_OUT)
    return person


def end_everything(person: Person, why: Access.End, *, keep: str | None = None) -> None:
    """End the sessions of a person, but for the one with the key ``keep``, and all they have entered. The one place
    that does: whatever else is opened by proving oneself ends here too."""
    _end(UserSession.objects.filter(user=person).exclude(session_key=keep))
    end_accesses(person, why)


def _end(sessions) -> None:
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    sessions.delete()


def locked_account(actor: Actor) -> Account:
    """The acting account, locked until the transaction ends: changes to who its administrators are come one by one."""
    return Account.visible_to(actor).select_for_update(no_key=True).get(pk=actor.account.pk)


def locked_person(actor: Actor, person_id: int) -> Person:
    """One of the account's people, locked. Raises ``Person.DoesNotExist`` for everybody else's."""
    return Person.visible_to(actor).select_for_update(no_key=True).get(pk=person_id)


def keep_an_administrator(actor: Actor, person: Person) -> None:
    """Raise ``ValidationError`` if the account would have no administrator without ``person``. Under its lock only."""
    administrators = Person.visible_to(actor).administrators()
    if administrators.filter(pk=person.pk).exists() and not administrators.exclude(pk=person.pk).exists():
        raise ValidationError(
            _("%(name)s is the last active administrator of %(account)s. Make somebody else an administrator first.")
            % {"name": person.name, "account": actor.account.name}
        )
