"""OpenID Connect, as far as the portal needs it: the authorization code flow with PKCE, and checks of ID tokens.

Nothing a provider sends is believed before ``claims_of`` has checked it. What is wrong has a fixed word for the log.
The flow follows OpenID Connect Core 1.0 and RFC 9700; allauth's own provider sends no nonce, leaves the signature
unchecked where TLS brought the token, and takes parameters for the provider from the address of the page.
"""

from __future__ import annotations

import base64
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from django.conf import settings
from django.core.cache import caches
from django.utils.crypto import constant_time_compare

from portal.fetching import Deadline, NotFetched, fetch
from portal.single_sign_on import Provider, origin_of

#: Signatures by a private key. With HMAC everybody who knows the client secret could sign; ``none`` is no signature.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
#: What an ID token is signed with, by the types of keys.
KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
SCOPE = "openid email"
#: How far clocks may differ.
LEEWAY_SECONDS = 60
#: How long what a provider publishes about itself is kept, and how often its keys are asked for because of a new one.
KEPT_SECONDS, NEW_KEYS_SECONDS = 600, 30
#: The longest subject that OpenID Connect allows; the column for it has 191.
LONGEST_SUBJECT = 191


class Failed(Exception):
    """A provider could not be asked, or its answer could not be used. ``why`` is a fixed word for the log.

    ``status``: 503 where trying again helps, 502 where the provider's operator has to do something.
    """

    def __init__(self, why: str, status: HTTPStatus = HTTPStatus.BAD_GATEWAY):
        super().__init__(why)
        self.why, self.status = why, status


@dataclass(frozen=True)
class Start:
    """A sign-in that begins: where the browser is sent, and what has to be kept in the session until it is back."""

    parameters: dict[str, str]
    kept: dict[str, Any]


@dataclass(frozen=True)
class Endpoints:
    """What a provider publishes about itself."""

    authorization: str
    token: str
    keys: str
    userinfo: str


@cache
def slots() -> BoundedSemaphore:
    """How many pages of a process may wait for providers at once: some threads are left for pages."""
    return BoundedSemaphore(max(1, settings.THREADS // 2))


@contextmanager
def deadline():
    """The time that a page waits for a provider, all answers together. Raises ``Failed``."""
    if not slots().acquire(blocking=False):
        raise Failed("busy", HTTPStatus.SERVICE_UNAVAILABLE)
    try:
        yield Deadline(settings.SINGLE_SIGN_ON_SECONDS)
    except NotFetched as error:
        away = error.why in ("slow", "unreachable")
        raise Failed(error.why, HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.BAD_GATEWAY) from error
    finally:
        slots().release()


# Asking


def endpoints_of(provider: Provider, until: Deadline) -> Endpoints:
    """Where a provider's endpoints are, by its discovery document, which is kept for ten minutes."""
    key = f"oidc:{provider.issuer}"
    if (known := caches["process"].get(key)) is not None:
        return known
    status, document = fetch(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration", until)
    if status != HTTPStatus.OK:
        raise Failed("discovery")
    if document.get("issuer") != provider.issuer:
        raise Failed("issuer")
    found = Endpoints(
        *(checked(provider, document, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")),
        checked(provider, document, "userinfo_endpoint") if "userinfo_endpoint" in document else "",
    )
    # The content security policy lets the form lead to these alone.
    if origin_of(found.authorization) not in provider.origins:
        raise Failed("origin")
    caches["process"].set(key, found, KEPT_SECONDS)
    return found


def checked(provider: Provider, document: dict, name: str) -> str:
    """An endpoint in a discovery document: an address with TLS, where the issuer itself has it."""
    url = document.get(name)
    scheme = origin_of(url).partition(":")[0] if isinstance(url, str) and url.isprintable() else ""
    if scheme != "https" and (scheme != "http" or urlsplit(provider.issuer).scheme == "https"):
        raise Failed("discovery")
    return url


def started(provider: Provider, redirect_uri: str, *, again: bool = False) -> Start:
    """A new sign-in with a nonce and a PKCE challenge; ``again`` asks the provider to sign the person in anew.

    The ``state`` is the caller's to add. The verifier and the nonce are kept in the session and known to nobody else.
    """
    pkce, nonce = generate_code_challenge(), secrets.token_urlsafe(32)
    parameters = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPE,
        "nonce": nonce,
        "code_challenge": pkce["code_challenge"].decode(),
        "code_challenge_method": pkce["code_challenge_method"],
    }
    if again:
        parameters |= {"prompt": "login", "max_age": "0"}
    return Start(parameters, {"nonce": nonce, "verifier": pkce["code_verifier"], "began": int(time.time())})


def address_of(endpoints: Endpoints, parameters: dict[str, str]) -> str:
    """Where the browser is sent."""
    return f"{endpoints.authorization}{'&' if '?' in endpoints.authorization else '?'}{urlencode(parameters)}"


def redeemed(
    provider: Provider, endpoints: Endpoints, until: Deadline, *, code: str, verifier: str, redirect_uri: str
) -> dict:
    """What the provider gives for a code: an ID token, and an access token for ``claims_of_userinfo``."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    headers = {}
    if provider.sends_secret_in_form:
        form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    else:
        # Both are encoded before they are put together (RFC 6749, 2.3.1).
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret)}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    status, answer = fetch(endpoints.token, until, form=form, headers=headers)
    if status != HTTPStatus.OK:
        raise Failed("code" if answer.get("error") == "invalid_grant" else "token_endpoint")
    return answer


def claims_of_userinfo(endpoints: Endpoints, until: Deadline, answer: dict, subject: str) -> dict:
    """What the provider's UserInfo endpoint says of a subject: asked only for an address that the ID token has not."""
    token = answer.get("access_token")
    if not endpoints.userinfo or not isinstance(token, str) or not token.isascii() or not token.isprintable():
        return {}
    status, claims = fetch(endpoints.userinfo, until, headers={"Authorization": f"Bearer {token}"})
    if status != HTTPStatus.OK:
        raise Failed("userinfo")
    # It may be somebody else's (OpenID Connect Core, 5.3.2).
    if claims.get("sub") != subject:
        raise Failed("userinfo")
    return claims


# Believing


def claims_of(provider: Provider, endpoints: Endpoints, until: Deadline, answer: dict, nonce: str) -> dict:
    """The claims of an ID token, once everything about it is right (OpenID Connect Core, 3.1.3.7)."""
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise Failed("no_token")
    key, algorithm = key_of(provider, endpoints, until, token)
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=provider.issuer,
            audience=provider.client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"], "enforce_minimum_key_length": True},
        )
    except UNREADABLE as error:
        raise Failed(WORDS.get(type(error), "token")) from error
    # A token for several audiences names the one that it was issued to.
    is_for_others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_for_others else provider.client_id) != provider.client_id:
        raise Failed("audience")
    if not constant_time_compare(claims["nonce"], nonce):
        raise Failed("nonce")
    subject = claims["sub"]
    if not subject or len(subject) > LONGEST_SUBJECT or not subject.isascii() or not subject.isprintable():
        raise Failed("subject")
    return claims


#: What PyJWT raises on purpose, and what it lets pass: numbers without end, and nesting that is too deep.
UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
#: Of these, what has a word of its own in the log.
WORDS = {
    jwt.InvalidIssuerError: "issuer",
    jwt.InvalidAudienceError: "audience",
    jwt.ExpiredSignatureError: "expired",
    jwt.InvalidSignatureError: "signature",
    jwt.InvalidAlgorithmError: "algorithm",
}


def key_of(provider: Provider, endpoints: Endpoints, until: Deadline, token: str) -> tuple[jwt.PyJWK, str]:
    """The provider's public key that a token says it is signed with, and the algorithm: one of ``ALGORITHMS``."""
    try:
        header = jwt.get_unverified_header(token)
    except UNREADABLE as error:
        raise Failed("token") from error
    algorithm, name = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise Failed("algorithm")
    key = f"oidc-keys:{provider.issuer}"
    keys = caches["process"].get(key)
    found = fitting(keys or [], algorithm, name)
    # A key that is new to us: providers change theirs. Made-up names of keys do not make us ask each time.
    if found is None and (keys is None or caches["process"].add(f"{key}:asked", True, NEW_KEYS_SECONDS)):
        status, answer = fetch(endpoints.keys, until)
        if status != HTTPStatus.OK or not isinstance(answer.get("keys"), list):
            raise Failed("keys")
        keys = [one for one in answer["keys"] if isinstance(one, dict)]
        caches["process"].set(key, keys, KEPT_SECONDS)
        found = fitting(keys, algorithm, name)
    if found is None:
        raise Failed("unknown_key")
    try:
        return jwt.PyJWK.from_dict(found, algorithm=algorithm), algorithm
    except UNREADABLE as error:
        raise Failed("keys") from error


def fitting(keys: list[dict], algorithm: str, name: object) -> dict | None:
    """The key with a name, or the only one where the token names none, if it is for signatures of that algorithm."""
    fits = [
        one
        for one in keys
        if one.get("kty") == KEY_TYPES[algorithm[:2]]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (name is None or one.get("kid") == name)
    ]
    return fits[0] if len(fits) == 1 else None


def was_just_now(claims: dict, began: int) -> bool:
    """Whether the provider says that the person signed in there after this began."""
    at = claims.get("auth_time")
    return isinstance(at, int | float) and began - LEEWAY_SECONDS <= at <= time.time() + LEEWAY_SECONDS
