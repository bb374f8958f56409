"""What is left of work that ended long ago is removed; what is needed stays."""

from datetime import timedelta
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import F
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.scope import scope
from accounts.tasks import forget_sessions
from numbers.actions import imports, jobs, pruning, verbs
from numbers.listing import Listing
from numbers.models import Import, ImportRow, Job, JobItem, PhoneNumber
from numbers.tasks import forget_finished
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def var(system, administrator_of, monkeypatch):
    monkeypatch.setattr(pruning, "AT_ONCE", 4)
    account = factories.make_account("var")
    account.boss = administrator_of(account)
    return account


def imported(account, many=10, first=0):
    rows = [(i + 1, [f"+1514{5550000 + first + i}"]) for i in range(many)]
    actor = Actor.at_home(account.boss)
    facts = {"columns": ["number"], "provider": factories.make_provider()}
    with scope(account):
        return imports.begin_import(actor, uuid4(), iter(rows), **facts)


def applied(account, **more):
    wanted = imported(account, **more)
    with scope(account):
        return imports.apply_import(Actor.at_home(account.boss), wanted.pk)


def drafted(account):
    actor = Actor.at_home(account.boss)
    with scope(account):
        return jobs.draft_job(actor, verbs.AssignToCustomer, Listing(actor), "all", "")


def assigned(account):
    job, customer = drafted(account), factories.make_account("company", account)
    with scope(account):
        wishes = verbs.AssignToCustomer(customer.pk)
        return jobs.confirm_job(Actor.at_home(account.boss), job.pk, wishes, all_or_nothing=False)


def ago(work, days):
    """So many days pass for the work."""
    by = timedelta(days=days)
    type(work).unscoped.filter(pk=work.pk).update(as_of=F("as_of") - by, ended_at=F("ended_at") - by)


def test_lines_and_items_of_old_work_go_and_all_else_stays(var, settings, signed_in):
    settings.WORK_DAYS = 30
    old, old_job, new = applied(var), assigned(var), applied(var, first=100)
    ago(old, 31)
    ago(old_job, 31)
    ago(new, 29)
    events = AuditEvent.unscoped.count()
    forget_finished(timestamp=0)
    assert not ImportRow.unscoped.filter(of=old).exists()
    assert not JobItem.unscoped.filter(job=old_job).exists()
    assert ImportRow.unscoped.filter(of=new).count() == 10
    assert (PhoneNumber.unscoped.count(), AuditEvent.unscoped.count()) == (20, events)
    client = signed_in(var)
    for path in (f"imports/{old.pk}/", f"jobs/{old_job.pk}/"):
        page = client.get(f"/{var.code}/numbers/{path}").content.decode()
        assert "The rows below were removed 30 days after the end." in page
        assert "Retry only what failed" not in page
    assert "were removed" not in client.get(f"/{var.code}/numbers/imports/{new.pk}/").content.decode()
    answer = client.post(f"/{var.code}/numbers/jobs/{old_job.pk}/retry/", follow=True)
    assert "Its numbers were removed" in answer.content.decode()


def test_nothing_goes_where_it_is_kept_for_ever(var, settings):
    settings.WORK_DAYS = 0
    ago(applied(var), 10_000)
    forget_finished(timestamp=0)
    assert ImportRow.unscoped.count() == 10


def test_what_was_never_confirmed_goes_after_its_days(var):
    applied(var)
    kept = [imported(var, first=100), drafted(var)]
    for work, days in ((imported(var), 8), (kept[0], 6), (drafted(var), 2), (kept[1], 0)):
        ago(work, days)
    forget_finished(timestamp=0)
    assert list(Import.unscoped.filter(state="draft")) == kept[:1]
    assert list(Job.unscoped.all()) == kept[1:]
    assert (ImportRow.unscoped.count(), JobItem.unscoped.count()) == (20, 10)


def test_a_turn_removes_so_many_rows_and_leaves_alone_what_somebody_is_at(var, settings):
    settings.WORK_DAYS = 30
    old = applied(var)
    ago(old, 31)
    with scope(var):
        assert pruning.forget(Import, var, old.pk, timezone.now())
    assert ImportRow.unscoped.count() == 6
    # Confirmed by somebody after it was found.
    draft = imported(var, first=100)
    with scope(var):
        assert not pruning.forget(Import, var, draft.pk, timezone.now())
    assert ImportRow.unscoped.filter(of=draft).count() == 10


def test_sessions_that_are_over_go_with_their_entries(var, client):
    client.force_login(var.boss)
    (live,) = Session.objects.values_list("pk", flat=True)
    now = timezone.now()
    Session.objects.create(session_key="a" * 32, session_data="", expire_date=now - timedelta(minutes=1))
    for key, seen in (("a" * 32, now - timedelta(days=2)), ("b" * 32, now - timedelta(days=2)), ("c" * 32, now)):
        UserSession.objects.create(user=var.boss, session_key=key, ip="127.0.0.1", last_seen_at=seen)
    forget_sessions(timestamp=0)
    assert [session.pk for session in Session.objects.all()] == [live]
    assert set(UserSession.objects.values_list("session_key", flat=True)) - {live} == {"c" * 32}
