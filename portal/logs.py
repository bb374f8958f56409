"""Logs with one JSON object per line, without values that people typed.

Paths, error messages and job arguments are left out, because they contain links, phone numbers and addresses.
``docs/logging.md`` explains every field.
"""

import json
import logging
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

import psycopg
from django.conf import settings

log = logging.getLogger("portal.errors")

#: Fields of every line of the current request: id, client address and method; page, route, person and account once
#: they are known.
request_facts: ContextVar[dict] = ContextVar("request_facts")

#: Loggers of this repository; their messages contain only ids and fixed words.
OURS = {"portal", "accounts", "numbers", "webphone"}
#: SQLSTATE prefixes of an unreachable database, whose error messages are safe: a host and a reason.
AWAY = ("08", "57P", "53300")


class JsonFormatter(logging.Formatter):
    """A log record as JSON in ASCII, so that line breaks and bidirectional marks cannot forge or hide anything."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            **request_facts.get({}),
            **getattr(record, "facts", {}),
        }
        if isinstance(job := getattr(record, "job", None), dict):  # procrastinate's
            line |= {"task": job.get("task_name"), "job": job.get("id"), "attempts": job.get("attempts")}
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = trace_of(record.exc_info[1])
        return json.dumps(line, default=str)


def message_of(record: logging.LogRecord) -> str:
    """Our own messages in full; those of libraries without their values, or their place in the code."""
    source = record.name.partition(".")[0]
    if source in OURS or settings.DEBUG:
        return record.getMessage()
    if source == "_granian":  # the traceback of a program follows its first line
        return str(record.msg).partition("\n")[0]
    if record.args:
        return str(record.msg)
    return getattr(record, "action", None) or f"{record.module}.{record.funcName}, line {record.lineno}"


def described(error: BaseException) -> str:
    """The class of an error, and details that contain no value of a row or a form."""
    if settings.DEBUG:
        return f"{type(error).__qualname__}: {error}"
    words = [type(error).__qualname__]
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if isinstance(cause, psycopg.Error):
        words += filter(None, (cause.sqlstate, cause.diag.table_name, cause.diag.constraint_name))
        if isinstance(cause, psycopg.OperationalError) and (cause.sqlstate is None or cause.sqlstate.startswith(AWAY)):
            words.append(str(cause).strip().partition("\n")[0])
    elif isinstance(error, OSError) and error.strerror:
        words.append(error.strerror)
    elif status := getattr(error, "smtp_code", None):
        words.append(str(status))
    return " ".join(words)


def trace_of(error: BaseException, seen: frozenset[int] = frozenset()) -> str:
    """A traceback with ``described`` in place of each error message, causes first."""
    seen |= {id(error)}
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    parts = [trace_of(before, seen), "then:\n"] if before is not None and id(before) not in seen else []
    parts += [*traceback.format_tb(error.__traceback__), f"{described(error)}\n"]
    if isinstance(error, BaseExceptionGroup):
        parts += [trace_of(one, seen) for one in error.exceptions]
    return "".join(parts)


def last_resort() -> None:
    """Log unhandled errors of all threads in the same format."""

    def unhandled(error: BaseException | None) -> None:
        log.critical("An error was not handled.", exc_info=(type(error), error, None) if error else None)

    def in_program(kind, error, trace) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            unhandled(error)

    sys.excepthook = in_program
    threading.excepthook = lambda at: unhandled(at.exc_value)
    sys.unraisablehook = lambda at: unhandled(at.exc_value)
