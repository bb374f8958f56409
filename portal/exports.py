"""What people download: names of files, texts that no spreadsheet takes for a formula, how many at once."""

import logging
import re
import unicodedata
import weakref
from collections.abc import Generator, Iterator
from functools import cache
from threading import BoundedSemaphore

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _

from portal.errors import come_back
from portal.logs import request_facts

log = logging.getLogger("portal.exports")
LONGEST_NAME = 120
# CWE-1236, OWASP CSV injection: what a spreadsheet would run as a formula, also in its full-width form.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
NUMBER = re.compile(r"[+-]?[0-9]+")


def inert(text: str) -> str:
    """The text, kept from being run as a formula by a spreadsheet; numbers, E.164 among them, pass untouched."""
    return f"'{text}" if text and text[0] in FORMULA_STARTS and not NUMBER.fullmatch(text) else text


def file_name(asked: str, default: str, extension: str) -> str:
    """A file name that is safe on every system and has ``extension``; ``default`` when nothing is left of ``asked``.

    Paths lose their folders, and characters go that some system forbids or that hide what the name is (RFC 6266, 4.3).
    """
    name = unicodedata.normalize("NFC", asked).replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    name = re.sub(r'[<>:"|?*]', "", name).strip(" .")
    if extension and name.lower().endswith(extension):
        name = name[: -len(extension)].strip(" .")
    return (name[:LONGEST_NAME] + extension) if name else default


@cache
def slots() -> BoundedSemaphore:
    """One for each export that this process may have on its way. The rest of its threads is for pages."""
    return BoundedSemaphore(settings.EXPORTS_AT_ONCE)


def streamed(chunks: Generator[bytes], *, interrupted: str = "", **options) -> HttpResponse:
    """An answer that sends ``chunks`` as they are made; a page that asks to try again while too many are on their way.

    Nobody waits for a slot: who waits has a thread, and it would be the last one for pages. ``interrupted`` becomes
    the last line of a file that breaks off; ``options`` are those of the response.
    """
    if not slots().acquire(blocking=False):
        return come_back(
            _("Exports are busy"), _("Exports are busy: try again in a few seconds. Other downloads have to end first.")
        )
    # The request is over before its answer is.
    facts = dict(request_facts.get({}))
    return StreamingHttpResponse(Export(or_word(chunks, interrupted, facts), slots()), **options)


def or_word(chunks: Generator[bytes], interrupted: str, facts: dict) -> Generator[bytes]:
    """``chunks``; an error on the way is told to the log, with ``facts``, and to whoever reads the file.

    The status has left by then, and granian ends the answer of a program that fails as it ends any other: only the
    file itself can say that it is not whole.
    """
    try:
        yield from chunks
    except Exception as error:
        log.error("An export broke off: %s", str(error).strip().partition("\n")[0], extra={"facts": facts})
        if interrupted:
            yield f"{interrupted}\r\n".encode()
        raise


class Export(Iterator[bytes]):
    """The chunks of one export, which holds a slot until they end, fail, are closed, or are let go of unread."""

    def __init__(self, chunks: Generator[bytes], taken: BoundedSemaphore):
        self._chunks = chunks
        self._give_back = weakref.finalize(self, taken.release)

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the export, its transaction first; the server calls this, also when the reader is gone."""
        try:
            self._chunks.close()
        finally:
            self._give_back()
