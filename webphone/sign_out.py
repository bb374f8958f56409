"""A person who is signed out is not on the phone either: their browsers are not rung any more, and their calls end."""

import logging
from collections.abc import Collection

from accounts.models import Person
from webphone.telephony import Unreachable, telephony

log = logging.getLogger("webphone.sign_out")


def sign_out(people: Collection[Person]) -> None:
    """End registrations, credentials and calls of people whose sessions have ended.

    Where the phone system does not answer, their credentials expire within ten minutes.
    """
    way = telephony()
    try:
        if way:
            way.sign_out(people)
    except Unreachable as error:
        log.error("The phone system could not be told of a sign-out: %s", type(error).__name__)
