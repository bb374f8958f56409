"""Asking the database something without waiting for it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from django.db import connection

Answer = TypeVar("Answer")
#: A worker that was silent for so long is gone.
SILENT_SECONDS = 60


class Probe(Generic[Answer]):
    """Asks the database something in a thread of its own: whoever wants to know does not wait longer than ``seconds``.

    The thread keeps its connection: where all are in use, it goes on with the one that it has, as pages do.
    """

    def __init__(self, ask: Callable[[], Answer], seconds: float):
        self.ask, self.seconds = ask, seconds
        self.thread = ThreadPoolExecutor(1, "probe")
        self.asked: Future[Answer] | None = None

    def result(self) -> Answer | None:
        """The answer; None when it has not come in time. A question that waits for its answer is not asked again."""
        if self.asked is None or self.asked.done():
            self.asked = self.thread.submit(self.ask)
        try:
            return self.asked.result(self.seconds)
        except TimeoutError:
            return None

    def close(self) -> None:
        """Give the connection up."""
        self.thread.submit(lambda: connection.close()).result()
