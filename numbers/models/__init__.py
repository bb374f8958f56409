"""Phone numbers and what is done to many of them, a module for each subject."""

from numbers.models.calls import CallEvent, TelephoneSystem
from numbers.models.jobs import Import, ImportRow, Job, JobItem, Work
from numbers.models.levels import StockLevel
from numbers.models.orders import CarrierOrder, Order, OrderLine
from numbers.models.past import NumberAsOf, PastNumber
from numbers.models.phone_numbers import USES, Destination, HeldQuerySet, PhoneNumber, Provider, held_by, use_text
from numbers.models.releases import Release
from numbers.models.routing import Routing

__all__ = [
    "USES", "CallEvent", "CarrierOrder", "Destination", "HeldQuerySet", "Import", "ImportRow", "Job", "JobItem",
    "NumberAsOf", "Order", "OrderLine", "PastNumber", "PhoneNumber", "Provider", "Release", "Routing",
    "StockLevel", "TelephoneSystem", "Work", "held_by", "use_text",
]  # fmt: skip
