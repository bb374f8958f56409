"""The server that takes requests in: what comes slowly, what is too much, what somebody may not send."""

import io
import json
import os
import re
import signal
import socket
import threading
import time
import zipfile
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import xlsxwriter
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts import policy
from accounts.actor import Actor
from accounts.scope import scope
from numbers.actions import calls
from numbers.calls import MOST_BYTES as MOST_OF_CALLS
from numbers.models import CallEvent, Import, PhoneNumber
from numbers.views.carriers import MOST_BYTES as MOST_OF_CARRIERS
from tests.factories import make_account, make_number, make_person, make_provider
from tests.processes import ask, servers
from webphone.views.machines import MOST_BYTES as MOST_OF_TELEPHONY

pytestmark = pytest.mark.django_db(transaction=True)
BODY_SECONDS = 3
HELD = 200
FORM = "application/x-www-form-urlencoded"
FILE = "multipart/form-data; boundary=XX"
#: What is sent of a request that never ends; each address that takes something and does not look at who asks.
HALVES = {
    "nothing": "",
    "headers": "POST /login/ HTTP/1.1\r\nHost: localhost\r\n",
    "form": f"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: 1000\r\n\r\ncsrf",
    "multipart": f"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FILE}\r\nContent-Length: 9000\r\n\r\n--X",
    "chunked": f"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
    "Transfer-Encoding: chunked\r\n\r\n9\r\ncsrf",
    "of a page": "GET /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx",
    **{
        path: f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        'Authorization: Bearer x\r\nContent-Length: 3000\r\n\r\n{"'
        for path in ("/calls/", "/carriers/1/", "/telephony/events/", "/telephony/route/")
    },
    "large, of a carrier": "POST /carriers/1/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n{",
}


def cookie_of(person):
    client = Client()
    client.force_login(person)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@pytest.fixture
def alpha():
    return make_account("var")


@pytest.fixture
def administrator(alpha):
    return cookie_of(make_person(alpha, role="administrator"))


@pytest.fixture
def token(alpha):
    """Of a phone system of the VAR."""
    with scope(alpha):
        return calls.add_system(Actor.at_home(make_person(alpha, role="administrator")), name="Switch")[1]


@contextmanager
def connected(port, text=""):
    with socket.create_connection(("127.0.0.1", port)) as server:
        server.settimeout(20)
        server.sendall(text.encode())
        yield server


def head(port, method, path, length, **headers):
    """The beginning of the answer to a request of which no more than the head is sent."""
    lines = {"Host": "localhost", "Content-Length": length, "Expect": "100-continue"} | headers
    text = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    with connected(port, f"{method} {path} HTTP/1.1\r\n{text}\r\n") as server:
        return server.recv(65536).decode()


def ended(sockets):
    """How many of the connections the server has ended."""
    count = 0
    for server in sockets:
        server.setblocking(False)
        with suppress(BlockingIOError):
            try:
                while server.recv(65536):
                    pass
                count += 1
            except ConnectionResetError:
                count += 1
    return count


def test_requests_that_never_end_hold_no_thread_and_are_ended():
    """With ``HALF_SENT_SECONDS`` for so long, each one that has ended begun again, and pages are to take no longer."""
    seconds = float(os.environ.get("HALF_SENT_SECONDS", "0"))
    with servers(1, BODY_SECONDS=str(BODY_SECONDS)) as (port,):

        def pages(so_many):
            """How long each of so many pages took."""
            taken = []
            for path in ("/login/", "/healthz") * so_many:
                began = time.monotonic()
                assert ask(port, "GET", path, Host="localhost")[0] == 200
                taken.append(time.monotonic() - began)
                time.sleep(0.02)
            return taken

        def begun(half):
            server = socket.create_connection(("127.0.0.1", port))
            server.sendall(half.encode())
            return server

        quiet, taken, rounds = pages(50), [], 0
        ends = time.monotonic() + seconds
        while rounds == 0 or time.monotonic() < ends:
            held = {name: [begun(half) for _ in range(HELD)] for name, half in HALVES.items()}
            # There are two threads, and all of that is held at first.
            taken += pages(10)
            deadline = time.monotonic() + 20
            left = dict.fromkeys(held, HELD)
            while any(left.values()):
                assert time.monotonic() < deadline, left
                taken += pages(1)
                left = {name: HELD - ended(sockets) for name, sockets in held.items()}
            for server in chain.from_iterable(held.values()):
                server.close()
            rounds += 1
        if seconds:
            assert quantiles(taken, n=20)[-1] < 2 * quantiles(quiet, n=20)[-1]


def test_a_byte_now_and_then_does_not_help():
    with servers(1, BODY_SECONDS=str(BODY_SECONDS)) as (port,), connected(port, HALVES["form"]) as server:
        answer = b""
        while not answer:
            server.settimeout(0.5)
            with suppress(TimeoutError):
                answer = server.recv(65536)
                break
            server.sendall(b"x")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"The upload took too long, and nothing was changed. Send it again." in answer


def test_nothing_is_taken_of_what_somebody_may_not_send(alpha, administrator, token):
    acme = make_account("company", parent=alpha)
    user = cookie_of(make_person(acme))
    stranger_to_it = cookie_of(make_person(make_account("var"), role="administrator"))
    page, large = f"/{alpha.code}/numbers/import/", 50_000_000
    with servers(1) as (port,):

        def status(path, length=large, **headers):
            return int(head(port, "POST", path, length, **headers).split()[1])

        # A length that the address never takes.
        assert [status(path) for path in ("/login/", "/no/such/page/", "/calls/", "/telephony/events/")] == [413] * 4
        assert status("/login/", 65_537) == 413
        assert status("/login/", 65_536) == 100
        assert status("/telephony/route/", 4097) == 413
        # An address that takes it, from others.
        assert status(page) == 302
        assert status(page, Cookie=user) == 404
        assert status(f"/{acme.code}/numbers/import/", Cookie=user) == 403
        assert status(page, Cookie=stranger_to_it) == 404
        assert status("/calls/", 7_000_000) == status("/calls/", 7_000_000, Authorization="Bearer x") == 401
        assert status("/healthz", 60_000) == 100
        # And from those who may.
        assert status(page, Cookie=administrator) == 100
        assert status(f"/{alpha.code}/numbers/compare/", Cookie=administrator) == 100
        assert status("/calls/", 7_000_000, Authorization=f"Bearer {token}") == 100
        assert status(f"/{alpha.code}/numbers/add/", 2_000_000, Cookie=administrator) == 100
        assert status(f"/{alpha.code}/numbers/add/", 4_000_000, Cookie=administrator) == 413
        assert status(f"/{alpha.code}/settings/", 70_000, Cookie=administrator) == 413


def test_a_refusal_says_what_to_do_to_people_and_to_machines():
    with servers(1) as (port,):
        page = head(port, "POST", "/login/", 70_000, Accept="text/html")
        assert page.startswith("HTTP/1.1 413 ")
        assert "The request is larger than 64.0" in page
        assert "content-security-policy: default-src" in page.lower()
        machine = head(port, "POST", "/calls/", 9_000_000, Accept="*/*")
        assert json.loads(machine.partition("\r\n\r\n")[2])["error"].startswith("The request is larger than 7.6")
        with connected(port, HALVES["chunked"]) as server:
            answer = server.recv(65536)
    assert answer.startswith(b"HTTP/1.1 411 ")


def test_large_forms_files_and_batches_of_calls_arrive_whole(alpha, administrator, token):
    provider = make_provider()
    with servers(1) as (port,):
        add = f"/{alpha.code}/numbers/add/"
        _status, headers, page = ask(port, "GET", add, Host="localhost", Cookie=administrator)
        form = {"csrfmiddlewaretoken": re.search(rb'csrfmiddlewaretoken" value="(\w+)"', page)[1].decode()}
        cookies = f"{administrator}; {headers['Set-Cookie'].partition(';')[0]}"
        typed = "\n".join(f"+1 (514) 556-{n:04}" for n in range(5000))
        fields = form | {"numbers": typed, "provider": provider.pk, "region": ""}
        assert len(urlencode(fields)) > policy.SMALL_BODY
        assert ask(port, "POST", add, fields, Host="localhost", Cookie=cookies)[0] == 302
        assert PhoneNumber.unscoped.count() == 5000

        text = "Number,Label\r\n" + "".join(f"+1514557{n:04},{'x' * 80}\r\n" for n in range(5000))
        fields = form | {"region": "", "empty": "merge", "provider": provider.pk, "key": str(uuid4())}
        parts = [f'--XX\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
        file = f'--XX\r\nContent-Disposition: form-data; name="file"; filename="n.csv"\r\n\r\n{text}\r\n--XX--\r\n'
        body = ("".join(parts) + file).encode()
        headers = {"Host": "localhost", "Cookie": cookies, "Content-Type": FILE}
        status, _headers, page = ask(port, "POST", f"/{alpha.code}/numbers/import/", body, **headers)
        assert status == 302, page
        assert Import.unscoped.get().total == 5000

        batch = json.dumps(
            [{"id": str(n), "number": "+15145560001", "time": "2026-11-01T00:00:00Z"} for n in range(5000)]
        )
        headers = {"Host": "localhost", "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        status, _headers, answer = ask(port, "POST", "/calls/", batch, **headers)
        assert (status, json.loads(answer)["recorded"]) == (200, 5000)
        assert CallEvent.unscoped.count() == 5000


def test_one_account_has_two_uploads_on_their_way(alpha, administrator):
    page = f"/{alpha.code}/numbers/import/"
    other = make_account("var")
    others = cookie_of(make_person(other, role="administrator"))
    begun = f"POST {page} HTTP/1.1\r\nHost: localhost\r\nCookie: {administrator}\r\nContent-Length: 900000\r\n\r\nx"
    with servers(1, BODY_SECONDS="30") as (port,):
        with connected(port, begun), connected(port, begun):
            deadline = time.monotonic() + 20
            while "429" not in (answer := head(port, "POST", page, 900_000, Cookie=administrator))[:20]:
                assert time.monotonic() < deadline
            assert "2 of your uploads are running." in answer
            # Neither are others kept out, nor is who uploads kept from pages.
            assert "100" in head(port, "POST", f"/{other.code}/numbers/import/", 900_000, Cookie=others)[:20]
            assert ask(port, "GET", page, Host="localhost", Cookie=administrator)[0] == 200
            # Whom a signature has to show first counts as one, whatever they write elsewhere.
            carriers = [HALVES["large, of a carrier"].replace("/1/", f"/{n}/") for n in range(20)]
            with ExitStack() as held:
                for begun in carriers:
                    held.enter_context(connected(port, begun))
                while "429" not in head(port, "POST", "/carriers/99/", 900_000)[:20]:
                    assert time.monotonic() < deadline
                assert "100" in head(port, "POST", f"/{other.code}/numbers/import/", 900_000, Cookie=others)[:20]
        while "100" not in head(port, "POST", page, 900_000, Cookie=administrator)[:20]:
            assert time.monotonic() < deadline


def slow_workbook() -> bytes:
    """A workbook of a few kilobytes that takes seconds to read: many sheets of empty rows."""
    content, rows = io.BytesIO(), b"<row/>" * 600_000
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for _sheet in range(10):
            book.add_worksheet()
    packed = io.BytesIO()
    with zipfile.ZipFile(content) as made, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in made.namelist():
            text = made.read(name)
            if name.startswith("xl/worksheets/"):
                text = text.replace(b"<sheetData/>", b"<sheetData>" + rows + b"</sheetData>")
            out.writestr(name, text)
    return packed.getvalue()


def test_small_files_that_take_long_to_read_keep_nobody_from_pages(alpha, administrator):
    page, workbook = f"/{alpha.code}/numbers/import/", slow_workbook()
    assert len(workbook) < policy.SMALL_BODY
    answers = []

    def send():
        boundary = "b" * 20
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n'.encode()
            + workbook + f"\r\n--{boundary}--\r\n".encode()
        )  # fmt: skip
        token = {"X-CSRFToken": "c" * 32, "Cookie": f"{administrator}; csrftoken={'c' * 32}", "Host": "localhost"}
        kind = f"multipart/form-data; boundary={boundary}"
        answers.append(ask(port, "POST", page, body, **token, **{"Content-Type": kind})[0])

    with servers(1, THREADS="2") as (port,):
        senders = [threading.Thread(target=send) for _turn in range(4)]
        for sender in senders:
            sender.start()
        # Two are taken, one after the other; all threads are there for pages.
        deadline = time.monotonic() + 20
        while len(answers) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert ask(port, "GET", page, Host="localhost", Cookie=administrator)[0] == 200
        assert len(answers) < 4
        for sender in senders:
            sender.join(60)
    assert sorted(answers) == [422, 422, 429, 429]


def test_budgets_are_what_views_read():
    said = {name: body.most for name, body in policy.BODIES.items()}
    assert said["calls"] == MOST_OF_CALLS
    assert said["carrier"] == MOST_OF_CARRIERS
    assert said["telephony_event"] == said["telephony_route"] == MOST_OF_TELEPHONY
    assert said["numbers:import"] == said["numbers:compare"] > settings.IMPORT_BYTES
    assert set(said) <= set(policy.ADDRESSES)
    assert policy.body_of("an address of tomorrow").most == policy.SMALL_BODY == 64 * 1024


def test_while_all_threads_are_busy_it_says_that_it_is_alive_and_forgets_who_has_gone(alpha, administrator, token):
    make_number(alpha, e164="+15145560001")
    page = f"GET /{alpha.code}/numbers/ HTTP/1.1\r\nHost: localhost\r\nCookie: {administrator}\r\n\r\n"

    def told(day):
        body = json.dumps({"id": day, "number": "+15145560001", "time": f"2026-11-{day}T12:00:00Z"})
        return (
            f"POST /calls/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    with servers(1, THREADS="2", LOCK_SECONDS="60") as (port,), connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE numbers_phonenumber")
        try:
            with connected(port, page), connected(port, page), connected(port, told("01")) as stays:
                deadline = time.monotonic() + 20
                while waiting() < 2:
                    assert time.monotonic() < deadline
                with connected(port, told("02")):
                    assert ask(port, "GET", "/healthz", Host="localhost")[0] == 200
                    assert head(port, "POST", "/login/", 70_000).startswith("HTTP/1.1 413 ")
                    time.sleep(2)  # it is noticed after a second
                time.sleep(1)
                cursor.execute("ROLLBACK")
                assert stays.recv(100).startswith(b"HTTP/1.1 200 ")
        finally:
            cursor.execute("ROLLBACK")
        assert ask(port, "GET", "/login/", Host="localhost")[0] == 200
    assert [call.at.day for call in CallEvent.unscoped.all()] == [1]


def waiting():
    """How many locks are waited for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def test_headers_with_underscores_stand_for_no_others():
    with servers(1, BEHIND_PROXY="1", METRICS_TOKEN="secret") as (port,):
        assert ask(port, "GET", "/metrics", Host="localhost", Authorization="Bearer secret")[0] == 200
        with connected(
            port, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX_Forwarded_Proto: https\r\nConnection: close\r\n\r\n"
        ) as server:
            assert server.recv(100).startswith(b"HTTP/1.1 403 ")


def test_connections_whose_other_side_takes_nothing_are_ended():
    with servers(1, READER_SECONDS="1") as (port,), socket.socket() as reader:
        script = max(Path(settings.STATIC_ROOT, "portal").glob("jssip.*.js"))
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.connect(("127.0.0.1", port))
        # More than the system takes for the server.
        reader.sendall(f"GET /static/portal/{script.name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 60)
        deadline = time.monotonic() + 20
        while sockets_at(port, ESTABLISHED):
            assert time.monotonic() < deadline


def test_the_processes_of_a_killed_server_end_with_it():
    with servers(1) as (port,):
        (master,) = {parent_of(pid) for pid in listening(port)}
        with connected(port, HALVES["form"]):
            os.kill(master, signal.SIGKILL)
            deadline = time.monotonic() + 10
            while listening(port):
                assert time.monotonic() < deadline


def parent_of(pid):
    return int(re.search(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


ESTABLISHED, LISTENING = "01", "0A"


def sockets_at(port, state):
    """The sockets of this machine that have the port, as links to open files name them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == state}


def listening(port):
    """The processes that listen on a port."""
    sockets, found = sockets_at(port, LISTENING), set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if str(link.readlink()) in sockets:
                found.add(int(link.parts[2]))
    return found
