"""Signing in: what strangers can learn, and what the person is told."""

import re
import subprocess
import sys

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string
from procrastinate.contrib.django.models import ProcrastinateJob

from portal import settings as production
from tests.accounts.post import deliver
from tests.factories import make_person
from tests.processes import ROOT, environment

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password-1"
KNOWN, UNKNOWN = "known@example.com", "nobody@example.com"


@pytest.fixture
def person(acme):
    cache.clear()
    return make_person(acme, role="administrator", email=KNOWN, password=PASSWORD)


def without_tokens(response):
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", response.content)


def both_answers(path, **fields):
    """What a stranger gets to see for an address that is known here, and for one of the same length that is not."""
    for email in (KNOWN, "wrong@example.com"):
        field = "login" if path == "/login/" else "email"
        response = Client().post(path, {field: email, **fields})
        yield response.status_code, response.get("Location"), without_tokens(response).replace(email.encode(), b"@")


def test_signing_in_does_not_tell_whether_an_address_is_known(person):
    known, unknown = both_answers("/login/", password="wrong-password-1")
    assert known == unknown
    assert known[0] == 200


def test_asking_for_a_new_password_does_not_tell_whether_an_address_is_known(person, mailoutbox):
    known, unknown = both_answers("/password/reset/")
    assert known == unknown
    assert known[:2] == (302, "/password/reset/done/")
    deliver()
    assert [mail.to for mail in mailoutbox] == [[KNOWN]]


def test_the_second_step_is_shown_to_nobody_who_does_not_know_the_password(person):
    person.authenticator_set.create(type="totp", data={"secret": "A" * 32})
    known, unknown = both_answers("/login/", password="wrong-password-1")
    assert known == unknown


def test_a_password_costs_whoever_has_its_hash_as_much_as_it_should():
    """OWASP, Password Storage: Argon2id with 19 MiB and two passes at least."""
    hasher = import_string(production.PASSWORD_HASHERS[0])()
    stored = hasher.encode(PASSWORD, hasher.salt())
    assert stored.startswith("argon2$argon2id$")
    assert hasher.decode(stored)["memory_cost"] >= 19 * 1024
    assert hasher.decode(stored)["time_cost"] >= 2


class CountingHasher(PBKDF2PasswordHasher):
    """Counts how often a password was worked on, which is what takes the time."""

    worked = 0

    def encode(self, *arguments, **options):
        type(self).worked += 1
        return super().encode(*arguments, **options)


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/login/", {"login": "", "password": "wrong-password-1"}), ("/password/reset/", {"email": ""})],
)
def test_a_known_address_costs_what_an_unknown_one_costs(settings, acme, path, fields):
    settings.ACCOUNT_RATE_LIMITS = False
    settings.PASSWORD_HASHERS = ["tests.accounts.test_sign_in.CountingHasher"]
    make_person(acme, role="administrator", email=KNOWN, password=PASSWORD)
    spent = []
    for email in (KNOWN, UNKNOWN):
        worked, jobs = CountingHasher.worked, ProcrastinateJob.objects.count()
        with CaptureQueriesContext(connection) as statements:
            Client().post(path, {name: text or email for name, text in fields.items()})
        spent.append((CountingHasher.worked - worked, ProcrastinateJob.objects.count() - jobs, len(statements)))
    assert spent[0] == spent[1]
    assert spent[0][:2] == ((1, 0) if path == "/login/" else (0, 1))


@pytest.mark.django_db(transaction=True)
def test_the_link_that_the_worker_sends_leads_to_the_portal_whatever_host_was_asked(person, settings):
    settings.ALLOWED_HOSTS = ["portal.example.com", "other.example.com"]
    settings.PORTAL_URL = "https://portal.example.com"
    Client().post("/password/reset/", {"email": KNOWN}, headers={"Host": "other.example.com:9999"})
    command = [sys.executable, "manage.py", "procrastinate", "worker", "--one-shot"]
    where = environment(ALLOWED_HOSTS="portal.example.com", EMAIL_URL="consolemail://")
    printed = subprocess.run(command, cwd=ROOT, env=where, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert re.search(r"^To: (.*)$", printed, re.MULTILINE)[1] == KNOWN
    assert re.search(r"\S+/password/reset/key/", printed)[0] == "https://portal.example.com/password/reset/key/"
    assert "example.com:9999" not in printed
    assert "other.example.com" not in printed
    assert not ProcrastinateJob.objects.filter(status="todo").exists()


def test_in_a_demonstration_the_link_leads_to_where_the_person_was(person):
    Client().post("/password/reset/", {"email": KNOWN}, headers={"Host": "localhost:8123"})
    assert ProcrastinateJob.objects.get().args["base_url"] == "http://localhost:8123"


def test_a_made_up_host_gets_no_link_sent(person):
    assert Client().post("/password/reset/", {"email": KNOWN}, headers={"Host": "evil.example"}).status_code == 400
    assert not ProcrastinateJob.objects.exists()
