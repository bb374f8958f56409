"""What an administrator of a new account does first. The steps are on the home page until the account is in use."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.actor import Actor
from accounts.models import Account, Person
from accounts.policy import needed_for
from numbers.models import Destination, PhoneNumber, Provider


@dataclass(frozen=True)
class Step:
    """One step: what to do and why, where it is done (address and label), and whether it is done.

    ``command`` is what is done on the server instead.
    """

    title: str
    text: str
    is_done: bool
    links: tuple[tuple[str, str], ...] = ()
    command: str = ""


def first_steps(actor: Actor) -> list[Step]:
    """The first steps in the acting account; none once it is in use, nor for those who may not take them."""
    kind, code = actor.account.kind, actor.account.code
    steps = {Account.Kind.SYSTEM: of_system, Account.Kind.VAR: of_var, Account.Kind.COMPANY: of_company}.get(kind)
    if steps is None or actor.is_viewing or not actor.may(needed_for("person_invite")):
        return []
    found = steps(actor, code)
    # Somebody who works alone is not told for ever to invite others.
    return [] if all(step.is_done for step in found) else [*found, invite(actor, code)]


def of_system(actor: Actor, code: str) -> list[Step]:
    return [
        Step(
            _("Name your carriers"),
            _("Every number comes from a provider. On the server, name each once:"),
            Provider.objects.exists(),
            command='manage.py providers "Northline"',
        ),
        Step(
            _("Add a VAR"),
            _("A reseller account holds the stock of numbers. Its administrator gets a link by e-mail."),
            Account.below(actor).exists(),
            ((f"{reverse('accounts_add', args=[code])}?kind=var", _("Add a VAR")),),
        ),
    ]


def of_var(actor: Actor, code: str) -> list[Step]:
    numbers = ((reverse("numbers:add", args=[code]), _("Add numbers")),)
    numbers += ((reverse("numbers:import", args=[code]), _("Import a file")),)
    if actor.may(needed_for("numbers:order")):
        numbers += ((reverse("numbers:order", args=[code]), _("Order from a carrier")),)
    return [
        Step(
            _("Add numbers"),
            _("Type one number or a block, import a file, or order from a carrier."),
            PhoneNumber.visible_to(actor).exists(),
            numbers,
        ),
        Step(
            _("Add a customer"),
            _("Numbers are assigned to companies and professionals. Their administrator gets a link by e-mail."),
            Account.below(actor).exists(),
            ((f"{reverse('accounts_add', args=[code])}?kind=company", _("Add a company")),),
        ),
    ]


def of_company(actor: Actor, code: str) -> list[Step]:
    return [
        Step(
            _("Get phone numbers"),
            _("Order numbers from the stock of %(var)s, or wait until it assigns some to you.")
            % {"var": actor.account.parent.name},
            PhoneNumber.visible_to(actor).exists(),
            ((reverse("numbers:order", args=[code]), _("Order numbers")),),
        ),
        Step(
            _("Add a destination"),
            _("A number rings a user, a service or a group. Add those that can be reached from outside."),
            Destination.visible_to(actor).exists(),
            ((reverse("destinations:add", args=[code]), _("Add a destination")),),
        ),
    ]


def invite(actor: Actor, code: str) -> Step:
    return Step(
        _("Invite people"),
        _("A second administrator can help when a password or a phone is lost."),
        Person.visible_to(actor).exclude(pk=actor.person.pk).filter(is_active=True).exists(),
        ((reverse("person_invite", args=[code]), _("Invite somebody")),),
    )
