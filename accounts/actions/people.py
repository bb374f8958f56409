"""Every change to people: their profile, who is invited, what they are, and that they are in or out."""

from datetime import timedelta
from functools import partial

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, endings, limits
from accounts.actions.access import end_accesses
from accounts.actions.grants import withdraw_all
from accounts.actor import Actor
from accounts.limits import HOUR, Limit
from accounts.models import Access, Account, Notice, Person
from accounts.models.people import ADDRESS_OF_ACCOUNT
from accounts.rules import invitable_roles, possible_roles
from portal import security
from portal.single_sign_on import Provider, provider_of_issuer

#: Attempts to invite per account and hour, so that nobody can send bulk mail through the portal.
MOST_INVITED_AN_HOUR = 50
#: How long one waits before the same person is mailed again.
BETWEEN_INVITATIONS = timedelta(minutes=1)


class LinkedOtherwise(Exception):
    """A person is linked to another subject of the provider, or a subject to another person."""


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
    session = UserSession.objects.get(pk=session_id, user=actor.person)
    _end(UserSession.objects.filter(pk=session.pk), actor.person, "chosen")


@transaction.atomic
def credentials_changed(person: Person, *, keep: str | None = None) -> None:
    """What a person proves themselves with has changed, or they want all else ended: end every session of theirs.

    ``keep`` is the key of the session in which they did it.
    """
    end_everything(person, Access.End.CREDENTIALS, keep=keep)


@transaction.atomic
def link_provider(person: Person, provider: Provider, subject: str) -> Person:
    """Link a person to what an identity provider calls them; who was only invited has joined with that.

    For a sign-in in which the provider has shown that the person's address is theirs. It is a new proof of identity, so
    everything that earlier ones have opened ends. Raises ``LinkedOtherwise``.
    """
    locked = Person.objects.select_for_update(no_key=True, of=("self",)).select_related("account").get(pk=person.pk)
    if not locked.is_active or SocialAccount.objects.filter(user=locked, provider=provider.issuer).exists():
        raise LinkedOtherwise
    try:
        with transaction.atomic():
            SocialAccount(user=locked, provider=provider.issuer, uid=subject).save(force_insert=True)
            if not locked.has_joined:
                locked.join_without_password()
                locked.save(update_fields=["password"])
                locked.refresh_from_db(fields=["has_joined"])
    except IntegrityError as taken:
        raise LinkedOtherwise from taken
    audit.record(Actor.at_home(locked), "person.linked", locked, after={"provider": provider.id})
    end_everything(locked, Access.End.CREDENTIALS)
    return locked


@transaction.atomic
def unlink_provider(actor: Actor, provider: Provider) -> None:
    """Remove the acting person's link to an identity provider. Raises ``DoesNotExist`` where there is none, and
    ``ValidationError`` for a person who has no password to sign in with."""
    person = Person.objects.select_for_update(no_key=True).get(pk=actor.person.pk)
    link = SocialAccount.objects.get(user=person, provider=provider.issuer)
    if not person.has_usable_password():
        raise ValidationError(_("Choose a password first. Without one you could not sign in any more."))
    link.delete()
    audit.record(actor, "person.unlinked", person, before={"provider": provider.id})


def invite_person(actor: Actor, *, name: str, email: str, role: str) -> Person:
    """Add a person to the actor's account and mail them a link with which they choose a password.

    The same happens for an address that is in use in another account, but the mail then only informs its owner.
    """
    if not actor.may("people.invite"):
        raise PermissionDenied
    count_invitation(actor)
    with transaction.atomic():
        account = locked_account(actor)
        if role not in invitable_roles(actor):
            raise ValidationError(_("You cannot invite somebody in this role here."))
        return newcomer(actor, account, name=name, email=email, role=role)


def newcomer(actor: Actor, account: Account, *, name: str, email: str, role: str) -> Person:
    """Somebody new in ``account``: the actor's own, or one right below it. For actions that have asked who may.

    Raises ``ValidationError`` for the field ``email`` when one of the account's own people has the address.
    """
    # Addresses are kept the way allauth looks them up.
    person = Person(account=account, name=name, email=email.lower(), role=role, invited_at=timezone.now())
    person.time_zone = actor.person.time_zone
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as taken:
        if ADDRESS_OF_ACCOUNT not in str(taken):
            raise
        security.log("person.not_invited")
        sentence = _("Somebody in %(account)s has this address already.") % {"account": account.name}
        raise ValidationError({"email": sentence}) from taken
    record_invitation(actor, person)
    return person


def count_invitation(actor: Actor) -> None:
    """Count an attempt to invite, successful or not, so outside the transaction of the action.

    Raises ``ValidationError`` when the actor's account has reached its limit, for itself and the accounts below.
    """
    try:
        limits.take({f"invitations:{actor.account.pk}": (Limit(MOST_INVITED_AN_HOUR, HOUR),)})
    except limits.Reached as reached:
        security.log("limit.reached", limit="invitations")
        said = _("Your account has sent %(most)d invitations within the hour. Try again in %(time)s.")
        wait = {"most": MOST_INVITED_AN_HOUR, "time": limits.duration(reached.seconds)}
        raise ValidationError(said % wait) from None


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


def invite_again(actor: Actor, person_id: int) -> Person:
    """Make ready for another mail to somebody who has not chosen a password yet; links of earlier ones end."""
    if not actor.may("people.resend"):
        raise PermissionDenied
    count_invitation(actor)
    with transaction.atomic():
        person = locked_person(actor, person_id)
        if not person.is_active or person.has_joined:
            raise ValidationError(_("%(name)s has no open invitation.") % {"name": person.name})
        return renewed(actor, person)


def renewed(actor: Actor, person: Person) -> Person:
    """A locked person who has not joined, waiting for another mail. For actions that have asked who may."""
    now = timezone.now()
    if person.is_active and person.invited_at and now - person.invited_at < BETWEEN_INVITATIONS:
        raise ValidationError(_("An invitation was sent a moment ago. Wait a minute before you send another."))
    person.is_active, person.invited_at = True, now
    person.save(update_fields=["name", "is_active", "invited_at"])
    end_links(person)
    record_invitation(actor, person)
    return person


def end_links(person: Person) -> None:
    """Invalidate the invitations mailed to a locked person who has not joined: links are sealed with the password."""
    person.set_unusable_password()
    with connection.outside():
        person.save(update_fields=["password"])


def withdraw_invitation(actor: Actor, person: Person) -> None:
    """End the link of a locked person who has not joined. For actions that have asked who may."""
    person.is_active = False
    person.save(update_fields=["is_active"])
    end_links(person)
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
            raise ValidationError(_("You cannot change your own role. Another administrator can."))
    if before == after:
        return person
    person.name, person.role = name, role
    person.save(update_fields=["name", "role"])
    audit.record(actor, "person.changed", person, before, after)
    if before["role"] != role:
        # Should they have the old role again one day, nobody would expect what they were granted then.
        withdraw_all(actor, person)
        forget_notices(person)
        with connection.outside():
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
        raise ValidationError(_("You cannot deactivate yourself. Another administrator can."))
    person.is_active = False
    person.save(update_fields=["is_active"])
    if not person.has_joined:
        end_links(person)
    audit.record(actor, "person.deactivated", person)
    forget_notices(person)
    end_everything(person, Access.End.NOT_ALLOWED)
    return person


def forget_notices(person: Person) -> None:
    """Remove the notices of a person whose rights have changed."""
    with connection.outside():
        Notice.forget_all(person)


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
        raise ValidationError(_("This is the session you are using. Sign out instead."))
    audit.record(actor, "person.signed_out", person)
    end_everything(person, Access.End.SIGNED_OUT)
    return person


@transaction.atomic
def remove_factors(person: Person) -> bool:
    """Remove the second factors of a person who has lost them all; False when there are none.

    For the operator of the portal, who acts in no account and must check the identity of the person who asks.
    """
    removed, _of_what = Authenticator.objects.filter(user=person).delete()
    if not removed:
        return False
    end_everything(person, Access.End.CREDENTIALS)
    portal = Actor(person=None, account=person.account, chain=(person.account,))
    audit.record(portal, "person.factors_removed", person)
    return True


@transaction.atomic
def remove_provider_links(person: Person) -> bool:
    """Remove a person's links to identity providers; False when there are none. For the operator of the portal, as
    ``remove_factors``: the person's next sign-in with a provider makes a new link by their address."""
    links = SocialAccount.objects.filter(user=person)
    issuers = sorted(links.values_list("provider", flat=True))
    if not issuers:
        return False
    links.delete()
    end_everything(person, Access.End.CREDENTIALS)
    portal = Actor(person=None, account=person.account, chain=(person.account,))
    for issuer in issuers:
        provider = provider_of_issuer(issuer)
        audit.record(portal, "person.unlinked", person, before={"provider": provider.id if provider else "former"})
    return True


def end_everything(person: Person, why: Access.End, *, keep: str | None = None) -> None:
    """End a person's sessions, except the one with the key ``keep``, their accesses, and the trust in their browsers.

    The only place that ends them: any other proof of identity that is added has to end here too.
    """
    person.devices_since = timezone.now()
    with connection.outside():
        _end(UserSession.objects.filter(user=person).exclude(session_key=keep), person, why)
        end_accesses(person, why)
        Person.objects.filter(pk=person.pk).update(devices_since=person.devices_since)


def _end(sessions, person: Person, why: str) -> None:
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    sessions.delete()
    endings.end_for([person])
    if keys:
        tell = partial(security.log, "session.ended", target=f"person {person.pk}", count=len(keys), why=str(why))
        transaction.on_commit(tell, robust=True)


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
