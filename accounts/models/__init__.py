"""Accounts, the people in them, who may enter others, and what happened, a module for each subject."""

from accounts.models.accounts import Account, FoldedField
from accounts.models.grants import NO_END, Grant
from accounts.models.history import Access, AuditEvent
from accounts.models.notices import UNREAD, Notice
from accounts.models.people import LONG_AGO, Person

__all__ = [
    "LONG_AGO",
    "NO_END",
    "UNREAD",
    "Access",
    "Account",
    "AuditEvent",
    "FoldedField",
    "Grant",
    "Notice",
    "Person",
]
