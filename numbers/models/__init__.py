"""Phone numbers and what is done to many of them, a module for each subject."""

from numbers.models.jobs import Import, ImportRow, Job, JobItem, Work
from numbers.models.phone_numbers import USES, Destination, PastNumber, PhoneNumber, Provider, held_by, use_text

__all__ = [
    "USES", "Destination", "Import", "ImportRow", "Job", "JobItem", "PastNumber", "PhoneNumber", "Provider", "Work",
    "held_by", "use_text",
]  # fmt: skip
