"""What real processes write, all of it, while everything fails: no secret, no number, no address, and nothing but lines
of JSON."""

import json
import re
import time

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.tasks import send_message, send_reset_link
from tests.factories import make_account, make_number, make_person
from tests.processes import ask, servers, worker

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD, NAME, EMAIL, DIGITS = "mark-of-password", "mark-of-name", "mark-of-address@example.com", "5557391"
TRIES_SECONDS = 30


def written(capfd) -> tuple[str, list[dict]]:
    """Everything that reached standard output and error; the lines."""
    captured = capfd.readouterr()
    text = captured.out + captured.err
    return text, [json.loads(line) for line in text.split("\n") if line]


@pytest.fixture
def person():
    account = make_account("company")
    make_number(customer=account, e164=f"+1514{DIGITS}")
    return make_person(account, "administrator", PASSWORD, email=EMAIL, name=NAME)


class Browser:
    """What a browser sends, without one."""

    def __init__(self, port):
        self.port, self.cookies, self.token = port, {}, ""

    def ask(self, method, path, fields=None, **headers):
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        fields = {"csrfmiddlewaretoken": self.token} | fields if fields else None
        status, answer, content = ask(self.port, method, path, fields, **{"Cookie": cookie} | headers)
        self.cookies |= dict(c.partition(";")[0].split("=", 1) for c in answer.get_all("Set-Cookie", []))
        if found := re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', content):
            self.token = found[1].decode()
        return status, answer, content.decode()


def test_web_servers_write_nothing_that_somebody_typed(person, capfd):
    key = default_token_generator.make_token(person)
    link = f"/password/reset/key/{user_pk_to_url_str(person)}-{key}"
    with connection.cursor() as cursor:  # PostgreSQL names the whole row, with password and address, when it refuses
        cursor.execute("ALTER TABLE accounts_person ADD CONSTRAINT refuses CHECK (time_zone <> 'Asia/Tokyo') NOT VALID")
    try:
        with servers(1, LOG_LEVEL="DEBUG") as (port,):
            browser = Browser(port)
            assert browser.ask("GET", f"{link}/")[0] == 302
            browser.ask("GET", f"{link}x/?next=/{NAME}/")
            browser.ask("GET", "/login/")
            browser.ask("POST", "/login/", {"login": EMAIL, "password": f"{PASSWORD}-wrong"})
            assert browser.ask("POST", "/login/", {"login": EMAIL, "password": PASSWORD})[0] == 302
            numbers = f"/{person.account.code}/numbers/"
            assert browser.ask("GET", f"{numbers}1514{DIGITS}/")[0] == 200
            browser.ask("GET", f"{numbers}?number={DIGITS}&used_by={NAME}")
            assert browser.ask("GET", "/profile/")[0] == 200
            form = {"name": NAME, "time_zone": "Asia/Tokyo", "number_format": "national"}
            status, answer, page = browser.ask("POST", "/profile/", form)
            assert status == 500
            assert "Failing row" not in page
            assert EMAIL.partition("@")[0] not in page
            browser.ask("POST", "/profile/", form, Referer=f"https://{NAME}.example/", Cookie="")
            browser.ask("GET", "/login/", Host=f"{NAME}.example")
            browser.ask(NAME.upper(), f"/{NAME}/")
            figures = ask(port, "GET", "/metrics")[2].decode()
            secrets = [PASSWORD, NAME, EMAIL.partition("@")[0], DIGITS, key, person.password, *browser.cookies.values()]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_person DROP CONSTRAINT refuses")
    text, lines = written(capfd)
    text = (text + figures).lower()
    assert [secret for secret in secrets if secret.lower() in text] == []
    (failed,) = [line for line in lines if line["logger"] == "portal.errors"]
    assert failed["message"] == "A request failed: IntegrityError 23514 accounts_person refuses"
    assert failed["request"] == answer["X-Request-Id"]
    assert {"sign_in.failed", "sign_in.succeeded", "csrf.failed", "host.refused", "link.refused", "settings.weak"} <= {
        line.get("event") for line in lines
    }


def test_a_worker_whose_mail_server_is_away_writes_no_mail(person, capfd):
    link = f"https://portal.example/password/reset/key/{NAME}/"
    send_message.defer(subject=NAME, body=f"Follow {link}", to=[EMAIL])
    send_reset_link.defer(email=EMAIL, host="localhost", scheme="https")
    with connection.cursor() as cursor:  # the last time that it is tried
        cursor.execute("UPDATE procrastinate_jobs SET attempts = 6")
    with worker(LOG_LEVEL="DEBUG", EMAIL_URL="smtp://127.0.0.1:1"):
        until = time.monotonic() + TRIES_SECONDS
        of_mail = ProcrastinateJob.objects.filter(task_name__in=("accounts.send_message", "accounts.send_reset_link"))
        while of_mail.exclude(status="failed").exists():
            assert time.monotonic() < until
            time.sleep(0.2)
        # The link is made when it is sent, and is in no row of the queue.
        assert [set(job.args) for job in of_mail.filter(task_name="accounts.send_reset_link")] == [
            {"email", "host", "scheme"}
        ]
    text, lines = written(capfd)
    secrets = (NAME, EMAIL.partition("@")[0], "reset/key")
    assert [secret for secret in secrets if secret in text] == []
    failed = [line for line in lines if line["logger"].startswith("procrastinate") and "traceback" in line]
    assert {line["task"] for line in failed} == {"accounts.send_message", "accounts.send_reset_link"}
    assert all("ConnectionRefusedError Connection refused" in line["traceback"] for line in failed)
    assert [line["person"] for line in lines if line.get("event") == "password.sent"] == [person.pk]
