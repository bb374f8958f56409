"""Large imports, which the worker checks and applies, and imports of other accounts."""

from importlib import import_module
from uuid import uuid4

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Account, AuditEvent
from accounts.scope import scope
from numbers.actions import applying, verdicts
from numbers.actions import imports as actions
from numbers.models import Import, PhoneNumber
from numbers.tasks import run_import
from tests import factories
from tests.numbers.test_imports import send
from tests.rights import run_script


@pytest.fixture
def large(monkeypatch, of_alpha, alpha, acme, northline):
    """A file of 25 lines that the worker checks and applies, a few at a time."""
    monkeypatch.setattr(actions, "AT_ONCE", 10)
    monkeypatch.setattr(actions, "KEPT_AT_ONCE", 7)
    monkeypatch.setattr(verdicts, "CHECKED_AT_ONCE", 10)
    monkeypatch.setattr(applying, "ADDED_AT_ONCE", 10)
    monkeypatch.setattr(applying, "CHANGED_AT_ONCE", 4)
    rows = "".join(f"+1514556{i:04},{'Acme Corp' if i % 5 == 0 else ''}\n" for i in range(25))
    return send(of_alpha, alpha, f"Number,Company\n{rows}", provider=northline.pk)


def queued():
    return ProcrastinateJob.objects.filter(task_name="numbers.run_import").latest("pk").args


def test_a_large_file_is_checked_and_applied_by_the_worker(of_alpha, alpha, large):
    page = of_alpha.get(large).text
    assert "<progress" in page
    assert 'hx-select-oob="#rows"' in page  # what is said of the lines goes with what is said of the file
    run_import(**queued())
    assert Import.unscoped.get().state == "draft"
    of_alpha.post(large, {"mode": "some"})
    assert PhoneNumber.unscoped.count() == 0
    run_import(**queued())
    run_import(**queued())
    done = Import.unscoped.get()
    assert (done.state, done.done, done.refused) == ("done", 25, 0)
    assert PhoneNumber.unscoped.filter(customer__name="Acme Corp").count() == 5
    assert AuditEvent.unscoped.filter(verb="number.imported").count() == 25
    assert AuditEvent.unscoped.filter(verb="number.assigned").count() == 5


def test_an_import_goes_on_that_was_under_way_when_its_lines_were_marked(of_alpha, alpha, large):
    """As the version before migration 0019 left it."""
    run_import(**queued())
    of_alpha.post(large, {"mode": "some"})
    with scope(alpha):
        assert actions.take_up(alpha, Import.unscoped.get().pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE numbers_importrow SET plan = plan - 0, applied = jsonb_array_length(plan) = 1"
            " WHERE e164 IN (SELECT e164 FROM numbers_phonenumber)"
        )
        cursor.execute("UPDATE numbers_import SET added_to = 0")
    run_script(import_module("numbers.migrations.0019_imports_under_way").GO_ON)
    run_import(**queued())
    done = Import.unscoped.get()
    assert (done.state, done.done, done.refused) == ("done", 25, 0)
    assert PhoneNumber.unscoped.filter(customer__name="Acme Corp").count() == 5
    assert AuditEvent.unscoped.filter(verb="number.imported").count() == 25


def test_an_import_is_cancelled_between_batches(of_alpha, alpha, large):

    run_import(**queued())
    of_alpha.post(large, {"mode": "some"})
    with scope(alpha):
        assert actions.take_up(alpha, Import.unscoped.get().pk)
    of_alpha.post(f"{large}cancel/")
    run_import(**queued())
    assert (Import.unscoped.get().state, PhoneNumber.unscoped.count()) == ("cancelled", 9)


def test_an_import_of_who_may_not_any_more_stops(of_alpha, alpha, large):
    run_import(**queued())
    of_alpha.post(large, {"mode": "some"})
    Account.unscoped.filter(pk=alpha.pk).update(status="suspended")
    run_import(**queued())
    assert (Import.unscoped.get().state, PhoneNumber.unscoped.count()) == ("stopped", 0)


def test_an_import_of_another_account_is_neither_applied_nor_cancelled(actor_in, alpha, bravo):
    rows = iter([(1, ["+15145550123"])])
    facts = {"provider": factories.make_provider(), "columns": ["number"]}
    theirs = actions.begin_import(actor_in(bravo), uuid4(), rows, **facts)
    for act in (lambda pk: actions.apply_import(actor_in(alpha), pk, all_or_nothing=False),
                lambda pk: actions.cancel_import(actor_in(alpha), pk)):  # fmt: skip
        with pytest.raises(Import.DoesNotExist):
            act(theirs.pk)
    theirs.refresh_from_db()
    assert theirs.started_at is None


def test_a_form_of_another_account_is_its_own(actor_in, alpha, bravo):
    key, northline, facts = uuid4(), factories.make_provider(), {"columns": ["number"]}
    made = {}
    for account in (alpha, bravo):
        rows = iter([(1, ["+15145550123"])])
        made[account.pk] = actions.begin_import(actor_in(account), key, rows, provider=northline, **facts)
    assert [one.account for one in made.values()] == [alpha, bravo]
