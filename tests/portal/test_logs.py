"""Log lines: one JSON object each, whatever is in it; errors without the values that they are about; every request."""

import json
import logging
import re
import sys
import threading

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from numbers.models import Provider
from portal.logs import JsonFormatter, described, last_resort, trace_of
from tests.factories import make_account, make_person

MARK = "mark-7391"
HOSTILE = f'a"b\\\r\n{{"level": "error"}}\x1b[31m\u2028\u2029\x85\u202e\u200f\x7f\ud800 {MARK}'


def written(record):
    return JsonFormatter().format(record)


def record(message, *arguments, name="portal.test", error=None, **more):
    made = logging.LogRecord(
        name, logging.ERROR, "f", 1, message, arguments, (type(error), error, None) if error else None
    )
    vars(made).update(more)
    return made


@pytest.mark.parametrize("made", [record("typed %s", HOSTILE), record("typed", facts={"name": HOSTILE})])
def test_a_line_is_one_object_in_ascii_whatever_is_in_it(made):
    text = written(made)
    assert text.isascii()
    assert text.isprintable()
    assert HOSTILE in " ".join(map(str, json.loads(text).values()))


@pytest.mark.parametrize(
    "made",
    [
        record("Got %s.", MARK, name="urllib3.connectionpool"),
        record(f"Job accounts.send_message[3](body='{MARK}') ended", name="procrastinate.worker"),
        record(f"Application callable raised an exception\nTraceback\nValueError: {MARK}", name="_granian.utils"),
        record("Failed.", name="asyncio", error=ValueError(MARK)),
    ],
)
def test_messages_of_libraries_are_written_without_their_values(made):
    assert MARK not in written(made)


def test_a_job_that_failed_is_called_by_its_task_and_number():
    job = {"task_name": "accounts.send_message", "id": 3, "attempts": 2, "task_kwargs": {"body": MARK}}
    line = json.loads(written(record(f"Job ({MARK})", name="procrastinate.worker", action="job_error", job=job)))
    assert (line["message"], line["task"], line["job"]) == ("job_error", "accounts.send_message", 3)
    assert MARK not in str(line)


def failing():
    secret = MARK
    try:
        raise ValueError(secret)
    except ValueError as cause:
        try:
            raise ExceptionGroup(secret, [KeyError(secret)]) from cause
        except ExceptionGroup:
            raise RuntimeError(secret)  # noqa: B904 - an error while another is handled


def test_a_traceback_says_what_failed_where_and_no_value():
    with pytest.raises(RuntimeError) as raised:
        failing()
    text = trace_of(raised.value)
    assert MARK not in text
    assert [text.count(f"{name}\n") for name in ("ValueError", "ExceptionGroup", "KeyError", "RuntimeError")] == [1] * 4
    assert text.index("ValueError\n") < text.index("ExceptionGroup\n") < text.index("RuntimeError\n")
    assert "in failing" in text


@pytest.mark.django_db
def test_an_error_of_the_database_names_table_and_constraint_and_no_row():
    # A table without row security: of the others PostgreSQL names no row.
    Provider.objects.create(name=MARK)
    with pytest.raises(IntegrityError) as taken, transaction.atomic():
        Provider.objects.create(name=MARK)
    assert MARK in str(taken.value)
    assert re.fullmatch(r"IntegrityError 23505 numbers_provider \w+", described(taken.value))
    with pytest.raises(DatabaseError) as wrong, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s::bigint", [MARK])
    assert MARK in str(wrong.value)
    assert described(wrong.value) == "DataError 22P02"
    assert MARK not in trace_of(wrong.value)


def test_errors_that_nobody_handles_are_lines_too(logged, monkeypatch):
    for name in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    last_resort()
    thread = threading.Thread(target=failing)
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError(MARK), None)
    assert [line["level"] for line in logged.lines] == ["critical", "critical"]
    assert "in failing" in logged.lines[0]["traceback"]
    assert MARK not in logged.text


@pytest.mark.django_db
def test_a_request_is_called_by_its_route_and_says_where_from_and_who(client, logged, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    person = make_person(make_account("company"), role="administrator")
    client.force_login(person)
    code = person.account.code
    path = f"/{code}/numbers/15145550100/?q={MARK}"
    client.get(path, headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    denied, line = logged.lines
    assert (denied["event"], denied["person"], line["message"]) == ("object.denied", person.pk, "GET numbers:detail")
    assert {name: line[name] for name in ("address", "person", "account", "method", "page", "route", "status")} == {
        "address": "198.51.100.7", "person": person.pk, "account": code, "method": "GET", "page": "numbers:detail",
        "route": "<account:code>/numbers/<int:digits>/", "status": 404,
    }  # fmt: skip
    assert len(line["request"]) == 32
    assert MARK not in logged.text
    assert "5550100" not in logged.text


@pytest.mark.django_db
def test_a_denied_account_and_an_entrance_have_the_person(client, logged):
    person = make_person(make_account("var"), role="administrator")
    below, foreign = make_account("company", parent=person.account), make_account("company")
    client.force_login(person)
    for code, status in ((below.code, 200), (foreign.code, 404), ("C99999", 404)):
        logged.clear()
        assert client.get(f"/{code}/").status_code == status
        line = next(line for line in logged.lines if line["logger"] == "portal.requests")
        assert (line["person"], line["account"], line["asked"]) == (person.pk, person.account.code, code)
        assert len(logged.events("account.denied")) == (status == 404)


@pytest.mark.django_db
def test_methods_and_unknown_pages_cannot_put_words_into_log_or_figures(client, logged):
    client.generic(MARK.upper(), f"/{MARK}/")
    assert logged.lines[-1]["message"] == "other none"
    assert MARK not in client.get("/metrics").text.lower()
    assert MARK not in logged.text.lower()


def test_a_forged_chain_of_proxies_fails_nobody(client, logged, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    assert client.get("/healthz", headers={"X-Forwarded-For": "198.51.100.7"}).status_code == 200
    assert logged.lines[-1]["address"] == "127.0.0.1"


@pytest.mark.django_db
def test_an_error_is_logged_once_with_its_request_and_answered_in_general_words(client, logged, monkeypatch):
    person = make_person(make_account("company"), role="administrator")
    client.force_login(person)
    client.raise_request_exception = False

    def fail(*arguments, **named):
        raise ValueError(MARK)

    monkeypatch.setattr("accounts.views.profile.ProfileForm", fail)
    answer = client.get("/profile/")
    assert answer.status_code == 500
    assert MARK not in answer.text
    failed, request = logged.lines
    assert (failed["logger"], request["logger"]) == ("portal.errors", "portal.requests")
    assert failed["request"] == request["request"] == answer["X-Request-Id"]
    assert (failed["page"], failed["person"]) == ("profile", person.pk)
    assert "in fail" in failed["traceback"]
    assert request["level"] == "error"
    assert MARK not in logged.text

    logged.clear()
    monkeypatch.setattr("portal.errors.render_to_string", fail)
    answer = client.get("/profile/")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert MARK not in answer.text + logged.text
