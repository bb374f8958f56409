"""Logs as one JSON object a line."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

#: What every line of the present request carries: its id, and once known the account and the person.
request_facts: ContextVar[dict] = ContextVar("request_facts")


class JsonFormatter(logging.Formatter):
    """A log record as JSON; JSON's own escapes keep line breaks in what people typed from forging a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **request_facts.get({}),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
