"""What can be done to numbers that are here: each verb is a value, and ``perform`` does it, to one number or to many.

A verb says what it needs (``prepare``), why it cannot be done to a number (``refusal``), and what it makes of one
(``changes``). Locks, scope, writing and history are the same for all of them and stand in ``performing`` alone.
"""

from numbers.actions.verbs.base import SetOptions, Verb
from numbers.actions.verbs.of_customers import AssignToDestination, GiveBack, UnassignFromDestination
from numbers.actions.verbs.of_orders import Hold, LetGo, Take
from numbers.actions.verbs.of_vars import (
    AssignToCustomer,
    CancelReservation,
    CorrectProvider,
    Delete,
    EndCooling,
    GiveUp,
    Reserve,
    Route,
    UnassignFromCustomer,
)
from numbers.actions.verbs.performing import (
    OF_CUSTOMERS,
    OF_VARS,
    Outcome,
    outcomes_of,
    perform,
    perform_on,
    said_of,
    verbs_of,
    write,
)
from numbers.actions.verbs.undoing import UNDOES, Undo

__all__ = [
    "OF_CUSTOMERS", "OF_VARS", "UNDOES", "AssignToCustomer", "AssignToDestination", "CancelReservation",
    "CorrectProvider", "Delete", "EndCooling", "GiveBack", "GiveUp", "Hold", "LetGo", "Outcome", "Reserve", "Route",
    "SetOptions", "Take", "UnassignFromCustomer", "UnassignFromDestination", "Undo", "Verb", "outcomes_of", "perform",
    "perform_on", "said_of", "verbs_of", "write",
]  # fmt: skip
