"""Addresses of databases: read as libpq reads them, and described without passwords."""

from urllib.parse import unquote, urlsplit

import environ


def described(portal: str, owner: str = "") -> str:
    """Which database an address names, and who signs in to it; ``owner`` is the address of the tables' owner."""
    parts = urlsplit(portal)
    host = unquote(parts.hostname or "") or "a local socket"
    who = unquote(parts.username or "") or "the default user"
    if owner and (of_owner := unquote(urlsplit(owner).username or "")) != who:
        who += f", tables owned by {of_owner}"
    port = f", port {parts.port}" if parts.port else ""
    return f"{unquote(parts.path.lstrip('/')) or 'the default one'} on {host}{port}, as {who}"


def sign_in_of(address: str) -> dict:
    """What Django needs to know of an address (``postgresql://user:password@host:5432/name``).

    The host may be the folder of a local socket, with its slashes written as ``%2F`` (RFC 3986).
    """
    found = environ.Env.db_url_config(address)
    return found | {"HOST": unquote(found["HOST"])}
