"""What an authenticator app does (RFC 6238)."""

import base64
import hashlib
import hmac
import struct
import time


def code_for(secret: str, *, steps: int = 0) -> str:
    """The six digits that an app shows for ``secret``, ``steps`` half minutes from now."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"
