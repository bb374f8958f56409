"""Phone systems tell of calls, and numbers turn active."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import AuditEvent
from accounts.scope import scope
from numbers.actions import calls, verbs
from numbers.models import CallEvent, PhoneNumber, TelephoneSystem
from numbers.reports import of_json
from numbers.reports.tables import of_lines
from tests.factories import make_destination, make_number

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def number(acme):
    """A number that was assigned before anybody called."""
    made = make_number(customer=acme, e164="+15145550100")
    PhoneNumber.unscoped.filter(pk=made.pk).update(assigned_at=NOW - timedelta(days=30))
    return made


@pytest.fixture
def tell():
    """Tell of calls, as a client does that has no cookies and no token against forged forms."""
    client = Client(enforce_csrf_checks=True)

    def sent(token, body, **headers):
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return client.post(
            "/calls/", text, content_type="application/json",
            headers={"Authorization": f"Bearer {token}"} | headers,
        )  # fmt: skip

    return sent


def call(call_id="a", number="+15145550100", at=NOW):
    return {"id": call_id, "number": number, "time": at.isoformat()}


def traffic(number):
    number.refresh_from_db()
    return number.first_call_at, number.last_call_at


def test_the_first_call_turns_a_number_active_and_later_ones_count(tell, token_of, system, number):
    token = token_of(system)
    answer = tell(token, call())
    assert (answer.status_code, answer.json()["recorded"]) == (200, 1)
    assert traffic(number) == (NOW, NOW)
    tell(token, [call("b", at=NOW + timedelta(hours=1)), call("c", at=NOW - timedelta(hours=1))])
    assert traffic(number) == (NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    found = TelephoneSystem.unscoped.get()
    assert (found.calls, found.unknown, found.heard_at is not None) == (3, 0, True)


def test_a_call_that_is_told_of_again_changes_nothing(tell, token_of, system, number):
    token = token_of(system)
    sent = {"calls": [call("a"), call("b", number="+4930123456"), call("a")]}
    assert tell(token, sent).json() == {
        "recorded": 1,
        "repeated": 1,
        "unknown": 1,
        "skipped": 0,
        "refused": 0,
        "reasons": [],
    }
    before = (traffic(number), TelephoneSystem.unscoped.values("calls", "unknown").get())
    assert tell(token, sent).json()["repeated"] == 3
    assert (traffic(number), TelephoneSystem.unscoped.values("calls", "unknown").get()) == before
    # The same id of another phone system is another call.
    assert tell(token_of(system, "Another"), call("a", at=NOW + timedelta(days=1))).json()["recorded"] == 1


def test_a_call_is_known_again_however_old_it_was_and_with_a_time_that_was_corrected(tell, token_of, system, number):
    token = token_of(system)
    long_ago = call("old", at=NOW - timedelta(days=1000))
    assert tell(token, [long_ago, call("new")]).json()["recorded"] == 2
    assert tell(token, long_ago).json()["repeated"] == 1
    for hours in (1, 47):
        assert tell(token, call("new", at=NOW - timedelta(hours=hours))).json()["repeated"] == 1
    assert tell(token, call("new", at=NOW - timedelta(hours=49))).json()["recorded"] == 1


def days():
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper::date - current_date FROM numbers_call_partitions() ORDER BY upper")
        return [day for (day,) in cursor.fetchall()]


@pytest.fixture
def running_for_weeks():
    """Calls of before twelve days ago are in one partition, and no worker has made days since."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM numbers_call_partitions()")
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {name}")
        cursor.execute("CREATE TABLE numbers_callevent_before (LIKE numbers_callevent INCLUDING ALL)")
        upper = (timezone.now() - timedelta(days=12)).date()
        cursor.execute(
            "ALTER TABLE numbers_callevent ATTACH PARTITION numbers_callevent_before"
            f" FOR VALUES FROM (MINVALUE) TO ('{upper}')"
        )


def test_days_are_made_ahead_and_dropped_when_their_time_is_over(system, running_for_weeks, settings):
    settings.CALL_DAYS = 10
    with scope(system):
        assert calls.tend_days() == (3, 0)
    assert days() == list(range(-9, 5))
    with scope(system):
        assert calls.tend_days() == (3, 0)
    assert days() == list(range(-9, 5))
    # What no setting drops: a week.
    settings.CALL_DAYS = 0
    with scope(system):
        calls.tend_days()
    assert days() == list(range(-6, 5))


def test_a_call_for_which_there_is_no_day_makes_it(tell, token_of, system, number, running_for_weeks):
    now = timezone.now()
    assert tell(token_of(system), call(at=now)).json()["recorded"] == 1
    assert traffic(number) == (now, now)
    assert days()[-1] == 4


def test_a_call_from_before_all_days_counts_and_is_not_kept(
    tell, token_of, system, number, running_for_weeks, settings
):
    settings.CALL_DAYS = 10
    with scope(system):
        calls.tend_days()
    answer = tell(token_of(system), [call("a"), call("b", number="+4930123456")]).json()
    assert (answer["recorded"], answer["unknown"], answer["repeated"]) == (1, 1, 0)
    assert traffic(number) == (NOW, NOW)
    assert not CallEvent.unscoped.exists()


def test_of_a_call_to_an_unknown_number_nothing_but_its_id_is_kept(tell, token_of, system):
    tell(token_of(system), call(number="+4930123456"))
    kept = CallEvent.unscoped.get()
    assert (kept.number_id, kept.var_id, kept.customer_id) == (None, None, None)


def test_a_var_tells_of_its_own_numbers_alone(tell, token_of, alpha, bravo, number):
    """And does not learn that others have them."""
    theirs = tell(token_of(bravo), call()).json()
    assert theirs == tell(token_of(bravo, "Other"), call(number="+4930123456")).json()
    assert traffic(number) == (None, None)
    assert tell(token_of(alpha), call()).json()["recorded"] == 1
    assert traffic(number) == (NOW, NOW)


def test_a_call_from_before_this_holder_had_it_says_nothing_of_this_tenure(tell, token_of, system, alpha, acme, number):
    token = token_of(system)
    tell(token, call("old", at=NOW - timedelta(days=31)))
    assert traffic(number) == (None, None)
    assert CallEvent.unscoped.get().customer_id is None
    free = make_number(alpha, e164="+15145550101")
    assert tell(token, call("free", number=free.e164)).json()["recorded"] == 1
    assert traffic(free) == (None, None)


def test_after_unassigning_it_is_pending_again_until_the_next_call(
    tell, token_of, system, alpha, acme, number, administrator_of
):
    token = token_of(system)
    tell(token, call())
    actor = Actor.at_home(administrator_of(alpha))
    with scope(alpha):
        verbs.perform_on(actor, verbs.UnassignFromCustomer(), number.digits)
        verbs.perform_on(actor, verbs.AssignToCustomer(acme.pk), number.digits)
    tell(token, call("late"))
    assert traffic(number) == (None, None)
    now = timezone.now()
    tell(token, call("new", at=now))
    assert traffic(number) == (now, now)


@pytest.mark.parametrize("token", ["", "wrong", "x" * 10_000, "\N{SNOWMAN}"])
def test_without_the_token_of_a_telephone_system_nothing_is_taken_down(tell, token_of, system, number, token):
    token_of(system)
    answer = tell(token, call())
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert not CallEvent.unscoped.exists()


def test_who_is_signed_in_takes_nothing_down_without_the_token(alpha, signed_in, number):
    answer = signed_in(alpha).post("/calls/", json.dumps(call()), content_type="application/json")
    assert answer.status_code == 401
    assert not CallEvent.unscoped.exists()


def test_ten_thousand_calls_with_the_longest_ids_are_one_batch_and_more_bytes_are_none(tell, token_of, system, number):
    token = token_of(system)
    assert tell(token, [call(f"{n:0200}") for n in range(10_000)]).json()["recorded"] == 10_000
    refused = tell(token, " " * 8_000_001)
    assert (refused.status_code, "Send it in parts." in refused.json()["error"]) == (422, True)


def test_a_revoked_token_opens_nothing(tell, token_of, system, number, administrator_of):
    token = token_of(system)
    with scope(system):
        calls.revoke_system(Actor.at_home(administrator_of(system)), TelephoneSystem.unscoped.get().pk)
    assert tell(token, call()).status_code == 401
    assert traffic(number) == (None, None)
    assert list(AuditEvent.unscoped.order_by("pk").values_list("verb", flat=True)) == [
        "system.added", "system.revoked",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"id": "", "number": "+15145550100", "time": "2026-11-01T12:00:00Z"}, "has an id"),
        ({"id": "x" * 201, "number": "+15145550100", "time": "2026-11-01T12:00:00Z"}, "has an id"),
        ({"id": "a\0", "number": "+15145550100", "time": "2026-11-01T12:00:00Z"}, "has an id"),
        ({"id": True, "number": "+15145550100", "time": "2026-11-01T12:00:00Z"}, "has an id"),
        ({"id": "a", "number": "5145550100", "time": "2026-11-01T12:00:00Z"}, "country code"),
        ({"id": "a", "number": 15145550100, "time": "2026-11-01T12:00:00Z"}, "has a number"),
        ({"id": "a", "number": "anonymous", "time": "2026-11-01T12:00:00Z"}, "no digits"),
        ({"id": "a", "number": "+15145550100", "time": "2026-11-01T12:00:00"}, "with its zone"),
        ({"id": "a", "number": "+15145550100", "time": "yesterday"}, "with its zone"),
        ({"id": "a", "number": "+15145550100", "time": 1e300}, "with its zone"),
        ({"id": "a", "number": "+15145550100", "time": float("nan")}, "with its zone"),
        ({"id": "a", "number": "+15145550100", "time": "9" * 30}, "with its zone"),
        ({"id": "\ud800", "number": "+15145550100", "time": "2026-11-01T12:00:00Z"}, "has an id"),
        ({"id": "a", "number": "\ud800", "time": "2026-11-01T12:00:00Z"}, "no digits"),
        ({"id": "a", "number": "+15145550100"}, "with its zone"),
        ({"id": "a", "number": "+15145550100", "time": "2999-01-01T00:00:00Z"}, "Check the clock"),
        ({"id": "a", "number": "+15145550100", "time": "1970-01-01T00:00:00Z"}, "Check the clock"),
        ("text", "has an id"),
        (None, "has an id"),
    ],
)
def test_a_call_that_cannot_be_is_refused_with_its_place_and_the_others_are_taken(
    tell, token_of, system, number, sent, why
):
    token = token_of(system)
    answer = tell(token, [call(), sent])
    assert (answer.status_code, answer.json()["recorded"], answer.json()["refused"]) == (200, 1, 1)
    (reason,) = answer.json()["reasons"]
    assert reason["call"] == 2
    assert why in reason["why"]
    assert tell(token, [sent]).status_code == 422


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, "7", '"x"', b"\xff\xfe", "[" + "{}," * 10_000 + "{}]"])
def test_what_is_no_list_of_calls_is_refused_as_a_whole(tell, token_of, system, body):
    answer = tell(token_of(system), body)
    assert answer.status_code == 422
    assert answer.json()["error"]


@pytest.mark.parametrize("at", [1793534400, 1793534400.0, "1793534400", "2026-11-01T13:00:00+01:00"])
def test_times_are_iso_with_a_zone_or_seconds(at):
    assert of_json(json.dumps({"id": 1, "number": "+1 (514) 555-0100", "time": at}).encode()).times == [NOW]


def test_a_batch_takes_as_many_statements_as_one_call(tell, token_of, system, django_assert_num_queries):
    token = token_of(system)
    for count in (1, 50):
        with django_assert_num_queries(6):  # whose token; savepoint, scope, calls, its end, back
            tell(token, [call(f"{count}-{turn}", f"+1514555{turn:04}") for turn in range(count)])


# From a file


@pytest.fixture
def told(tmp_path, token_of, system, number):
    token_of(system)
    path = tmp_path / "calls.csv"

    def record(text, *options):
        path.write_text(text)
        out, err = io.StringIO(), io.StringIO()
        call_command("record_calls", str(path), "--system", "switch", *options, stdout=out, stderr=err)
        return out.getvalue().strip(), err.getvalue().strip()

    return record


def test_a_file_is_taken_down_once(told, number):
    text = (
        "time,number,id,extra\n2026-11-01T12:00:00Z,+15145550100,a,x\n2026-11-01T12:00:00Z,514,b\n\n"
        "1793534400,+4930123456,c\n"
    )
    assert told(text) == (
        "1 calls taken down, 0 known before, 1 to other numbers, 1 refused",
        "line 3: Begin with + and the country code, for example +1 514 555 0123.",
    )
    assert traffic(number) == (NOW, NOW)
    assert told(text)[0] == "0 calls taken down, 2 known before, 0 to other numbers, 1 refused"


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("id,number\n", (), "missing: time"),
        ("", (), "missing: id, number, time"),
        ("id,number,time\n" + "x" * 200_000, (), "field larger than field limit"),
        ("id,number,time\n", ("--account", "V9999"), "V9999 has no phone system in use that is called switch"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(told, text, options, why):
    with pytest.raises(CommandError, match=why):
        told(text, *options)


def test_a_long_file_is_read_in_parts():
    lines = ["id,number,time", *(f"{n},+15145550100,2026-11-01T12:00:00Z" for n in range(10_001))]
    assert [len(part) for part in of_lines(lines)] == [10_000, 1]


# The pages


def test_the_token_is_shown_once(alpha, signed_in, tell, number):
    client = signed_in(alpha)
    answer = client.post(f"/{alpha.code}/phone-systems/add/", {"name": "Asterisk"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (
        201, "max-age=0, no-cache, no-store, must-revalidate, private",
    )  # fmt: skip
    token = answer.context["token"]
    assert token in answer.text
    found = TelephoneSystem.unscoped.get()
    assert token not in found.token_hash
    page = client.get(f"/{alpha.code}/phone-systems/{found.pk}/")
    assert token not in page.text
    assert tell(token, call()).json()["recorded"] == 1
    (row,) = client.get(f"/{alpha.code}/phone-systems/").context["listing"]["rows"]
    assert (row["name"], row["state"], row["calls"], row["unknown"]) == ("Asterisk", "In use", "1", "0")


def test_sent_twice_there_is_one(alpha, signed_in):
    client = signed_in(alpha)
    for status in (201, 422):
        answer = client.post(f"/{alpha.code}/phone-systems/add/", {"name": "Asterisk"})
        assert answer.status_code == status
    assert "revoke it first" in answer.text
    found = TelephoneSystem.unscoped.get()
    client.post(f"/{alpha.code}/phone-systems/{found.pk}/revoke/")
    client.post(f"/{alpha.code}/phone-systems/{found.pk}/revoke/")
    assert AuditEvent.unscoped.filter(verb="system.revoked").count() == 1
    assert client.post(f"/{alpha.code}/phone-systems/add/", {"name": "Asterisk"}).status_code == 201


def test_who_takes_a_number_away_is_told_how_much_it_is_called(alpha, acme, signed_in, tell, token_of, system, number):
    token, now = token_of(system), timezone.now()
    tell(token, [call(str(days), at=now - timedelta(days=days)) for days in range(10)])
    for account, verb in ((alpha, "unassign"), (acme, "release")):
        page = signed_in(account).get(f"/{account.code}/numbers/{number.digits}/{verb}/")
        assert dict(page.context["hanging"])["Calls in the last seven days"] == "7"


def test_who_gets_a_number_is_not_told_how_much_it_was_called_before(
    jane, acme, alpha, signed_in, tell, token_of, system, number
):
    tell(token_of(system), [call(str(turn), at=timezone.now()) for turn in range(3)])
    PhoneNumber.unscoped.filter(pk=number.pk).update(customer=jane, first_call_at=None, last_call_at=None)
    page = signed_in(jane).get(f"/{jane.code}/numbers/{number.digits}/release/")
    assert "Calls in the last seven days" not in dict(page.context["hanging"])
    page = signed_in(alpha).get(f"/{alpha.code}/numbers/{number.digits}/unassign/")
    assert dict(page.context["hanging"])["Calls in the last seven days"] == "3"


def test_what_rings_after_a_call_is_active_in_the_list(acme, signed_in, tell, token_of, system, number):
    PhoneNumber.unscoped.filter(pk=number.pk).update(destination=make_destination(acme))
    tell(token_of(system), call())
    (row,) = signed_in(acme).get(f"/{acme.code}/numbers/").context["listing"]["rows"]
    assert row["status_label"] == "Active"


def test_a_number_of_the_stock_shows_the_calls_that_it_still_gets(alpha, acme, signed_in, tell, token_of, system):
    token, now = token_of(system), timezone.now()
    free = make_number(alpha, e164="+15145550107")
    path = f"/{alpha.code}/numbers/{free.digits}/"
    assert "none in the last 90 days" in signed_in(alpha).get(path).text
    tell(token, [call(str(days), free.e164, now - timedelta(days=days)) for days in (1, 2, 3)])
    page = signed_in(alpha).get(path)
    assert page.context["number"]["unassigned_calls"].startswith("3 in the last 90 days, the last one on ")
    assert "First call" not in page.text
    # Who gets it does not learn of calls to others before, and its VAR sees the calls of this tenure.
    PhoneNumber.unscoped.filter(pk=free.pk).update(customer=acme, assigned_at=now)
    for account in (alpha, acme):
        page = signed_in(account).get(f"/{account.code}/numbers/{free.digits}/")
        assert page.context["number"]["unassigned_calls"] == ""
        assert "First call" in page.text


def test_calls_to_the_stock_are_read_by_the_index_of_the_number(alpha):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT at FROM numbers_callevent WHERE number_id = 1 AND customer_id IS NULL AND var_id = 1"
            " ORDER BY at DESC LIMIT 1001"
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "number_id" in plan
    assert "Seq Scan" not in plan
