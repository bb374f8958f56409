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
from accounts.actions.accounts import (
    add_account,
    change_account,
    change_settings,
    close_account,
    reactivate_account,
    suspend_account,
    why_not_closed,
)
from accounts.actions.people import change_profile, credentials_changed, end_session

__all__ = [
    "add_account",
    "ask_consent",
    "change_account",
    "change_profile",
    "change_settings",
    "close_account",
    "credentials_changed",
    "decide_access",
    "end_access",
    "end_accesses",
    "end_session",
    "enter_account",
    "leave_account",
    "new_sign_in",
    "note_presence",
    "reactivate_account",
    "suspend_account",
    "why_not_closed",
]
