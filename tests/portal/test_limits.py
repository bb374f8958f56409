"""Nothing waits for the database without a limit."""

import json
import os
import signal
import socket
import threading
import time
from contextlib import closing

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection, connections

from accounts.models import Person
from portal.database import limits
from portal.database.base import DatabaseWrapper
from portal.database.watch import Watched
from portal.errors import page_of_database
from portal.health import probe
from tests.factories import make_account, make_number, make_person
from tests.processes import ask, servers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def beside():
    """Another session of the same database."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        yield session


@pytest.mark.parametrize("kind", [limits.PAGE, limits.WORKER, limits.COMMAND])
def test_a_connection_has_the_limits_of_its_kind_on_both_ends(kind, monkeypatch):
    monkeypatch.setattr(DatabaseWrapper, "limits", kind)
    with psycopg.connect(**connection.get_connection_params()) as session:

        def setting(name):
            text = session.execute("SELECT setting, unit FROM pg_settings WHERE name = %s", [name]).fetchone()
            return int(text[0]) / {"ms": 1000, "s": 1}[text[1]]

        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        assert [setting(name) for name in names] == [kind.statement, kind.lock, kind.idle]
        assert (setting("tcp_keepalives_idle"), setting("tcp_user_timeout")) == (10, 15)
        with closing(socket.socket(fileno=os.dup(session.fileno()))) as held:
            assert held.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert held.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000


@pytest.fixture
def person():
    account = make_account("var")
    make_number(account, e164="+15145560001")
    return make_person(account, role="administrator")


@pytest.fixture
def cookie(person, client, settings):
    client.force_login(person)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def test_a_page_that_waits_for_a_lock_says_so_and_sends_the_form_again(person, cookie, beside):
    page, profile = f"/{person.account.code}/numbers/", "/profile/"
    with servers(1, THREADS="2", LOCK_SECONDS="0.2") as (port,):
        _status, headers, content = ask(port, "GET", profile, Host="localhost", Cookie=cookie)
        token = content.partition(b'name="csrfmiddlewaretoken" value="')[2].partition(b'"')[0].decode()
        csrf = headers["Set-Cookie"].partition(";")[0]
        with beside.transaction():
            beside.execute("LOCK TABLE numbers_phonenumber")
            status, headers, content = ask(port, "GET", page, Host="localhost", Cookie=cookie)
            assert (status, headers["Retry-After"]) == (503, "5")
            assert b"Nothing is lost." in content
        with beside.transaction():
            beside.execute("SELECT FROM accounts_person WHERE id = %s FOR UPDATE", [person.pk])
            fields = {"csrfmiddlewaretoken": token, "name": 'Ann "O" <b>', "time_zone": "UTC"}
            fields["number_format"] = "national"
            headers = {"Host": "localhost", "Cookie": f"{cookie}; {csrf}", "Referer": "http://localhost/"}
            status, headers, content = ask(port, "POST", profile, fields, **headers)
            assert status == 503
            assert b"What you sent was not saved." in content
            assert b'<input type="hidden" name="name" value="Ann &quot;O&quot; &lt;b&gt;">' in content
            assert b"Send it again" in content
        assert ask(port, "GET", page, Host="localhost", Cookie=cookie)[0] == 200
    assert Person.objects.get(pk=person.pk).name == person.name


def test_nobody_is_asked_to_try_again_when_the_database_has_ended_all_connections(person, cookie, beside):
    page = f"/{person.account.code}/numbers/"
    with servers(1, THREADS="2") as (port,):

        def statuses():
            return {ask(port, "GET", page, Host="localhost", Cookie=cookie)[0] for _turn in range(4)}

        assert statuses() == {200}
        ended = beside.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = %s AND pid <> pg_backend_pid()",
            [settings.PORTAL_SIGN_IN["USER"]],
        )
        assert ended.fetchone()[0] >= 1
        time.sleep(0.2)
        assert statuses() == {200}


def error(state):
    """An error of the database's with this SQLSTATE, as Django raises it."""
    raised = OperationalError("of the database")
    raised.__cause__ = psycopg.errors.lookup(state)("of the database")
    return raised


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        ("55P03", "Somebody else is working on this"), ("40P01", "Somebody else is working on this"),
        ("57014", "This took too long"), ("53100", "The portal has no disk space left"), ("25P03", "Back in a moment"),
        ("53300", "Back in a moment"), ("57P01", "Back in a moment"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_the_database_could_not_do_is_said_and_whether_something_was_saved(rf, state, heading, method):
    page = page_of_database(getattr(rf, method)("/profile/", {"name": "Ann"}), error(state))
    assert page.status_code == 503
    assert heading in page.text
    assert ("What you sent was not saved." in page.text) == (method == "post")
    assert ("Nothing is lost." in page.text) == (method == "get")


def test_a_statement_that_is_wrong_is_no_such_thing(rf):
    assert page_of_database(rf.get("/"), error("42P01")) is None


def test_a_secret_or_a_file_is_not_written_into_a_page(rf):
    for fields in ({"login": "ann@example.com", "password": "secret-1"}, {"code": "123456"}):
        page = page_of_database(rf.post("/login/", fields), error("55P03"))
        assert not any(value in page.text for value in fields.values())


def test_a_machine_is_told_in_json(rf):
    page = page_of_database(rf.post("/calls/", "[]", content_type="application/json"), error("55P03"))
    assert "changing it at this moment" in json.loads(page.content)["error"]


# A frozen database, and somebody who has gone


def test_a_thread_that_waits_for_a_frozen_database_is_released(monkeypatch):
    monkeypatch.setattr("portal.database.watch.EVERY_SECONDS", 0.05)
    raised, backend = [], []

    def ask_it():
        try:
            with Watched().here(0.3), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                backend.append(connection.connection.info.backend_pid)
                os.kill(backend[0], signal.SIGSTOP)
                cursor.execute("SELECT 2")
        except OperationalError as lost:
            raised.append(lost)
        finally:
            connection.close()

    thread = threading.Thread(target=ask_it)
    thread.start()
    try:
        thread.join(60)
        assert not thread.is_alive()
    finally:
        os.kill(backend[0], signal.SIGCONT)
    assert len(raised) == 1


def test_a_thread_that_reads_a_file_meanwhile_keeps_its_connection(db, monkeypatch):
    monkeypatch.setattr("portal.database.watch.EVERY_SECONDS", 0.05)
    with Watched().here(0.3), connection.cursor() as cursor:
        for _part in range(3):
            time.sleep(0.5)
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


def test_a_statement_that_nobody_waits_for_is_cancelled():
    watched, raised = Watched(), []

    def ask_it():
        try:
            with watched.here(60), connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(600)")
        except OperationalError as cancelled:
            raised.append(cancelled.__cause__.sqlstate)
        finally:
            connection.close()

    thread = threading.Thread(target=ask_it)
    thread.start()
    deadline = time.monotonic() + 60
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)' AND state = 'active'")
            if cursor.fetchall():
                break
    watched.is_wanted = False
    thread.join(60)
    assert raised == ["57014"]


def test_ready_answers_whatever_the_database_does(client, beside):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    assert client.get("/readyz").json() == {"status": "ok"}
    backend = probe.thread.submit(lambda: connections["default"].connection.info.backend_pid).result()
    os.kill(backend, signal.SIGSTOP)
    try:
        for _again in range(2):
            answer = client.get("/readyz")
            assert answer.status_code == 503
            assert "not answered" in answer.json()["ill"]["database"]
    finally:
        os.kill(backend, signal.SIGCONT)
    probe.asked.result(60)
    assert client.get("/readyz").status_code == 200


def test_ready_asks_over_a_new_connection_where_the_one_of_before_was_ended(client, beside):
    beside.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    assert client.get("/readyz").json() == {"status": "ok"}
    backend = probe.thread.submit(lambda: connections["default"].connection.info.backend_pid).result()
    beside.execute("SELECT pg_terminate_backend(%s, 60000)", [backend])
    assert client.get("/readyz").json() == {"status": "ok"}


def test_ready_says_what_is_not_well(client, beside, monkeypatch):
    monkeypatch.setattr("portal.health.LOCKED_SECONDS", 0)
    assert client.get("/readyz").json()["ill"].keys() == {"worker"}
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as waits:
        thread = threading.Thread(target=waits.execute, args=["SELECT FROM numbers_phonenumber"])
        with beside.transaction():
            beside.execute("LOCK TABLE numbers_phonenumber")
            thread.start()
            while not beside.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
                pass
            answer = client.get("/readyz")
        thread.join(60)
    assert (answer.status_code, answer.json()["ill"]["tables"]) == (200, "Locked for others: numbers_phonenumber.")
