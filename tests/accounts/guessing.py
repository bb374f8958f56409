"""Guesses at passwords, and the owner of the sign-in that is guessed at."""

from django.db import connection
from django.test import Client

from tests.accounts.browsers import at, sign_in

OWNER = "owner@example.com"
REFUSED = "Too many attempts"


def known_browser(person):
    """A browser in which the person has signed in, and out."""
    client = Client(REMOTE_ADDR="192.0.2.1")
    sign_in(client, person.email)
    client.post("/logout/")
    return client


def guesses_looked_at(count, email=OWNER, where="198.51.{}.{}"):
    """How many of so many guesses are looked at, each from an address of its own."""
    answers = [sign_in(at(where.format(i // 250, i % 250)), email, f"guess-number-{i}") for i in range(count)]
    return sum(REFUSED not in answer.text for answer in answers)


def let_pass(seconds):
    """Time passes for what is counted, and half a minute more: in a test the database's clock stands still."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE portal_cache SET expires = expires - make_interval(secs => %s)", [seconds + 30])
