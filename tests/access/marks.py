"""A mark in every text of every account: whoever reads it knows whose text it is."""

from django.db import models

from accounts.models import Access, Account, AuditEvent, Grant, Notice, Person
from numbers.models import (
    CallEvent,
    CarrierOrder,
    Destination,
    Import,
    ImportRow,
    Job,
    JobItem,
    NumberAsOf,
    Order,
    OrderLine,
    PastNumber,
    PhoneNumber,
    Release,
    Routing,
    StockLevel,
    TelephoneSystem,
)
from webphone.models import Call, Location

#: Columns whose texts have a form, which the rows of the trees have already.
FORMED = {"code", "extension", "phone", "e164", "password", "time_zone", "sign_in", "request_id", "entered_from",
          "verb", "target_type", "region", "country", "home_country", "encoding", "read_as", "without_plus",
          "token_hash", "currency", "ref", "number", "own_number", "caller_id", "code_call"}  # fmt: skip
#: What an account's people may read of those above it: who they are, never how they are reached and what they hold.
NAMES = {(Account, "name"), (Person, "name"), (Access, "reason")}
#: model -> the account that a row's texts belong to; None where there are no texts, or where they are another's
OWNERS = {
    Account: lambda row: row,
    Person: lambda row: row.account,
    Access: lambda row: row.account,
    AuditEvent: lambda row: row.account,
    Destination: lambda row: row.customer,
    PhoneNumber: lambda row: row.customer or row.var,
    PastNumber: lambda row: row.customer or row.var,
    Import: lambda row: row.account,
    ImportRow: lambda row: row.account,
    Job: lambda row: row.account,
    JobItem: lambda row: row.account,
    Order: lambda row: row.customer,
    OrderLine: lambda row: row.customer,
    CarrierOrder: lambda row: row.customer,
    Release: lambda row: row.account,
    Routing: lambda row: row.account,
    TelephoneSystem: lambda row: row.account,
    Call: None,
    Location: None,
    Grant: None,
    NumberAsOf: None,
    CallEvent: None,
    StockLevel: None,
    Notice: None,
}


def texts_of(model):
    """The columns of a model that hold what somebody typed."""
    for column in model._meta.concrete_fields:
        is_text = isinstance(column, models.CharField | models.TextField) and not column.choices
        if is_text and not column.generated and column.name not in FORMED:
            yield column


class Marks:
    """The marks, each with the account it belongs to and whether those below it may read it."""

    def __init__(self, world):
        self.owners, self.open = {}, set()
        for row in (world.system, *world.rows, *world.a.rows, *world.sibling.rows, *world.b.rows):
            for column in texts_of(type(row)) if OWNERS.get(type(row)) else ():
                if isinstance(row, AuditEvent):  # cannot be changed: it names its account by itself
                    continue
                mark = f"zq{len(self.owners):04x}"
                self.owners[mark] = OWNERS[type(row)](row)
                if (type(row), column.name) in NAMES:
                    self.open.add(mark)
                text = f"{mark}@example.com" if isinstance(column, models.EmailField) else mark
                type(row)._base_manager.filter(pk=row.pk).update(**{column.name: text})

    def forbidden_to(self, world, identity):
        """The marks of every account that is neither the person's, nor below it, nor one that they were granted.

        Of the accounts above, names may be read: of who was inside, of the reseller.
        """
        tree = world.a
        if identity.acting_in in ("company", "professional"):
            # Whoever is inside walks there; their own name goes with them.
            home = world.system if identity.home == "system" else tree.account(identity.home)
            mine = [home, tree.account(identity.acting_in)]
        elif identity.home == "system" and not identity.granted:
            return set()
        elif identity.home == "var" and identity.role != "administrator":
            mine = [tree.var, *((tree.company, tree.professional) if identity.granted else ())]
        else:
            mine = [row for row in (*tree.rows, *world.sibling.rows) if isinstance(row, Account)]
            mine += [world.system] if identity.home == "system" else []
        above = [world.system, tree.var]
        return {
            mark
            for mark, owner in self.owners.items()
            if owner not in mine and not (owner in above and mark in self.open)
        }
