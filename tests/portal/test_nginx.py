"""The portal behind the proxy that docs/nginx.conf describes: the real nginx before the real server."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from allauth.usersessions.models import UserSession
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from numbers.models import Import, PhoneNumber
from portal.embedded import free_port
from tests.factories import make_account, make_number, make_person, make_provider
from tests.portal.test_production import PASSWORD, PRODUCTION
from tests.processes import ROOT, servers

pytestmark = pytest.mark.django_db(transaction=True)
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin") or "nginx"
NAME = "portal.example.com"
HELD = 100
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/portal.conf;
}}
"""


def write_certificate(folder):
    """A certificate of our own for ``NAME``, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "portal.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    (folder / "portal.key").write_bytes(text)


def write_configuration(folder, portal, plain, secure):
    """docs/nginx.conf with other ports, and what a distribution has around it."""
    text = (ROOT / "docs" / "nginx.conf").read_text()
    for before, after in {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{portal};",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "/etc/ssl/portal": f"{folder}/portal",
        "client_header_timeout 10s;": "client_header_timeout 2s;",
        "client_body_timeout 10s;": "client_body_timeout 2s;",
        # The test is one client.
        "limit_conn portal_clients 100;": f"limit_conn portal_clients {4 * HELD};",
    }.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "portal.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))


@contextmanager
def nginx(folder, portal):
    """nginx before the server at the port ``portal``; gives the ports for requests without and with TLS."""
    plain, secure = free_port(), free_port()
    write_certificate(folder)
    write_configuration(folder, portal, plain, secure)
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)  # noqa: S603
    assert "syntax is ok" in checked.stderr, checked.stderr
    assert (checked.returncode, "[warn]" in checked.stderr) == (0, False), checked.stderr
    process = subprocess.Popen(command)  # noqa: S603
    try:
        deadline = time.monotonic() + 20
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", secure)):
                break
            assert time.monotonic() < deadline
        yield plain, secure
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def proxied(tmp_path):
    settings = {"ALLOWED_HOSTS": f"localhost,{NAME}", "TRUSTED_PROXIES": "1", "STAFF_SECOND_FACTOR": "0"}
    with servers(1, **PRODUCTION | settings) as (port,), nginx(tmp_path, port) as ports:
        yield ports


def connect(secure, ciphers=None):
    trusting = ssl.create_default_context()
    if ciphers:
        trusting.set_ciphers(ciphers)
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return trusting.wrap_socket(socket.create_connection(("127.0.0.1", secure), timeout=30), server_hostname=NAME)


def ask(secure, method, path, body=None, **headers):
    """Status, headers and content of a request with TLS."""
    client = http.client.HTTPConnection(NAME, timeout=60)
    client.sock = connect(secure)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    client.request(method, path, body, {"Host": NAME, "Referer": f"https://{NAME}/"} | headers)
    answer = client.getresponse()
    content = answer.read()
    client.close()
    return answer.status, answer.headers, content


def sign_in(secure, email, **headers):
    """The cookies of somebody who signs in through the proxy."""
    _status, told, page = ask(secure, "GET", "/login/")
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)[1].decode()
    csrf = told["Set-Cookie"].partition(";")[0]
    form = urlencode({"csrfmiddlewaretoken": token, "login": email, "password": PASSWORD})
    status, told, _page = ask(
        secure, "POST", "/login/", form, Cookie=csrf, Content_Type="application/x-www-form-urlencoded", **headers
    )
    assert status == 302
    return "; ".join(cookie.partition(";")[0] for cookie in [csrf, *told.get_all("Set-Cookie")])


def test_the_portal_is_reached_and_sees_who_asks(proxied):
    plain, secure = proxied
    alpha = make_account("var")
    make_person(alpha, role="administrator", email="admin@example.com", password=PASSWORD)
    for n in range(3000):
        make_number(alpha, e164=f"+1514556{n:04}", label="x" * 50)
    client = http.client.HTTPConnection("127.0.0.1", plain, timeout=30)
    client.request("GET", "/login/", headers={"Host": NAME})
    moved = client.getresponse()
    assert (moved.status, moved.headers["Location"]) == (301, f"https://{NAME}/login/")
    client.close()
    for path in ("/calls/", "/carriers/1/"):
        client.request("POST", path, "{}", headers={"Host": NAME, "Authorization": "Bearer a-token"})
        refused = client.getresponse()
        assert (refused.status, "Use https" in json.load(refused)["error"]) == (403, True)
        client.close()
    with pytest.raises(ssl.SSLError):
        connect(secure, "AES128-SHA")

    cookies = sign_in(secure, "admin@example.com", X_Forwarded_For="203.0.113.9", X_Real_IP="203.0.113.9")
    assert "__Host-session=" in cookies
    assert UserSession.objects.get().ip == "127.0.0.1"
    status, _headers, table = ask(secure, "GET", f"/{alpha.code}/numbers/export.csv", Cookie=cookies)
    assert (status, table.count(b"\n")) == (200, 3001)
    status, _headers, document = ask(secure, "GET", f"/{alpha.code}/numbers/export.pdf", Cookie=cookies)
    assert (status, document.rstrip()[-5:]) == (200, b"%%EOF")
    # A long address: three thousand chosen rows.
    chosen = urlencode([("selected", pk) for pk in range(10**6, 10**6 + 3_000)])
    status, _headers, table = ask(secure, "GET", f"/{alpha.code}/numbers/export.csv?{chosen}", Cookie=cookies)
    assert (status, table.count(b"\n")) == (200, 1)
    assert ask(secure, "GET", "/metrics")[0] == 404

    page = f"/{alpha.code}/numbers/import/"
    _status, _headers, form = ask(secure, "GET", page, Cookie=cookies)
    fields = {
        "csrfmiddlewaretoken": re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', form)[1].decode(),
        "key": re.search(rb'name="key" value="([\w-]+)"', form)[1].decode(),
        "region": "", "empty": "merge", "provider": make_provider().pk,
    }  # fmt: skip
    lines = "Number,Label\r\n" + "".join(f"+1514557{n:04},{'y' * 60}\r\n" for n in range(3000))
    parts = [f'--XX\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    file = f'--XX\r\nContent-Disposition: form-data; name="file"; filename="n.csv"\r\n\r\n{lines}\r\n--XX--\r\n'
    kind = "multipart/form-data; boundary=XX"
    status, _headers, page = ask(secure, "POST", page, "".join(parts) + file, Cookie=cookies, Content_Type=kind)
    assert status == 302, page
    assert Import.unscoped.get().total == 3000
    assert PhoneNumber.unscoped.count() == 3000


def test_too_much_is_refused_before_it_is_sent(proxied, tmp_path):
    _plain, secure = proxied
    alpha = make_account("var")

    def status(path, length):
        with connect(secure) as server:
            head = f"POST {path} HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {length}\r\n\r\nx"
            server.sendall(head.encode())
            return int(server.recv(4096).split()[1])

    assert status("/login/", 70_000) == 413
    assert status("/telephony/events/", 70_000) == 413
    assert status(f"/{alpha.code}/numbers/import/", 200_000_000) == 413
    # A stranger's file: the portal answers, and nginx has kept nothing of it.
    assert status(f"/{alpha.code}/numbers/import/", 90_000_000) == 302
    assert status("/calls/", 7_000_000) == 401
    assert [path for path in (tmp_path / "bodies").rglob("*") if path.is_file()] == []


def test_half_sent_requests_stay_outside(proxied):
    _plain, secure = proxied
    post = f"POST /login/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 1000\r\n"
    halves = [
        post,
        f"{post}\r\nx",
        f"POST /login/ HTTP/1.1\r\nHost: {NAME}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx",
    ]
    with ExitStack() as held:
        connections = [held.enter_context(connect(secure)) for _ in range(HELD) for _half in halves]
        for number, server in enumerate(connections):
            server.sendall(halves[number % len(halves)].encode())
        for _ in range(10):
            assert ask(secure, "GET", "/login/")[0] == 200
        for server in connections:
            server.settimeout(30)
            with suppress(ConnectionResetError, ssl.SSLEOFError):
                while server.recv(4096):
                    pass
