"""Each fault is in the figures that its alert asks for, and each alert has its section of the runbook."""

import json
import os
import re
import signal
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from prometheus_client.parser import text_string_to_metric_families

from accounts.actor import Actor
from accounts.scope import scope
from accounts.tasks import send_message
from numbers.actions import imports, turns
from numbers.models import CarrierOrder, Import, Release
from portal.figures import from_database
from portal.tasks import ROOMS
from tests import factories
from tests.numbers.carrier import GOOD, ordered
from tests.queue import empty_queue

pytestmark = pytest.mark.django_db(transaction=True)
DOCS = Path(__file__).resolve().parents[2] / "docs"
ALERTS = (DOCS / "monitoring" / "alerts.yml").read_text()
#: alert -> its expression
RULES = dict(re.findall(r"alert: (\w+)\n\s+expr: (.+)", ALERTS))
EXPRESSIONS = list(RULES.values())
DASHBOARD = json.loads((DOCS / "monitoring" / "dashboard.json").read_text())
#: What the panels of the dashboard show.
SHOWN = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture(autouse=True)
def system(transactional_db):
    empty_queue()
    return factories.make_system()


@pytest.fixture
def figures(client):
    """What a scrape finds: values by name and labels."""

    def scraped():
        families = text_string_to_metric_families(client.get("/metrics").text)
        return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}

    return scraped


@pytest.mark.parametrize("expressions", [EXPRESSIONS, SHOWN], ids=["alerts", "dashboard"])
def test_alerts_and_the_dashboard_ask_for_figures_that_there_are(figures, expressions):
    names = {name for name, *_labels in figures()}
    declared = set(re.findall(r'"(portal_\w+)"', (DOCS.parent / "portal" / "figures.py").read_text()))
    declared |= set(re.findall(r'"(portal_\w+)"', (DOCS.parent / "numbers" / "figures.py").read_text()))
    assert {"portal_database_up", "portal_workers", "portal_work_stuck", "portal_call_days_ahead"} <= names
    known = declared | {"portal_requests_total", "portal_request_seconds_bucket"}
    asked = {name for expression in expressions for name in re.findall(r"portal_\w+", expression)}
    assert asked - known == set()


def test_the_dashboard_shows_every_figure():
    declared = set(re.findall(r'"(portal_\w+)"', (DOCS.parent / "portal" / "figures.py").read_text()))
    declared |= set(re.findall(r'"(portal_\w+)"', (DOCS.parent / "numbers" / "figures.py").read_text()))
    assert declared <= {name for expression in SHOWN for name in re.findall(r"portal_\w+", expression)}
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    queues = {name for expression in EXPRESSIONS for name in re.findall(r'queue="(\w+)"', expression)}
    assert queues < {queue for names, _count in ROOMS.values() for queue in names}


def test_each_alert_has_a_section_of_the_runbook():
    sections = re.findall(r"^## (\w+)$", (DOCS / "runbook.md").read_text(), re.MULTILINE)
    assert sections == list(RULES)
    assert re.findall(r"runbook.md#(\w+)", ALERTS) == [name.lower() for name in RULES]


@pytest.fixture
def var(administrator_of):
    account = factories.make_account("var")
    account.boss = administrator_of(account)
    return account


@pytest.fixture
def wanted(var, monkeypatch):
    monkeypatch.setattr(imports, "AT_ONCE", 0)
    facts = {"columns": ["number"], "provider": factories.make_provider()}
    with scope(var):
        return imports.begin_import(Actor.at_home(var.boss), uuid4(), iter([(1, ["+15145550123"])]), **facts)


def test_work_that_waits_is_stuck_or_has_failed_is_counted(figures, wanted):
    found = figures()
    assert found["portal_work", "import", "checking"] == 1
    assert found["portal_work_stuck", "import"] == 0
    assert found["portal_queue_tasks", "work", "todo"] == 1
    Import.unscoped.update(due_at=timezone.now() - timedelta(minutes=2))
    assert figures()["portal_work_stuck", "import"] == 1
    Import.unscoped.update(state="stopped", ended_at=timezone.now(), tries=turns.MOST_TRIES)
    found = figures()
    assert (found["portal_work_stuck", "import"], found["portal_work_failed", "import"]) == (0, 1)


def test_what_waits_in_the_queue_and_what_failed_is_counted(figures):
    send_message.defer(subject="", body="", to=[])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '10 minutes'")
    assert figures()["portal_queue_oldest_seconds", "default"] >= 600
    ProcrastinateJob.objects.filter(status="todo").update(status="doing")
    ProcrastinateJob.objects.filter(status="doing").update(status="failed")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = now() WHERE type = 'failed'")
    found = figures()
    assert ("portal_queue_oldest_seconds", "default") not in found
    assert found["portal_tasks_failed", "accounts.send_message"] == 1


def test_workers_are_counted_while_they_give_signs_of_life(figures):
    assert figures()["portal_workers",] == 0
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '2 min')")
    assert figures()["portal_workers",] == 1


def test_carriers_in_trouble_and_orders_that_nobody_goes_on_with_are_counted(figures, var):
    provider = factories.make_provider("Northline")
    acme = factories.make_account("company", var)
    ordered(Actor.at_home(factories.make_person(acme, role="administrator")), provider, GOOD[:1])
    CarrierOrder.unscoped.update(problem="no money", next_at=timezone.now() - timedelta(minutes=2))
    number = factories.make_number(var, provider=provider)
    by = Release.by(Actor.at_home(var.boss))
    facts = {"number_id": number.pk, "e164": number.e164, "digits": number.digits, "provider": provider}
    Release.unscoped.create(account=var, next_at=timezone.now() - timedelta(minutes=2), **facts, **by)
    found = figures()
    assert found["portal_carrier_orders_troubled", "Northline"] == 1
    assert found["portal_carrier_orders_stuck", "Northline"] == 1
    assert found["portal_carrier_releases_stuck", "Northline"] == 1


def test_days_of_calls_and_connections_are_counted(figures):
    found = figures()
    assert found["portal_call_days_ahead",] >= 2
    assert found["portal_call_days_overdue",] == 0
    assert 0 < found["portal_database_connections",] < found["portal_database_connections_most",]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE numbers_callevent DETACH PARTITION numbers_callevent_before")
        cursor.execute("CREATE TABLE numbers_callevent_20200101 (LIKE numbers_callevent INCLUDING ALL)")
        cursor.execute(
            "ALTER TABLE numbers_callevent ATTACH PARTITION numbers_callevent_20200101"
            " FOR VALUES FROM ('2020-01-01 00:00+0') TO ('2020-01-02 00:00+0')"
        )
        try:
            assert figures()["portal_call_days_overdue",] == 1
        finally:
            cursor.execute("DROP TABLE numbers_callevent_20200101")
            cursor.execute("SELECT min(lower) FROM numbers_call_partitions()")
            upper = cursor.fetchone()[0].isoformat()
            cursor.execute(
                "ALTER TABLE numbers_callevent ATTACH PARTITION numbers_callevent_before"
                f" FOR VALUES FROM (MINVALUE) TO ('{upper}')"
            )


def test_a_database_that_does_not_answer_is_in_the_figures(figures, monkeypatch):
    monkeypatch.setattr(from_database.probe, "seconds", 60)
    assert figures()["portal_database_up",] == 1
    backend = from_database.probe.thread.submit(lambda: connections["default"].connection.info.backend_pid).result()
    os.kill(backend, signal.SIGSTOP)
    try:
        with monkeypatch.context() as hasty:
            hasty.setattr(from_database.probe, "seconds", 0.2)
            found = figures()
    finally:
        os.kill(backend, signal.SIGCONT)
    assert found["portal_database_up",] == 0
    assert ("portal_workers",) not in found
    from_database.probe.asked.result(60)
    assert figures()["portal_database_up",] == 1
