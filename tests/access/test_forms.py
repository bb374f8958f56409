"""Every form, sent with more than it has: nothing but its own fields is written."""

import pytest
from django.apps import apps
from django.db import models

from tests.access.crawl import Sent, sendings, walk
from tests.access.database import changed, snapshot, undone
from tests.access.identities import IDENTITIES
from tests.access.tokens import tokens, twins

SENDERS = [
    "system administrator", "var administrator", "company administrator", "professional administrator",
    "user of a company", "system administrator in var", "system support to manage in var in company",
    "var support to view in company",
]  # fmt: skip
#: What differs between any two rows that were written.
OWN = {
    "token_hash",
    "id",
    "at",
    "code",
    "code_until",
    "code_call",
    "ref",
    "target_id",
    "request_id",
    "access_id",
    "sign_in",
    "password",
    "last_login",
    "form_key",
    "data",
}


def values_of(world):
    """Something for each column of each model that would be worth writing."""
    twin = twins(world)
    found = {}
    for model in apps.get_models():
        if model._meta.app_label not in ("accounts", "numbers", "webphone", "auth", "mfa"):
            continue
        for column in model._meta.concrete_fields:
            value = "extra"
            if column.is_relation:
                value = str(world.b.company.pk)
            elif column.choices:
                value = str(list(column.choices)[-1][0])
            elif isinstance(column, models.BooleanField):
                value = "on"
            elif isinstance(column, models.IntegerField):
                value = "77"
            elif isinstance(column, models.DateTimeField):
                value = "2030-01-01T00:00:00Z"
            found |= {column.name: value, column.attname: value}
    # What decides about rights, and what is told from outside.
    found |= {"role": "administrator", "kind": "system", "status": "closed", "is_superuser": "on", "is_staff": "on"}
    found |= {"other": twin[world.a.company.code], "actor": "1", "account": str(world.b.var.pk)}
    return found


@pytest.fixture(scope="module")
def pages_of(world):
    """Everything that somebody can reach: walked once for the tests of this module, which only read it."""
    known = {}

    def walked(name):
        if name not in known:
            seat = world.seat(IDENTITIES[name])
            known[name] = seat, list(walk(seat))
        return known[name]

    return walked


def written(seat, sent, before):
    """The rows that the request changes, without what is new in each; and how it is answered."""
    with undone(seat.client):
        answer = sent.by(seat.client)
        rows = changed(before, snapshot())
    return answer.status_code, sorted(repr((table, told(row))) for table, row in rows)


def told(row):
    texts = {name: value for name, value in row.items() if name not in OWN and not is_time(value)}
    # Rows that point at one which was made just now: ids of the trees are smaller.
    texts = {name: value for name, value in texts.items() if not (name.endswith("_id") and (value or 0) > 9_000_000)}
    if texts.get("target_type") == "order" and int(texts["target"]) > 9_000_000:  # it is called as its id is
        del texts["target"]
    return sorted((name, told(value) if isinstance(value, dict) else value) for name, value in texts.items())


def is_time(value):
    return isinstance(value, str) and len(value) > 20 and value[4:5] == "-" and value[10:11] == "T"


def filled(sent):
    """The form with something in the fields that want it."""
    more = {"name": "A name", "contact": "Somebody", "reason": "Ticket", "cooling_days": "9"}
    return Sent(sent.method, sent.url, tuple((name, value or more.get(name, "")) for name, value in sent.fields))


@pytest.mark.parametrize("name", SENDERS, scope="module")
def test_a_form_writes_its_own_fields_and_nothing_else_that_is_sent_with_it(world, pages_of, name):
    (seat, pages), extra, before = pages_of(name), values_of(world), snapshot()
    forms = {}
    for _sent, _answer, page in pages:
        for form in page.forms if page else ():
            if form.method == "post":
                for sending in sendings(form):
                    forms[sending.url.partition("?")[0], tuple(sorted({n for n, _v in sending.fields}))] = (
                        filled(sending), set(form.fields) | set(form.offered),
                    )  # fmt: skip
    assert forms
    for sent, own in forms.values():
        more = tuple((n, v) for n, v in extra.items() if n not in own and n not in dict(sent.fields))
        if sent.url.endswith("/access/"):  # who enters may say why, on the page that asks for it
            more = tuple(pair for pair in more if pair[0] != "reason")
        if sent.url.endswith("/order/basket/"):  # whoever sends an offer that was never made is refused
            more = tuple(pair for pair in more if pair[0] != "number")
        if sent.url.endswith("/webphone/dial/"):  # whoever calls may show a number of theirs; any other is refused
            more = tuple(pair for pair in more if pair[0] != "caller_id")
        answered, rows = written(seat, sent, before)
        answered_, rows_ = written(seat, Sent("post", sent.url, (*sent.fields, *more)), before)
        assert (answered, rows) == (answered_, rows_), f"{sent} with more"


@pytest.mark.parametrize("name", SENDERS, scope="module")
def test_what_can_be_chosen_is_ones_own(world, pages_of, name):
    """No list of choices, tick box or suggestion of any page has a row of the other tree, or of the sibling."""
    seat, pages = pages_of(name)
    others = tokens(world.b) if name != "system administrator" else set()
    others |= set() if IDENTITIES[name].sees_the_sibling else tokens(world.sibling)
    for sent, _answer, page in pages:
        if name == "system administrator in var" and not sent.url.startswith(f"/{seat.account.code}/"):
            continue
        for form in page.forms if page else ():
            chosen = {value for values in form.offered.values() for value in values}
            targets = {part for target, _added in form.buttons for part in target.split("/")}
            assert not (chosen | targets) & others, sent
