"""Downloads: file names, protection against spreadsheet formulas, and how many run at once."""

import csv
import io
import logging
import re
import time
import unicodedata
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import cache, partial
from http import HTTPStatus
from threading import Lock

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import texts
from portal.errors import come_back
from portal.logs import described, request_facts

log = logging.getLogger("portal.exports")
#: Key in a request's environ: why its response was cut short.
ENDED = "portal.ended"
GONE = "the client has gone"
#: How often a running export asks whether its person may still have it.
RECHECK_SECONDS = 5
LONGEST_NAME, LONGEST_NAME_BYTES = 120, 240
# Devices of Windows, whatever stands after the first dot (Microsoft, "Naming Files, Paths, and Namespaces").
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)

# CWE-1236, OWASP CSV injection. Regular expressions that Python and PostgreSQL read alike.
#: What a formula begins with in some spreadsheet: in every width, and what is a minus besides.
FORMULA = (
    r"[=+@%|\u207a-\u207c\u208a-\u208c\u2212\ufb29\ufe62\ufe63\ufe66\ufe6a\ufe6b"
    r"\uff05\uff0b\uff0d\uff1d\uff20\uff5c-]"
)
#: What a spreadsheet may skip before it: quotes, blanks and invisible characters.
PASSED_OVER = (
    r'[ "\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5'
    r"\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: What separates cells besides the comma, in countries that write 0,5: there one of ours may be read as several.
SEPARATORS = ";|\t\r\n"
_START = rf"(?:^|(?<=[{SEPARATORS}]))({PASSED_OVER}*)"
#: Where a cell, or what may be taken for one, would be a formula; an apostrophe belongs after the group.
FORMULA_STARTS = rf"{_START}(?='*{FORMULA})"
#: Numbers are not formulas.
NUMBER = r"^[+-]?[0-9]+$"
_guarded, _number = re.compile(FORMULA_STARTS), re.compile(NUMBER)
_guards = re.compile(rf"{_START}'(?='*{FORMULA})")


def inert(text: str) -> str:
    """The text, protected from being run as a formula by a spreadsheet; numbers stay as they are.

    ``numbers.listing.cells`` has the database do the same.
    """
    return text if _number.fullmatch(text) else _guarded.sub(r"\1'", text)


def without_guards(cell: str) -> str:
    """The inverse of ``inert``."""
    return _guards.sub(r"\1", cell)


# Where a comma separates cells, a file with semicolons has cells that begin behind one.
_guarded_after_comma = re.compile(rf"(?<=,)({PASSED_OVER}*)(?='*{FORMULA})")
_guards_after_comma = re.compile(rf"(?<=,)({PASSED_OVER}*)'(?='*{FORMULA})")


def with_semicolons(chunks: Generator[bytes]) -> Generator[bytes]:
    """A CSV of inert cells with semicolons between them; its chunks are whole lines."""
    with closing(chunks):
        for chunk in chunks:
            text = io.StringIO(newline="")
            writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
            for cells in csv.reader(io.StringIO(chunk.decode(), newline="")):
                writer.writerow([_guarded_after_comma.sub(r"\1'", one) if "," in one else one for one in cells])
            yield text.getvalue().encode()


def without_guards_of_semicolons(cell: str) -> str:
    """The inverse of what ``with_semicolons`` does to a cell."""
    return _guards_after_comma.sub(r"\1", cell) if "," in cell else cell


def file_name(asked: str, default: str, extension: str) -> str:
    """A file name that is safe on every system and has ``extension``; ``default`` when nothing is left of ``asked``.

    Paths lose their folders, and characters go that some system forbids or that hide what the name is (RFC 6266, 4.3).
    """
    name = unicodedata.normalize("NFC", asked).replace("\\", "/").rpartition("/")[2]
    name = texts.shown("".join(c for c in name if unicodedata.category(c) not in texts.UNWRITABLE))
    name = re.sub(r'[<>:"|?*]', "", name).rstrip(" .")
    if extension and name.lower().endswith(extension):
        name = name[: -len(extension)]
    name = name.strip(" .")
    if DEVICE.match(name):
        name = f"_{name}"
    name = name[:LONGEST_NAME].encode()[:LONGEST_NAME_BYTES].decode(errors="ignore").strip(" .")
    return name + extension if name else default


class Full(Exception):
    """No room for another export; the text is for people."""

    def __init__(self, sentence: str, status: HTTPStatus):
        super().__init__(sentence)
        self.status = status


class Slots:
    """The running exports of this process: at most ``most``, so that threads are left for pages.

    One account may have all slots but one, and one person all but one of those, so that others can export too.
    """

    def __init__(self, most: int):
        self.most, self.of_account, self.of_person = most, max(1, most - 1), max(1, most - 2)
        #: Account id and person id of each running export.
        self.taken: list[tuple[int, int]] = []
        self.lock = Lock()

    def take(self, actor) -> Callable[[], None]:
        """Take a slot; returns the function that frees it. Raises ``Full``.

        Does not wait: waiting would occupy a thread that pages need.
        """
        whose = actor.account.pk, actor.person.pk
        with self.lock:
            if (own := sum(person == whose[1] for _account, person in self.taken)) >= self.of_person:
                said = ngettext(
                    "You have %(count)d download running. Let it end, or cancel it, then try again.",
                    "You have %(count)d downloads running. Let one end, or cancel it, then try again.",
                    own,
                )
                raise Full(said % {"count": own}, HTTPStatus.TOO_MANY_REQUESTS)
            if sum(account == whose[0] for account, _person in self.taken) >= self.of_account:
                said = _("Others in this account have downloads running. Try again when one of them has ended.")
                raise Full(said, HTTPStatus.TOO_MANY_REQUESTS)
            if len(self.taken) >= self.most:
                said = _("Exports are busy: try again in a few seconds. Other downloads have to end first.")
                raise Full(said, HTTPStatus.SERVICE_UNAVAILABLE)
            self.taken.append(whose)
        return partial(self.give_back, whose)

    def give_back(self, whose: tuple[int, int]) -> None:
        with self.lock:
            self.taken.remove(whose)


@cache
def slots() -> Slots:
    return Slots(settings.EXPORTS_AT_ONCE)


def streamed(request, chunks: Generator[bytes], *, interrupted: str = "", **options) -> HttpResponse:
    """A streaming response of ``chunks``, or a page that asks to try again while too many exports run.

    ``interrupted`` becomes the last line of an incomplete file; ``options`` are those of the response.
    """
    try:
        give_back = slots().take(request.actor)
    except Full as full:
        return come_back(_("No more exports now"), str(full), full.status)
    words = f"{interrupted}\r\n".encode() if interrupted else b""
    # The request ends before its response does.
    facts = dict(request_facts.get({}))
    chunks = while_allowed(chunks, request.still_may)
    answer = StreamingHttpResponse(Export(or_word(chunks, words, facts, request.META), give_back), **options)
    answer.last_words = words
    return answer


class NotAllowedAnyMore(Exception):
    """The person may not have the rest of an export."""


def while_allowed(chunks: Generator[bytes], still_may: Callable[[], bool]) -> Generator[bytes]:
    """``chunks``, for as long as ``still_may`` says so: it is asked every ``RECHECK_SECONDS``.

    Raises ``NotAllowedAnyMore``.
    """
    with closing(chunks):
        asked = time.monotonic()
        for chunk in chunks:
            yield chunk
            if time.monotonic() - asked >= RECHECK_SECONDS:
                if not still_may():
                    raise NotAllowedAnyMore
                asked = time.monotonic()


def or_word(chunks: Generator[bytes], words: bytes, facts: dict, environ: dict) -> Generator[bytes]:
    """``chunks``; logs an early end with ``facts``, and after an error appends ``words`` for the client.

    The status has been sent by then, and a broken connection would discard what the client has not read: so the file
    itself says that it is incomplete. When the client stops reading or goes, ``portal.server`` puts the reason into
    ``environ``; it sends the ``words`` to who has stopped, and may cancel a statement of who has gone.
    """
    try:
        yield from chunks
    except GeneratorExit:
        log.warning("An export was ended: %s", environ.get(ENDED, GONE), extra={"facts": facts})
        raise
    except Exception as error:
        if ENDED in environ:
            log.warning("An export was ended: %s", environ[ENDED], extra={"facts": facts})
            raise
        log.error("An export broke off: %s", described(error), extra={"facts": facts})
        if words:
            yield words
        raise


class Export(Iterator[bytes]):
    """The chunks of one export, which holds a slot until they end, fail, are closed or garbage-collected."""

    def __init__(self, chunks: Generator[bytes], give_back: Callable[[], None]):
        self._chunks = chunks
        self._give_back = weakref.finalize(self, give_back)

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the export, its transaction first; the server calls this, also when the client has gone."""
        try:
            self._chunks.close()
        finally:
            self._give_back()
