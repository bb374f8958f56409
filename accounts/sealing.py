"""Secrets of second factors, sealed: what lies in the database opens only with ``SECRET_KEY``.

A sealed text says which key it was sealed with. ``SECRET_KEY_FALLBACKS`` open what older keys have sealed, until the
worker has sealed it anew, and that every hour (``accounts.tasks``).
"""

import base64
import hashlib
from functools import lru_cache

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction

MARK = "sealed"
#: type of factor -> where in its data the secret is. Passkeys have none: what is kept of them is public.
SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}


class CannotOpen(Exception):
    """A text was sealed with a key that is not known any more."""


def key_of(secret: str) -> bytes:
    """The key for factors that follows from a secret: another than Django makes of the same for its signatures."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"portal: secrets of second factors")
    return base64.urlsafe_b64encode(derive.derive(secret.encode()))


@lru_cache(maxsize=8)
def box(secret: str) -> tuple[str, Fernet]:
    """What seals with a secret, and the name of its key."""
    key = key_of(secret)
    return hashlib.sha256(key).hexdigest()[:8], Fernet(key)


def mark() -> str:
    """How everything begins that is sealed with the present key."""
    return f"{MARK}:{box(settings.SECRET_KEY)[0]}:"


def seal(text: str) -> str:
    """The text, readable to nobody without the key."""
    return mark() + box(settings.SECRET_KEY)[1].encrypt(text.encode()).decode()


def unseal(text: str) -> str:
    """What was sealed; a text from before there were seals is itself. Raises ``CannotOpen``."""
    if not text.startswith(f"{MARK}:"):
        return text
    name, _colon, token = text.removeprefix(f"{MARK}:").partition(":")
    fernet = dict(map(box, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))).get(name)
    if fernet is None:
        raise CannotOpen
    try:
        return fernet.decrypt(token).decode()
    except InvalidToken as spoilt:
        raise CannotOpen from spoilt


def unsealed():
    """The factors whose secret is not sealed with the present key."""
    found = Authenticator.objects.none()
    for kind, name in SECRETS.items():
        of_kind = Authenticator.objects.filter(type=kind, **{f"data__{name}__isnull": False})
        found |= of_kind.exclude(**{f"data__{name}__startswith": mark()})
    return found


def seal_all() -> tuple[int, int]:
    """Seal every secret with the present key; how many were, and how many cannot be opened any more."""
    sealed = lost = 0
    for pk in unsealed().values_list("pk", flat=True):
        with transaction.atomic():
            # Whoever uses a recovery code meanwhile writes into the same column.
            factor = unsealed().select_for_update().filter(pk=pk).first()
            if factor is None:
                continue
            name = SECRETS[factor.type]
            try:
                factor.data[name] = seal(unseal(factor.data[name]))
            except CannotOpen:
                lost += 1
                continue
            factor.save(update_fields=["data"])
            sealed += 1
    return sealed, lost
