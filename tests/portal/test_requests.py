"""What a request says of itself, sent to the program that the web server runs."""

import io
from urllib.parse import quote

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from portal.wsgi import application

pytestmark = pytest.mark.django_db

TYPES = [
    "text/plain; charset=hex",
    "text/plain; charset=utf-7",
    "text/plain; charset=unicode_escape",
    "text/plain; charset=utf-16",
    "text/plain; charset=idna",
    "text/plain; charset=\xe9",
    "text/plain; charset*=nope''a",
    "text/plain; charset*=utf-8''%00",
    "text/plain; charset*=hex''zz",
    "text/plain; charset*0=utf; charset*1=-7",
    "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data; charset=utf-7; boundary=x",
    "multipart/form-data; boundary=\xe9",
    "multipart/form-data; boundary*=nope''x",
    "; ; =",
]
PART = (
    b'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n%s\r\n'
    b"--x\r\nContent-Disposition: form-data; name=\"login\"; filename*=unicode_escape''%%5Cud800\r\n\r\na\r\n"
    b"--x\r\nContent-Disposition: form-data; name*=utf-7''%%2B2AA-\r\n\r\n+2AA-\r\n--x--\r\n"
)


def asked(path="/login/", method="GET", body=b"", query="", **headers):
    """The status of the answer to a request as the server hands it over: headers in Latin-1."""
    statuses = []
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http",
        "CONTENT_LENGTH": str(len(body)), **headers,
    }  # fmt: skip
    answer = application(environ, lambda status, sent: statuses.append(int(status[:3])))
    content = b"".join(answer)
    answer.close()
    return statuses[0], content


@pytest.fixture(autouse=True)
def open_connection():
    """The program closes the connection before and after a request, and the test's rows would go with it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("query", ["next=%2B2AA-", "next=" + quote("\\ud800")])
def test_no_encoding_that_a_request_names_is_an_error(kind, query):
    assert asked(query=query, CONTENT_TYPE=kind)[0] == 200


@pytest.mark.parametrize("kind", TYPES)
def test_no_form_in_another_encoding_is_an_error(kind):
    token = b"a" * 32
    cookie = {"HTTP_COOKIE": f"csrftoken={token.decode()}", "CONTENT_TYPE": kind}
    for body in (PART % token, b"csrfmiddlewaretoken=%s&login=%%ED%%A0%%80" % token):
        assert asked(method="POST", body=body, **cookie)[0] in (200, 400, 403)


@pytest.mark.parametrize(
    "key", ['"aaaaaaaaaaaaaaaa\\000"', "x" * 5000, '"aaaaaaaa\\355\\240\\200"', "aaaaaaaa\xff", "AAAAAAAAAAAAAAAA"]
)
def test_no_cookie_of_a_session_is_an_error(key):
    assert asked(HTTP_COOKIE=f"sessionid={key}")[0] == 200
