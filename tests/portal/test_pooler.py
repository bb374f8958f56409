"""The portal behind PgBouncer in transaction mode: four people at once read what they read without it."""

import os
import random
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from psycopg import sql

from accounts.policy import ADDRESSES
from portal.database import pooler
from portal.database.address import sign_in_of
from portal.database.owner import signed_in
from portal.embedded import free_port
from tests.factories import make_account, make_number, make_person, make_provider
from tests.portal.test_production import PASSWORD
from tests.processes import ask, servers

pytestmark = pytest.mark.django_db(transaction=True)
PGBOUNCER = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin") or "pgbouncer"
#: Fewer sessions of the server than threads that ask: each transaction gets another.
SESSIONS = 3
CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {sessions}
query_wait_timeout = 10
logfile = {folder}/log
pidfile = {folder}/pid
{more}
"""
#: In pages, what is not read; and what is another at each time: the time of day.
MARKUP, TIME = (
    re.compile(rb"<(script|style).*?</\1>|<[^>]*>", re.DOTALL),
    re.compile(rb"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?"),
)


def as_portal():
    """The connection of the test, signed in as the portal is."""
    return signed_in({part: settings.PORTAL_SIGN_IN[part] for part in ("USER", "PASSWORD", "HOST", "PORT")})


@pytest.fixture
def pooled(tmp_path):
    """The address of a pooler before the database of the tests, for the portal's own role."""
    with as_portal():
        pooler.set_defaults()
    with pgbouncer(tmp_path) as address:
        yield address


@contextmanager
def pgbouncer(folder, more=""):
    """A pooler, as long as the block lasts."""
    listens, of = free_port(), settings.PORTAL_SIGN_IN
    written = CONFIGURATION.format(
        host=of["HOST"], port=of["PORT"], listens=listens, folder=folder, sessions=SESSIONS, more=more
    )
    (folder / "pgbouncer.ini").write_text(written)
    (folder / "users").write_text(f'"{of["USER"]}" "{of["PASSWORD"]}"\n')
    command = [PGBOUNCER, str(folder / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it refuses root
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "nobody")
        for path in folder.parents:
            if path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o055 != 0o055:
                path.chmod(path.stat().st_mode | 0o055)
        command += ["--user", "nobody"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    url = f"postgresql://{of['USER']}:{of['PASSWORD']}@127.0.0.1:{listens}/{connection.settings_dict['NAME']}"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError), psycopg.connect(url):
                break
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def people(django_user_model):
    """Administrators of two VARs and of a customer of each, all of which have numbers."""
    provider, found = make_provider(), []
    for turn, name in enumerate(("Alpha", "Bravo")):
        var = make_account("var", name=name)
        company = make_account("company", parent=var, name=f"{name} Works")
        for account in (var, company):
            found.append(
                make_person(account, role="administrator", email=f"{account.code}@example.com", password=PASSWORD)
            )
        for number in range(80):
            owner = {"customer": company} if number % 2 else {}
            make_number(e164=f"+1514555{turn * 1000 + number:04}", provider=provider, var=var, **owner)
    return found


def pages_of(person):
    """Every page of an account that needs no more in its address than whose it is, exports among them, and searches."""
    code = person.account.code
    for name in ADDRESSES:
        with suppress(NoReverseMatch):
            if "{code}" in (page := reverse(name, args=[code]).replace(code, "{code}")):
                yield page.format(code=code)
    for query in ("number=1514555", "sort=-number", "company=works", "state=used", "number=555&provider=north"):
        yield f"/{code}/numbers/?{query}"


def cookie_of(person):
    client = Client()
    client.force_login(person)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def answer(port, page, cookie):
    """The status, and what somebody reads; of files that are made anew each time, what kind they are."""
    status, _headers, content = ask(port, "GET", page, Host="localhost", Cookie=cookie)
    is_made_anew = content.startswith((b"%PDF", b"PK"))
    return status, content[:4] if is_made_anew else b" ".join(TIME.sub(b"", MARKUP.sub(b" ", content)).split())


def test_everybody_reads_through_a_pooler_what_they_read_without_it(people, pooled, tmp_path):
    asked = [(page, cookie) for person in people for cookie in [cookie_of(person)] for page in pages_of(person)]
    with servers(1, THREADS="8") as (port,):
        for one in asked:
            answer(port, *one)  # the first time, names are not in caches yet
        wanted = {one: answer(port, *one) for one in asked}
    assert [status for status, _content in wanted.values()].count(200) > 150
    assert max(status for status, _content in wanted.values()) < 500
    with servers(1, THREADS="8", POOLER_URL=pooled) as (port,), ThreadPoolExecutor(8) as pool:
        turns = random.Random(1).sample(asked * 2, len(asked) * 2)
        found = pool.map(lambda one: answer(port, *one), turns)
        wrong = [(one, got) for one, got in zip(turns, found, strict=True) if got != wanted[one]]
    assert wrong == []
    assert (tmp_path / "log").read_text().count("login attempt") > SESSIONS


def test_many_sign_in_at_once(people, pooled):
    def sign_in(person):
        _status, headers, content = ask(port, "GET", "/login/", Host="localhost")
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', content)[1].decode()
        cookie = headers["Set-Cookie"].partition(";")[0]
        fields = {"csrfmiddlewaretoken": token, "login": person.email, "password": PASSWORD}
        sent = {"Host": "localhost", "Cookie": cookie, "Referer": "http://localhost/login/"}
        return ask(port, "POST", "/login/", fields, **sent)[0]

    with servers(1, THREADS="8", POOLER_URL=pooled) as (port,), ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sign_in, people * 4)) == [302] * 16


def test_a_page_through_a_pooler_waits_no_longer_than_without_it(people, pooled):
    person = people[0]
    cookie, page = cookie_of(person), f"/{person.account.code}/numbers/"
    with servers(1, POOLER_URL=pooled) as (port,), psycopg.connect(**connection.get_connection_params()) as beside:
        beside.execute("LOCK TABLE numbers_phonenumber")
        status, headers, _content = ask(port, "GET", page, Host="localhost", Cookie=cookie)
        assert (status, headers["Retry-After"]) == (503, "5")


def test_serve_says_what_is_wrong_with_a_pooler(pooled, tmp_path, settings):
    assert pooler.problem() == ""
    settings.POOLER_SIGN_IN = sign_in_of(pooled)
    assert pooler.problem() == ""
    name = sql.Identifier(connection.settings_dict["NAME"])
    with as_portal(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} RESET lock_timeout").format(name))
    other = tmp_path / "other"
    other.mkdir()
    with pgbouncer(other) as address:
        settings.POOLER_SIGN_IN = sign_in_of(address)
        assert pooler.problem().startswith("Sessions of the pooler do not begin with lock_timeout: run manage.py")
        settings.POOLER_SIGN_IN = sign_in_of(address) | {"NAME": "template1"}
        assert "leads to another server or database than DATABASE_URL" in pooler.problem()
    assert "The pooler of POOLER_URL cannot be used" in pooler.problem()
