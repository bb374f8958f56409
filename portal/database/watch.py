"""Threads that wait for the database are released: when it is frozen, and when nobody waits for the page any more.

A server that is frozen, or behind a network that swallows everything, keeps no limit of its own, and its machine goes
on acknowledging what it is sent. Then the connection is shut from here, by a thread of its own, and the one that waits
finds that the database is away.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import TransactionStatus

log = logging.getLogger(__name__)
#: Each thread's connection is looked at so often.
EVERY_SECONDS = 0.5
#: A statement of somebody who has gone is cancelled with this limit.
CANCEL_SECONDS = 2


class Watched:
    """What one thread asks the database for one request, which has ``seconds`` for each answer; ``until`` is a time of
    the monotonic clock."""

    def __init__(self):
        self.seconds = self.until = 0.0
        self.database = None
        self.is_wanted = True
        self._lock = threading.Lock()

    @contextmanager
    def here(self, seconds: float) -> Iterator[Watched]:
        """Watch over what this thread asks in the block; it waits no longer than ``seconds``."""
        self.last(seconds)
        with self._lock:
            self.database = connections[DEFAULT_DB_ALIAS]  # this thread's
        watch_over(self)
        try:
            yield self
        finally:
            with self._lock:
                self.database = None
            _watched.discard(self)

    def last(self, seconds: float) -> None:
        """Wait so long at most from now on."""
        self.seconds, self.until = seconds, time.monotonic() + seconds

    def look(self) -> None:
        """Do what it is time for. Called by the thread that watches."""
        with self._lock:
            session = self.database.connection if self.database is not None else None
            if session is None or session.closed:
                return
            if session.pgconn.transaction_status != TransactionStatus.ACTIVE:
                # The thread is busy with something else: it reads a file, for example.
                self.until = max(self.until, time.monotonic() + self.seconds)
            if time.monotonic() > self.until:
                log.error("The database did not answer in time: a connection was given up.")
                self.until = float("inf")
                with suppress(OSError), socket.socket(fileno=os.dup(session.fileno())) as held:
                    held.shutdown(socket.SHUT_RDWR)
            elif not self.is_wanted:
                self.is_wanted = True
                with suppress(psycopg.Error):
                    session.cancel_safe(timeout=CANCEL_SECONDS)


_watched: set[Watched] = set()
_starting = threading.Lock()
_watcher: threading.Thread | None = None


def watch_over(one: Watched) -> None:
    """Have a thread look after ``one``; it is started in the process that needs it, with the first request."""
    global _watcher
    _watched.add(one)
    if _watcher is None or not _watcher.is_alive():
        with _starting:
            if _watcher is None or not _watcher.is_alive():
                _watcher = threading.Thread(target=watch, name="database watch", daemon=True)
                _watcher.start()


def watch() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        for one in list(_watched):
            one.look()
