"""Signatures of messages from services that cannot sign in."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PORTS = {"https": 443, "http": 80}


def is_public_key(text: str) -> bool:
    """Whether a text is an Ed25519 public key in base64."""
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError:
        return False
    return True


def is_ed25519(public_key: str, signature: str, message: bytes) -> bool:
    """Whether a message was signed with the key that belongs to ``public_key``; both texts are in base64."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
        public.verify(base64.b64decode(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_fresh(stamp: str, now: float, seconds: int) -> bool:
    """Whether a time since 1970, in seconds, is so near that a message is no copy of an earlier one."""
    return stamp.isascii() and stamp.isdigit() and abs(now - int(stamp[:12])) <= seconds


def is_twilio(token: str, signature: str, url: str, fields: Mapping[str, Sequence[str]]) -> bool:
    """Whether Twilio signed a form for an address: HMAC-SHA1 of the address with each name and value, sorted.

    Twilio signs the address with or without the port that it has anyhow.
    """
    text = "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    parts = urlsplit(url)
    with_port = urlunsplit(parts._replace(netloc=f"{parts.hostname}:{PORTS.get(parts.scheme, 443)}"))
    known = (signed_by_twilio(token, address + text) for address in {url, with_port if parts.port is None else url})
    return any(hmac.compare_digest(one, signature.encode()) for one in known)


def signed_by_twilio(token: str, text: str) -> bytes:
    """What Twilio writes into the header for this text."""
    # SHA-1 is what Twilio has chosen; in an HMAC it is not known to be broken (RFC 6194, 3.3).
    return base64.b64encode(hmac.new(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1).digest())
