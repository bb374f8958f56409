"""What the portal logs, line by line, as it is written."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from portal.logs import JsonFormatter


class Logged:
    """The lines so far."""

    def __init__(self):
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.text.split("\n") if line]

    def events(self, name: str = "") -> list[dict]:
        """What the security log has, of all events or of one."""
        told = [line for line in self.lines if line["logger"] == "portal.security"]
        return [line for line in told if name in ("", line["event"])]

    def clear(self) -> None:
        self.stream.seek(0)
        self.stream.truncate()


@contextmanager
def logging_to_memory(level: int = logging.INFO) -> Iterator[Logged]:
    """Everything that reaches the handler of the root logger, from ``level``."""
    logged, root = Logged(), logging.getLogger()
    handler = logging.StreamHandler(logged.stream)
    handler.setFormatter(JsonFormatter())
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield logged
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
