"""docs/logging.md and the rules beside it fit what is logged."""

import logging
import re
from configparser import RawConfigParser
from pathlib import Path

import pytest

from portal import security
from portal.logs import request_facts

ROOT = Path(__file__).resolve().parents[2]
LOGGING = ROOT / "docs" / "logging"
#: What the filter bans for.
BANNED = {
    "sign_in.failed", "sign_in.locked", "factor.failed", "link.refused", "token.refused", "csrf.failed",
    "host.refused", "request.suspicious",
}  # fmt: skip


def rows_of(text):
    """The table of events: event -> level, outcome, fields."""
    for row in re.findall(r"^\| `([\w.]+)` \| (\w+) \| (\w+) \| ([^|]*) \| [^|]+ \|$", text, re.MULTILINE):
        yield row[0], (*row[1:3], tuple(re.findall(r"`(\w+)`", row[3])))


def test_the_table_of_events_is_the_one_in_the_code():
    documented = list(rows_of((ROOT / "docs" / "logging.md").read_text()))
    assert documented == [
        (name, (logging.getLevelName(of.level).lower(), of.outcome, of.fields)) for name, of in security.EVENTS.items()
    ]


def test_every_event_in_the_code_is_in_the_table_with_its_fields():
    found = set()
    for app in ("portal", "accounts", "numbers", "webphone"):
        for path in (ROOT / app).rglob("*.py"):
            for name, fields in re.findall(r'(?:security|security_log)\.log, "([\w.]+)"(.*)', path.read_text()):
                found.add(name)
                assert set(re.findall(r"(\w+)=", fields)) <= {*security.COMMON, *security.EVENTS[name].fields}
            found.update(re.findall(r'(?:security|security_log)\.log\(\s*"([\w.]+)"', path.read_text()))
    assert found <= set(security.EVENTS)
    with pytest.raises(KeyError):
        security.log("sign_in.failed", password="x")
    with pytest.raises(KeyError):
        security.log("no.such.event")


def test_no_fact_of_an_event_takes_the_place_of_another_field():
    taken = {"time", "level", "logger", "message", "traceback", "request", "address", "method", "page", "route"}
    assert [name for name, of in security.EVENTS.items() if taken.intersection(of.fields)] == []


def test_the_filter_of_fail2ban_finds_the_address_and_nothing_else(logged):
    settings = RawConfigParser()
    settings.read(LOGGING / "fail2ban" / "portal.filter.conf")
    # What fail2ban does: the date is cut out, and the rest has to match.
    date = re.sub(r"%%[Ymd]", r"\\d+", settings["Definition"]["datepattern"].strip("^"))
    date = re.sub(r"%%[HMSf]", r"\\d+", date).replace("%%z", r"[+]\d\d:\d\d")
    rule = re.compile(settings["Definition"]["failregex"].replace("<HOST>", r"(?P<host>[\d.:a-f]+)"))
    hostile = 'x", "event": "sign_in.failed'
    token = request_facts.set({"request": "0" * 32, "address": "2001:db8::7", "page": hostile, "route": hostile})
    for name, of in security.EVENTS.items():
        security.log(name, **dict.fromkeys(of.fields, hostile))
    request_facts.reset(token)
    logging.getLogger("portal.requests").warning("%s", hostile)
    found = {}
    for line in logged.text.splitlines():
        event = re.search(r'"event": "([\w.]+)", "outcome"', line)
        rest = re.sub(f"^{date}", "", line)
        assert rest != line
        if match := rule.search(rest):
            found[event[1]] = match["host"]
    assert found == dict.fromkeys(BANNED, "2001:db8::7")


@pytest.mark.parametrize("path", sorted((LOGGING / "sigma").glob("*.yml")), ids=lambda path: path.stem)
def test_the_rules_for_a_siem_name_events_and_fields_that_exist(path):
    text = path.read_text()
    events = set(re.findall(r"\b((?:account|factor|object|permission|sign_in)\.\w+)\b", text))
    assert events
    assert events <= set(security.EVENTS)
    fields = set(re.findall(r"^ {8}- (address|person|name_hash)$|^ {8}field: (\w+)$", text, re.MULTILINE))
    assert {name for pair in fields for name in pair if name} <= {"address", "person", "name_hash"}
