"""Who signs in with an identity provider: people who are here already, by a link to the provider's name for them.

The link is a row of allauth's ``SocialAccount``: the issuer, the provider's subject, the person. It is made at the
first sign-in, by an address that the provider has verified; afterwards only the subject counts.
"""

from __future__ import annotations

from allauth.account.internal.flows.login import get_authentication_records
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest

from accounts import actions
from accounts.actor import Actor
from accounts.models import Person
from portal.single_sign_on import Provider, provider_of_issuer, provider_required_for

#: How a sign-in at a provider is called among the methods in the log, and allauth's name for it in a session.
METHOD, RECORDED = "provider", "socialaccount"


class Refused(Exception):
    """No account here is linked to the sign-in at the provider. ``why`` is a fixed word for the log: people see
    the same message whatever it is. ``person`` is whom it was about, if anybody; ``email`` what the provider said."""

    def __init__(self, why: str, person: Person | None = None, email: str = ""):
        super().__init__(why)
        self.why, self.person, self.email = why, person, email


class Invited(Exception):
    """Nobody has joined with the verified address ``email`` of the provider's ``subject``, and accounts have invited
    it: which of them they join, if any, the person decides."""

    def __init__(self, subject: str, email: str, people: list[Person]):
        super().__init__(email)
        self.subject, self.email, self.people = subject, email, people


def linked_person(provider: Provider, subject: str) -> Person | None:
    """The person whom the provider calls ``subject``, active or not."""
    links = SocialAccount.objects.filter(provider=provider.issuer, uid=subject)
    return Person.objects.filter(pk__in=links.values("user_id")).select_related("account").first()


def links_of(person: Person) -> dict[Provider, SocialAccount]:
    """The person's links to providers that are in the settings; asks nothing where there are none."""
    if not settings.SINGLE_SIGN_ON:
        return {}
    links = SocialAccount.objects.filter(user=person).order_by("pk")
    return {provider: link for link in links if (provider := provider_of_issuer(link.provider))}


def person_of(provider: Provider, subject: str, linked: Person | None, claims: dict) -> Person:
    """The person who signed in at the provider: who is ``linked``, or whom the ``claims`` link now.

    Raises ``Refused`` and ``Invited``.
    """
    if linked is not None:
        return in_service(linked)
    return linked_to(provider, subject, owner_of_verified(provider, subject, claims))


def joined(provider: Provider, subject: str, email: str, code: str) -> Person:
    """The person who joins the account called ``code``, which has invited this address that the provider has verified.

    Raises ``Refused``, also where the invitation has ended meanwhile.
    """
    people = [] if Person.objects.owner_of(email) else Person.objects.invited(email)
    for person in people:
        if person.account.code == code:
            return linked_to(provider, subject, person)
    raise Refused("unknown", email=email)


def in_service(person: Person) -> Person:
    """The person, if they may sign in. Raises ``Refused``."""
    if not person.is_active:
        raise Refused("inactive", person)
    if Actor.at_home(person).is_shut_out:
        raise Refused("out_of_service", person)
    return person


def linked_to(provider: Provider, subject: str, person: Person) -> Person:
    """The person, linked to the provider's subject. Raises ``Refused``."""
    try:
        return actions.link_provider(in_service(person), provider, subject)
    except actions.LinkedOtherwise:
        # The address belongs to somebody else at the provider now, or two browsers came at the same moment.
        raise Refused("other_subject", person) from None


def owner_of_verified(provider: Provider, subject: str, claims: dict) -> Person:
    """The person who has joined with the address that the provider says is verified. Raises ``Refused`` and
    ``Invited``."""
    email = claims.get("email")
    # Outside ASCII different letters have the same small letter: somebody else's address at the provider could pass.
    if not isinstance(email, str) or not (email.isascii() and email.isprintable()) or email.count("@") != 1:
        raise Refused("no_address")
    if not is_verified(claims.get(provider.verified_claim), provider):
        raise Refused("not_verified", email=email)
    if not provider.covers(email):
        raise Refused("domain", email=email)
    if person := Person.objects.owner_of(email):
        return person
    if invited := Person.objects.invited(email):
        raise Invited(subject, email, invited)
    raise Refused("unknown", email=email)


def is_verified(value: object, provider: Provider) -> bool:
    """Whether a claim says that an address is verified. ``email_verified`` is a truth value; Microsoft's own is also
    written as a number or a text."""
    if provider.verified_claim == "email_verified":
        return value is True
    return value in (True, "1", "true")


def needs_provider(person: Person) -> Provider | None:
    """The provider with which alone the person signs in. None for system administrators as well: somebody has to get in
    when the provider does not work."""
    return None if is_emergency(person) else provider_required_for(person.email)


def is_emergency(person: Person) -> bool:
    """Whether a person may sign in without the provider that their domain requires: a system administrator."""
    return person.role == Person.Role.ADMINISTRATOR and person.account.parent_id is None


def used_provider(request: HttpRequest, person: Person) -> Provider | None:
    """The provider with which the person signed in to this session, or last confirmed it, if it is in the settings."""
    records = get_authentication_records(request, person)
    issuers = [record.get("provider", "") for record in records if record["method"] == RECORDED]
    return provider_of_issuer(issuers[-1]) if issuers else None


def is_by_provider(request: HttpRequest, person: Person) -> bool:
    """Whether the last proof of identity in this session is a sign-in at a provider."""
    records = get_authentication_records(request, person)
    return bool(records) and records[-1]["method"] == RECORDED


def is_by(provider: Provider, request: HttpRequest, person: Person) -> bool:
    """Whether the last proof of identity in this session is a sign-in at this provider."""
    return is_by_provider(request, person) and used_provider(request, person) == provider


def confirming_providers(person: Person) -> list[Provider]:
    """The providers at which the person confirms their identity: those that they are linked to. Who has a second factor
    here uses only those that stand for it."""
    return [one for one in links_of(person) if one.replaces_second_factor or not person.has_second_factor]
