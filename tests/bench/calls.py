"""Incoming calls, told of in batches over HTTP, beside the same rows sent by COPY and the same update in plain SQL.

python -m tests.bench.calls adds a phone system and prints its token.
"""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from tests.bench import data, web
from tests.bench.result import Result, at_most

BATCH = 10_000
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
UPDATE = """
UPDATE numbers_phonenumber n
SET first_call_at = least(n.first_call_at, c.first), last_call_at = greatest(n.last_call_at, c.last)
FROM (
    SELECT p.id, min(e.at) AS first, max(e.at) AS last FROM sent e
    JOIN numbers_phonenumber p ON p.digits = e.number AND p.customer_id IS NOT NULL AND p.assigned_at <= e.at
    GROUP BY p.id
) c
WHERE n.id = c.id
"""


def measure(ours: str, peers: str, numbers: int) -> Iterator[Result]:
    name = ours.rpartition("/")[2]
    copies = [data.sibling(ours, f"{name}_calls_{party}") for party in ("ours", "sql")]
    for copy in copies:
        data.drop(copy)
        with psycopg.connect(data.sibling(ours, "postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{copy.rpartition("/")[2]}" TEMPLATE "{name}"')
    try:
        yield from told(*copies, numbers)
    finally:
        for copy in copies:
            data.drop(copy)


def told(mine: str, theirs: str, numbers: int) -> Iterator[Result]:
    with psycopg.connect(mine) as connection:
        found = connection.execute("SELECT digits FROM numbers_phonenumber WHERE customer_id IS NOT NULL ORDER BY 1")
        held = [digits for (digits,) in found]
    calls = [
        (f"call-{turn}", held[turn * 7919 % len(held)], BEGUN + timedelta(seconds=turn * 20)) for turn in range(numbers)
    ]
    token = data.run(["-m", "tests.bench.calls"], mine, {"DJANGO_SETTINGS_MODULE": web.SETTINGS})
    bodies = [
        json.dumps([{"id": c, "number": f"+{n}", "time": at.isoformat()} for c, n, at in calls[place : place + BATCH]])
        for place in range(0, numbers, BATCH)
    ]
    with web.portal(mine) as site:
        took, first = sent(site.port, token, bodies)
        again, second = sent(site.port, token, bodies)
    with psycopg.connect(theirs) as connection:
        start = time.perf_counter()
        connection.execute("CREATE TEMPORARY TABLE sent (id text PRIMARY KEY, number bigint, at timestamptz)")
        with connection.cursor().copy("COPY sent FROM STDIN") as copy:
            for call in calls:
                copy.write_row(call)
        connection.execute(UPDATE)
        connection.commit()
        plain = time.perf_counter() - start
    outcomes = []
    for address in (mine, theirs):
        with psycopg.connect(address) as connection:
            outcomes.append(connection.execute(
                "SELECT count(first_call_at), md5(string_agg(extract(epoch FROM first_call_at) || '-' ||"
                " extract(epoch FROM last_call_at), ',' ORDER BY digits)) FROM numbers_phonenumber"
            ).fetchone())  # fmt: skip
    if outcomes[0] != outcomes[1]:
        raise RuntimeError(f"different numbers are active: {outcomes}")
    if (first["recorded"], second["recorded"], second["repeated"]) != (numbers, 0, numbers):
        raise RuntimeError(f"calls were lost or taken down twice: {first}, {second}")
    yield at_most("calls: told of in batches, COPY and UPDATE", took * 1000, plain * 1000, 3)
    yield at_most("calls: told of again, COPY and UPDATE", again * 1000, plain * 1000, 3)


def sent(port: int, token: str, bodies: list[str]) -> tuple[float, dict[str, int]]:
    """Send the batches one after the other; the seconds, and what became of all calls."""
    connection, outcome = http.client.HTTPConnection("127.0.0.1", port), dict.fromkeys(("recorded", "repeated"), 0)
    start = time.perf_counter()
    for body in bodies:
        headers = {"Authorization": f"Bearer {token}", "Host": "localhost"}
        connection.request("POST", "/calls/", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(text.decode()[:300])
        outcome = {name: count + json.loads(text)[name] for name, count in outcome.items()}
    return time.perf_counter() - start, outcome


def add_system() -> str:
    import django  # noqa: PLC0415 - only where the portal's settings are

    django.setup()
    from accounts.actor import Actor  # noqa: PLC0415
    from accounts.models import Person  # noqa: PLC0415
    from accounts.scope import scope  # noqa: PLC0415
    from numbers.actions.calls import add_system  # noqa: PLC0415

    actor = Actor.at_home(Person.objects.select_related("account").get(email="system@demo.example"))
    with scope(actor.account):
        return add_system(actor, name="Bench")[1]


if __name__ == "__main__":
    sys.stdout.write(add_system())
