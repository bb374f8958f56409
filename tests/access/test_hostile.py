"""Whatever stands in an address, a form or a machine's message: an answer, and never an error of the portal's."""

import base64
import itertools
import json
import re
from urllib.parse import quote, quote_from_bytes

import pytest
from django import forms
from hypothesis import HealthCheck, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from numbers.models import TelephoneSystem
from portal.filters import ListFilter
from tests.access.addresses import ALL
from tests.access.database import undone
from tests.access.identities import IDENTITIES
from tests.access.texts import HOSTILE
from webphone.telephony import key_for

SEATS = ["system administrator", "var administrator", "company administrator", "professional administrator"]
#: What views read besides the fields of forms.
READ_BY_HAND = [
    "next", "back", "reason", "kept:reason", "kept:a\x00", "query", "number", "offer", "line", "selected", "all",
    "access", "allow", "talk_with", "caller_id", "asks_consent", "credential", "login", "password", "code", "q",
]  # fmt: skip
PARAMETERS = [
    "cursor", "sort", "filter", "size", "page", "selected", "count", "kind", "filename", "at", "length", "number",
    "used_by", "company", "var", "use", "provider", "status", "name", "who", "of", "what", "q", "country", "area",
    "digits", "next", "id",
]  # fmt: skip


def bounded(examples: int):
    """So many examples, the same in each run, however long they take."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return of_hypothesis(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=checks
    )


words = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=8),
    st.integers().map(str),
    st.integers(min_value=-(10**40), max_value=10**40).map(str),
    st.sampled_from(["NaN", "Infinity", "-1", "1e999", "٣", "²", "0x10", "9" * 5000, "2027-01-31T17:00", "0001-01-01",
                     "9999-12-31 23:59", "-number", "--", "exact", "..", "//evil.example", "/\\evil", "None"]),
)  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(min_value=-(10**30), max_value=10**30), words,
    st.sampled_from(["\ud800", "\udfffx", "a\x00b", "x" * 600, "+15145550100", "2027-01-31T17:00:00Z", 10**400, 1e308]),
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=3), max_leaves=8
)


def encoded(key) -> str:
    """A cursor that says this, as the portal would write it."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def cursors(sorts):
    parts = st.lists(scalars, max_size=7)
    like_ours = st.tuples(
        st.sampled_from(sorts), st.booleans(), st.one_of(st.none(), st.integers(min_value=1, max_value=9)),
        st.integers(min_value=0, max_value=1),
    ).flatmap(lambda start: st.lists(scalars, max_size=4).map(lambda keys: [*start, *keys, 1, 1]))  # fmt: skip
    anything = st.tuples(st.sampled_from(sorts), st.booleans(), st.none()).flatmap(
        lambda start: parts.map(lambda keys: [*start, *keys])
    )
    raw = st.binary(max_size=20).map(lambda some: base64.urlsafe_b64encode(some).decode())
    return st.one_of(like_ours.map(encoded), anything.map(encoded), values.map(encoded), raw, words)


def percent(text: str) -> str:
    """A text in an address; half of a pair of surrogates as the bytes that it would be."""
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


def columns_of(page) -> list[str]:
    """What a list can be searched by; of one that chooses its filter for each request, what any list can be."""
    filters = [page.filter_class] if hasattr(page, "filter_class") else ListFilter.__subclasses__()
    return sorted({name for one in filters for name in one.base_filters})


@pytest.mark.parametrize("name", sorted(name for name, one in ALL.items() if one.is_list or one.is_export))
def test_nothing_in_the_address_of_a_list_is_an_error(world, name):
    address = ALL[name]
    seats = [
        seat
        for seat in map(world.seat, map(IDENTITIES.get, ["var administrator", "company administrator"]))
        if seat.client.get(seat.path(address)).status_code == 200
    ]
    columns = columns_of(address.view.view_class)
    sorts = [*columns, "at", "entered", "started", "when", ""]
    parameters = st.sampled_from([*PARAMETERS, *columns])

    @bounded(25)
    @given(st.dictionaries(parameters, words, max_size=4), st.one_of(st.none(), cursors(sorts)), st.sampled_from(sorts))
    def asked(query, cursor, sort):
        if cursor is not None:
            query |= {"cursor": cursor, "sort": sort}
        address_of = "&".join(f"{quote(name)}={percent(text)}" for name, text in query.items())
        for seat in seats:
            with undone(seat.client):
                answer = seat.client.get(f"{seat.path(address)}?{address_of}")
                assert answer.status_code < 500, address_of
                answer.getvalue()

    asked()


@pytest.mark.parametrize("name", sorted(name for name, one in ALL.items() if one.is_list))
def test_no_cursor_in_the_form_of_ours_is_an_error(world, name):
    """For each sort of a list, with texts in it that PostgreSQL cannot have, or not in this column."""
    seats = map(world.seat, map(IDENTITIES.get, ["var administrator", "company administrator"]))
    for seat in seats:
        path = seat.path(ALL[name])
        page = seat.client.get(path)
        if page.status_code == 200:
            break
    sorts = set(re.findall(r"[?;]sort=-?([a-z_]+)", page.text))
    for sort, count, text in itertools.product(sorts, range(1, 5), ["\ud800", "\x00"]):
        cursor = encoded([sort, False, None, 0, *[text] * count, 0, 1])
        answer = seat.client.get(path, {"sort": sort, "cursor": cursor})
        assert answer.status_code == 200, (sort, count, ascii(text))


def fields_of_forms():
    """The name of every field of every form there is."""
    waiting, names = [forms.BaseForm], set()
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        names |= set(getattr(form, "base_fields", ()))
    return sorted(names)


def test_nothing_in_a_form_is_an_error(world):
    seats = [world.seat(IDENTITIES[name]) for name in SEATS]
    addresses = [one for one in ALL.values() if "logout" not in one.name]
    fields = st.sampled_from([*fields_of_forms(), *READ_BY_HAND])

    @bounded(600)
    @given(
        st.sampled_from(addresses),
        st.sampled_from(seats),
        st.dictionaries(fields, st.lists(words, max_size=2), max_size=8),
    )
    def sent(address, seat, typed):
        try:
            path = seat.path(address)
        except LookupError:
            return
        body = "&".join(f"{percent(name)}={percent(text)}" for name, some in typed.items() for text in some)
        with undone(seat.client):
            answer = seat.client.post(path, body, content_type="application/x-www-form-urlencoded")
            assert answer.status_code < 500, (path, body)

    sent()


DEEP = ["[" * 100_000, '{"a":' * 100_000, "[" * 990 + "]" * 990, '{"calls": ' + "[" * 5000 + "]" * 5000 + "}"]


def documents(names):
    """JSON and what is nearly JSON, with these names in it."""
    shaped = st.dictionaries(st.sampled_from(names), values, max_size=len(names))
    found = st.one_of(values, shaped, st.lists(shaped, max_size=3), shaped.map(lambda one: {"calls": [one]}))
    return st.one_of(
        found.map(lambda one: json.dumps(one).encode()),
        found.map(lambda one: json.dumps(one, ensure_ascii=False).encode("utf-8", "surrogatepass")),
        st.binary(max_size=30),
        st.sampled_from(DEEP).map(str.encode),
        st.sampled_from([b"\xff\xfe[\x00]\x00", b"\xef\xbb\xbf[]", b"9" * 5000, b"[1e999]", b"[NaN]", b"null"]),
    )


def test_nothing_that_a_phone_system_tells_is_an_error(world, client):
    system = next(row for row in world.a.rows if isinstance(row, TelephoneSystem))
    token, system.token_hash = "a token", TelephoneSystem.hash_of("a token")
    system.save(update_fields=["token_hash"])

    @bounded(250)
    @given(documents(["id", "number", "time", "calls"]))
    def told(body):
        with undone(client):
            answer = client.post("/calls/", body, content_type="application/json", HTTP_AUTHORIZATION=f"Bearer {token}")
            assert answer.status_code in (200, 422), body

    told()


@pytest.mark.parametrize("path", ["/telephony/events/", "/telephony/route/"])
def test_nothing_that_the_telephony_tells_is_an_error(world, client, settings, path):
    settings.TELEPHONY, settings.TELEPHONY_SECRET = "sip", "x" * 50
    call = world.call_of(world.people["A", "company", "administrator", 1])
    events = st.fixed_dictionaries(
        {"ref": st.just(call.ref), "event": st.sampled_from(["ringing", "talking", "digits", "ended"])},
        optional=dict.fromkeys(["time", "code", "side", "digits", "cancelled"], values),
    ).map(lambda one: json.dumps(one).encode())

    @bounded(150)
    @given(
        st.one_of(documents(["ref", "event", "time", "code", "side", "digits", "cancelled", "number", "from"]), events)
    )
    def told(body):
        with undone(client):
            key = f"Bearer {key_for('events')}"
            answer = client.post(path, body, content_type="application/json", HTTP_AUTHORIZATION=key)
            assert answer.status_code < 500, body

    told()


ANSWERS = [
    "[" * 100_000, '{"a":' * 5000, "NaN", '["\ud800"]', '["\\ud800"]', "9" * 5000, "null", "{}", "[]", "1", "",
    '{"id": "\\ud800", "rawId": "\\ud800", "type": "public-key", "response": {"clientDataJSON": "\\ud800"}}',
    '{"id": "", "rawId": "", "type": "public-key", "response": {"clientDataJSON": "e30", "attestationObject": "gYGB"}}',
    '{"id": "", "rawId": "", "type": "public-key", "response": {"clientDataJSON": "e30", "authenticatorData": "AA",'
    ' "signature": "", "userHandle": "AA"}}',
    '{"id": 1, "rawId": [], "type": {}, "response": "x"}',
]  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: ascii(answer[:20]))
def test_nothing_that_a_browser_says_of_a_passkey_is_an_error(world, client, answer):
    seat = world.seat(IDENTITIES["company administrator"])
    doors = [(client, "login"), (seat.client, "reauthenticate"), (seat.client, "add")]
    for browser, name in doors:
        path = ALL[f"mfa_{name}_webauthn"].path(world, seat.account, seat.person)
        with undone(browser):
            browser.get(path)
            sent = f"name=x&credential={percent(answer)}"
            status = browser.post(path, sent, content_type="application/x-www-form-urlencoded").status_code
            assert status < 500, name
