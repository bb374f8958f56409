"""Guessing passwords and codes against several real server processes: the limits hold for all of them together."""

import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts import devices
from accounts.attempts import LIMITS
from tests.factories import make_account, make_person
from tests.processes import ask, servers

PROCESSES = 4
GUESSES = 1000
OWNER, PASSWORD = "boss@example.com", "a-long-password-1"
PER_CLIENT, PER_NAME = (
    LIMITS["password"]["client"][0].times,  # in five minutes
    LIMITS["password"]["name"][0].times,  # in an hour
)

pytestmark = pytest.mark.django_db(transaction=True)


class Visitor:
    """A stranger with a form in front of them."""

    def __init__(self, port):
        self.port, self.cookies = port, {}
        self.token = self.ask("GET", "/login/")[1]

    def ask(self, method, path, fields=None, **headers):
        """The status, and the token or the text of the page; cookies are kept."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        status, answered, content = ask(self.port, method, path, fields, Cookie=cookies, **headers)
        for cookie in answered.get_all("Set-Cookie", []):
            name, value = re.match(r"([^=]+)=([^;]*)", cookie).groups()
            self.cookies[name] = value
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', content.decode())
        return status, token and token[1], content.decode()

    def guess(self, email, password, **headers):
        """Try to sign in: ``wrong`` when the password was looked at, ``in``, or ``refused`` unseen."""
        fields = {"csrfmiddlewaretoken": self.token, "login": email, "password": password}
        kept = dict(self.cookies)
        status, _token, text = self.ask("POST", "/login/", fields, **headers)
        if status == 302:
            return "in"
        self.cookies = kept  # others guess with this form at the same moment
        if "Too many attempts" in text:
            return "refused"
        assert "are not correct" in text, text
        return "wrong"

    def sign_out(self):
        token = self.ask("GET", "/logout/")[1]
        assert self.ask("POST", "/logout/", {"csrfmiddlewaretoken": token})[0] == 302
        self.token = self.ask("GET", "/login/")[1]


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
    assert 0 < seen(outcomes) <= PER_CLIENT


def test_a_thousand_guesses_from_everywhere_get_no_more_than_the_limit_and_the_owner_signs_in():
    person = make_person(make_account("var"), email=OWNER, password=PASSWORD)
    # With a proxy to trust, each guess comes from an address of its own.
    with servers(PROCESSES, TRUSTED_PROXIES="1") as ports:
        at_home = Visitor(ports[0])
        assert at_home.guess(OWNER, PASSWORD, **{"X-Forwarded-For": "192.0.2.1"}) == "in"
        at_home.sign_out()

        outcomes = guess_in_parallel(ports, [OWNER])
        assert 0 < seen(outcomes) <= PER_NAME

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

        # Where the owner was before they sign in as always; where they were not, by a mailed link.
        assert at_home.guess(OWNER, PASSWORD, **{"X-Forwarded-For": "192.0.2.1"}) == "in"
        elsewhere = Visitor(ports[1])
        assert elsewhere.guess(OWNER, PASSWORD, **{"X-Forwarded-For": "192.0.2.2"}) == "refused"
        link = devices.link_for(person)
        token = elsewhere.ask("GET", link)[1]
        assert elsewhere.ask("POST", link, {"csrfmiddlewaretoken": token})[0] == 302
        assert elsewhere.guess(OWNER, PASSWORD, **{"X-Forwarded-For": "192.0.2.2"}) == "in"
