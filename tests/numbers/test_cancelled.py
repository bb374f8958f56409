"""A cancelled import says what it did, line by line, and what it says is so."""

import csv
import io
from uuid import uuid4

import pytest
from django.db import connection

from accounts.actor import Actor
from accounts.scope import scope
from numbers.actions import applying, imports
from numbers.models import Import, PhoneNumber
from tests import factories

pytestmark = pytest.mark.django_db
MANY = 24


@pytest.fixture
def wanted(alpha, administrator_of, monkeypatch):
    """An import of several batches: each second line has a label, one is refused, and one changes a number."""
    monkeypatch.setattr(imports, "AT_ONCE", 1)
    for name, size in (("ADDED_AT_ONCE", 5), ("CHANGED_AT_ONCE", 3), ("LOOKED_THROUGH", 6)):
        monkeypatch.setattr(applying, name, size)
    factories.make_number(alpha, e164="+15145550003")
    factories.make_number(factories.make_account("var"), e164="+15145550007")
    rows = [(i + 2, [f"+1514555{i:04}", "Desk" if i % 2 else ""]) for i in range(MANY)]
    rows.append((MANY + 2, ["nothing", ""]))
    actor, provider = Actor.at_home(administrator_of(alpha)), factories.make_provider()
    with scope(alpha):
        begun = imports.begin_import(actor, uuid4(), iter(rows), columns=["number", "label"], provider=provider)
        while imports.take_up(alpha, begun.pk):
            pass
        imports.apply_import(actor, begun.pk)
    return begun


def outcomes(client, account, wanted):
    text = client.get(f"/{account.code}/numbers/imports/{wanted.pk}/export.csv").getvalue().decode()
    return {row["Number"]: row["Verdict"] for row in csv.DictReader(io.StringIO(text))}


def facts(client, account, wanted):
    page = client.get(f"/{account.code}/numbers/imports/{wanted.pk}/").text
    found = [part.partition("</dt><dd>") for part in page.split("<dt>")[1:]]
    return {name: text.partition("</dd>")[0] for name, _between, text in found}


@pytest.mark.parametrize("batches", range(12))
def test_what_a_cancelled_import_says_of_each_line_is_so(client, alpha, administrator_of, wanted, batches):
    client.force_login(administrator_of(alpha))
    for _batch in range(batches):
        with scope(alpha):
            imports.take_up(alpha, wanted.pk)
    running = outcomes(client, alpha, wanted)
    client.post(f"/{alpha.code}/numbers/imports/{wanted.pk}/cancel/")
    connection.queries_log.clear()
    here = dict(PhoneNumber.unscoped.filter(var=alpha).values_list("e164", "label"))
    said, over = outcomes(client, alpha, wanted), Import.unscoped.get().state
    for e164, outcome in said.items():
        label = "Desk" if e164[-1:] in "13579" else ""
        truth = {
            "Added": here.get(e164) == label,
            "Changed": here.get(e164) == label,
            "Added, the rest not done": here.get(e164) == "" != label,
            "Not reached": e164 not in here or e164 == "+15145550003",
            "Refused": e164 in ("nothing", "+15145550007"),
        }
        assert truth[outcome], (e164, outcome)
    told = facts(client, alpha, wanted)
    numbers = {
        name: int(told.get(name, "0")) for name in ("Done", "Refused", "Added, the rest not done", "Not reached")
    }
    assert sum(numbers.values()) == MANY + 1
    # The one that was here was not added.
    assert numbers["Done"] + numbers["Added, the rest not done"] == len(here) - (said["+15145550003"] != "Changed")
    assert numbers["Not reached"] == list(said.values()).count("Not reached")
    if over == "cancelled":
        assert set(running.values()) <= {"Added", "Changed", "Refused", "Waiting", "Added, the rest to follow"}
