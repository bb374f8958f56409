"""Guessing passwords and codes against several real server processes: the limits hold for all of them together."""

import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection

from tests.factories import make_account, make_person
from tests.processes import ask, servers

PROCESSES = 4
GUESSES = 1000
OWNER, PASSWORD = "boss@example.com", "a-long-password-1"
LIMIT_PER_NAME, LIMIT_PER_ADDRESS, LOCKED_SECONDS = 5, 10, 300

pytestmark = pytest.mark.django_db(transaction=True)


class Visitor:
    """A stranger with a form in front of them."""

    def __init__(self, port):
        self.port = port
        _status, headers, content = ask(port, "GET", "/login/")
        self.cookie = re.match(r"[^;]+", headers["Set-Cookie"])[0]
        self.token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', content.decode())[1]

    def guess(self, email, password, **headers):
        """Try to sign in: ``wrong`` when the password was looked at, ``in``, or ``refused`` unseen."""
        fields = {"csrfmiddlewaretoken": self.token, "login": email, "password": password}
        status, _headers, content = ask(self.port, "POST", "/login/", fields, Cookie=self.cookie, **headers)
        text = content.decode()
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


def test_a_thousand_guesses_with_forged_addresses_get_no_more_than_the_limit():
    make_person(make_account("var"), email=OWNER, password=PASSWORD)
    names = [OWNER] + [f"somebody{number}@example.com" for number in range(19)]
    with servers(PROCESSES) as ports:
        outcomes = guess_in_parallel(ports, names)
    assert seen(outcomes) <= LIMIT_PER_ADDRESS


def test_a_thousand_guesses_from_everywhere_get_no_more_than_the_limit_for_the_name():
    make_person(make_account("var"), email=OWNER, password=PASSWORD)
    # With a proxy to trust, each guess comes from an address of its own.
    with servers(PROCESSES, TRUSTED_PROXIES="1") as ports:
        outcomes = guess_in_parallel(ports, [OWNER])
        assert seen(outcomes) <= LIMIT_PER_NAME

        # What fills the cache does not give the guesser another try.
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO portal_cache SELECT chr(1 + n % 30) || n, 'gASVAgAAAAAAAABLAS4=',"
                " now() + interval '1 hour' FROM generate_series(1, 150000) n"
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
