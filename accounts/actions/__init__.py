"""Every change to accounts and people, by noun; callers ask this package and need not know in which module it is."""

from accounts.actions.access import (
    ask_consent,
    decide_access,
    end_access,
    end_accesses,
    enter_account,
    leave_account,
    new_sign_in,
    note_presence,
)
from accounts.actions.people import change_profile

__all__ = [
    "ask_consent",
    "change_profile",
    "decide_access",
    "end_access",
    "end_accesses",
    "enter_account",
    "leave_account",
    "new_sign_in",
    "note_presence",
]
