"""Signing in: what strangers can learn, what the person is told, and confirming it again after a while."""

import re
import subprocess
import sys

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.actor import Actor
from accounts.sign_in import reauthentication_required, recently_authenticated
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


@pytest.fixture
def asked_by(person):
    """A request of somebody who signed in some minutes ago."""

    def make(minutes, method="get", path="/C20001/people/", **headers):
        request = getattr(RequestFactory(headers=headers), method)(path)
        request.actor = Actor.at_home(person)
        client = Client()
        client.post("/login/", {"login": KNOWN, "password": PASSWORD})
        request.session = client.session
        for record in request.session["account_authentication_methods"]:
            record["at"] -= minutes * 60
        return request

    return make


@reauthentication_required
def sensitive(request, code=None):
    return HttpResponse("done")


@pytest.mark.parametrize(("minutes", "recent"), [(0, True), (14, True), (16, False)])
def test_a_quarter_of_an_hour_counts_as_recent(asked_by, minutes, recent):
    assert recently_authenticated(asked_by(minutes)) is recent


def test_a_sensitive_page_leads_by_the_confirmation_and_back(asked_by):
    assert sensitive(asked_by(1), code="C20001").content == b"done"
    assert sensitive(asked_by(20), code="C20001").url == "/reauthenticate/?next=%2FC20001%2Fpeople%2F"


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://testserver/C20001/people/?page=2", "http%3A%2F%2Ftestserver%2FC20001%2Fpeople%2F%3Fpage%3D2"),
        ("http://evil.example/", "%2F"),
        ("", "%2F"),
    ],
)
def test_what_was_sent_to_an_account_is_not_sent_again_by_itself(asked_by, came_from, back):
    answer = sensitive(asked_by(20, "post", "/C20001/people/invite/", Referer=came_from), code="C20001")
    assert answer.url == f"/reauthenticate/?next={back}"


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


def test_an_address_that_was_locked_is_answered_alike_whether_known_or_not(person):
    for email in (KNOWN, "wrong@example.com"):
        for _ in range(5):
            Client().post("/login/", {"login": email, "password": "wrong-password-1"})
        cache_of_addresses = "allauth:rl:allauth.account:login_failed:10/60/ip:127.0.0.1"
        cache.delete(cache_of_addresses)
    known, unknown = both_answers("/login/", password=PASSWORD)
    assert known == unknown
    assert b"Too many attempts" in known[2]


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
def test_the_worker_sends_the_link_to_where_the_person_was(person, settings):
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    Client().post("/password/reset/", {"email": KNOWN}, headers={"Host": "portal.example.com"}, secure=True)
    command = [sys.executable, "manage.py", "procrastinate", "worker", "--one-shot"]
    where = environment(ALLOWED_HOSTS="portal.example.com", EMAIL_URL="consolemail://")
    printed = subprocess.run(command, cwd=ROOT, env=where, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert re.search(r"^To: (.*)$", printed, re.MULTILINE)[1] == KNOWN
    assert re.search(r"\S+/password/reset/key/", printed)[0] == "https://portal.example.com/password/reset/key/"
    assert not ProcrastinateJob.objects.filter(status="todo").exists()


def test_a_made_up_host_gets_no_link_sent(person):
    assert Client().post("/password/reset/", {"email": KNOWN}, headers={"Host": "evil.example"}).status_code == 400
    assert not ProcrastinateJob.objects.exists()
