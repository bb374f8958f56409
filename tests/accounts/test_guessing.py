"""Guessing passwords and codes against several real server processes: the limits hold for all of them together."""

import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import connection

from tests.factories import make_account, make_person
from tests.processes import ROOT, environment

PROCESSES = 4
GUESSES = 1000
OWNER, PASSWORD = "boss@example.com", "a-long-password-1"
LIMIT_PER_NAME, LIMIT_PER_ADDRESS, LOCKED_SECONDS = 5, 10, 300

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def ports():
    """Ports for the servers, which find static files where they are collected."""
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=environment(), check=True)  # noqa: S603
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(PROCESSES)]
    found = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return found


@pytest.fixture
def servers(ports, transactional_db):
    """Four servers on the test's database, each a process of its own; where their guesses come from is ``address``."""
    started = []

    def start(**more):
        for port in ports:
            command = [
                sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1",
                "--blocking-threads", "2", "--no-access-log", "--log-level", "error", "portal.wsgi:application",
            ]  # fmt: skip
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment(**more), start_new_session=True))  # noqa: S603
        for port in ports:
            wait_for(port)
        return ports

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
    for process in started:
        process.wait(20)


def wait_for(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if ask(port, "GET", "/healthz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError


def ask(port, method, path, fields=None, **headers):
    """One request; its status, headers and text."""
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = urlencode(fields) if fields else None
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    server.request(method, path, body, headers)
    response = server.getresponse()
    text = response.read().decode()
    server.close()
    return response.status, response.headers, text


class Visitor:
    """A stranger with a form in front of them."""

    def __init__(self, port):
        self.port = port
        _status, headers, text = ask(port, "GET", "/login/")
        self.cookie = re.match(r"[^;]+", headers["Set-Cookie"])[0]
        self.token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)[1]

    def guess(self, email, password, **headers):
        """Try to sign in: ``wrong`` when the password was looked at, ``in``, or ``refused`` unseen."""
        fields = {"csrfmiddlewaretoken": self.token, "login": email, "password": password}
        status, _headers, text = ask(self.port, "POST", "/login/", fields, Cookie=self.cookie, **headers)
        if status == 302:
            return "in"
        if status == 429 or "Too many attempts" in text:
            return "refused"
        assert "are not correct" in text, text
        return "wrong"


def guess_in_parallel(ports, names):
    """Guess with an address, a host and a spelling of the name made up for each guess; count what came of it."""
    visitors = [Visitor(port) for port in ports]
    order = random.Random(1)

    def guess(number):
        name, visitor = names[number % len(names)], visitors[number % len(visitors)]
        forged = {
            "X-Forwarded-For": f"198.51.{number % 256}.{order.randrange(256)}",
            "Host": f"127.0.0.1:{order.randrange(1, 65536)}",
        }
        return name, visitor.guess(name.replace("s", order.choice("sSſ")), f"guess-number-{number}", **forged)

    with ThreadPoolExecutor(32) as pool:
        return Counter(pool.map(guess, range(GUESSES)))


def seen(outcomes):
    return sum(count for (_name, outcome), count in outcomes.items() if outcome != "refused")


def test_a_thousand_guesses_with_forged_addresses_get_no_more_than_the_limit(servers):
    make_person(make_account("var"), email=OWNER, password=PASSWORD)
    names = [OWNER] + [f"somebody{number}@example.com" for number in range(19)]
    outcomes = guess_in_parallel(servers(), names)
    assert seen(outcomes) <= LIMIT_PER_ADDRESS


def test_a_thousand_guesses_from_everywhere_get_no_more_than_the_limit_for_the_name(servers):
    make_person(make_account("var"), email=OWNER, password=PASSWORD)
    ports = servers(TRUSTED_PROXIES="1")  # so that each guess comes from an address of its own
    outcomes = guess_in_parallel(ports, [OWNER])
    assert seen(outcomes) <= LIMIT_PER_NAME

    # What fills the cache does not give the guesser another try.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portal_cache SELECT chr(1 + n % 30) || n, 'gASVAgAAAAAAAABLAS4=', now() + interval '1 hour'"
            " FROM generate_series(1, 150000) n"
        )
    visitor = Visitor(ports[0])
    for number in range(20):
        visitor.guess(f"flood{number}@example.com", "guess", **{"X-Forwarded-For": f"203.0.113.{number}"})
    assert visitor.guess(OWNER, "another-guess", **{"X-Forwarded-For": "192.0.2.1"}) == "refused"

    # The owner waits five minutes at most.
    assert visitor.guess(OWNER, PASSWORD, **{"X-Forwarded-For": "192.0.2.2"}) == "refused"
    make_older(LOCKED_SECONDS)
    assert visitor.guess(OWNER, PASSWORD, **{"X-Forwarded-For": "192.0.2.2"}) == "in"


def make_older(seconds):
    """Let ``seconds`` pass for what the cache knows of attempts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM portal_cache WHERE cache_key LIKE ':1:allauth:rl:%'")
        keys = [key.removeprefix(":1:") for (key,) in cursor.fetchall()]
    for key in keys:
        attempts = cache.get(key)
        if isinstance(attempts, list):
            cache.set(key, [moment - seconds for moment in attempts], 3600)
