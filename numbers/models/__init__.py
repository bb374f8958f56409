"""Phone numbers and what is done to many of them, a module for each subject."""

from numbers.models.jobs import Job, JobItem
from numbers.models.phone_numbers import Destination, PastNumber, PhoneNumber, Provider, held_by

__all__ = ["Destination", "Job", "JobItem", "PastNumber", "PhoneNumber", "Provider", "held_by"]
