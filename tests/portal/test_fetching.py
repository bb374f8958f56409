"""Other servers, asked over TLS: who they are is checked, and none of them holds a page."""

import datetime
import ipaddress
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.fetching import Deadline, NotFetched, NotReached, TooSlow, fetch


class Handler(BaseHTTPRequestHandler):
    """Says which path was asked, in JSON."""

    def do_GET(self):
        body = f'{{"path": "{self.path}", "host": "{self.headers["Host"]}"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Nobody reads it."""


class Server(HTTPServer):
    def handle_error(self, request, client_address):
        """A client that does not believe the certificate hangs up."""


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1, with its key, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def port(certificate):
    """The port of a server that speaks TLS."""
    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_whose_certificate_is_believed_is_asked(port, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    status, answer = fetch(f"https://127.0.0.1:{port}/a?b=c#d", Deadline(30))
    assert (status, answer) == (200, {"path": "/a?b=c", "host": f"127.0.0.1:{port}"})


def test_a_server_whose_certificate_is_not_believed_is_asked_nothing(port):
    with pytest.raises(NotReached):
        fetch(f"https://127.0.0.1:{port}/", Deadline(30))


def test_a_server_with_a_certificate_for_another_name_is_asked_nothing(port, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(NotReached):
        fetch(f"https://localhost:{port}/", Deadline(30))


def test_a_server_that_never_shakes_hands_is_left():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TooSlow):
        fetch(f"https://127.0.0.1:{silent.getsockname()[1]}/", Deadline(0.5))


def test_when_the_time_is_over_nobody_is_asked():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TooSlow):
        fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/", Deadline(0))


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 300, "127.0.0.1:1"])
def test_a_server_that_is_not_there_is_not_reached(host):
    with pytest.raises(NotReached):
        fetch(f"https://{host}/", Deadline(30))


def test_an_address_that_is_none_is_not_fetched():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotFetched):
        fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/\x7f", Deadline(30))
