"""Many numbers are put onto what rings, each onto its own, in one transaction."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.actor import Actor
from numbers.actions.verbs import AssignToDestination, perform
from numbers.models import Destination, PhoneNumber
from portal.pages import first_of

#: So many sentences of refusal are shown at once.
NAMED = 10


@transaction.atomic
def assign_each(actor: Actor, wishes: Mapping[int, Destination | None]) -> int:
    """Let each of these numbers, by id, ring a destination, or none of them; how many ring another one now. A number
    without a wish, and one that rings it already, stay as they are.

    Raises ``PermissionDenied``, and ``ValidationError`` with the refusals.
    """
    if not AssignToDestination.is_open_to(actor):
        raise PermissionDenied
    wanted = {pk: rings for pk, rings in wishes.items() if rings is not None}
    numbers = PhoneNumber.visible_to(actor).filter(pk__in=wanted)
    here = {number.pk: number for number in numbers}
    by_destination: dict[int, list[int]] = {}
    for pk, rings in wanted.items():
        if pk not in here or here[pk].destination_id != rings.pk:
            by_destination.setdefault(rings.pk, []).append(pk)
    refused = []
    for destination_id, ids in sorted(by_destination.items()):
        outcomes = perform(actor, AssignToDestination(destination_id), ids)
        refused += [
            f"{actor.person.written(outcome.number.e164)}: {outcome.refusal}" if outcome.number else outcome.refusal
            for outcome in outcomes if outcome.refusal
        ]  # fmt: skip
    if refused:
        raise ValidationError(first_of(refused, NAMED))
    return sum(map(len, by_destination.values()))
