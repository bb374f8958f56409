"""An identity provider that signs whatever a test wants it to: a real HTTP server, with keys of its own.

It holds to the protocol otherwise: a code is redeemed once, by who knows the secret and the PKCE verifier.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_plus, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SECRET = "mark-client-secret"
#: What a test sets to None is left out.
LEFT_OUT = None
#: How answers begin that never come to an end: they go on with their last byte.
BEGINNINGS = {
    "silent": b"",
    "dripping": b"HTTP/1.1 200 OK\r\nX-Header: x",
    "dripping its body": b"HTTP/1.1 200 OK\r\n\r\n{ ",
    "dripping pieces": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0",
}


@cache
def private_key(name: str) -> rsa.RSAPrivateKey:
    """A key with a name, made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(name: str, **changed) -> dict:
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key()))
    return key | {"kid": name, "use": "sig", "alg": "RS256"} | changed


def signed_with_public_key(name: str, claims: dict) -> str:
    """A token that is signed with HMAC, with what is published as the key. PyJWT itself does not make one."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    secret = private_key(name).public_key().public_bytes(serialization.Encoding.PEM, form)
    header = {"alg": "HS256", "kid": name, "typ": "JWT"}
    text = b".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return b".".join([text, encoded(hmac.digest(secret, text, "sha256"))]).decode()


def encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


class SigningProvider:
    """The provider: what it publishes and answers is changed by its attributes."""

    def __init__(self):
        self.asked: list[str] = []
        self.sent: list[dict] = []
        self.codes: dict[str, dict] = {}
        self.keys = [public_jwk("first")]
        self.userinfo: dict | None = None
        #: What it gives besides ID tokens; and the forms and headers with which codes were redeemed.
        self.access_token: object = "mark-access-token"
        self.redeemed: list[tuple[dict, str]] = []
        #: path -> the status of an answer that is otherwise right.
        self.status: dict[str, int] = {}
        #: Changes of the discovery document.
        self.discovery: dict = {}
        #: path -> what answers instead: bytes that are sent as they are, or one of ``BEGINNINGS``.
        self.instead: dict[str, bytes | str] = {}
        #: Silent and dripping answers last until then: whoever waited for their end would wait for ever.
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = False
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    # What the test does in place of a person at the provider

    def sign_in(self, location: str, **claims) -> dict:
        """What the browser brings back that was sent to ``location``, once somebody has signed in there."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        self.sent.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"asked": asked, "token": self.token(asked, **claims)}
        return {"code": code, "state": asked["state"]}

    def token(self, asked: dict, *, alg="RS256", key="first", kid="first", raw=LEFT_OUT, **changed) -> str:
        """An ID token for a sign-in that was asked for, with changed claims, key or algorithm."""
        if raw is not None:
            return raw
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": asked["client_id"], "sub": "mark-subject-1", "nonce": asked["nonce"], "iat": now,
            "exp": now + 300, "auth_time": now, "email": "known@example.com", "email_verified": True,
        } | changed  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not LEFT_OUT}
        signer = private_key(key) if isinstance(key, str) else key
        return jwt.encode(claims, signer, algorithm=alg, headers={"kid": kid} if kid else {})

    # What it answers

    def document(self) -> dict:
        paths = {
            "authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys",
            "userinfo_endpoint": "userinfo",
        }  # fmt: skip
        return {
            "issuer": self.issuer,
            **{name: f"{self.issuer}/{path}" for name, path in paths.items()},
        } | self.discovery

    def redeem(self, form: dict, authorization: str) -> tuple[int, dict]:
        self.redeemed.append((form, authorization))
        stored = self.codes.pop(form.get("code", ""), None)
        if stored is None:
            return 400, {"error": "invalid_grant"}
        asked = stored["asked"]
        challenge = encoded(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode() if authorization else ""
        client, _colon, secret = pair.partition(":")
        client, secret = (
            (unquote_plus(client), unquote_plus(secret)) if pair else (form["client_id"], form["client_secret"])
        )
        fits = (
            challenge == asked["code_challenge"] and asked["code_challenge_method"] == "S256"
            and form["redirect_uri"] == asked["redirect_uri"] and (client, secret) == (asked["client_id"], SECRET)
        )  # fmt: skip
        if not fits:
            return 401, {"error": "invalid_client"}
        return 200, {"access_token": self.access_token, "token_type": "Bearer", "id_token": stored["token"]}

    def handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 60

            def log_message(self, *_arguments):
                """Nobody reads it."""

            def answer(self, status: int, content: dict) -> None:
                body = json.dumps(content).encode()
                self.send_response(provider.status.get(urlsplit(self.path).path, status))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_path(self, form: dict) -> None:
                path = urlsplit(self.path).path
                provider.asked.append(path)
                instead = provider.instead.get(path)
                if isinstance(instead, bytes):
                    self.wfile.write(instead)
                elif instead:
                    self.hold(instead)
                elif path == "/.well-known/openid-configuration":
                    self.answer(200, provider.document())
                elif path == "/keys":
                    self.answer(200, {"keys": provider.keys})
                elif path == "/token":
                    self.answer(*provider.redeem(form, self.headers.get("Authorization", "")))
                elif (
                    path == "/userinfo"
                    and provider.userinfo
                    and self.headers["Authorization"] == "Bearer mark-access-token"
                ):
                    self.answer(200, provider.userinfo)
                else:
                    self.answer(404, {})

            def hold(self, how: str) -> None:
                """Never come to an end, until the test is over."""
                with suppress(OSError):
                    self.wfile.write(BEGINNINGS[how])
                    while not provider.released.wait(0.05):
                        self.wfile.write(BEGINNINGS[how][-1:])

            def do_GET(self):
                self.handle_path({})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.handle_path({name: values[0] for name, values in parse_qs(body).items()})

        return Handler


@contextmanager
def signing_provider():
    """A provider that runs meanwhile."""
    provider = SigningProvider()
    thread = threading.Thread(target=provider.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        provider.released.set()
        provider.server.shutdown()
        thread.join()
        provider.server.server_close()
