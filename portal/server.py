"""The entry of the web server (ASGI): an event loop receives requests and sends responses, threads compute them.

No thread waits for a client. The loop collects a body first, within a deadline and the size that the address accepts
(``accounts.policy.BODIES``). It collects a large body only from a sender with permission, a few at a time.

One thread, with its own database connection, computes a response by the same WSGI application that tests call. The loop
streams a long response as fast as the client reads, and ends it when the client reads nothing for ``READER_SECONDS``.
"""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from accounts.policy import SMALL_BODY, Body, body_of
from portal.database.watch import Watched
from portal.embedded import dies_with_parent
from portal.exports import ENDED, GONE
from portal.intake import ADMISSION, REFUSAL, Admission, Refusal
from portal.wsgi import application as wsgi

MB = 1024 * 1024
#: Extra seconds for each megabyte of a body: a line of 1 Mbit/s is fast enough.
SECONDS_OF_A_MB = 8
#: Large bodies that a process receives at once, from all senders and from one.
LARGE_AT_ONCE, LARGE_OF_ONE = 16, 2
#: After a refusal, the rest of the body is read for this long: a browser shows no response before it has sent all.
LINGER_SECONDS = 2
#: After this time the loop also watches whether the client has gone.
PATIENCE_SECONDS = 1
#: A frozen database is given up so long after the limit that it does not keep, and while it makes a file.
GRACE_SECONDS, STREAM_SECONDS = 5, 630
#: Bytes of a streamed response that a thread hands to the loop at once.
PIECE = 128 * 1024

#: Threads for most requests; for uploads of people, one at a time, so that they leave the others to pages; and for
#: requests that need no database, which are answered even when all others are busy.
pages = ThreadPoolExecutor(settings.THREADS, "pages")
files = ThreadPoolExecutor(1, "files")
hasty = ThreadPoolExecutor(1, "hasty")
HASTY = {"/healthz", "/readyz"}
#: sender -> large bodies that this process is receiving
underway: Counter[Hashable] = Counter()


class Gone(Exception):
    """The client has gone."""


class Stopped(Exception):
    """The client has read nothing for too long; ``words`` end the response and say that it is incomplete."""

    def __init__(self, words: bytes):
        super().__init__(f"the client read nothing for {settings.READER_SECONDS:g} seconds")
        self.words = words


async def application(scope: dict, receive: Callable, send: Callable) -> None:
    """Answer one request."""
    limit_silence()
    exchange = Exchange(environ_of(scope), receive, send)
    with suppress(Gone):
        try:
            await exchange.answer()
        except Refusal as refusal:
            await exchange.refuse(refusal)


class Exchange:
    """One request and its response."""

    def __init__(self, environ: dict[str, Any], receive: Callable, send: Callable):
        self.environ, self.receive, self._send = environ, receive, send
        self.loop = asyncio.get_running_loop()
        self.gone = False
        #: The last piece that a stream handed to the loop.
        self.sent: Future | None = None
        self.watched = Watched()
        #: The thread's job, and the task that waits for the client to go.
        self.job: Future | None = None
        self.watching: asyncio.Task | None = None

    async def answer(self) -> None:
        """Collect the body, if there is one, and respond. Raises ``Refusal`` and ``Gone``."""
        length = self.length()
        takes = body_of(address_of(self.environ) if length else "")
        if length > takes.most:
            said = _("The request is larger than %(most)s. Send less, or send it in parts.")
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said % {"most": filesizeformat(takes.most)})
        if length <= SMALL_BODY and not (length and takes.is_file):
            async with self.body(length):
                await self.answer_in(hasty if self.environ["PATH_INFO"] in HASTY else pages)
        elif admission := await self.admitted(takes):
            with one_more(admission.sender):
                async with self.body(length):
                    await self.answer_in(pages if admission.of_machine else files)

    def length(self) -> int:
        """The length of the body in bytes. Raises ``Refusal`` when the request does not state it."""
        told = self.environ.get("CONTENT_LENGTH", "0")
        if "HTTP_TRANSFER_ENCODING" in self.environ or not (told.isascii() and told.isdecimal()):
            said = _("The request has no Content-Length header. Send it with one.")
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, said)
        return int(told)

    @asynccontextmanager
    async def body(self, length: int) -> AsyncIterator[None]:
        """Collect the whole body. Raises ``Refusal`` when that takes too long, and ``Gone``."""
        with SpooledTemporaryFile(SMALL_BODY) if length > SMALL_BODY else BytesIO() as body:
            if length:
                try:
                    async with asyncio.timeout(settings.BODY_SECONDS + SECONDS_OF_A_MB * length / MB):
                        await self.collect(body)
                except TimeoutError as error:
                    said = _("The upload took too long, and nothing was changed. Send it again.")
                    raise Refusal(HTTPStatus.REQUEST_TIMEOUT, said) from error
                body.seek(0)
            self.environ["wsgi.input"] = body
            yield

    async def collect(self, body: BinaryIO) -> None:
        while (message := await self.receive())["type"] != "http.disconnect":
            body.write(message["body"])
            if not message["more_body"]:
                return
        raise Gone

    async def admitted(self, takes: Body) -> Admission | None:
        """The admission of a large body; None after a response to a sender without permission."""
        admission = Admission(takes.signed)
        answer = await self.made(pages, {ADMISSION: admission})
        if admission.sender is not None:
            return admission
        await self.send(*answer)
        await self.linger()
        return None

    async def refuse(self, refusal: Refusal) -> None:
        await self.send(*await self.made(hasty, {REFUSAL: refusal}))
        await self.linger()

    async def made(self, threads: ThreadPoolExecutor, more: dict[str, Any]) -> tuple:
        """The response to this request without its body, with ``more`` in its environ."""
        environ = self.environ | more | {"CONTENT_LENGTH": "0", "wsgi.input": BytesIO()}
        return await self.loop.run_in_executor(threads, answer_to, environ)

    async def linger(self) -> None:
        """Let the response arrive: closing a connection with unread data would discard it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while (await self.receive()).get("more_body"):
                    pass

    async def answer_in(self, threads: ThreadPoolExecutor) -> None:
        """Have one of ``threads`` compute the response, unless the client goes first. Raises ``Gone``."""
        self.job = threads.submit(answer_to, self.environ, self.stream, self.watched)
        patience = self.loop.call_later(PATIENCE_SECONDS, self.watch)
        try:
            answer = await asyncio.wrap_future(self.job)
        except asyncio.CancelledError:
            raise Gone from None
        except Gone:
            raise
        except Stopped as stopped:
            await self.end(stopped.words)
        except Exception:
            # Ends like a complete one: a broken connection would discard what the client has not read yet.
            await self.end()
            raise
        else:
            await (self.end() if answer is None else self.send(*answer))
        finally:
            patience.cancel()

    async def end(self, words: bytes = b"") -> None:
        """End a streamed response once the client has read what is in transit; that takes no thread."""
        if self.sent is not None:
            await asyncio.wrap_future(self.sent)
            await self.send_piece(words, False)

    def watch(self) -> None:
        """Notice when the client goes: a response is then not begun, and a stream ends."""
        if self.watching is not None:
            return

        async def until_gone() -> None:
            while (await self.receive())["type"] != "http.disconnect":
                pass
            self.gone, self.environ[ENDED] = True, GONE
            self.job.cancel()
            # What somebody has sent is carried out, or refused, also when they do not wait for the answer.
            if self.environ["REQUEST_METHOD"] in ("GET", "HEAD"):
                self.watched.is_wanted = False

        self.watching = self.loop.create_task(until_gone())

    async def send(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes | None = None) -> None:
        """Send a complete response, or the beginning of one."""
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        if body is not None:
            await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def send_piece(self, piece: bytes, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    def stream(self, status: int, headers: list[tuple[bytes, bytes]], answer: HttpResponse) -> None:
        """Send all of a response but its end, as fast as the client reads; called by the thread that computes it.

        Raises ``Gone``, ``Stopped``, and any error of computing the response.
        """
        words = getattr(answer, "last_words", b"")
        # At once: the server accepts data for a client that has gone without an error.
        self.loop.call_soon_threadsafe(self.watch)
        self.hand_over(words, self.send, status, headers)
        for piece in pieces(answer):
            self.watched.last(STREAM_SECONDS)
            self.hand_over(words, self.send_piece, piece, True)

    def hand_over(self, words: bytes, send: Callable[..., Coroutine], *what: Any) -> None:
        """Have the loop send the next piece once it has sent the one before."""
        if self.gone:
            raise Gone(GONE)
        try:
            if self.sent is not None:
                self.sent.result(settings.READER_SECONDS)
        except TimeoutError as error:
            raise Stopped(words) from error
        self.sent = asyncio.run_coroutine_threadsafe(send(*what), self.loop)


def answer_to(environ: dict[str, Any], stream: Callable | None = None, watched: Watched | None = None) -> tuple | None:
    """The status, headers and content of the portal's response; None when ``stream`` sent it, its length unknown."""
    with (watched or Watched()).here(settings.STATEMENT_SECONDS + GRACE_SECONDS) as watched:
        return watched_answer_to(environ, stream, watched)


def watched_answer_to(environ: dict[str, Any], stream: Callable | None, watched: Watched) -> tuple | None:
    begun: list = []

    def begin(status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        begun[:] = [int(status[:3]), named]

    answer = wsgi(environ, begin)
    try:
        if environ["REQUEST_METHOD"] == "HEAD":
            return (*begun, b"")
        if stream is None or not answer.streaming or answer.has_header("Content-Length"):
            return (*begun, b"".join(answer))
        watched.last(STREAM_SECONDS)
        stream(*begun, answer)
        return None
    except (Gone, Stopped) as error:
        environ[ENDED] = str(error)
        raise
    finally:
        answer.close()


def pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The first chunk by itself, so that a response begins at once, then pieces of ``PIECE`` bytes.

    All chunks so far are yielded before an error is raised.
    """
    held, wanted = bytearray(), 1
    try:
        for chunk in chunks:
            held += chunk
            if len(held) >= wanted:
                yield bytes(held)
                held.clear()
                wanted = PIECE
    except Exception:
        if held:
            yield bytes(held)
        raise
    if held:
        yield bytes(held)


@contextmanager
def one_more(sender: Hashable) -> Iterator[None]:
    """Count a large body of ``sender``. Raises ``Refusal`` when there are too many."""
    if underway[sender] >= LARGE_OF_ONE:
        said = _("%(count)d of your uploads are running. Wait until one has finished, then send this again.")
        raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, said % {"count": underway[sender]})
    if underway.total() >= LARGE_AT_ONCE:
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, _("Too many uploads are running. Send this again in a minute."))
    underway[sender] += 1
    try:
        yield
    finally:
        underway[sender] -= 1
        if not underway[sender]:
            del underway[sender]


def address_of(environ: dict[str, Any]) -> str:
    """The name of the requested address; empty when it does not exist."""
    try:
        return resolve(environ["PATH_INFO"].encode("latin-1").decode(errors="replace")).view_name
    except Resolver404:
        return ""


def environ_of(scope: dict) -> dict[str, Any]:
    """The environ of a request (PEP 3333)."""
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": scope["server"][1],
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:  # would be taken for the same name with a hyphen, which a proxy sets
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        text = value.decode("latin-1")
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{text}" if key in environ else text
    return environ


@cache
def limit_silence() -> None:
    """Have the kernel close connections whose client reads nothing for twice ``READER_SECONDS`` (Linux).

    The web server itself would wait forever. Connections inherit this from the listening sockets, which exist by now.
    """
    for opened in Path("/proc/self/fd").glob("*"):
        if not str(opened.resolve()).rpartition("/")[2].startswith("socket:"):
            continue
        with suppress(OSError), socket.socket(fileno=os.dup(int(opened.name))) as one:
            listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and one.family in (socket.AF_INET, socket.AF_INET6):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.READER_SECONDS * 2000))


def end_with(master: int) -> None:
    """End this process when ``master``, which started it, is killed."""
    dies_with_parent(signal.SIGKILL)()
    if os.getppid() != master:
        sys.exit(1)


if (master := multiprocessing.parent_process()) is not None:
    end_with(master.pid)
