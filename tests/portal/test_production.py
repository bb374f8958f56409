"""Every answer of the portal in production: the names and flags of cookies, and what the browser is told."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.urls import NoReverseMatch, reverse

from accounts.policy import ADDRESSES
from portal.processes import answers
from tests.factories import make_account, make_number, make_person
from tests.processes import ask, servers

PASSWORD = "a-long-password-1"
PRODUCTION = {
    "DEMO": "0",
    "SECRET_KEY": settings.SECRET_KEY,
    "ALLOWED_HOSTS": "localhost",
    "EMAIL_URL": "consolemail://",
    "DEFAULT_FROM_EMAIL": "portal@example.com",
    "BEHIND_PROXY": "1",
}
HTTPS = {"Host": "localhost", "X-Forwarded-Proto": "https", "Referer": "https://localhost/"}
YEAR = 365 * 24 * 3600


def faults(path, headers):
    """What a browser was not told with the answer to ``path``."""
    policy = headers.get("Content-Security-Policy", "")
    wanted = {
        "one year of TLS alone": f"max-age={YEAR}" == headers.get("Strict-Transport-Security", ""),
        "a policy": policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'"),
        "a policy without holes": not re.search(r"unsafe|data:|\*|http", policy),
        "no sniffing": headers.get("X-Content-Type-Options") == "nosniff",
        "no frames": headers.get("X-Frame-Options") == "DENY",
        "no referrer for others": headers.get("Referrer-Policy") == "same-origin",
        "not to be kept": path.startswith("/static/") or "no-store" in headers.get("Cache-Control", ""),
        "cookies of this host alone": all(
            cookie.startswith("__Host-") and {"Secure", "Path=/"} <= set(cookie.split("; ")) and "Domain" not in cookie
            for cookie in headers.get_all("Set-Cookie", [])
        ),
        "no cookie that scripts can read": all(
            "HttpOnly" in cookie for cookie in headers.get_all("Set-Cookie", []) if "Max-Age=0" not in cookie
        ),
    }
    return [f"{path}: {what}" for what, told in wanted.items() if not told]


def paths_of(account):
    """Every address there is, filled in."""
    for name in ADDRESSES:
        for arguments in (
            [], [account.code], [account.code, "15145550100"], [account.code, "phone-numbers"], [1],
            [account.code, account.code], [account.code, 1, 1], ["Mg", "set-password"],
        ):  # fmt: skip
            try:
                yield reverse(name, args=arguments)
                break
            except NoReverseMatch:
                continue


@pytest.mark.django_db(transaction=True)
def test_whoever_starts_the_server_asks_for_it_under_a_name_that_it_has():
    with servers(1, **PRODUCTION) as (port,):
        ready = f"http://127.0.0.1:{port}/healthz"
        assert not answers(ready)
        assert answers(ready, PRODUCTION["ALLOWED_HOSTS"])


@pytest.mark.django_db(transaction=True)
def test_every_answer_tells_the_browser_what_it_must_know():
    account = make_account("company")
    make_number(customer=account, e164="+15145550100")
    make_person(account, role="administrator", email="admin@example.com", password=PASSWORD)
    paths = list(paths_of(account))
    assert len(paths) >= len(ADDRESSES) - 2
    found, statuses = [], {}

    with servers(1, **PRODUCTION) as (port,):
        # Whoever comes without TLS is sent to where there is TLS.
        status, headers, _content = ask(port, "GET", "/login/", Host="localhost")
        assert (status, headers["Location"]) == (301, "https://localhost/login/")
        for path in ("/calls/", "/carriers/1/"):
            status, _headers, content = ask(port, "POST", path, {}, Host="localhost", Authorization="Bearer a-token")
            assert (status, b"Use https" in content) == (403, True)
            assert ask(port, "POST", path, {}, Authorization="Bearer a-token", **HTTPS)[0] == 401

        _status, headers, content = ask(port, "GET", "/login/", **HTTPS)
        found += faults("/login/", headers)
        token_cookie = headers["Set-Cookie"].partition(";")[0]
        script = re.search(rb'"(/static/portal/[^"]+\.js)"', content)[1].decode()
        token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', content)[1].decode()
        fields = {"csrfmiddlewaretoken": token, "login": "admin@example.com", "password": PASSWORD}
        status, headers, _content = ask(port, "POST", "/login/", fields, Cookie=token_cookie, **HTTPS)
        found += faults("POST /login/", headers)
        cookies = "; ".join(cookie.partition(";")[0] for cookie in headers.get_all("Set-Cookie"))
        assert status == 302
        assert "__Host-session=" in cookies

        sign_out = reverse("account_logout")
        for path in [*(p for p in paths if p != sign_out), "/no/such/page/", "/V9999/", script, "/static/none.js"]:
            status, headers, _content = ask(port, "GET", path, Cookie=cookies, **HTTPS)
            statuses[path] = status
            found += faults(path, headers)
        status, headers, _content = ask(port, "POST", "/profile/", {"name": "x"}, Cookie=cookies, **HTTPS)
        statuses["without a token"] = status
        found += faults("without a token", headers)
        status, headers, _content = ask(port, "GET", "/login/", **HTTPS | {"Host": "evil.example"})
        statuses["at another host"] = status
        found += faults("at another host", headers)

        numbers = f"/{account.code}/numbers/"
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE numbers_phonenumber RENAME TO gone")
            try:
                statuses["an error of ours"], headers, _content = ask(port, "GET", numbers, Cookie=cookies, **HTTPS)
            finally:
                cursor.execute("ALTER TABLE gone RENAME TO numbers_phonenumber")
        found += faults("an error of ours", headers)

    expected = {
        numbers: 200, f"{numbers}export.csv": 200, f"{numbers}export.pdf": 200, "/security/": 200, script: 200,
        "/no/such/page/": 404, "/V9999/": 404, "/signup/": 404, "/static/none.js": 404, "without a token": 403,
        "at another host": 400, "an error of ours": 500,
    }  # fmt: skip
    assert {path: statuses[path] for path in expected} == expected
    assert found == []


@pytest.mark.django_db(transaction=True)
def test_in_production_staff_need_a_second_factor():
    make_person(make_account("var"), role="administrator", email="admin@example.com", password=PASSWORD)
    with servers(1, **PRODUCTION) as (port,):
        _status, headers, content = ask(port, "GET", "/login/", **HTTPS)
        token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', content)[1].decode()
        fields = {"csrfmiddlewaretoken": token, "login": "admin@example.com", "password": PASSWORD}
        cookie = headers["Set-Cookie"].partition(";")[0]
        _status, headers, _content = ask(port, "POST", "/login/", fields, Cookie=cookie, **HTTPS)
        cookies = "; ".join(cookie.partition(";")[0] for cookie in headers.get_all("Set-Cookie"))
        _status, headers, _content = ask(port, "GET", "/profile/", Cookie=cookies, **HTTPS)
    assert headers["Location"] == "/security/"


@pytest.mark.django_db(transaction=True)
def test_without_tls_people_sign_in_when_that_was_asked_for_and_the_page_says_so():
    account = make_account("company")
    make_person(account, role="administrator", email="admin@example.com", password=PASSWORD)
    plain = {"PLAIN_HTTP": "1", "DIRECT": "1", "BEHIND_PROXY": "0"}
    with servers(1, **PRODUCTION | plain) as (port,):
        _status, headers, content = ask(port, "GET", "/login/", Host="localhost")
        assert "Strict-Transport-Security" not in headers
        assert b"without encryption" in content
        token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', content)[1].decode()
        fields = {"csrfmiddlewaretoken": token, "login": "admin@example.com", "password": PASSWORD}
        cookie = headers["Set-Cookie"].partition(";")[0]
        status, headers, _content = ask(port, "POST", "/login/", fields, Host="localhost", Cookie=cookie)
        assert status == 302
        told = headers.get_all("Set-Cookie")
        assert not [cookie for cookie in told if "Secure" in cookie]
        cookies = "; ".join(cookie.partition(";")[0] for cookie in told)
        assert ask(port, "GET", f"/{account.code}/", Host="localhost", Cookie=cookies)[0] == 200
    with servers(1, **PRODUCTION) as (port,):
        assert b"without encryption" not in ask(port, "GET", "/login/", **HTTPS)[2]
