"""Old history is moved into files, and nothing else is."""

import gzip
import json
import resource
import threading
from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, InternalError, ProgrammingError, connection
from django.utils import timezone

from accounts import archive as archiving
from accounts.actor import Actor
from accounts.audit import record
from accounts.management.commands import archive_history
from accounts.models import Access, AuditEvent
from numbers.models import Job

pytestmark = pytest.mark.django_db(transaction=True)
OLD, YOUNG = timedelta(days=400), timedelta(days=10)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(archiving, "AT_ONCE", 3)


@pytest.fixture
def history(system, acme, administrator_of):
    """Seven old events and two young ones, by turns with accesses of both ages."""
    person, owner = administrator_of(acme), administrator_of(system)
    for turn, age in enumerate([OLD] * 5 + [YOUNG] + [OLD] * 2 + [YOUNG]):
        record(Actor.at_home(person), "account.changed", acme, after={"name": f"Café № {turn}"})
        event = AuditEvent.unscoped.latest("pk")
        move(event.pk, timezone.now() - age)
    for age, ended in ((OLD, True), (OLD, False), (YOUNG, True)):
        at = timezone.now() - age
        Access.unscoped.create(
            person=owner, account=acme, sign_in=f"{age}{ended}"[:32], chain=[system.pk, acme.pk], manages=True,
            started_at=at, seen_at=at, expires_at=at + (timedelta(hours=8) if ended else OLD * 2),
            ended_at=at if ended else None, ended_why="left" if ended else "",
        )  # fmt: skip


def move(pk, at):
    """Have an event of another time, which nobody can but who takes the trigger away."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditevent DISABLE TRIGGER accounts_auditevent_no_change")
        cursor.execute("UPDATE accounts_auditevent SET at = %s WHERE id = %s", [at, pk])
        cursor.execute("ALTER TABLE accounts_auditevent ENABLE TRIGGER accounts_auditevent_no_change")


def archive(folder, days=365):
    call_command("archive_history", "--days", str(days), "--to", str(folder))


def lines_of(folder, name):
    return [json.loads(line) for path in sorted(folder.glob(f"{name}-*.gz")) for line in gzip.open(path, "rt")]


def test_what_is_old_is_in_files_and_gone_and_the_rest_is_untouched(history, tmp_path, capsys, acme):
    before = {event.pk: event for event in AuditEvent.unscoped.all()}
    archive(tmp_path)
    kept = lines_of(tmp_path, "history")
    assert [row["after"]["name"] for row in kept] == [f"Café № {turn}" for turn in (0, 1, 2, 3, 4, 6, 7)]
    assert {row["account"] for row in kept} == {acme.code}
    assert all(row["person"] and row["id"] in before for row in kept)
    left = list(AuditEvent.unscoped.order_by("pk"))
    assert [event.verb for event in left] == ["account.changed", "account.changed", "history.archived"]
    assert left[-1].after["history"] == 7
    assert left[-1].after["accesses"] == 1
    assert [row["ended_why"] for row in lines_of(tmp_path, "accesses")] == ["left"]
    assert Access.unscoped.count() == 2
    assert capsys.readouterr().out.splitlines()[-1] == "8 rows were archived."
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_second_time_there_is_nothing(history, tmp_path, capsys):
    archive(tmp_path)
    files = sorted(tmp_path.iterdir())
    archive(tmp_path)
    assert capsys.readouterr().out.splitlines()[-1] == "No history is older than 365 days."
    assert sorted(tmp_path.iterdir()) == files
    assert AuditEvent.unscoped.filter(verb="history.archived").count() == 1


def test_an_access_stays_as_long_as_something_was_done_by_it(history, tmp_path, acme, administrator_of):
    (access,) = Access.unscoped.filter(ended_why="left", ended_at__lt=timezone.now() - OLD / 2)
    facts = {"account": acme, "person": access.person, "access": access, "chain": access.chain}
    Job.unscoped.create(verb="assign", as_of=access.ended_at, **facts)
    archive(tmp_path)
    assert lines_of(tmp_path, "accesses") == []
    assert Access.unscoped.filter(pk=access.pk).exists()
    assert len(lines_of(tmp_path, "history")) == 7


def test_history_is_as_closed_afterwards_as_it_was(history, tmp_path):
    archive(tmp_path)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND NOT relforcerowsecurity",
            [[kind.table for kind in archiving.KINDS.values()]],
        )
        assert cursor.fetchall() == []
    event = AuditEvent.unscoped.earliest("pk")
    with pytest.raises((ProgrammingError, InternalError, IntegrityError), match="history cannot be changed"):
        AuditEvent.unscoped.filter(pk=event.pk).delete()


@pytest.mark.parametrize("killed", ["write", "remove"])
def test_ended_in_the_middle_and_begun_again_nothing_is_lost_or_doubled(history, tmp_path, monkeypatch, killed):
    place = archiving if killed == "write" else archive_history
    real, calls = getattr(place, killed), []

    def twice(*facts):
        calls.append(facts)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*facts)

    monkeypatch.setattr(place, killed, twice)
    with pytest.raises(KeyboardInterrupt):
        archive(tmp_path)
    archive(tmp_path)
    # Of a run that was ended, the history tells too.
    assert AuditEvent.unscoped.filter(verb="history.archived").count() == 2
    names = [row["after"]["name"] for row in lines_of(tmp_path, "history")]
    assert names == [f"Café № {turn}" for turn in (0, 1, 2, 3, 4, 6, 7)]


def test_where_a_file_cannot_be_written_whole_nothing_is_removed(history, tmp_path):
    count, (soft, hard) = AuditEvent.unscoped.count(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(CommandError, match="could not be written, and its rows stay where they are"):
            archive(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert AuditEvent.unscoped.count() == count
    assert list(tmp_path.iterdir()) == []


def test_it_waits_for_somebody_who_reads_history(history, tmp_path, monkeypatch):
    monkeypatch.setattr(archive_history, "WAITS", 50)
    with psycopg.connect(**connection.get_connection_params()) as reader:
        reader.execute("SELECT count(*) FROM accounts_auditevent")
        gone = threading.Timer(2, reader.rollback)
        gone.start()
        archive(tmp_path)
        gone.join()
    assert len(lines_of(tmp_path, "history")) == 7


def test_where_history_is_always_in_use_it_says_so(history, tmp_path, monkeypatch):
    monkeypatch.setattr(archive_history, "WAITS", 50)
    monkeypatch.setattr(archive_history, "TRIES", 2)
    count = AuditEvent.unscoped.count()
    with psycopg.connect(**connection.get_connection_params()) as reader:
        reader.execute("SELECT count(*) FROM accounts_auditevent")
        with pytest.raises(CommandError, match="accounts_auditevent has been busy"):
            archive(tmp_path)
    assert AuditEvent.unscoped.count() == count


@pytest.mark.parametrize(
    ("days", "folder", "said"),
    [(89, ".", "--days 89 is too few"), (365, "missing", "is not a folder"), (-1, ".", "--days -1 is too few")],
)
def test_what_is_asked_for_wrongly_is_refused(system, tmp_path, days, folder, said):
    with pytest.raises(CommandError, match=said):
        archive(tmp_path / folder, days)


def test_an_empty_installation_has_nothing_to_archive(tmp_path, capsys):
    archive(tmp_path)
    assert capsys.readouterr().out.splitlines() == ["No history is older than 365 days."]
