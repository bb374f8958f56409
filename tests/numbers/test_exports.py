"""Exports through the real server: slow readers, readers that go away, a database that goes away."""

import json
import os
import re
import socket
import struct
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Person
from numbers.demo import write_demo_data
from portal.embedded import free_port
from portal.processes import answers, web

# With long names a CSV of 13 MB: more than the sockets between server and reader hold.
NUMBERS = 40_000
# Four exports, of which one person has two.
THREADS = 5
PATIENCE = 30
READER_SECONDS = 3


class Portal:
    """The web server, one process of ``THREADS`` threads, and the system administrator signed in to it."""

    def __init__(self, port, cookie, log_path):
        self.port, self.headers = port, {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
        self._log_path = log_path

    @property
    def log(self):
        return [json.loads(line) for line in self._log_path.read_text().splitlines()]

    def get(self, path):
        """Status, headers and body of a page or a whole export."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as http:
            http.request("GET", f"/SYS/numbers/{path}", headers=self.headers)
            response = http.getresponse()
            return response.status, response.headers, response.read()

    @contextmanager
    def begun(self, path):
        """An export whose head is read and nothing else; in the end its reader vanishes without a word."""
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reader.settimeout(30)
            reader.connect(("127.0.0.1", self.port))
            head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
            reader.sendall(f"GET /SYS/numbers/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n".encode())
            response = HTTPResponse(reader)
            response.begin()
            assert response.status == 200
            yield response


@pytest.fixture
def portal(transactional_db, monkeypatch, tmp_path):
    write_demo_data(NUMBERS)
    with connection.cursor() as cursor:
        for table in ("accounts_account", "numbers_destination"):
            cursor.execute(f"UPDATE {table} SET name = rpad(name, 120, ' and partners')")
    administrator = Client()
    administrator.force_login(Person.objects.get(email="system@demo.example"))
    at, name = settings.PORTAL_SIGN_IN, connection.settings_dict["NAME"]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}")
    monkeypatch.setenv("READER_SECONDS", str(READER_SECONDS))
    monkeypatch.setenv("DEBUG", "1")  # static files by their plain names: nothing has to be collected first
    port = free_port()
    server = web("127.0.0.1", port, workers=1, threads=THREADS)
    with standard_error_in(tmp_path / "log"):
        server.start()
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/readyz"))
        yield Portal(port, administrator.cookies[settings.SESSION_COOKIE_NAME].value, tmp_path / "log")
    finally:
        server.stop()


@contextmanager
def standard_error_in(path):
    """What is started meanwhile writes its log to ``path``."""
    before = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def wait_until(is_so):
    deadline = time.monotonic() + PATIENCE
    while not (so := is_so()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
    return so


def busy(query="%"):
    """The server's database sessions that have a transaction open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, state, wait_event FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE %s",
            [query],
        )
        return cursor.fetchall()


def end_session(query):
    """The database loses the one session that runs ``query``."""
    ((pid, _state, _event),) = wait_until(lambda: busy(query))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.fixture
def patient(monkeypatch):
    """Readers may take their time."""
    monkeypatch.setattr("tests.numbers.test_exports.READER_SECONDS", 60)


def test_slow_readers_leave_a_thread_for_pages_and_give_their_slots_back(patient, portal):
    with portal.begun("export.csv"):
        with portal.begun("export.csv"):
            # Both are stuck: the database waits for the server, which waits for the readers.
            wait_until(lambda: [event for *_rest, event in busy("COPY%")] == ["ClientWrite"] * 2)
            for path in ("", "?sort=-company", "?number=514"):
                assert portal.get(path)[0] == 200
            for path in ("export.csv", "export.pdf"):
                status, headers, page = portal.get(path)
                assert status == 429
                assert headers["Retry-After"] == "5"
                assert b"You have 2 downloads running. Let one end, or cancel it, then try again." in page
        wait_until(lambda: portal.get("export.csv?number=15145550100")[0] == 200)
    # Nothing of those that went away is left: no transaction, no broken connection, no slot.
    wait_until(lambda: busy() == [])
    with portal.begun("export.csv"), portal.begun("export.csv"):
        assert portal.get("")[0] == 200
    wait_until(lambda: busy() == [])
    # The log is told once the transaction is over.
    gone = {"An export was ended: the client has gone"}
    wait_until(lambda: {line["message"] for line in portal.log if line["logger"] == "portal.exports"} == gone)


def test_readers_that_stop_reading_are_ended(portal):
    with portal.begun("export.csv"), portal.begun("export.csv"):
        # Neither a transaction nor a slot is held by them any longer, although they are still there.
        wait_until(lambda: busy())
        wait_until(lambda: busy() == [])
        assert [portal.get("export.csv?number=15145550100")[0] for _ in range(3)] == [200] * 3
        ended = [line for line in portal.log if line["logger"] == "portal.exports"]
        assert [(line["level"], line["account"], line["message"]) for line in ended] == [
            ("warning", "SYS", "An export was ended: the client read nothing for 3 seconds")
        ] * 2


def test_a_reader_that_goes_on_after_its_export_was_ended_learns_that_it_is_not_whole(portal):
    with portal.begun("export.csv") as export:
        wait_until(lambda: busy())
        beginning = b""
        while busy():  # a little at a time, so that the connection lives
            beginning += export.read(2000)
            time.sleep(0.5)
        lines = (beginning + export.read()).decode().splitlines()
    assert 200 < len(lines) < NUMBERS
    assert lines[-1] == "INCOMPLETE: this export broke off here. Download it again."


def test_a_reader_who_goes_away_leaves_no_transaction_open(patient, portal):
    for name, query in (("export.csv", "COPY%"), ("export.pdf", "%numbers_listing%")):
        for _ in range(2 * THREADS):
            with portal.begun(name):
                wait_until(lambda query=query: busy(query))
            wait_until(lambda: busy() == [])
        for path in ("", f"{name}?number=15145550100") * THREADS:
            assert portal.get(path)[0] == 200


def test_an_export_that_breaks_off_says_so(portal):
    with portal.begun("export.csv") as export:
        beginning = export.read(200_000)
        end_session("COPY%")
        lines = (beginning + export.read()).decode().splitlines()
    assert 200 < len(lines) < NUMBERS
    assert lines[-1] == "INCOMPLETE: this export broke off here. Download it again."
    assert re.match(r"\+[0-9]+,", lines[-2])

    with portal.begun("export.pdf") as export:
        beginning = export.read(100)
        end_session("%numbers_listing%")
        document = beginning + export.read()
    assert document.startswith(b"%PDF-")
    assert b"startxref" not in document
    assert b"%%EOF" not in document

    # The log has it, and who was concerned; the next pages and exports are whole.
    broken = [line for line in portal.log if line["logger"] == "portal.exports" and line["level"] == "error"]
    assert [(line["level"], line["account"]) for line in broken] == [("error", "SYS")] * 2
    assert all(line["message"].startswith("An export broke off: ") for line in broken)
    for _ in range(2 * THREADS):
        assert portal.get("")[0] == 200
    status, _headers, table = portal.get("export.csv")
    assert (status, table.count(b"\n")) == (200, NUMBERS + 1)
