"""The command line's refusals: one clear sentence, no traceback."""

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.template.loader import render_to_string

from portal import deployment
from portal.command_line import NOT_OFFERED
from portal.database.address import described, sign_in_of
from portal.database.server import CLOCKS_APART_SECONDS, problem_of_clocks
from portal.management.commands import serve

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, done.stderr


def test_serve_names_every_setting_that_it_misses():
    status, said = run("serve", ALLOWED_HOSTS="portal.example")
    assert status == 2
    named = [line.split(":")[0].strip() for line in said.splitlines()[1:]]
    assert named == ["SECRET_KEY", "DATABASE_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL"]


def test_a_taken_port_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, said = run("demo", PORT=port, DATABASE_URL=os.environ["DATABASE_URL"])
    assert status == 1
    assert said.splitlines()[1:] == [
        f"CommandError: Port {port} is in use: stop the program that listens on it, or choose another, as in PORT=8080."
    ]


def test_a_port_that_is_none_is_refused():
    status, said = run("demo", PORT="eighty", DATABASE_URL=os.environ["DATABASE_URL"])
    assert status == 1
    assert "PORT=eighty is not a port" in said


#: Good settings, but for a database that nobody reaches.
GOOD = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "portal.example",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "EMAIL_URL": "consolemail://",
    "DEFAULT_FROM_EMAIL": "portal@example.com",
    "BEHIND_PROXY": "1",
    "TRUSTED_PROXIES": "1",
    "METRICS_TOKEN": secrets.token_hex(16),
    "TELEPHONY": "sip", "TELEPHONY_SECRET": secrets.token_hex(16), "TELEPHONY_SIP_URL": "wss://x",
    "TELEPHONY_CALLBACK_URL": "http://x", "TELEPHONY_RPC_URL": "http://x", "CALL_COUNTRIES": "US",
    "PORT": "1",
}  # fmt: skip
#: Weak ones, together; the names that are told.
WEAK = {
    "SECRET_KEY": "abcd" * 20,
    "SECRET_KEY_FALLBACKS": "old",
    "DEBUG": "1",
    "DEMO": "1",
    "ALLOWED_HOSTS": "portal.example,*",
    "CSRF_TRUSTED_ORIGINS": "https://*.com",
    "SECURE_COOKIES": "0",
    "HOST": "0.0.0.0",  # noqa: S104 - is refused
    "TRUSTED_PROXIES": "0",
    "TELEPHONY_SECRET": "s" * 40,
    "METRICS_TOKEN": "token",
}


def test_serve_says_everything_that_weakens_it_at_once():
    status, told = run("serve", **GOOD | WEAK)
    assert status == 1
    lines = told.removeprefix("CommandError: ").splitlines()
    assert [name for name in WEAK if not any(line.startswith(name) or f" {name}=0" in line for line in lines)] == []
    assert len(lines) == len(WEAK) + 1
    assert lines[-1].startswith("The database cannot be reached")


def test_good_settings_are_served_and_pass_djangos_checks_for_deployment():
    assert run("serve", **GOOD)[1].startswith("CommandError: The database cannot be reached")
    assert run("check", "--deploy", "--fail-level", "WARNING", **GOOD)[0] == 0
    plain = GOOD | {"PLAIN_HTTP": "1", "BEHIND_PROXY": "0", "TRUSTED_PROXIES": "0"}
    assert run("check", "--deploy", "--fail-level", "WARNING", **plain)[0] == 0


@pytest.mark.parametrize(
    ("asked", "header"),
    [
        ({}, "max-age=31536000"),
        ({"HSTS_SUBDOMAINS": "1"}, "max-age=31536000; includeSubDomains"),
        ({"HSTS_SUBDOMAINS": "1", "HSTS_PRELOAD": "1"}, "max-age=31536000; includeSubDomains; preload"),
        ({"HSTS_SECONDS": "3600"}, "max-age=3600"),
    ],
)
def test_other_hosts_of_the_domain_are_bound_only_when_asked_for(asked, header):
    ask = (
        "from django.test import Client; c = Client();"
        "print(c.get('/healthz', headers={'host': 'portal.example'}, secure=True)['Strict-Transport-Security'])"
    )
    command = [sys.executable, "-c", f"import django; django.setup(); {ask}"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | GOOD | asked | {"DJANGO_SETTINGS_MODULE": "portal.settings", "BEHIND_PROXY": "0"}
    environment |= {"TRUSTED_PROXIES": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == header
    assert run("check", "--deploy", "--fail-level", "WARNING", **GOOD | asked)[0] == 0


@pytest.mark.parametrize(
    "command", ["changepassword", "createcachetable", "dumpdata", "flush", "loaddata", "runserver"]
)
def test_a_command_that_cannot_work_is_not_offered_and_says_what_to_do_instead(command):
    status, said = run(command)
    assert status == 1
    assert said.startswith(f"manage.py {command} is not offered here. ")
    listed = subprocess.run(
        [sys.executable, "manage.py", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert command not in listed
    assert {"create_operator", "createsuperuser", "migrate", "serve"} <= set(listed)


def test_every_command_that_is_listed_as_not_offered_is_one():
    assert set(get_commands()) >= set(NOT_OFFERED)


@pytest.fixture
def strong(settings):
    """Settings without a weakness."""
    settings.DEMO = settings.DEBUG = False
    settings.SECRET_KEY, settings.ALLOWED_HOSTS = GOOD["SECRET_KEY"], ["portal.example"]
    settings.SECURE_COOKIES = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = deployment.YEAR
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = False
    assert list(deployment.weaknesses()) == []
    return settings


@pytest.mark.parametrize(
    ("weak", "told"),
    [
        ({"SECRET_KEY": "x" * 49}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "abcd" * 20}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY_FALLBACKS": ["old"]}, "SECRET_KEY_FALLBACKS"),
        ({"SECURE_COOKIES": False}, "SECURE_COOKIES=0"),
        ({"SECURE_SSL_REDIRECT": False}, "SSL_REDIRECT=0"),
        ({"SECURE_COOKIES": False, "PLAIN_HTTP": True}, ""),
        ({"PLAIN_HTTP": True, "BEHIND_PROXY": True, "ALLAUTH_TRUSTED_PROXY_COUNT": 1}, "PLAIN_HTTP=1 and BEHIND"),
        ({"BEHIND_PROXY": True}, "BEHIND_PROXY=1 with TRUSTED_PROXIES=0"),
        ({"BEHIND_PROXY": True, "ALLAUTH_TRUSTED_PROXY_COUNT": 2}, ""),
        ({"ALLAUTH_TRUSTED_PROXY_COUNT": 1}, "TRUSTED_PROXIES accepts"),
        ({"HOST": "0.0.0.0"}, "HOST=0.0.0.0 lets people bypass"),  # noqa: S104
        ({"HOST": "::"}, "HOST=:: lets people bypass"),
        ({"HOST": "192.0.2.1"}, "HOST=192.0.2.1 lets people bypass"),
        ({"HOST": "0.0.0.0", "DIRECT": True}, ""),  # noqa: S104
        ({"HOST": "::1"}, ""),
        ({"HOST": "localhost"}, "HOST=localhost is not an address"),
        ({"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": [".portal.example"]}, ""),
        ({"CSRF_TRUSTED_ORIGINS": ["https://*"]}, "CSRF_TRUSTED_ORIGINS"),
        ({"CSRF_TRUSTED_ORIGINS": ["https://*.portal.example"]}, ""),
        ({"SECURE_HSTS_PRELOAD": True}, "HSTS_PRELOAD=1"),
        ({"SECURE_HSTS_PRELOAD": True, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True}, ""),
        (
            {"SECURE_HSTS_PRELOAD": True, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "SECURE_HSTS_SECONDS": 3600},
            "HSTS_PRELOAD=1",
        ),
        ({"METRICS_TOKEN": "token"}, "METRICS_TOKEN"),
        ({"TELEPHONY": "sip", "TELEPHONY_SECRET": "s" * 40}, "TELEPHONY_SECRET"),
        ({"TELEPHONY": "none", "TELEPHONY_SECRET": "s"}, ""),
    ],
)
def test_each_weakness_is_told_in_a_sentence(strong, weak, told):
    for name, value in weak.items():
        setattr(strong, name, value)
    sentences = list(deployment.weaknesses())
    assert [sentence[: len(told)] for sentence in sentences] == [told] * bool(told)


def test_serve_misses_a_front_end_that_was_never_built(settings, tmp_path):
    assert serve.problem_of_front_end() == ""
    settings.BASE_DIR = tmp_path
    assert "make build" in serve.problem_of_front_end()
    settings.IS_RELEASE = True
    assert serve.problem_of_front_end() == ""


@pytest.mark.parametrize("page", ["400.html", "403.html", "403_csrf.html", "404.html", "429.html", "500.html"])
def test_pages_that_say_what_went_wrong_need_no_static_files(settings, tmp_path, page):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "portal.static_files.Storage"}}
    assert "/static/portal/portal.css" in render_to_string(page)


@pytest.mark.parametrize(("ahead", "said"), [(0, ""), (1, "ahead of"), (-1, "behind")])
def test_clocks_that_are_apart_are_said(ahead, said):
    seconds = ahead * (CLOCKS_APART_SECONDS + 1)
    told = problem_of_clocks(seconds)
    assert said in told
    assert bool(told) == bool(said)
    assert problem_of_clocks(ahead * CLOCKS_APART_SECONDS) == ""


@pytest.mark.parametrize(
    ("url", "host", "port", "said"),
    [
        ("postgresql://me:secret@db.example:5433/portal", "db.example", 5433, "portal on db.example, port 5433, as me"),
        ("postgresql://me:se%40cret@db.example/portal", "db.example", "", "portal on db.example, as me"),
        ("postgresql://me@%2Fvar%2Frun%2Fpostgresql:5433/p", "/var/run/postgresql", 5433, "p on /var/run/postgresql"),
        ("postgresql:///portal", "", "", "portal on a local socket, as the default user"),
    ],
)
def test_addresses_are_read_as_libpq_reads_them_and_told_without_passwords(url, host, port, said):
    found = sign_in_of(url)
    assert (found["HOST"], found["PORT"]) == (host, port)
    told = described(url)
    assert told.startswith(said)
    assert "secret" not in told
