"""Files that hold the numbers inside something else: workbooks, archives. What is none of these is text."""

from __future__ import annotations

import gzip
import json
import lzma
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from numbers.imports.records import NotAFile

CHUNK = 1 << 20
#: What the libraries raise for random damage; RuntimeError for an entry that claims to have a password,
#: NotImplementedError for an unknown method, ValueError for a place before the beginning.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip
#: What reading a workbook may cost, in a process of its own.
WORKBOOK_MEMORY, WORKBOOK_SECONDS = 1 << 30, 60
#: Bytes of text that a packed file may hold, as many times those of a file that is not packed.
UNPACKED = 4
#: How files begin that people take for lists of numbers.
STARTS = {
    b"%PDF": gettext_lazy("This is a PDF. Save the list as CSV or XLSX, and choose that file."),
    b"{\\rtf": gettext_lazy("This is a text document. Save the list as CSV or XLSX, and choose that."),
    b"Rar!": gettext_lazy("This is a RAR archive. Choose the file inside it, or a ZIP archive."),
    b"7z\xbc\xaf": gettext_lazy("This is a 7-Zip archive. Choose the file inside it, or a ZIP archive."),
    b"\x89PNG": gettext_lazy("This is a picture. Save the list as CSV or XLSX, and choose that."),
    b"\xff\xd8\xff": gettext_lazy("This is a picture. Save the list as CSV or XLSX, and choose that."),
    b"GIF8": gettext_lazy("This is a picture. Save the list as CSV or XLSX, and choose that."),
    b"SQLite format": gettext_lazy("This is a database. Save the list as CSV or XLSX, and choose that."),
    b"PAR1": gettext_lazy("This is not a text file. Save the numbers as CSV or XLSX, and choose that."),
}
WEB_PAGES = (b"<!doctype html", b"<html", b"<?xml", b"<table")
TEXTS = (".csv", ".txt", ".tsv", ".tab", ".lst")
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".ods", ".xls")


@contextmanager
def opened(file: BinaryIO) -> Iterator[tuple[BinaryIO, list[str], bool]]:
    """The text inside a file, sentences about what was left out, and whether it comes from a workbook.

    Whatever is written meanwhile is removed at the end. Raises ``NotAFile``.
    """
    file.seek(0)
    start = file.read(512)
    file.seek(0)
    for mark, sentence in STARTS.items():
        if start.startswith(mark):
            raise NotAFile(str(sentence))
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(WEB_PAGES):
        raise NotAFile(_("This is a web page or XML, whatever its name is. Save the list as CSV or XLSX."))
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        if start.startswith(b"PK\x03\x04"):
            yield from of_archive(file, Path(folder))
        elif start.startswith(b"\xd0\xcf\x11\xe0"):
            yield from of_workbook(file, Path(folder), ".xls")
        elif start.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as packed, unpacked(packed, Path(folder)) as text:
                yield text, [], False
        else:
            yield file, [], False


def of_archive(file: BinaryIO, folder: Path) -> Iterator[tuple[BinaryIO, list[str], bool]]:
    """See ``opened``: a workbook, which is an archive too, or the one file of text in an archive."""
    with damage_reported():
        archive = zipfile.ZipFile(file)
    with archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        if ending := workbook_in(members):
            yield from of_workbook(file, folder, ending)
            return
        member = list_in(members)
        with damage_reported():
            packed = archive.open(member)
        with packed, unpacked(packed, folder) as text:
            yield text, [_("Read from the archive: %(name)s.") % {"name": member.filename[:100]}], False


@contextmanager
def damage_reported() -> Iterator[None]:
    """Turn the errors of reading a damaged archive into ``NotAFile``.

    For reading only: a full disk is an ``OSError`` as well, and not the fault of the file.
    """
    try:
        yield
    except DAMAGE as error:
        raise NotAFile(_("This archive is damaged. Save it again, or choose the file inside it.")) from error


def workbook_in(members: list[zipfile.ZipInfo]) -> str:
    """The ending of the workbook that these members are; empty where they are none. Raises ``NotAFile``."""
    names = {one.filename for one in members}
    if "[Content_Types].xml" not in names and "mimetype" not in names:
        return ""
    if not names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
        raise NotAFile(_("This is a document, not a table. Save the list as CSV or XLSX, and choose that."))
    if sum(one.file_size for one in members) > UNPACKED * settings.IMPORT_BYTES:
        raise NotAFile(too_large())
    return ".ods" if "content.xml" in names else ".xlsx"


def list_in(members: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The one file of text in an archive. Raises ``NotAFile``."""
    lists = [
        one for one in members
        if one.filename.lower().endswith(TEXTS) and not one.filename.startswith("__MACOSX/")
    ]  # fmt: skip
    if not lists and any(one.filename.lower().endswith(WORKBOOKS) for one in members):
        raise NotAFile(_("This archive has a workbook in it. Choose the workbook itself."))
    if not lists:
        raise NotAFile(_("This archive has no CSV file in it."))
    if len(lists) > 1:
        raise NotAFile(_("This archive has several CSV files in it. Choose one of them."))
    if lists[0].flag_bits & 1:
        raise NotAFile(_("This file is protected with a password. Save it without one."))
    return lists[0]


@contextmanager
def unpacked(packed: BinaryIO, folder: Path) -> Iterator[BinaryIO]:
    """What was packed, in a file of its own. Raises ``NotAFile``, after so many bytes at the latest."""
    with (folder / "text").open("w+b") as text:
        while chunk := piece(packed):
            if text.tell() + len(chunk) > UNPACKED * settings.IMPORT_BYTES:
                raise NotAFile(too_large())
            text.write(chunk)
        text.seek(0)
        yield text


def piece(packed: BinaryIO) -> bytes:
    with damage_reported():
        return packed.read(CHUNK)


def of_workbook(file: BinaryIO, folder: Path, ending: str):
    """See ``opened``: the sheet of a workbook that has the numbers."""
    path, out = folder / f"book{ending}", folder / "sheet.csv"
    with path.open("wb") as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy, CHUNK)
    program = Path(__file__).with_name("workbook_process.py")
    limits = (WORKBOOK_MEMORY, WORKBOOK_SECONDS, UNPACKED * settings.IMPORT_BYTES)
    command = [sys.executable, "-I", str(program), str(path), str(out), *map(str, limits)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=2 * WORKBOOK_SECONDS, check=False)  # noqa: S603
        said = json.loads(done.stdout) if done.returncode == 0 and done.stdout else {"problem": "large"}
    except (subprocess.TimeoutExpired, ValueError):
        said = {"problem": "large"}
    problem = said.get("problem")
    if problem == "password":
        raise NotAFile(_("This file is protected with a password. Save it without one."))
    if problem == "large":
        raise NotAFile(too_large())
    if problem == "broken":
        raise NotAFile(_("This workbook is damaged, or of a kind that cannot be read. Save it as CSV or XLSX again."))
    if not said["sheet"]:
        raise NotAFile(_("This file is empty."))
    notes = [_("Read from the sheet: %(name)s.") % {"name": said["sheet"][:100]}]
    if said["others"]:
        notes.append(
            _("Not read, other sheets: %(names)s. Save one as a file of its own to import it.")
            % {"names": ", ".join(said["others"])[:200]}
        )
    with out.open("rb") as text:
        yield text, notes, True


def too_large() -> str:
    return _("This file holds more than can be read at once. Save the list as CSV, and send it in parts.")
