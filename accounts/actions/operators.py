"""The first administrators of the portal, whom the person at the server makes on the command line."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.actions.people import end_everything, withdraw_invitation
from accounts.actor import Actor
from accounts.models import Access, Account, Person


class NotNeeded(Exception):
    """The portal has an active system administrator, the argument, who can do what is asked for."""


@transaction.atomic
def create_operator(
    *, operator: str, person_name: str, email: str, password: str | None = None, again: bool = False
) -> Person:
    """Make the person with this address a system administrator, and the system account where there is none.

    ``operator`` is the name of the system account; empty, it keeps its own. Without a ``password`` the person chooses
    one by a link. Runs as the owner of the tables: nobody is signed in, and no scope may do this.

    Raises ``NotNeeded`` where a system administrator is active, unless ``again``; ``ValidationError`` for a name that
    is missing and for the address of a person in another account.
    """
    account, is_new = Account.of_the_system(operator)
    if not account.name:
        raise ValidationError(_("There is no system account yet. Give its name, which is usually your company’s."))
    portal = Actor(person=None, account=account, chain=(account,))
    if is_new:
        audit.record(portal, "account.added", account, after={"code": account.code, "name": account.name})
    administrators = Person.objects.filter(account=account).administrators()
    if not again and (active := administrators.order_by("pk").first()):
        raise NotNeeded(active)
    if operator and account.name != operator:
        before, account.name = {"name": account.name}, operator
        account.save(update_fields=["name"])
        audit.record(portal, "account.changed", account, before, {"name": operator})
    owner = Person.objects.owner_of(email)
    if owner is not None and owner.account_id != account.pk:
        raise ValidationError(
            _("%(email)s is already used by a person in %(account)s (%(code)s). Choose another address.")
            % {"email": email, "account": owner.account.name, "code": owner.account.code}
        )
    if not administrators:
        withdraw_invitations(portal, email)
    return made_administrator(portal, person_name, email.lower(), password)


def withdraw_invitations(portal: Actor, but: str) -> None:
    """End the links of system administrators who never signed in: the address of one may have been mistyped."""
    invited = Person.objects.filter(account=portal.account, is_active=True).never_joined()
    for person in invited.exclude(email=but.lower()).select_for_update(no_key=True, of=("self",)).order_by("pk"):
        withdraw_invitation(portal, person)


def made_administrator(portal: Actor, name: str, email: str, password: str | None) -> Person:
    """The person with this address in the system account, active and an administrator."""
    person = Person.objects.select_for_update(no_key=True).filter(account=portal.account, email=email).first()
    person = person or Person(account=portal.account, email=email, has_joined=False)
    person.name = name or person.name or email.partition("@")[0]
    person.role, person.is_active, person.invited_at = Person.Role.ADMINISTRATOR, True, timezone.now()
    if password is not None:
        person.set_password(password)
    elif not person.has_joined:
        person.set_unusable_password()  # and no link of before is good
    person.save()
    if password is not None:
        end_everything(person, Access.End.CREDENTIALS)
    audit.record(portal, "person.made_administrator", person, after={"email": email, "role": str(person.role)})
    return person
