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
from accounts.actions.grants import give_grant, withdraw_grant
from accounts.actions.people import (
    change_person,
    change_profile,
    credentials_changed,
    deactivate_person,
    end_session,
    invite_again,
    invite_person,
    reactivate_person,
    sign_out_person,
)

__all__ = [
    "add_account",
    "ask_consent",
    "change_account",
    "change_person",
    "change_profile",
    "change_settings",
    "close_account",
    "credentials_changed",
    "deactivate_person",
    "decide_access",
    "end_access",
    "end_accesses",
    "end_session",
    "enter_account",
    "give_grant",
    "invite_again",
    "invite_person",
    "leave_account",
    "new_sign_in",
    "note_presence",
    "reactivate_account",
    "reactivate_person",
    "sign_out_person",
    "suspend_account",
    "why_not_closed",
    "withdraw_grant",
]
