"""The identity providers that people may sign in with, as the setting ``SINGLE_SIGN_ON`` names them.

A list in JSON, with an object for each provider; docs/single-sign-on.md explains every key. What would weaken a sign-in
is refused when a process starts, in a sentence that says what to set. No sentence repeats a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

REQUIRED_KEYS = ("id", "name", "issuer", "client_id", "client_secret")
OPTIONAL_KEYS = (
    "domains", "required", "second_factor", "token_auth_method", "verified_claim", "authorization_origins",
)  # fmt: skip
#: Keys that are one of several words -> those words, the usual one first.
CHOICES = {
    "second_factor": ("portal", "provider"),
    "token_auth_method": ("client_secret_basic", "client_secret_post"),
    # Microsoft's claim says the same of the address: its domain was verified by the owner of the directory.
    "verified_claim": ("email_verified", "xms_edov"),
}
#: Lengths of the columns that a link is kept in: ``socialaccount_socialaccount``.
LONGEST_ISSUER = 200
LONGEST_NAME = 40
ID = re.compile(r"[a-z0-9](-?[a-z0-9])*")
DOMAIN = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Provider:
    """One identity provider.

    ``domains`` are those of mail addresses that it may link to people; without any it links nobody new. ``required``:
    people with an address of these domains sign in with it alone. ``second_factor`` says whose the second factor is.
    """

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str
    domains: tuple[str, ...] = ()
    required: bool = False
    second_factor: str = CHOICES["second_factor"][0]
    token_auth_method: str = CHOICES["token_auth_method"][0]
    verified_claim: str = CHOICES["verified_claim"][0]
    authorization_origins: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without the secret: this may end up in a traceback or on a debugging page."""
        return f"Provider({self.id!r}, {self.issuer!r})"

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the browser may be sent to sign in: the issuer's origin unless the setting says otherwise."""
        return self.authorization_origins or (origin_of(self.issuer),)

    @property
    def replaces_second_factor(self) -> bool:
        """Whether a sign-in there counts as one with a second factor."""
        return self.second_factor == "provider"

    @property
    def sends_secret_in_form(self) -> bool:
        """Whether the client secret goes into the form, and not into the header of HTTP Basic."""
        return self.token_auth_method == CHOICES["token_auth_method"][1]

    def covers(self, email: str) -> bool:
        """Whether a mail address has one of the provider's domains."""
        return email.rpartition("@")[2].lower() in self.domains


def origin_of(url: str) -> str:
    """The scheme, host and port of a URL, as in a content security policy; empty where it is no address of the web."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    # Nothing that would end the directive of a policy, or add another source to it.
    return f"{parts.scheme}://{host}{port}" if re.fullmatch(r"[a-z0-9.:_\[\]-]+", host) else ""


def read_providers(text: str, *, is_trial: bool) -> tuple[Provider, ...]:
    """The providers that ``text`` names. With ``is_trial``, in a demonstration or in development, one on this computer
    may do without TLS.

    Raises ``ImproperlyConfigured`` with a sentence for each mistake.
    """
    if not text.strip():
        return ()
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ImproperlyConfigured(
            'SINGLE_SIGN_ON is no list of providers in JSON: write [{"id": "…", …}], as docs/single-sign-on.md shows.'
        )
    found = [sentence for position, one in enumerate(given, 1) for sentence in mistakes(one, position, is_trial)]
    found += repetitions(given)
    if found:
        raise ImproperlyConfigured("\n".join(found))
    return tuple(provider_of(one) for one in given)


def provider_of(given: dict[str, Any]) -> Provider:
    """The provider of an object without mistakes."""
    texts = {key: given[key] for key in (*REQUIRED_KEYS, *CHOICES) if key in given}
    return Provider(
        **texts,
        domains=tuple(domain.lower() for domain in given.get("domains", ())),
        required=given.get("required", False),
        authorization_origins=tuple(given.get("authorization_origins", ())),
    )


def mistakes(given: dict[str, Any], position: int, is_trial: bool) -> Iterator[str]:
    """A sentence for each mistake in the object of one provider, which says what to write instead."""
    who = f"SINGLE_SIGN_ON, provider {given['id'] if is_text(given.get('id')) else position}"
    for key in sorted(given.keys() - {*REQUIRED_KEYS, *OPTIONAL_KEYS}):
        yield f"{who}: the key {key[:40]!r} is unknown: remove it, or correct its spelling."
    for key in REQUIRED_KEYS:
        if not is_text(given.get(key)):
            yield f"{who}: {key} is missing: set it as the provider shows it."
    if is_text(given.get("id")) and not (ID.fullmatch(given["id"]) and len(given["id"]) <= LONGEST_NAME):
        yield f"{who}: id is part of addresses: use small letters, digits and hyphens, {LONGEST_NAME} at most."
    if is_text(given.get("name")) and not (given["name"].isprintable() and len(given["name"]) <= LONGEST_NAME):
        yield f"{who}: name stands on the button: use {LONGEST_NAME} visible characters at most."
    if is_text(given.get("issuer")):
        yield from mistakes_of_issuer(who, given["issuer"], is_trial)
    for key, words in CHOICES.items():
        if given.get(key, words[0]) not in words:
            yield f"{who}: {key} is {' or '.join(words)}."
    for key, is_one in (("domains", is_domain), ("authorization_origins", is_origin)):
        values = given.get(key, [])
        if not isinstance(values, list) or not all(is_text(one) and is_one(one, is_trial) for one in values):
            example = "example.com" if key == "domains" else "https://login.example.com"
            yield f'{who}: {key} is a list such as ["{example}"].'
    if not isinstance(given.get("required", False), bool):
        yield f"{who}: required is true or false."
    elif given.get("required") and not given.get("domains"):
        yield f"{who}: required needs domains: name those whose people sign in with this provider alone."


def mistakes_of_issuer(who: str, issuer: str, is_trial: bool) -> Iterator[str]:
    origin = origin_of(issuer)
    if not origin or any(mark in issuer for mark in "?# ") or len(issuer) > LONGEST_ISSUER:
        yield f"{who}: issuer is an address such as https://login.example.com, {LONGEST_ISSUER} characters at most."
    elif not is_safe(origin, is_trial):
        yield (
            f"{who}: issuer is reached without TLS, so that others can sign in as anybody: use https. http is for a"
            " provider on this computer, in a demonstration or with DEBUG=1."
        )


def repetitions(given: list[dict[str, Any]]) -> Iterator[str]:
    """A sentence for each value that may be there once and is there more than once."""
    for key, why in (("id", "addresses would mean two providers"), ("issuer", "links of people would mean both")):
        values = [one[key] for one in given if is_text(one.get(key))]
        for value in sorted({value for value in values if values.count(value) > 1}):
            yield f"SINGLE_SIGN_ON: two providers have the {key} {value}, and {why}: keep one of them."
    lists = [one["domains"] for one in given if isinstance(one.get("domains"), list)]
    domains = [domain.lower() for one in lists for domain in one if is_text(domain)]
    for domain in sorted({domain for domain in domains if domains.count(domain) > 1}):
        yield f"SINGLE_SIGN_ON: the domain {domain} is named twice: keep it with the provider that its people use."


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_domain(text: str, _is_trial: bool) -> bool:
    return bool(DOMAIN.fullmatch(text.lower()))


def is_origin(text: str, is_trial: bool) -> bool:
    return origin_of(text) == text and is_safe(text, is_trial)


def is_safe(url: str, is_trial: bool) -> bool:
    """Whether nobody on the way reads what is sent to ``url``: TLS, or this computer alone in a trial."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (is_trial and parts.hostname in LOOPBACK)


# What the installation has


def provider_called(provider_id: str) -> Provider | None:
    """The provider with an id, if there is one."""
    return next((one for one in settings.SINGLE_SIGN_ON if one.id == provider_id), None)


def provider_of_issuer(issuer: str) -> Provider | None:
    """The provider that a link of a person belongs to, if it is still in the settings."""
    return next((one for one in settings.SINGLE_SIGN_ON if one.issuer == issuer), None)


def provider_required_for(email: str) -> Provider | None:
    """The provider with which alone the owner of a mail address signs in, if there is one."""
    return next((one for one in settings.SINGLE_SIGN_ON if one.required and one.covers(email)), None)


def authorization_origins() -> str:
    """The origins that the form of a sign-in page may lead to, as a content security policy lists them."""
    return " ".join(dict.fromkeys(origin for one in settings.SINGLE_SIGN_ON for origin in one.origins))
