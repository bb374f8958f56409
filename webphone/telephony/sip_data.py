"""What the SIP server keeps in its database files: calls and registrations, and the phones that may register.

Kamailio brings the statements that make its tables (Debian: kamailio-sqlite-modules). Of the password of a phone the
file has only the hash of RFC 2617, 3.2.2.2 (HA1). A phone that is added or removed needs no restart.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMAS = Path("/usr/share/kamailio/db_sqlite")
TABLES = ("standard", "auth_db", "dialog", "usrloc")
#: A phone is called by its account's code and its extension.
NAME = re.compile(r"[A-Z0-9]{3,14}-[0-9]{1,10}")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, for one transaction; it waits while the SIP server writes."""
    connection = sqlite3.connect(path, timeout=10)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def create(path: Path) -> None:
    """Make the file and its tables where there are none yet; readable by its owner only."""
    if not path.exists():
        path.touch(mode=0o600)
    with opened(path) as data:
        data.execute("PRAGMA journal_mode=WAL")  # phones are read while registrations are written
        if data.execute("SELECT 1 FROM sqlite_master WHERE name = 'dialog'").fetchone() is None:
            for table in TABLES:
                data.executescript((SCHEMAS / f"{table}-create.sql").read_text())


def ha1(name: str, domain: str, password: str) -> str:
    """What a digest is made with instead of the password (RFC 2617, 3.2.2.2)."""
    return hashlib.md5(f"{name}:{domain}:{password}".encode(), usedforsecurity=False).hexdigest()


def set_phone(path: Path, name: str, domain: str, password: str) -> None:
    """Let a phone register with this password, and no longer with another. Raises ``ValueError`` for a wrong name."""
    if not NAME.fullmatch(name):
        raise ValueError("A phone is called by the code of its account and its extension, such as C20001-301.")
    with opened(path) as data:
        data.execute("DELETE FROM subscriber WHERE username = ?", [name])
        data.execute(
            "INSERT INTO subscriber (username, domain, password, ha1, ha1b) VALUES (?, ?, '', ?, '')",
            [name, domain, ha1(name, domain, password)],
        )


def remove_phone(path: Path, name: str) -> bool:
    """Let a phone register no longer; whether there was one of this name."""
    with opened(path) as data:
        return data.execute("DELETE FROM subscriber WHERE username = ?", [name]).rowcount > 0


def phones(path: Path) -> list[str]:
    """The names of all phones, in order."""
    with opened(path) as data:
        return [name for (name,) in data.execute("SELECT username FROM subscriber ORDER BY username")]
