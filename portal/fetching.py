"""JSON of another server for a page that somebody waits for: all of it within a deadline, or nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from portal.machines import of_json

MOST_BYTES = 512 * 1024


class NotFetched(Exception):
    """Nothing came that can be used; ``why`` is a fixed word for the log."""

    why = "unreadable"


class NotReached(NotFetched):
    """There is no connection to the server, or none that is safe."""

    why = "unreachable"


class TooSlow(NotFetched):
    """The deadline was over before the answer was complete."""

    why = "slow"


class Deadline:
    """A moment by which several answers have to be there."""

    def __init__(self, seconds: float):
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; raises ``TooSlow`` when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TooSlow
        return left


def fetch(
    url: str, deadline: Deadline, *, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict]:
    """The status and the JSON object of the answer to a GET, or to a POST of ``form``. Redirects are not followed.

    Raises ``NotFetched``. The timeout of a socket begins anew with each byte that comes, so a watch shuts down the
    connection at the deadline: no server holds the thread for longer, however it drips. Looking up the name is the
    system's, with limits of its own.
    """
    sent = {"Accept": "application/json", "Connection": "close"} | (headers or {})
    body = urlencode(form) if form is not None else None
    if body is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    parts = urlsplit(url)
    path = parts.path or "/"
    path = f"{path}?{parts.query}" if parts.query else path
    connection = connected(parts.scheme, parts.hostname or "", parts.port, deadline)
    watch = threading.Timer(max(0, deadline.at - time.monotonic()), shut_down, [connection.sock])
    watch.daemon = True
    watch.start()
    try:
        if isinstance(connection.sock, ssl.SSLSocket):
            connection.sock.do_handshake()
        connection.request("GET" if body is None else "POST", path, body, sent)
        with connection.getresponse() as response:
            content = response.read(MOST_BYTES + 1)
            if response.length:
                raise http.client.IncompleteRead(content)
    except (OSError, ValueError, http.client.HTTPException) as error:
        if time.monotonic() >= deadline.at or isinstance(error, TimeoutError):
            raise TooSlow from error
        raise (NotReached if isinstance(error, OSError) else NotFetched) from error
    finally:
        watch.cancel()
        connection.close()
    # An answer without a length ends with its connection, also where the watch has ended it.
    if time.monotonic() >= deadline.at:
        raise TooSlow
    if len(content) > MOST_BYTES:
        raise NotFetched
    return response.status, object_of(content)


def object_of(content: bytes) -> dict:
    """The JSON object in an answer."""
    try:
        answer = of_json(content)
    except ValueError as error:
        raise NotFetched from error
    if not isinstance(answer, dict):
        raise NotFetched
    return answer


def connected(scheme: str, host: str, port: int | None, deadline: Deadline) -> http.client.HTTPConnection:
    """A connection whose socket stands: with TLS its handshake is still to come, under the watch."""
    context = ssl.create_default_context() if scheme == "https" else None
    connection = http.client.HTTPSConnection(host, port) if context else http.client.HTTPConnection(host, port)
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotReached from error
    for family, kind, protocol, _name, address in found:
        left = deadline.left()
        plain = socket.socket(family, kind, protocol)
        plain.settimeout(left)
        try:
            plain.connect(address)
        except OSError:
            plain.close()
            continue
        connection.sock = plain
        if context:
            connection.sock = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        return connection
    deadline.left()  # it may be why the last attempt failed
    raise NotReached


def shut_down(connection: socket.socket) -> None:
    """End a connection that another thread reads from: it gets the end of the stream."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
