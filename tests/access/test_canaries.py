"""A mark in every text of every account, and where it can be read by walking: nowhere but where it belongs."""

import pytest
from django.apps import apps
from django.db import models

from accounts.models import Access, Account, AuditEvent, Grant, Person
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
    TelephoneSystem,
)
from tests.access.crawl import is_html, text_of, walk
from tests.access.database import snapshot
from tests.access.identities import IDENTITIES
from tests.access.tokens import found_in, tokens
from webphone.models import Call, Location

#: Columns whose texts have a form, which the rows of the trees have already.
FORMED = {"code", "extension", "phone", "e164", "password", "time_zone", "sign_in", "request_id", "entered_from",
          "verb", "target_type", "region", "encoding", "token_hash", "currency",
          "ref", "number", "own_number", "caller_id", "code_call"}  # fmt: skip
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
    TelephoneSystem: lambda row: row.account,
    Call: None,
    Location: None,
    Grant: None,
    NumberAsOf: None,
    CallEvent: None,
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
        for row in (world.system, *world.rows, *world.a.rows, *world.b.rows):
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
        if identity.home == "system" and not identity.granted:
            return set()
        mine = {
            "system": [world.system, *(row for row in tree.rows if isinstance(row, Account))],
            "var": [row for row in tree.rows if isinstance(row, Account)],
        }.get(identity.home) or [tree.account(identity.home)]
        if identity.home == "var" and identity.role != "administrator":
            mine = [tree.var, *((tree.company, tree.professional) if identity.granted else ())]
        above = [world.system, tree.var]
        return {
            mark
            for mark, owner in self.owners.items()
            if owner not in mine and not (owner in above and mark in self.open)
        }


@pytest.fixture
def marks(world):
    return Marks(world)


def test_every_model_with_texts_of_accounts_is_marked(marks):
    ours = {model for model in apps.get_models() if model._meta.app_label in ("accounts", "numbers", "webphone")}
    ours = {model for model in ours if any(f.related_model is Account for f in model._meta.concrete_fields)}
    assert ours | {Account} == set(OWNERS)


@pytest.mark.parametrize(
    "identity", [i for i in IDENTITIES.values() if not i.is_nobody], ids=lambda identity: identity.name
)
def test_nobody_can_walk_to_a_text_of_another_tenant(world, marks, identity):
    seat = world.seat(identity)
    forbidden = marks.forbidden_to(world, identity)
    others = tokens(world.b) if forbidden else set()
    entered = {world.a.account(kind).code for kind in identity.inside}
    wrong, pages, before = [], 0, snapshot()
    for sent, answer, _page in walk(seat, everywhere=identity.name == "system administrator in var"):
        assert answer.status_code < 500, sent
        text = text_of(answer)
        read = {mark for mark in forbidden if mark in text} | found_in(text, others)
        if read:
            wrong.append(f"{sent} shows {sorted(read)}")
        # The frame is what pages of people who are signed in have; the entrance stands before the account.
        if is_html(answer) and '<body class="frame">' in text:
            inside = sent.url.split("/")[1] in entered
            if text.count('<section class="inside"') != inside:
                wrong.append(f"{sent} {'does not say' if inside else 'says'} that one is inside")
        pages += 1
    assert not wrong, "\n".join(wrong)
    assert pages > 3
    # Looking changes nothing.
    assert snapshot() == before
